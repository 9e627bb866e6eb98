"""Commands that were posted to a study, taken by the session that runs it."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from tunerstudio.engine.control import SessionControl
from tunerstudio.engine.journal import Journal
from tunerstudio.protocol.control import PauseSearch, StopSearch
from tunerstudio.store.mailbox import Letter, read, remove
from tunerstudio.store.schema import BEGUN, StoreError

_log = logging.getLogger(__name__)

LOOK_INTERVAL_S = 0.05

TOO_LATE = "it was meant for an earlier session"

UNKNOWN = "the program ended while it was being done: look whether it was, and ask again if not"


class Letterbox:
    """The mailbox of a study, looked into at most every 50 ms. Commands to stop are obeyed at once.

    A letter stays in its file until it is answered, so that none is lost with the program; and what is begun is
    written down before, so that no command is carried out twice.
    """

    def __init__(self, folder: Path, journal: Journal, control: SessionControl, started_at: float) -> None:
        """Of the study in `folder`, for a session that began at `started_at` (seconds since the epoch)."""
        self._folder, self._journal, self._control = folder, journal, control
        self._looked_at = 0.0
        self._waiting: list[Letter] = []
        self._seen: set[str] = set()
        for letter in self._new():
            # What lies here already was posted before: the clock alone, which may jump, does not decide that.
            if not self._was_begun(letter):
                self._sort(letter, is_old=letter.posted_at < started_at)

    def look(self) -> None:
        """Take what is there: stops are passed on and answered, the rest waits for `take`."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_INTERVAL_S:
            return
        self._looked_at = now
        self._look()

    def _look(self) -> None:
        for letter in self._new():
            self._sort(letter, is_old=False)

    def _new(self) -> Iterator[Letter]:
        for letter in read(self._folder, self._seen):
            self._seen.add(letter.id)
            yield letter

    def _was_begun(self, letter: Letter) -> bool:
        """Whether an earlier session took `letter`; its end, if it saw it, is the end of it."""
        with self._journal.writer.reader() as reader:
            if not reader.command_begun(letter.id):
                return False
            is_answered = reader.command_outcome(letter.id) is not None
        if is_answered:
            self._remove(letter)
        else:
            self.answer(letter, UNKNOWN)
        return True

    def _sort(self, letter: Letter, is_old: bool) -> None:
        command = letter.command
        if command is None:
            self.answer(letter, "it is not a command that this program knows")
        elif isinstance(command, StopSearch | PauseSearch) and is_old:
            self.answer(letter, TOO_LATE)
        elif isinstance(command, StopSearch):
            self._control.request_stop(command.when)
            self.answer(letter, "")
        else:
            self._waiting.append(letter)

    def take(self) -> list[Letter]:
        """The letters that wait, oldest first; each needs an `answer`."""
        self.look()
        letters, self._waiting = self._waiting, []
        return letters

    def begin(self, letter: Letter) -> None:
        """Note that a command is being carried out: it is not done again, whatever happens."""
        self._put(letter, BEGUN)

    def answer(self, letter: Letter, outcome: str) -> None:
        """Write down what became of a command; `outcome`: "" it was done, otherwise why not."""
        self._put(letter, outcome)
        self._remove(letter)
        name = _name(letter)
        if outcome:
            self._journal.log("warning", f"{name} was refused: {outcome}")
        else:
            self._journal.log("info", _told(letter))

    def _put(self, letter: Letter, outcome: str) -> None:
        command = letter.command
        text = json.dumps({"type": _name(letter)}) if command is None else command.model_dump_json()
        self._journal.writer.put_command(letter.id, text, outcome)

    def _remove(self, letter: Letter) -> None:
        try:
            remove(self._folder, letter.id)
        except OSError as error:
            _log.warning("the answered command %s stays in its file: %s", letter.id, error)
        else:
            self._seen.discard(letter.id)

    def put_back(self, letters: Iterable[Letter]) -> None:
        """These were taken, but nothing came of them: they wait again."""
        self._waiting = [*letters, *self._waiting]

    def close(self) -> None:
        """The session is over: what still waits is answered so."""
        try:
            self._look()
            for letter in self.take():
                self.answer(letter, "the search ended before")
        except (StoreError, OSError) as error:
            _log.warning("a command stays without an answer: %s", error)


def _name(letter: Letter) -> str:
    return "unknown" if letter.command is None else letter.command.type


def _told(letter: Letter) -> str:
    assert letter.command is not None
    details = letter.command.model_dump(exclude={"type"}, exclude_defaults=True)
    shown = ", ".join(f"{name} {value}" for name, value in details.items())
    return f"{letter.command.type} was asked for" + (f" ({shown})" if shown else "")
