"""Which workers train the trials of a study, by its document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tunerstudio.engine.executors.base import Pool
from tunerstudio.engine.executors.ray import RayPool
from tunerstudio.locations import log_folder
from tunerstudio.study.search import Executor


@dataclass(frozen=True)
class TrialPool:
    """Where the trials of a session run.

    Attributes:
        pool: Gives the workers.
        wait_open: Waits until workers can be had (a cluster has to answer, or to start), or what it is given says that
            nobody waits any more; StudyError if the cluster cannot be used.
    """

    pool: Pool
    wait_open: Callable[[Callable[[], bool]], None]


@contextmanager
def trial_pool(executor: Executor, local: Pool) -> Iterator[TrialPool]:
    """The pool for the trials of one session; entering takes no time.

    Args:
        executor: Where the study wants its trials to run.
        local: Workers of this machine; they outlive the session.

    Raises:
        StudyError: If the executor is not installed.
    """
    if executor.kind == "local":
        yield TrialPool(local, lambda given_up: None)
        return
    pool = RayPool(executor, log_folder())
    try:
        yield TrialPool(pool, pool.wait_open)
    finally:
        pool.close()
