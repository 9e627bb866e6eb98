"""Commands that were posted to a study, taken by the session that runs it."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable
from pathlib import Path

from tunerstudio.engine.control import SessionControl
from tunerstudio.engine.journal import Journal
from tunerstudio.protocol.control import PauseSearch, StopSearch
from tunerstudio.store.mailbox import Letter, take
from tunerstudio.store.schema import StoreError

_log = logging.getLogger(__name__)

LOOK_INTERVAL_S = 0.05

TOO_LATE = "it was meant for an earlier session"


class Letterbox:
    """The mailbox of a study, looked into at most every 50 ms. Commands to stop are obeyed at once."""

    def __init__(self, folder: Path, journal: Journal, control: SessionControl, started_at: float) -> None:
        """Of the study in `folder`, for a session that began at `started_at` (seconds since the epoch)."""
        self._folder, self._journal, self._control = folder, journal, control
        self._looked_at = 0.0
        self._waiting: list[Letter] = []
        for letter in take(folder):
            # What lies here already was posted before: the clock alone, which may jump, does not decide that.
            self._sort(letter, is_old=letter.posted_at < started_at)

    def look(self) -> None:
        """Take what is there: stops are passed on and answered, the rest waits for `take`."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_INTERVAL_S:
            return
        self._looked_at = now
        self._look()

    def _look(self) -> None:
        for letter in take(self._folder):
            self._sort(letter, is_old=False)

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

    def answer(self, letter: Letter, outcome: str) -> None:
        """Write down what became of a command; `outcome`: "" it was done, otherwise why not."""
        command = letter.command
        name = "unknown" if command is None else command.type
        text = json.dumps({"type": name}) if command is None else command.model_dump_json()
        self._journal.writer.put_command(letter.id, text, outcome)
        if outcome:
            self._journal.log("warning", f"{name} was refused: {outcome}")
        else:
            self._journal.log("info", _told(letter))

    def put_back(self, letters: Iterable[Letter]) -> None:
        """These were taken, but nothing came of them: they wait again."""
        self._waiting = [*letters, *self._waiting]

    def close(self) -> None:
        """The session is over: what still waits is answered so."""
        try:
            self._look()
            for letter in self.take():
                self.answer(letter, "the search ended before")
        except StoreError as error:
            _log.warning("a command stays without an answer: %s", error)


def _told(letter: Letter) -> str:
    assert letter.command is not None
    details = letter.command.model_dump(exclude={"type"}, exclude_defaults=True)
    shown = ", ".join(f"{name} {value}" for name, value in details.items())
    return f"{letter.command.type} was asked for" + (f" ({shown})" if shown else "")
