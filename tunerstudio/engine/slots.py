"""A place for one worker, and the trial that it trains."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal, get_args

from tunerstudio.engine.background import Errand
from tunerstudio.engine.control import When
from tunerstudio.engine.executors.base import TrialWorker
from tunerstudio.protocol.worker import EpochEnded, ResourcesUsed
from tunerstudio.study.trials import Attempt, Epoch

Wish = Literal["requeue", "pause", "prune", "skip"]
"""What becomes of a trial that was stopped: QUEUED, PAUSED, PRUNED or CANCELLED."""

WISHES: tuple[Wish, ...] = get_args(Wish)
"""From the weakest to the strongest: what ends a trial for good goes before what lets it go on."""


@dataclass
class Job:
    """A trial in training.

    Attributes:
        trial: Its number.
        attempt: As it was written down when it started.
        began: By the monotonic clock, as are the other times.
        leftovers: Executions with epochs of an earlier attempt; they hold until the worker says where it goes on.
        wish: What shall become of it once it has stopped; None: nobody asked it to stop.
        why: Why it was stopped, in a sentence.
        judged: Whether it must end, whatever the worker did before it heard of that: reports no longer count.
        stop_sent: The strongest stop that was passed on.
        stop_sent_at: When `now` was passed on.
        progress, progressed_at: The worker's last count of steps, and when it last grew.
        last_epochs: Last epoch by execution.
        rss_bytes: Resident memory of the worker when last seen.
    """

    trial: int
    attempt: Attempt
    began: float = field(default_factory=time.monotonic)
    leftovers: set[int] = field(default_factory=set)
    wish: Wish | None = None
    why: str = ""
    judged: bool = False
    stop_sent: When | None = None
    stop_sent_at: float = 0.0
    progress: int = -1
    progressed_at: float = field(default_factory=time.monotonic)
    last_epochs: dict[int, int] = field(default_factory=dict)
    rss_bytes: int = 0

    def numbered(self, report: EpochEnded) -> Epoch:
        """The epoch of a report. Code that fits twice counts from 1 again: its second epochs follow the first."""
        number = max(report.epoch, self.last_epochs.get(report.execution, 0) + 1)
        self.last_epochs[report.execution] = number
        return Epoch(report.trial, report.execution, number, report.metrics, report.at)

    def moved(self) -> None:
        """Note that it made progress."""
        self.progressed_at = time.monotonic()

    def take_use(self, report: ResourcesUsed) -> None:
        """Note a heartbeat."""
        self.rss_bytes = report.rss_bytes
        if report.progress > self.progress:
            self.progress = report.progress
            self.moved()


@dataclass(eq=False)
class Slot:
    """A place for one worker.

    Attributes:
        worker: Ready for a trial, with the study open; None while there is none.
        hire: A worker on its way.
        job: What the worker trains.
        trials: Trials that the worker has trained in this session.
        first_rss_bytes: Its resident memory after the first of them.
    """

    worker: TrialWorker | None = None
    hire: Errand[TrialWorker] | None = None
    job: Job | None = None
    trials: int = 0
    first_rss_bytes: int = 0

    @property
    def is_idle(self) -> bool:
        """Whether a trial could start at once."""
        return self.worker is not None and self.job is None
