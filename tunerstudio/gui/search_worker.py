"""Follows a search: a thread that reads the study's database as it grows and hands batches to the window.

Events of the engine only say that there is more to read. A live study and a finished one come by the same road.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QThread, QTimer, Signal, Slot

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.service_client import ServiceClient
from tunerstudio.protocol.service import Failure
from tunerstudio.store.reader import Changes, Cursor, StudyReader, has_history
from tunerstudio.store.schema import DATABASE_FILE, StoreError

BATCH_INTERVAL_MS = 50
"""Least time between two batches: at most 20 a second."""

POLL_INTERVAL_MS = 250

IDLE_POLL_INTERVAL_MS = 1000
"""Without a search of ours: another program, such as the command line, may run one."""

_MOST_ROWS = 1000
_MOST_TRIALS = 400
_MOST_ATTEMPTS = 4


class _Tail(QObject):
    """Reads the database in its own thread; sends the next batch only when the last one was taken.

    Signals:
        batch_read: (int, Changes) of the study opened with this serial.
        failed: (int, str) the database cannot be read.
        caught_up: (int) everything that was in the database at `catch_up` was taken, or it cannot be read.
    """

    batch_read = Signal(int, object)
    failed = Signal(int, str)
    caught_up = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._serial = 0
        self._folder: Path | None = None
        self._reader: StudyReader | None = None
        self._cursor = Cursor()
        self._pieces: deque[Changes] = deque()
        self._waiting = False
        self._again = False
        self._catching_up = False
        self._attempts = 0
        self._retry = QTimer(self)
        self._retry.setInterval(POLL_INTERVAL_MS)
        self._retry.setSingleShot(True)
        self._retry.timeout.connect(self.look)

    @Slot(int, str)
    def open(self, serial: int, folder: str) -> None:
        """Read the study in `folder` from the beginning; an empty text: none."""
        self._close()
        self._serial, self._folder = serial, Path(folder) if folder else None
        self._cursor, self._waiting, self._again, self._attempts = Cursor(), False, False, 0
        self._catching_up = False
        self._pieces.clear()
        self.look()

    @Slot()
    def look(self) -> None:
        """Read what is new, unless a batch is still on its way."""
        if self._waiting:
            self._again = True
        elif self._folder is not None:
            try:
                self._read(self._folder)
            except StoreError as error:
                self._try_again(str(error))
                return
            except (LookupError, TypeError, ValueError) as error:
                self._try_again(_strange(self._folder, error))
                return
            self._attempts = 0
            self._send()
        self._tell_if_caught_up()

    @Slot(int)
    def catch_up(self, serial: int) -> None:
        """Read to the end, and say so."""
        if serial == self._serial:
            self._catching_up = True
            self.look()

    @Slot(int)
    def taken(self, serial: int) -> None:
        """The window has shown the last batch."""
        if serial != self._serial:
            return
        self._waiting = False
        if self._pieces:
            self._send()
        elif self._again:
            self._again = False
            self.look()
        else:
            self._tell_if_caught_up()

    @Slot()
    def close(self) -> None:
        """Close the database and end the thread."""
        self._folder = None
        self._retry.stop()
        self._close()
        self.thread().quit()

    def _read(self, folder: Path) -> None:
        if self._reader is None:
            if not has_history(folder):
                return
            self._reader = StudyReader(folder)
        changes = self._reader.changes(self._cursor, _MOST_ROWS)
        self._cursor = changes.cursor
        self._again = changes.more
        if not changes.is_empty:
            self._pieces.extend(_pieces(changes))

    def _send(self) -> None:
        if self._pieces:
            self._waiting = True
            self.batch_read.emit(self._serial, self._pieces.popleft())

    def _try_again(self, sentence: str) -> None:
        """A database that is just being made cannot be read for a moment."""
        self._attempts += 1
        if self._attempts < _MOST_ATTEMPTS:
            self._retry.start()
            return
        if self._attempts == _MOST_ATTEMPTS:
            self.failed.emit(self._serial, sentence)
        self._tell_if_caught_up()

    def _tell_if_caught_up(self) -> None:
        if self._catching_up and not self._waiting:
            self._catching_up = False
            self.caught_up.emit(self._serial)

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def _pieces(changes: Changes) -> list[Changes]:
    """The changes in portions that a window can show without a hitch."""
    first = replace(changes, trials=changes.trials[:_MOST_TRIALS])
    rest = changes.trials[_MOST_TRIALS:]
    starts = range(0, len(rest), _MOST_TRIALS)
    more = [Changes(changes.cursor, False, rest[at : at + _MOST_TRIALS], [], []) for at in starts]
    return [first, *more]


def _strange(folder: Path, error: Exception) -> str:
    """What to say of rows that are not what this program writes."""
    return (
        f"{folder / DATABASE_FILE} cannot be read: it is damaged, or was written by a trial version of the program"
        f" ({error}). Move it away to run the search anew; saved models are not touched."
    )


@dataclass(frozen=True)
class _Ending:
    """A search that is over, but whose last trials are still being read."""

    study: StudyContext
    message: str
    then: Callable[[], object]


class SearchWorker(QObject):
    """Runs, stops and follows the search of the open study.

    Signals:
        problems_found: (list[tuple[str, str]], str) the search cannot start: (field, sentence) pairs, and a summary.
        failed: (str, str) something else went wrong: a sentence and details.
        search_ended: (str, str) reason and sentence of a search that ended.
    """

    problems_found = Signal(list, str)
    failed = Signal(str, str)
    search_ended = Signal(str, str)
    _open = Signal(int, str)
    _look = Signal()
    _taken = Signal(int)
    _catch_up = Signal(int)
    _close = Signal()

    def __init__(self, engine: ServiceClient, parent: QObject | None = None) -> None:
        """Follow what `engine` does; nothing happens before `set_study`."""
        super().__init__(parent)
        self._engine = engine
        self._study: StudyContext | None = None
        self._ending: _Ending | None = None
        self._serial = 0
        self._thread = QThread()
        self._thread.setObjectName("search worker")
        self._tail = _Tail()
        self._tail.moveToThread(self._thread)
        self._open.connect(self._tail.open)
        self._look.connect(self._tail.look)
        self._taken.connect(self._tail.taken)
        self._catch_up.connect(self._tail.catch_up)
        self._close.connect(self._tail.close)
        self._tail.batch_read.connect(self._take_batch)
        self._tail.failed.connect(self._tail_failed)
        self._tail.caught_up.connect(self._caught_up)
        engine.notice.connect(self._take_notice)
        engine.ended.connect(self._engine_ended)
        self._poll = QTimer(self)
        self._poll.setInterval(POLL_INTERVAL_MS)
        self._poll.timeout.connect(self._look)
        self._pace = QTimer(self)
        self._pace.setInterval(BATCH_INTERVAL_MS)
        self._pace.setSingleShot(True)
        self._pace.timeout.connect(self._acknowledge)

    @property
    def is_running(self) -> bool:
        """Whether a search runs, starts or stops."""
        return self._study is not None and self._study.search_state != "idle"

    def set_study(self, study: StudyContext | None) -> None:
        """Follow `study` from now on."""
        if not self._thread.isRunning():
            self._thread.start()
        self._study = study
        self._ending = None
        self._serial += 1
        self._poll_often(study is not None and study.search_state != "idle")
        self._open.emit(self._serial, "" if study is None else str(study.folder))

    def shut_down(self) -> None:
        """End the thread; returns when it is gone."""
        self._poll.stop()
        self._pace.stop()
        self._study = self._ending = None
        if self._thread.isRunning():
            self._close.emit()  # quits the thread when the database is closed
            self._thread.wait()

    def run(self, trials: int | None = None) -> None:
        """Start or resume the search; `trials`: until the study holds so many, None: its budget."""
        study = self._study
        if study is None or study.search_state != "idle":
            return
        study.set_search_state("starting", self.tr("Starting the search…"))
        self._poll_often(True)
        params = {"folder": str(study.folder), "trials": trials}
        self._engine.request("run", params, lambda result: None, lambda failure: self._run_failed(study, failure))

    def stop(self, when: str) -> None:
        """Stop after this "epoch", or "now"."""
        study = self._study
        if study is None or study.search_state not in {"starting", "running", "stopping"}:
            return
        text = self.tr("Stopping after this epoch…") if when == "epoch" else self.tr("Stopping now…")
        study.set_search_state("stopping", text)
        self._engine.request("stop", {"when": when}, lambda result: None, self._stop_failed)

    def look(self) -> None:
        """Read what is new in the database now."""
        self._look.emit()

    def _run_failed(self, study: StudyContext, failure: Failure) -> None:
        problems = [tuple(pair) for pair in failure.problems]
        if problems:
            self._end(study, "", lambda: self.problems_found.emit(problems, failure.message))
        else:
            self._end(study, "", lambda: self.failed.emit(failure.message, failure.details))

    def _stop_failed(self, failure: Failure) -> None:
        self.failed.emit(failure.message, failure.details)

    def _poll_often(self, often: bool) -> None:
        if self._study is None:
            self._poll.stop()
            return
        interval = POLL_INTERVAL_MS if often else IDLE_POLL_INTERVAL_MS
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
            self._poll_often(True)
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
        if study is not None and study.search_state != "idle":
            text = self.tr("The engine ended while the search ran: {}. Run again to go on where it stopped.")
            message = text.format(why)
            self._end(study, message, lambda: self._tell_of_death(study, message))

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

    @Slot()
    def _acknowledge(self) -> None:
        self._taken.emit(self._serial)

    @Slot(int, str)
    def _tail_failed(self, serial: int, message: str) -> None:
        if serial == self._serial:
            self.failed.emit(message, "")
