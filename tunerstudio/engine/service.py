"""The engine as a process of its own, for the window and for Python: requests in, answers and notices out.

Long requests run in threads of their own, so that a stop is heard while a check or a save goes on. One search runs
at a time.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunerstudio.engine.control import SessionControl, When
from tunerstudio.engine.engine import Engine
from tunerstudio.engine.exporting import export_study
from tunerstudio.engine.results import SessionListener
from tunerstudio.protocol.control import command_from
from tunerstudio.protocol.loop import Channel, ChannelClosedError, Reporter, answer, failure
from tunerstudio.protocol.service import Notice, Request, from_line
from tunerstudio.protocol.space import SpaceReport
from tunerstudio.study.errors import TunerStudioError
from tunerstudio.study.files import load_document
from tunerstudio.study.trials import SessionRecord, SessionState, Trial
from tunerstudio.study.trust import is_trusted, trust

Params = dict[str, Any]

SEARCH_THREAD = "search"

STOP_LIMIT_S = 30.0
"""How long a search may take to stop when the window is gone."""


@dataclass(frozen=True)
class _Search:
    """A request to run."""

    folder: Path
    target: int | None
    control: SessionControl
    request: int
    is_interactive: bool


class EngineService:
    """Answers requests.

    They are ping; device, open, trust; check, space, describe, prepare; check_space, cancel_check; run, stop, command,
    detach; save, export.
    """

    def __init__(self, engine: Engine, channel: Channel) -> None:
        """Serve `engine` through `channel`."""
        self._engine = engine
        self._channel = channel
        self._guard = threading.Lock()
        self._control: SessionControl | None = None
        self._goes_on = False
        self._threads: list[threading.Thread] = []
        self._handlers: dict[str, Callable[[Params, Reporter], Params]] = {
            "ping": lambda params, report: {},
            "device": self._device,
            "open": self._open,
            "check": self._check,
            "space": self._space,
            "check_space": self._check_space,
            "cancel_check": self._cancel_check,
            "describe": self._describe,
            "prepare": self._prepare,
            "run": self._run,
            "stop": self._stop,
            "command": self._command,
            "detach": self._detach,
            "save": self._save,
            "export": self._export,
            "trust": self._trust,
        }
        self._slow = {"device", "check", "space", "check_space", "describe", "prepare", "save", "export", "command"}
        self._cancel_space = threading.Event()

    def serve(self, lines: Iterable[bytes]) -> None:
        """Answer until `lines` ends; then stop a running search at once, unless it shall go on, and end the workers."""
        self._engine.pool.warm_up(1)
        self._in_thread("device", self._announce_device)
        try:
            for line in lines:
                if line.strip():
                    self._take(line)
        except ChannelClosedError:
            pass  # the window is gone: nobody is left to tell
        finally:
            self._shut_down()

    def _take(self, line: bytes) -> None:
        try:
            message = from_line(line)
        except ValidationError:
            message = None  # `answer` says what is wrong with it
        if isinstance(message, Request) and message.method in self._slow:
            self._in_thread(message.method, lambda: self._channel.send(answer(self._handlers, self._channel, line)))
        else:
            self._channel.send(answer(self._handlers, self._channel, line))

    def _in_thread(self, name: str, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except ChannelClosedError:
                return  # the window is gone: nobody is left to tell

        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=guarded, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _shut_down(self) -> None:
        with self._guard:
            if self._goes_on:
                self._stop_when_asked_to_end()
            elif self._control is not None:
                self._control.request_stop("now")
        for thread in self._threads:
            if thread.name == SEARCH_THREAD:
                thread.join(None if self._goes_on else STOP_LIMIT_S)
        self._engine.close()

    def _stop_when_asked_to_end(self) -> None:
        """Without a window, the system's polite way to end a program ends the search in order."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, lambda number, frame: self._request_stop("now"))

    def _request_stop(self, when: When) -> bool:
        control = self._control
        if control is not None:
            control.request_stop(when)
        return control is not None

    def _notice(self, name: str, **data: Any) -> None:
        self._channel.send(Notice(name=name, data=data))

    # -- methods --------------------------------------------------------------------------------------------------

    def _announce_device(self) -> None:
        try:
            self._notice("device", **self._device({}, None))
        except TunerStudioError as error:
            self._notice("log", text=str(error))

    def _device(self, params: Params, report: Reporter | None) -> Params:
        greeting = self._engine.device()
        return {"device": greeting.device, "reason": greeting.device_reason, "versions": greeting.versions}

    def _open(self, params: Params, report: Reporter) -> Params:
        folder = Path(params["folder"])
        return {"trusted": is_trusted(folder, load_document(folder))}

    def _trust(self, params: Params, report: Reporter) -> Params:
        trust(Path(params["folder"]))
        return {}

    def _check(self, params: Params, report: Reporter) -> Params:
        checked = self._engine.check(Path(params["folder"]), lambda text: report(None, text))
        return {
            "ok": True,
            "problems": [],
            "warnings": checked.warnings,
            "metrics": list(checked.metrics),
            "parameters": checked.parameters,
            "space": checked.space.model_dump(mode="json"),
            # JSON has no infinity: null stands for a continuous space.
            "size": None if checked.size == float("inf") else checked.size,
            "road": checked.road,
            "device": checked.device,
            "device_reason": checked.device_reason,
            "summary": checked.summary,
        }

    def _space(self, params: Params, report: Reporter) -> Params:
        folder = Path(params["folder"])
        found = self._engine.declared_space(folder) if params.get("declared") else self._engine.space(folder)
        return {"space": found.model_dump(mode="json")}

    def _check_space(self, params: Params, report: Reporter) -> Params:
        """What is known on the way comes as notices `space`: {folder, report}."""
        folder = Path(params["folder"])
        with self._guard:
            self._cancel_space.set()  # a check that still runs is of an older document
            cancel = self._cancel_space = threading.Event()

        def on_report(seen: SpaceReport) -> None:
            report(seen.done / max(1, seen.total))
            self._notice("space", folder=params["folder"], report=seen.model_dump(mode="json"))

        count = int(params.get("count", 200))
        found = self._engine.check_space(folder, lambda text: report(None, text), on_report, cancel, count)
        return {"report": found.model_dump(mode="json")}

    def _cancel_check(self, params: Params, report: Reporter) -> Params:
        with self._guard:
            self._cancel_space.set()
        return {}

    def _describe(self, params: Params, report: Reporter) -> Params:
        found = self._engine.describe(Path(params["folder"]), params.get("values"))
        return {"description": found.model_dump(mode="json")}

    def _prepare(self, params: Params, report: Reporter) -> Params:
        """Get ready for a search that may come; nothing while one runs."""
        with self._guard:
            if self._control is not None:
                return {"ready": False}
        self._engine.get_ready(Path(params["folder"]))
        return {"ready": True}

    def _run(self, params: Params, report: Reporter) -> Params:
        folder = Path(params["folder"])
        with self._guard:
            if self._control is not None:
                raise TunerStudioError("a search is running already: stop it first")
            control = self._control = SessionControl()
            self._goes_on = params.get("on_window_death") == "continue"
        search = _Search(folder, params.get("trials"), control, report.request, params.get("interactive", True))
        self._in_thread(SEARCH_THREAD, lambda: self._search(search))
        return {}

    def _detach(self, params: Params, report: Reporter) -> Params:
        """The search goes on when the window ends."""
        with self._guard:
            self._goes_on = True
            return {"running": self._control is not None}

    def _command(self, params: Params, report: Reporter) -> Params:
        try:
            command = command_from(params["command"])
        except ValidationError as error:
            raise TunerStudioError(f"This is not a command to a search: {error}") from error
        carried = self._engine.command(Path(params["folder"]), command)
        self._notice("changed", folder=params["folder"])
        return {"id": carried.id, "outcome": carried.outcome}

    def _stop(self, params: Params, report: Reporter) -> Params:
        when: When = "now" if params.get("when") == "now" else "epoch"
        with self._guard:
            if self._control is None:
                return {"running": False}
            self._control.request_stop(when)
        self._notice("search", state="stopping", when=when)
        return {"running": True}

    def _save(self, params: Params, report: Reporter) -> Params:
        target = params.get("to")
        saved = self._engine.save(
            Path(params["folder"]),
            int(params.get("top", 3)),
            None if target is None else Path(target),
            report,
            params.get("numbers"),
        )
        fields = ("trial", "score", "saved_score", "test", "verified")
        return {"models": [{"path": str(m.path), **{name: getattr(m, name) for name in fields}} for m in saved]}

    def _export(self, params: Params, report: Reporter) -> Params:
        to = Path(params["to"])
        written = export_study(
            Path(params["folder"]), params["kind"], to, params.get("number"), lambda text: report(None, text)
        )
        return {"files": [str(path) for path in written.files], "trial": written.trial}

    # -- the search -----------------------------------------------------------------------------------------------

    def _search(self, search: _Search) -> None:
        control, where = search.control, str(search.folder)
        began = threading.Event()

        def tell(name: str, **data: Any) -> None:
            # A window that is gone must not break the session: it goes on, or ends in order and can be resumed.
            try:
                self._notice(name, folder=where, **data)
            except ChannelClosedError:
                if not self._goes_on:
                    control.request_stop("now")

        def on_trial(trial: Trial) -> None:
            if not began.is_set():
                began.set()
                tell("search", state="running", message="")
            tell("changed")

        def on_session(record: SessionRecord) -> None:
            if record.state is SessionState.RUNNING and not began.is_set():
                return  # the window hears of the first trial
            if record.state is not SessionState.ENDED:
                tell("search", state=record.state.value, reason=record.reason, message=record.message)
            tell("changed")

        listener = SessionListener(
            on_trial, lambda epochs: tell("changed"), lambda level, text: tell("changed"), on_session
        )
        tell("search", state="starting", message="")
        try:
            result = self._engine.run(
                search.folder,
                control,
                listener,
                search.target,
                lambda text: tell("search", state="starting", message=text),
                search.is_interactive,
            )
            ending = {"reason": result.reason, "message": result.message, "completed": result.completed}
        except Exception as error:  # noqa: BLE001  # a service outlives whatever a search meets
            told = failure(search.request, "run", error)
            ending = {"reason": "failed", "message": told.message, "details": told.details}
            ending["problems"] = [list(problem) for problem in told.problems]
        finally:
            with self._guard:
                self._control = None
        tell("changed")
        tell("search", state="ended", **ending)
        control.close()
