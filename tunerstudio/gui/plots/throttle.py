"""Redraw often enough to look live, seldom enough to leave the event loop free."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from PySide6.QtCore import QObject, QTimer

FASTEST_MS = 50
"""At most 20 redraws a second."""

_SHARE = 5
"""A redraw may take at most one part in so many of the time: slow redraws come less often."""


class Throttle(QObject):
    """Calls `redraw` soon after `request`, however often that is called.

    The first request after a pause is served at the next turn of the event loop.
    """

    def __init__(self, redraw: Callable[[], None], parent: QObject) -> None:
        """Serve requests by calling `redraw` on the thread of `parent`."""
        super().__init__(parent)
        self._redraw = redraw
        self._last_end_s = 0.0
        self._pause_ms = float(FASTEST_MS)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.flush)

    @property
    def is_pending(self) -> bool:
        """Whether a redraw is due."""
        return self._timer.isActive()

    def request(self) -> None:
        """Ask for a redraw."""
        if not self._timer.isActive():
            waited_ms = (perf_counter() - self._last_end_s) * 1000
            self._timer.start(max(0, round(self._pause_ms - waited_ms)))

    def cancel(self) -> None:
        """Forget a request that was not served yet."""
        self._timer.stop()

    def flush(self) -> None:
        """Redraw now."""
        self._timer.stop()
        start_s = perf_counter()
        try:
            self._redraw()
        finally:
            self._last_end_s = perf_counter()
            self._pause_ms = max(float(FASTEST_MS), (self._last_end_s - start_s) * 1000 * _SHARE)
