"""What a person can do with a trial: one table, from which menus, keys and buttons derive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from tunerstudio.protocol.control import (
    ControlCommand,
    PauseTrial,
    ResumeTrial,
    RetryTrial,
    SkipTrial,
    StopTrialEarly,
)
from tunerstudio.study.trials import Trial, TrialState

EDIT = "edit_and_queue"
NOTE = "note"


@dataclass(frozen=True)
class TrialVerb:
    """One thing to do with a trial.

    Attributes:
        id: Such as `pause`.
        text: On screen.
        icon: Name of a vector icon.
        keys: Portable key sequence, while the table has the keyboard.
        tip: Its consequence, in a sentence.
        command: What to ask of the search, by number of the trial; None: a form asks for more.
        states: States of a trial that it applies to.
    """

    id: str
    text: str
    icon: str
    keys: str
    tip: str
    command: Callable[[int], ControlCommand] | None
    states: frozenset[TrialState]

    def applies(self, trial: Trial) -> bool:
        """Whether it can be done with `trial` now."""
        return trial.state in self.states


def trial_verbs() -> tuple[TrialVerb, ...]:
    """All of them, in the order of a menu."""
    return (*_verbs_of_a_running_search(), *_verbs_of_the_queue(), *_verbs_with_a_form())


def _verbs_of_a_running_search() -> tuple[TrialVerb, ...]:
    running, queued = TrialState.RUNNING, TrialState.QUEUED
    return (
        TrialVerb(
            "pause",
            _tr("Pause"),
            "ph.pause-circle",
            "P",
            _tr("Rests after its epoch with a checkpoint, and gives its worker to the next trial; a queued one waits."),
            lambda number: PauseTrial(trial=number),
            frozenset({running, queued}),
        ),
        TrialVerb(
            "resume",
            _tr("Resume"),
            "ph.play-circle",
            "R",
            _tr("Queues it again; it goes on from its checkpoint."),
            lambda number: ResumeTrial(trial=number),
            frozenset({TrialState.PAUSED}),
        ),
        TrialVerb(
            "stop_early",
            _tr("Stop early, keep the score"),
            "ph.flag",
            "E",
            _tr("Ends after its epoch with the score that it has (pruned)."),
            lambda number: StopTrialEarly(trial=number),
            frozenset({running, TrialState.PAUSED}),
        ),
    )


def _verbs_of_the_queue() -> tuple[TrialVerb, ...]:
    return (
        TrialVerb(
            "skip",
            _tr("Skip"),
            "ph.skip-forward",
            "Del",
            _tr("Ends now without a score (cancelled); the search goes on with the next trial."),
            lambda number: SkipTrial(trial=number),
            frozenset({TrialState.RUNNING, TrialState.QUEUED, TrialState.PAUSED}),
        ),
        TrialVerb(
            "retry",
            _tr("Retry"),
            "ph.arrow-clockwise",
            "Ctrl+R",
            _tr("Queues a new trial with the same values."),
            lambda number: RetryTrial(trial=number),
            frozenset({TrialState.FAILED, TrialState.CANCELLED}),
        ),
    )


def _verbs_with_a_form() -> tuple[TrialVerb, ...]:
    every = frozenset(TrialState)
    return (
        TrialVerb(
            EDIT,
            _tr("Edit and queue…"),
            "ph.pencil-simple",
            "Ctrl+E",
            _tr("Takes its values as a start for a trial of your own, which comes before new proposals."),
            None,
            every,
        ),
        TrialVerb(NOTE, _tr("Note…"), "ph.note-pencil", "F2", _tr("Your own words about this trial."), None, every),
    )


def _tr(text: str) -> str:
    return QCoreApplication.translate("TrialVerbs", text)
