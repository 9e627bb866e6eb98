"""Work that must not make the session's loop wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Errand(Generic[Result]):
    """One piece of work in a thread of its own.

    Attributes:
        is_done: Whether `result` answers at once.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], Result],
        ring: Callable[[], None] = lambda: None,
        dispose: Callable[[Result], None] = lambda result: None,
    ) -> None:
        """Start.

        Args:
            name: Of the thread.
            work: What to do.
            ring: Called in that thread when the work is done, unless the errand was abandoned.
            dispose: What to do with the result of an abandoned errand.
        """
        self._work, self._ring, self._dispose = work, ring, dispose
        self._results: list[Result] = []
        self._error: BaseException | None = None
        self._guard = threading.Lock()
        self._abandoned = False
        self.is_done = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # noqa: BLE001  # `result` raises it in the thread that wants to know
            self._error = error
        with self._guard:
            self.is_done = True
            if not self._abandoned:
                self._ring()
                return
        self._clear_away()

    def result(self, timeout_s: float | None = None) -> Result:
        """What came of it, waiting for it; raises what the work raised, TimeoutError after `timeout_s` seconds."""
        self._thread.join(timeout_s)
        if not self.is_done:
            raise TimeoutError(f"{self._thread.name} is not done after {timeout_s} s")
        if self._error is not None:
            raise self._error
        return self._results[0]

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it is done, at most `timeout_s` seconds; whether it is."""
        self._thread.join(timeout_s)
        return self.is_done

    def abandon(self) -> None:
        """Nobody wants the result any more: it is disposed of as soon as it is there."""
        with self._guard:
            self._abandoned = True
            if not self.is_done:
                return
        self._clear_away()

    def _clear_away(self) -> None:
        while self._results:
            self._dispose(self._results.pop())
