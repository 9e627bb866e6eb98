"""Reads the open study's folder as it changes, in a thread of its own: history, session, resources, document.

A live study and a finished one, one of this window's engine and one of another program come by the same road.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from tunerstudio.analysis.disk import disk_use
from tunerstudio.store.lock import is_in_use
from tunerstudio.store.reader import Changes, Cursor, StudyReader, has_history
from tunerstudio.store.schema import DATABASE_FILE, StoreError
from tunerstudio.study.errors import StudyError
from tunerstudio.study.files import DOCUMENT_FILE, load_document
from tunerstudio.study.trials import SessionRecord

_LOG = logging.getLogger(__name__)

POLL_INTERVAL_MS = 250

_SURROUNDINGS_INTERVAL_S = 1.0
"""Between two looks at what ran where and what it used, at least."""

_SURROUNDINGS_SHARE = 20
"""Such a look may take at most one part in so many of the time: those at long histories come less often."""

_DISK_INTERVAL_S = 15.0
_MOST_ROWS = 1000
_MOST_SAMPLES = 2000
_MOST_TRIALS = 400
_MOST_ATTEMPTS = 4


@dataclass(frozen=True)
class SessionView:
    """Who is at work on a study.

    Attributes:
        in_use: Whether any program holds the study's lock.
        session: The latest session; None before the first.
    """

    in_use: bool
    session: SessionRecord | None


class StudyTail(QObject):
    """Reads the database in its own thread; sends the next batch only when the last one was taken.

    Every signal begins with the serial that the study was opened with.

    Signals:
        batch_read: (int, Changes) news of the history.
        session_read: (int, SessionView) somebody began or ended to work on the study, or says another state.
        resources_read: (int, list[ResourceUse]) new samples.
        attempts_read: (int, list[Attempt]) all that ran, by time.
        disk_read: (int, DiskUse) the folder was counted.
        document_read: (int, StudyDocument) study.yaml is another file than before.
        outcome_read: (int, str, str) what became of a posted command, by its id.
        failed: (int, str) the database cannot be read.
        caught_up: (int) everything that was in the database at `catch_up` was taken, or it cannot be read.
    """

    batch_read = Signal(int, object)
    session_read = Signal(int, object)
    resources_read = Signal(int, list)
    attempts_read = Signal(int, list)
    disk_read = Signal(int, object)
    document_read = Signal(int, object)
    outcome_read = Signal(int, str, str)
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
        self._awaited: list[str] = []
        self._forget_surroundings()
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
        self._awaited.clear()
        self._forget_surroundings()
        self.look()

    def _forget_surroundings(self) -> None:
        self._view: SessionView | None = None
        self._sample_row = 0
        self._attempts_seen: object = None
        self._look_around_at = self._counted = 0.0
        self._stamp = None if self._folder is None else _stamp(self._folder)

    @Slot()
    def look(self) -> None:
        """Read what is new; of the history only when the last batch was taken."""
        if self._folder is not None:
            try:
                self._look_in(self._folder)
            except StoreError as error:
                self._try_again(str(error))
                return
            except (LookupError, TypeError, ValueError) as error:
                self._try_again(_strange(self._folder, error))
                return
        self._tell_if_caught_up()

    def _look_in(self, folder: Path) -> None:
        self._look_at_document(folder)
        if self._reader is None:
            if not has_history(folder):
                return
            self._reader = StudyReader(folder)
        if self._waiting:
            self._again = True
        else:
            self._read(self._reader)
            self._send()
        self._look_around(folder, self._reader)
        self._attempts = 0

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

    @Slot(int, str)
    def await_outcome(self, serial: int, identity: str) -> None:
        """Tell what becomes of the posted command `identity`."""
        if serial == self._serial:
            self._awaited.append(identity)

    @Slot()
    def close(self) -> None:
        """Close the database and end the thread."""
        self._folder = None
        self._retry.stop()
        self._close()
        self.thread().quit()

    # -- the history ----------------------------------------------------------------------------------------------

    def _read(self, reader: StudyReader) -> None:
        changes = reader.changes(self._cursor, _MOST_ROWS)
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

    # -- around it ------------------------------------------------------------------------------------------------

    def _look_around(self, folder: Path, reader: StudyReader) -> None:
        view = SessionView(is_in_use(folder), reader.session())
        if view != self._view:
            self._view = view
            self.session_read.emit(self._serial, view)
        for identity in list(self._awaited):
            outcome = reader.command_outcome(identity)
            if outcome is not None:
                self._awaited.remove(identity)
                self.outcome_read.emit(self._serial, identity, outcome)
        now = time.monotonic()
        if now >= self._look_around_at:
            self._look_at_workers(reader)
            taken = time.monotonic() - now
            self._look_around_at = now + max(_SURROUNDINGS_INTERVAL_S, taken * _SURROUNDINGS_SHARE)
        if now - self._counted >= _DISK_INTERVAL_S or not self._counted:
            self._counted = now
            self._count(folder)

    def _look_at_workers(self, reader: StudyReader) -> None:
        samples = reader.resources(self._sample_row, _MOST_SAMPLES)
        if samples:
            self._sample_row = samples[-1].row
            self.resources_read.emit(self._serial, samples)
        attempts = reader.attempts()
        if attempts != self._attempts_seen:
            self._attempts_seen = attempts
            self.attempts_read.emit(self._serial, attempts)

    def _count(self, folder: Path) -> None:
        try:
            self.disk_read.emit(self._serial, disk_use(folder))
        except OSError as error:
            _LOG.info("the size of %s is not known: %s", folder, error)

    def _look_at_document(self, folder: Path) -> None:
        stamp = _stamp(folder)
        if stamp is None or stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self.document_read.emit(self._serial, load_document(folder))
        except StudyError as error:
            _LOG.info("study.yaml was changed to something that cannot be read: %s", error)

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def _stamp(folder: Path) -> tuple[int, int] | None:
    """Changes whenever study.yaml is written; None if there is none."""
    try:
        found = (folder / DOCUMENT_FILE).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


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
