"""Notices an engine that does not answer: code of a plugin may stand still where nothing in its process can end it.

A library that computes without giving back Python's lock freezes the whole engine, its clocks and time limits too.
Only another process can end that, and the window is one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from tunerstudio.gui.service_client import OnFailure, OnReply, ServiceClient

PATIENCE_MS = 15_000
PING_INTERVAL_MS = 5_000
MOST_UNANSWERED = 12
"""An engine is silent after so many pings in vain. Counted, not timed: a computer that slept has not been silent."""


class EngineWatch(QObject):
    """Asks the engine now and then whether it is there, as long as something is expected of it.

    Attributes:
        patience_ms: How long an answer may take that a working engine gives at once.

    Signals:
        silent: () it has not answered for a minute; once per silence.
    """

    silent = Signal()

    def __init__(
        self,
        engine: ServiceClient,
        is_expected: Callable[[], bool],
        parent: QObject | None = None,
        ping_interval_ms: int = PING_INTERVAL_MS,
    ) -> None:
        """Watch `engine` after `start`; `is_expected` says whether it has something to do."""
        super().__init__(parent)
        self._engine, self._is_expected = engine, is_expected
        self.patience_ms = PATIENCE_MS
        self._unanswered = 0
        self._request: int | None = None
        self._beat = QTimer(self)
        self._beat.setInterval(ping_interval_ms)
        self._beat.timeout.connect(self._tick)

    def start(self) -> None:
        """Begin, or go on."""
        if not self._beat.isActive():
            self._beat.start()

    def stop(self) -> None:
        """Ask no more."""
        self._beat.stop()
        self._heard()

    def ask_promptly(self, method: str, params: dict[str, Any], on_reply: OnReply, on_failure: OnFailure) -> None:
        """A request that is answered at once, or the engine is given up: it is killed, and `on_failure` says so."""
        limit = QTimer(self)
        limit.setSingleShot(True)

        request = self._engine.request(method, params, on_reply, on_failure)

        def over() -> None:
            limit.deleteLater()
            if self._engine.is_waiting_for(request):
                self.give_up()

        limit.timeout.connect(over)
        limit.start(self.patience_ms)

    def give_up(self) -> None:
        """End an engine that stands still; another one is started."""
        self._engine.give_up(self.tr("it did not answer any more and was ended"))

    def _tick(self) -> None:
        if self._request is not None and self._engine.is_waiting_for(self._request):
            if self._engine.has_spoken:  # else it may still be coming up
                self._unanswered += 1
                if self._unanswered == MOST_UNANSWERED:
                    self.silent.emit()
            return
        self._heard()
        if self._engine.state == "running" and self._is_expected():
            self._request = self._engine.request(
                "ping", {}, lambda result: self._heard(), lambda failure: self._heard()
            )

    def _heard(self) -> None:
        if self._request is not None:
            self._engine.forget(self._request)
        self._request, self._unanswered = None, 0
