"""One preparation of a study at a time, without one that hangs holding up the others for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tunerstudio.engine.executors.local import Worker

PATIENCE_S = 60.0
"""How long a preparation waits for the one before it, whose worker is ended then: code of a user may never return."""


class Turns:
    """Who prepares at the moment, and with which worker. Safe to use from several threads."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        """Nobody prepares; whoever waits for longer than `patience_s` seconds ends the worker that is waited for."""
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._holder: int | None = None
        self._worker: Worker | None = None

    @contextmanager
    def take(self, say: Callable[[str], None] = lambda text: None) -> Iterator[None]:
        """The body runs alone; `say` is told if something had to be ended for it."""
        while not self._lock.acquire(timeout=self._patience_s):
            worker = self._worker
            if worker is not None:
                say(f"an earlier preparation did not end in {self._patience_s:g} s and is given up")
                worker.interrupt()  # whoever waits for its answer lets go
        self._holder = threading.get_ident()
        try:
            yield
        finally:
            self._holder = self._worker = None
            self._lock.release()

    @contextmanager
    def using(self, worker: Callable[[], Worker]) -> Iterator[Callable[[], Worker]]:
        """What gives the worker of the body; it may be ended if it is this thread's turn and others wait too long."""

        def noted() -> Worker:
            found = worker()
            if self._holder == threading.get_ident():
                self._worker = found
            return found

        try:
            yield noted
        finally:
            if self._holder == threading.get_ident():
                self._worker = None
