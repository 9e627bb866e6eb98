"""What the session needs of whoever runs its trials: processes of this machine, or actors of a cluster."""

from __future__ import annotations

from multiprocessing.connection import Connection
from typing import Protocol

from tunerstudio.protocol.worker import Command, Report, WorkerReady


class TrialWorker(Protocol):
    """One worker, on this machine or on another.

    Attributes:
        number: 1-based, for people; never used twice in a pool.
        connection: Becomes readable when a report waits or the worker has ended; only `receive` reads from it.
        ready: Its greeting; None until it came.
        study_key: What `OpenStudy` it answered last.
        node: Name of the machine it runs on.
    """

    number: int
    connection: Connection
    ready: WorkerReady | None
    study_key: object
    node: str

    def send(self, command: Command) -> None:
        """Send a command; WorkerDiedError if nobody is there to take it."""

    def receive(self) -> Report:
        """The next report, waiting for it; WorkerDiedError if the worker has ended."""
        ...

    def ask(self, command: Command) -> Report:
        """Send `command` and wait for its answer; ModelError if it cannot be done, WorkerDiedError if it died."""
        ...

    def wait_ready(self) -> WorkerReady:
        """Wait until it can take commands."""
        ...

    def log_tail(self, characters: int = 4000) -> str:
        """The last lines it printed."""
        ...

    @property
    def is_alive(self) -> bool:
        """Whether it can still answer."""
        ...

    @property
    def pid(self) -> int | None:
        """Process id on its machine."""
        ...


class Pool(Protocol):
    """Hands out workers, one at a time. Safe to use from several threads."""

    def warm_up(self, count: int = 1) -> None:
        """See that there are `count` workers; returns at once."""

    def acquire(self, fresh: bool = False) -> TrialWorker:
        """A live worker for the caller alone, perhaps still starting; `fresh`: one that has never opened a study."""
        ...

    def release(self, worker: TrialWorker) -> None:
        """Give a worker back; a dead one is forgotten."""

    def discard(self, worker: TrialWorker) -> None:
        """Give back a worker that must not be used again; ends it."""

    def tend(self) -> list[tuple[str, str]]:
        """Look after workers that wait or idle; returns at once.

        Returns:
            What people should know since the last call, such as that no place is free: (level, text) of log lines.
        """
        ...

    def close(self) -> None:
        """End all workers."""
