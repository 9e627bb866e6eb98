"""Which workers train the trials of a study, by its document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tunerstudio.engine.executors.base import Pool
from tunerstudio.engine.executors.ray import RayPool
from tunerstudio.locations import log_folder
from tunerstudio.study.machine import workers_for
from tunerstudio.study.search import Executor, Search

MOST_WORKERS = 64
"""More are not started unasked, however large a cluster is; a study cannot ask for more either."""


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


def workers_wanted(search: Search, pool: Pool) -> int:
    """How many trials to train side by side: the study's number, or as many as the machine or the cluster has room for.

    Nodes that are added later do not change it: the user does.
    """
    if isinstance(pool, RayPool):
        return workers_for(search, min(max(pool.room, 1), MOST_WORKERS))
    return workers_for(search, len(getattr(pool, "gpus", ())))


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
