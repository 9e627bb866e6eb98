"""A client of a service process: requests with callbacks on the GUI thread, restarts, cancel by restart."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QThread, Signal, Slot

from tunerstudio.gui.service_process import ServiceProcess
from tunerstudio.protocol.service import Failure, Notice, Progress, Reply, Request, to_line

OnReply = Callable[[dict[str, Any]], None]
OnFailure = Callable[[Failure], None]
OnProgress = Callable[[Progress], None]

_QUICK_DEATH_S = 20.0
_MOST_QUICK_DEATHS = 3


@dataclass(frozen=True)
class _Pending:
    method: str
    on_reply: OnReply
    on_failure: OnFailure | None
    on_progress: OnProgress | None


class ServiceClient(QObject):
    """One service process and the requests to it. Use from the GUI thread.

    A process that dies is started again; the requests it had not answered fail with a sentence. After three deaths
    shortly after the start it stays down until `start` is called again.

    Attributes:
        title: What the service is called in messages to the user, such as "data service".
        log_file: Where its stderr goes.

    Signals:
        notice: (str, dict) name and data of a notice.
        state_changed: (str) stopped, running or broken.
        ended: (str) the process ended by itself; why, in words.
    """

    notice = Signal(str, dict)
    state_changed = Signal(str)
    ended = Signal(str)
    _open = Signal(int)
    _write = Signal(bytes)
    _close = Signal()
    _kill = Signal()
    _let_go = Signal()

    def __init__(self, title: str, command: Sequence[str], log_file: Path, parent: QObject | None = None) -> None:
        """Prepare; nothing is started before `start`."""
        super().__init__(parent)
        self.title = title
        self.log_file = log_file
        self._state = "stopped"
        self._next_id = 1
        self._pending: dict[int, _Pending] = {}
        self._waiting: list[Request] = []
        self._started_at = 0.0
        self._quick_deaths = 0
        self._launches = 0
        self._was_started = False
        self._has_spoken = False
        self._thread = QThread()
        self._thread.setObjectName(title)
        self._process = ServiceProcess(command, log_file)
        self._process.moveToThread(self._thread)
        self._open.connect(self._process.open)
        self._write.connect(self._process.write)
        self._close.connect(self._process.close)
        self._kill.connect(self._process.kill)
        self._let_go.connect(self._process.let_go)
        self._process.message_received.connect(self._receive)
        self._process.ended.connect(self._process_ended)

    @property
    def state(self) -> str:
        """stopped, running (or coming up) or broken."""
        return self._state

    @property
    def has_spoken(self) -> bool:
        """Whether the present process has said anything: before, it may still be coming up."""
        return self._has_spoken

    @property
    def busy(self) -> bool:
        """Whether a request is unanswered."""
        return bool(self._pending)

    def start(self) -> None:
        """Start the process; requests made before are sent now."""
        if self._state == "running":
            return
        if not self._thread.isRunning():
            self._thread.start()
        self._quick_deaths = 0
        self._was_started = True
        self._launch()

    def stop(self) -> None:
        """End process and thread and forget all requests; returns when both are gone."""
        self._pending.clear()
        self._waiting.clear()
        if self._thread.isRunning():
            self._close.emit()  # quits the thread when the process is gone
            self._thread.wait()
        self._was_started = False
        self._set_state("stopped")

    def restart(self) -> None:
        """Cancel: kill the process, forget all requests without a callback, start anew."""
        self._pending.clear()
        self._waiting.clear()
        if self._thread.isRunning():
            self._kill.emit()
            self._quick_deaths = 0
            self._launch()

    def give_up(self, why: str) -> None:
        """Kill a process that does not answer; that is told like a death of its own, with `why` as the reason."""
        if self._state == "running" and self._thread.isRunning():
            self._kill.emit()
            self._process_ended(self._launches, why)

    def let_go(self) -> None:
        """Leave the process to itself and forget all requests; the next one starts a new process."""
        self._pending.clear()
        self._waiting.clear()
        if self._thread.isRunning():
            self._let_go.emit()
        self._launches += 1  # what the old one still says is for nobody
        self._set_state("stopped")

    def request(
        self,
        method: str,
        params: dict[str, Any],
        on_reply: OnReply,
        on_failure: OnFailure | None = None,
        on_progress: OnProgress | None = None,
    ) -> int:
        """Ask; the callbacks come on the GUI thread, never before this returns.

        Without `on_failure` a failure is told as the notice `failure` {message, details}.

        Returns:
            A number for `forget`.
        """
        request = Request(id=self._next_id, method=method, params=params)
        self._next_id += 1
        self._pending[request.id] = _Pending(method, on_reply, on_failure, on_progress)
        if self._state == "running":
            self._write.emit(to_line(request))
        else:
            self._waiting.append(request)
            if self._state == "broken" or self._was_started:
                self.start()
        return request.id

    def is_waiting_for(self, request_id: int) -> bool:
        """Whether the answer to this request is still to come."""
        return request_id in self._pending

    def forget(self, request_id: int) -> None:
        """No callback of this request any more; the service still finishes it."""
        self._pending.pop(request_id, None)

    def _launch(self) -> None:
        self._started_at = time.monotonic()
        self._launches += 1
        self._has_spoken = False
        self._open.emit(self._launches)
        self._set_state("running")
        waiting, self._waiting = self._waiting, []
        for request in waiting:
            if request.id in self._pending:
                self._write.emit(to_line(request))

    def _set_state(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)

    @Slot(object)
    def _receive(self, message: Reply | Failure | Progress | Notice) -> None:
        self._has_spoken = True
        if isinstance(message, Notice):
            self.notice.emit(message.name, message.data)
        elif isinstance(message, Progress):
            pending = self._pending.get(message.id)
            if pending is not None and pending.on_progress is not None:
                pending.on_progress(message)
        else:
            self._answer(message)

    def _answer(self, message: Reply | Failure) -> None:
        pending = self._pending.pop(message.id, None)
        if pending is None:
            return
        if isinstance(message, Reply):
            pending.on_reply(message.result)
        elif pending.on_failure is not None:
            pending.on_failure(message)
        else:
            self.notice.emit("failure", {"message": message.message, "details": message.details})

    @Slot(int, str)
    def _process_ended(self, launch: int, why: str) -> None:
        if self._state != "running" or launch != self._launches:
            return
        quick = time.monotonic() - self._started_at < _QUICK_DEATH_S
        self._quick_deaths = self._quick_deaths + 1 if quick else 0
        unanswered, self._pending = self._pending, {}
        self._waiting.clear()
        if self._quick_deaths >= _MOST_QUICK_DEATHS:
            self._set_state("broken")
        else:
            self._launch()
        self.ended.emit(why)
        for request_id, pending in unanswered.items():
            self._fail(request_id, pending, why)

    def _fail(self, request_id: int, pending: _Pending, why: str) -> None:
        again = "It stays down." if self._state == "broken" else "It has been started again."
        failure = Failure(
            id=request_id,
            message=f"The {self.title} did not answer: {why}. {again}",
            details=f"{pending.method}; see {self.log_file}",
        )
        if pending.on_failure is not None:
            pending.on_failure(failure)
        else:
            self.notice.emit("failure", {"message": failure.message, "details": failure.details})
