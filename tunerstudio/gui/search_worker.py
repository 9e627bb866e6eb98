"""Follows a search: a thread that reads the study's database as it grows and hands batches to the window.

Events of the engine only say that there is more to read. A live study and a finished one come by the same road.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QThread, QTimer, Signal, Slot

from tunerstudio.analysis.disk import DiskUse
from tunerstudio.gui.commands import done_sentence, waiting_sentence
from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.engine_watch import EngineWatch
from tunerstudio.gui.service_client import ServiceClient
from tunerstudio.gui.study_tail import POLL_INTERVAL_MS, SessionView, StudyTail
from tunerstudio.protocol.control import ControlCommand, PauseSearch, ResumeSearch, StopSearch
from tunerstudio.protocol.service import Failure
from tunerstudio.store.mailbox import post
from tunerstudio.store.reader import Changes
from tunerstudio.store.schema import StoreError
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.trials import Attempt, ResourceUse, SessionState

BATCH_INTERVAL_MS = 50
"""Least time between two batches: at most 20 a second."""

IDLE_POLL_INTERVAL_MS = 1000
"""Without a search of ours: another program, such as the command line, may run one."""

OUTCOME_PATIENCE_MS = 5000
"""How long the program that runs the search may take a posted command before the person is told that it waits."""

_LIVE = {
    SessionState.STARTING: "starting",
    SessionState.RUNNING: "running",
    SessionState.PAUSING: "pausing",
    SessionState.PAUSED: "paused",
    SessionState.STOPPING: "stopping",
}
"""What the window calls the states of a session that is not over."""


@dataclass(frozen=True)
class _Ending:
    """A search that is over, but whose last trials are still being read."""

    study: StudyContext
    message: str
    then: Callable[[], object]


class SearchWorker(QObject):
    """Runs, pauses, stops and follows the search of the open study, whoever runs it.

    Signals:
        problems_found: (list[tuple[str, str]], str) the search cannot start: (field, sentence) pairs, and a summary.
        failed: (str, str) something else went wrong: a sentence and details.
        told: (str) a command was done, or waits; a sentence.
        search_ended: (str, str) reason and sentence of a search that ended.
    """

    problems_found = Signal(list, str)
    failed = Signal(str, str)
    told = Signal(str)
    search_ended = Signal(str, str)
    _open = Signal(int, str)
    _look = Signal()
    _taken = Signal(int)
    _catch_up = Signal(int)
    _await = Signal(int, str)
    _close = Signal()

    def __init__(self, engine: ServiceClient, parent: QObject | None = None, on_window_death: str = "stop") -> None:
        """Follow what `engine` does; nothing happens before `set_study`.

        Args:
            engine: Runs the searches of this window.
            parent: Owner.
            on_window_death: What a search of this window does when the window dies, see `Settings`.
        """
        super().__init__(parent)
        self.on_window_death = on_window_death
        self._engine = engine
        self._study: StudyContext | None = None
        self._ending: _Ending | None = None
        self._is_ours = False
        self._serial = 0
        self._posted: dict[str, ControlCommand] = {}
        self._thread = QThread()
        self._thread.setObjectName("search worker")
        self._tail = StudyTail()
        self._tail.moveToThread(self._thread)
        self._connect_tail()
        engine.notice.connect(self._take_notice)
        engine.ended.connect(self._engine_ended)
        self.watch = EngineWatch(engine, lambda: self.is_running or engine.busy, self)
        self.watch.silent.connect(self._engine_silent)
        self._poll = QTimer(self)
        self._poll.setInterval(POLL_INTERVAL_MS)
        self._poll.timeout.connect(self._look)
        self._pace = QTimer(self)
        self._pace.setInterval(BATCH_INTERVAL_MS)
        self._pace.setSingleShot(True)
        self._pace.timeout.connect(self._acknowledge)
        self._patience = QTimer(self)
        self._patience.setInterval(OUTCOME_PATIENCE_MS)
        self._patience.setSingleShot(True)
        self._patience.timeout.connect(self._lose_patience)

    def _connect_tail(self) -> None:
        tail = self._tail
        self._open.connect(tail.open)
        self._look.connect(tail.look)
        self._taken.connect(tail.taken)
        self._catch_up.connect(tail.catch_up)
        self._await.connect(tail.await_outcome)
        self._close.connect(tail.close)
        tail.batch_read.connect(self._take_batch)
        tail.session_read.connect(self._take_session)
        tail.resources_read.connect(self._take_resources)
        tail.attempts_read.connect(self._take_attempts)
        tail.disk_read.connect(self._take_disk)
        tail.document_read.connect(self._take_document)
        tail.outcome_read.connect(self._take_outcome)
        tail.failed.connect(self._tail_failed)
        tail.caught_up.connect(self._caught_up)

    @property
    def is_running(self) -> bool:
        """Whether a search of this window's engine is under way: it has to be stopped or let go before leaving."""
        return self._is_ours and self._study is not None and self._study.search_state != "idle"

    def set_study(self, study: StudyContext | None) -> None:
        """Follow `study` from now on."""
        if not self._thread.isRunning():
            self._thread.start()
        if self._study is not None:
            self._study.command_requested.disconnect(self.send)
        self._study = study
        self._ending = None
        self._is_ours = study is not None and study.search_state != "idle"
        self._serial += 1
        self._posted.clear()
        self._patience.stop()
        if study is not None:
            study.command_requested.connect(self.send)
            self.watch.start()
        self._poll_often(study is not None and study.search_state != "idle")
        self._open.emit(self._serial, "" if study is None else str(study.folder))

    def shut_down(self) -> None:
        """End the thread; returns when it is gone."""
        self._poll.stop()
        self._pace.stop()
        self._patience.stop()
        self.watch.stop()
        self._study = self._ending = None
        if self._thread.isRunning():
            self._close.emit()  # quits the thread when the database is closed
            self._thread.wait()

    # -- what can be done -----------------------------------------------------------------------------------------

    def run(self, trials: int | None = None) -> None:
        """Start or resume the search; `trials`: until the study holds so many, None: its budget."""
        study = self._study
        if study is None or study.search_state != "idle":
            return
        study.save_now()
        self._is_ours = True
        params = {"folder": str(study.folder), "trials": trials, "on_window_death": self.on_window_death}
        # First of all: the pages take a moment to show that a search runs, and the engine can use it.
        self._engine.request("run", params, lambda result: None, lambda failure: self._run_failed(study, failure))
        study.set_session(study.session, "window")
        study.set_search_state("starting", self.tr("Starting the search…"))
        self._poll_often(True)

    def stop(self, when: str) -> None:
        """Stop after this "epoch", or "now"."""
        study = self._study
        if study is None or study.search_state == "idle":
            return
        text = self.tr("Stopping after this epoch…") if when == "epoch" else self.tr("Stopping now…")
        study.set_search_state("stopping", text)
        if self._is_ours:
            # An engine that is killed for its silence tells of it by itself.
            self.watch.ask_promptly("stop", {"when": when}, lambda result: None, lambda failure: None)
        else:
            self.send(StopSearch(when="now" if when == "now" else "epoch"))

    def pause(self) -> None:
        """Pause the search after the running epochs."""
        if self._study is not None and self._study.search_state == "running":
            self._study.set_search_state("pausing", self.tr("Pausing after this epoch…"))
            self.send(PauseSearch())

    def go_on(self) -> None:
        """Go on with a paused search."""
        if self._study is not None and self._study.search_state in {"pausing", "paused"}:
            self.send(ResumeSearch())

    def let_go(self, then: Callable[[], object]) -> None:
        """Let the running search go on without this window; `then`, when its engine is on its own."""

        def gone(_: dict[str, Any]) -> None:
            self._is_ours = False
            self._engine.let_go()
            then()

        self.watch.ask_promptly("detach", {}, gone, self._request_failed)

    def send(self, command: ControlCommand) -> None:
        """Have `command` done: by this window's engine, or by the program that runs the search."""
        study = self._study
        if study is None:
            return
        study.save_now()
        if study.runner == "other":
            self._post(study, command)
            return
        params = {"folder": str(study.folder), "command": command.model_dump(mode="json")}
        self._engine.request(
            "command",
            params,
            lambda result: self._answered(study, command, result),
            lambda failure: self._refused(study, command, failure),
        )

    def look(self) -> None:
        """Read what is new in the database now."""
        self._look.emit()

    # -- commands -------------------------------------------------------------------------------------------------

    def _post(self, study: StudyContext, command: ControlCommand) -> None:
        try:
            identity = post(study.folder, command)
        except StoreError as error:
            self.failed.emit(str(error), "")
            return
        self._wait_for(identity, command)

    def _wait_for(self, identity: str, command: ControlCommand) -> None:
        self._posted[identity] = command
        self._await.emit(self._serial, identity)
        self._poll_often(True)
        self._patience.start()

    def _answered(self, study: StudyContext, command: ControlCommand, result: dict[str, Any]) -> None:
        self._look.emit()
        outcome = result.get("outcome")
        if study is not self._study:
            return
        if outcome is None:
            self._wait_for(str(result.get("id", "")), command)
        else:
            self._tell_outcome(command, str(outcome))

    def _refused(self, study: StudyContext, command: ControlCommand, failure: Failure) -> None:
        if study is self._study:
            self._tell_outcome(command, failure.message)

    @Slot(int, str, str)
    def _take_outcome(self, serial: int, identity: str, outcome: str) -> None:
        command = self._posted.pop(identity, None) if serial == self._serial else None
        if command is not None:
            self._tell_outcome(command, outcome)

    def _tell_outcome(self, command: ControlCommand, outcome: str) -> None:
        if outcome:
            self.failed.emit(outcome, "")
            self._take_back_state()
        else:
            self.told.emit(done_sentence(command))
        if self._study is not None:
            self._study.command_answered.emit(command, outcome)

    def _take_back_state(self) -> None:
        """A refused pause or stop changed nothing: show what the session says."""
        study = self._study
        if study is not None and study.search_state in {"pausing", "stopping"} and study.session is not None:
            live = _LIVE.get(study.session.state)
            if live is not None:
                study.set_search_state(live)

    @Slot()
    def _lose_patience(self) -> None:
        for command in self._posted.values():
            self.told.emit(waiting_sentence(command))

    def _run_failed(self, study: StudyContext, failure: Failure) -> None:
        problems = [tuple(pair) for pair in failure.problems]
        if problems:
            self._end(study, "", lambda: self.problems_found.emit(problems, failure.message))
        else:
            self._end(study, "", lambda: self.failed.emit(failure.message, failure.details))

    def _request_failed(self, failure: Failure) -> None:
        self.failed.emit(failure.message, failure.details)

    # -- what happens ---------------------------------------------------------------------------------------------

    def _poll_often(self, often: bool) -> None:
        if self._study is None:
            self._poll.stop()
            return
        interval = POLL_INTERVAL_MS if often or self._posted else IDLE_POLL_INTERVAL_MS
        if not self._poll.isActive() or self._poll.interval() != interval:
            self._poll.start(interval)

    def _end(self, study: StudyContext, message: str, then: Callable[[], object]) -> None:
        """Idle, and `then`, as soon as all that the search stored was shown."""
        if study is not self._study or self._ending is not None:
            return  # closed meanwhile, or told already: the first reason is the true one
        self._poll_often(False)
        self._ending = _Ending(study, message, then)
        self._catch_up.emit(self._serial)

    @Slot(int)
    def _caught_up(self, serial: int) -> None:
        ending = self._ending
        if serial != self._serial or ending is None:
            return
        self._ending = None
        self._is_ours = False
        ending.study.set_session(ending.study.session, "")
        ending.study.set_search_state("idle", ending.message)
        ending.then()

    @Slot(str, dict)
    def _take_notice(self, name: str, data: dict[str, Any]) -> None:
        if name == "changed":
            self._look.emit()
        elif name == "failure":
            self.failed.emit(data["message"], data["details"])
        elif name == "search" and self._study is not None and self._is_of(self._study, data):
            self._take_search_state(self._study, data)

    def _is_of(self, study: StudyContext, data: dict[str, Any]) -> bool:
        return "folder" not in data or Path(str(data["folder"])) == study.folder

    def _take_search_state(self, study: StudyContext, data: dict[str, Any]) -> None:
        state, message = str(data.get("state", "")), str(data.get("message", ""))
        if state == "ended":
            self._search_ended(study, str(data.get("reason", "")), message, data)
        else:
            self._is_ours = True
            self._poll_often(True)
            study.set_session(study.session, "window")
            study.set_search_state(state, message)

    def _search_ended(self, study: StudyContext, reason: str, message: str, data: dict[str, Any]) -> None:
        problems = [tuple(pair) for pair in data.get("problems", ())]
        if problems:
            self._end(study, message, lambda: self.problems_found.emit(problems, message))
        elif reason == "failed":
            self._end(study, message, lambda: self.failed.emit(message, str(data.get("details", ""))))
        else:
            self._end(study, message, lambda: self.search_ended.emit(reason, message))

    @Slot(str)
    def _engine_ended(self, why: str) -> None:
        study = self._study
        if study is not None and self.is_running:
            text = self.tr("The engine ended while the search ran: {}. Run again to go on where it stopped.")
            message = text.format(why)
            self._end(study, message, lambda: self._tell_of_death(study, message))

    @Slot()
    def _engine_silent(self) -> None:
        if not self.is_running:
            self.watch.give_up()  # nothing is lost, and whoever waits for an answer is told
            return
        text = self.tr(
            "The engine has not answered for a minute: a search algorithm or a pruner seems to stand still in code that"
            " cannot be interrupted. Stop ends it; trials that are finished are safe."
        )
        self.failed.emit(text, str(self._engine.log_file))

    def _tell_of_death(self, study: StudyContext, message: str) -> None:
        study.queue_running()
        self.failed.emit(message, str(self._engine.log_file))

    @Slot(int, object)
    def _take_batch(self, serial: int, changes: Changes) -> None:
        if serial != self._serial or self._study is None:
            return
        if changes.reset:
            self._study.reset_history()
        self._study.add_history(changes.trials, changes.epochs)
        self._study.add_log(changes.log)
        self._pace.start()

    @Slot(int, object)
    def _take_session(self, serial: int, view: SessionView) -> None:
        study = self._study
        if serial != self._serial or study is None:
            return
        live = _LIVE.get(view.session.state) if view.in_use and view.session is not None else None
        if self._is_ours:
            study.set_session(view.session, "window")
            message = "" if view.session is None else view.session.message
            if live is not None and {live, study.search_state} <= {"running", "pausing", "paused"}:
                study.set_search_state(live, message)
            elif study.search_state == "starting" and live == "running" and message:
                study.set_search_state("starting", message)  # the first trial is long in coming
        elif live is not None and view.session is not None:
            self._ending = None
            study.set_session(view.session, "other")
            self._poll_often(True)
            if live != study.search_state:
                study.set_search_state(live, view.session.message)
        elif study.runner == "other":
            study.set_session(view.session, "other")
            self._other_ended(study, view)
        else:
            study.set_session(view.session, "")

    def _other_ended(self, study: StudyContext, view: SessionView) -> None:
        """The program that ran the search is done with it, or gone."""
        session = view.session
        if session is not None and session.state is SessionState.ENDED:
            self._end(study, session.message, lambda: self.search_ended.emit(session.reason, session.message))
        else:
            self._end(study, "", study.queue_running)

    @Slot(int, list)
    def _take_resources(self, serial: int, samples: list[ResourceUse]) -> None:
        if serial == self._serial and self._study is not None:
            self._study.add_resources(samples)

    @Slot(int, list)
    def _take_attempts(self, serial: int, attempts: list[Attempt]) -> None:
        if serial == self._serial and self._study is not None:
            self._study.set_attempts(attempts)

    @Slot(int, object)
    def _take_disk(self, serial: int, disk: DiskUse) -> None:
        if serial == self._serial and self._study is not None:
            self._study.set_disk(disk)

    @Slot(int, object)
    def _take_document(self, serial: int, document: StudyDocument) -> None:
        if serial == self._serial and self._study is not None:
            self._study.take_from_disk(document)

    @Slot()
    def _acknowledge(self) -> None:
        self._taken.emit(self._serial)

    @Slot(int, str)
    def _tail_failed(self, serial: int, message: str) -> None:
        if serial == self._serial:
            self.failed.emit(message, "")
