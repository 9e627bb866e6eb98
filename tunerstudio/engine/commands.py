"""Carrying out what was asked of a running search."""

from __future__ import annotations

from typing import Protocol

from tunerstudio.engine.slots import Slot, Wish
from tunerstudio.engine.trial_edits import RefusedError, TrialEdits
from tunerstudio.protocol.control import (
    ControlCommand,
    PauseSearch,
    PauseTrial,
    ReloadStudy,
    ResumeSearch,
    SetBudget,
    SetWorkers,
    SkipTrial,
    StopSearch,
    StopTrialEarly,
)
from tunerstudio.study.errors import TunerStudioError
from tunerstudio.study.search import Budget


class Commanded(Protocol):
    """What a session lets others do. All may raise TunerStudioError, which says why not."""

    @property
    def edits(self) -> TrialEdits:
        """For trials that do not run."""

    def slot_of(self, trial: int) -> Slot | None:
        """Where a trial trains."""

    def stop_trial(self, slot: Slot, wish: Wish, why: str) -> None:
        """Stop the trial of a slot."""

    def pause(self) -> None:
        """Pause the search."""

    def resume(self) -> None:
        """Go on."""

    def set_workers(self, workers: int) -> None:
        """Train so many trials side by side."""

    def set_budget(self, budget: Budget) -> None:
        """Replace the budget."""

    def request_reload(self) -> None:
        """Read the study again, in the background; the letter is answered when that is done."""

    def request_stop(self, command: StopSearch) -> None:
        """End the session."""


def carry_out(session: Commanded, command: ControlCommand) -> str | None:
    """Do `command`: "" if it was done, otherwise why not; None: it has begun and is answered later."""
    try:
        return _carry_out(session, command)
    except TunerStudioError as error:
        return str(error)


def _carry_out(session: Commanded, command: ControlCommand) -> str | None:
    if isinstance(command, StopSearch):
        session.request_stop(command)
    elif isinstance(command, PauseSearch):
        session.pause()
    elif isinstance(command, ResumeSearch):
        session.resume()
    elif isinstance(command, SetWorkers):
        session.set_workers(command.workers)
    elif isinstance(command, SetBudget):
        session.set_budget(command.budget)
    elif isinstance(command, ReloadStudy):
        session.request_reload()
        return None
    elif not _stopped(session, command) and not session.edits.carry_out(command):
        raise RefusedError(f"{command.type} is not known here")
    return ""


def _stopped(session: Commanded, command: ControlCommand) -> bool:
    """Whether `command` is for a running trial, which has been told then."""
    wishes: dict[type, tuple[Wish, str]] = {
        PauseTrial: ("pause", "paused by the user"),
        StopTrialEarly: ("prune", "stopped by the user"),
        SkipTrial: ("skip", "skipped by the user"),
    }
    if not isinstance(command, PauseTrial | StopTrialEarly | SkipTrial):
        return False
    slot = session.slot_of(command.trial)
    if slot is None:
        return False
    session.stop_trial(slot, *wishes[type(command)])
    return True
