"""What a person may do with trials that do not run: the same within a session and without one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from tunerstudio.engine.journal import Journal
from tunerstudio.engine.scores import ended_early, told
from tunerstudio.protocol.control import (
    ControlCommand,
    EnqueueTrial,
    PauseTrial,
    ResumeTrial,
    RetryTrial,
    SetNote,
    SkipTrial,
    StopTrialEarly,
)
from tunerstudio.study.errors import TunerStudioError
from tunerstudio.study.hyperparameters import SearchSpace, Values
from tunerstudio.study.search import Search
from tunerstudio.study.trials import Trial, TrialState

OWN = ("user", "retry")
"""Origins of trials that a person asked for: they run even if the budget is used up."""


class RefusedError(TunerStudioError):
    """A command that cannot be carried out; the text says why."""


class TrialEdits:
    """Carries out commands on trials that do not run."""

    def __init__(
        self,
        journal: Journal,
        search: Search,
        space: Callable[[], SearchSpace],
        epochs: int,
        reserved: Callable[[], int] = lambda: 0,
    ) -> None:
        """Prepare.

        Args:
            journal: Takes the changes.
            search: Of the study.
            space: Gives the search space; may raise RefusedError.
            epochs: Epochs of a trial for which nobody says otherwise.
            reserved: A trial number that somebody is going to use.
        """
        self._journal, self._search, self._space = journal, search, space
        self._epochs, self._reserved = epochs, reserved

    def carry_out(self, command: ControlCommand) -> bool:
        """Do `command`; False if it is none for trials that do not run.

        Raises:
            RefusedError: If it cannot be done.
        """
        if isinstance(command, EnqueueTrial):
            self._enqueue(command)
        elif isinstance(command, RetryTrial):
            self._retry(self.trial(command.trial))
        elif isinstance(command, SetNote):
            self._journal.set_note(self.trial(command.trial).number, command.note)
        elif isinstance(command, PauseTrial):
            self._pause(self.trial(command.trial))
        elif isinstance(command, ResumeTrial):
            self._resume(self.trial(command.trial))
        elif isinstance(command, SkipTrial):
            self._skip(self.trial(command.trial))
        elif isinstance(command, StopTrialEarly):
            self._stop_early(self.trial(command.trial))
        else:
            return False
        return True

    def trial(self, number: int) -> Trial:
        """A trial by its number; RefusedError if there is none."""
        trial = self._journal.trials.get(number)
        if trial is None:
            raise RefusedError(f"there is no trial {number}")
        return trial

    def _pause(self, trial: Trial) -> None:
        _expect(trial, (TrialState.QUEUED,), "only running and queued trials can be paused")
        self._journal.put(replace(trial, state=TrialState.PAUSED), log=("info", f"trial {trial.number} is paused"))

    def _resume(self, trial: Trial) -> None:
        _expect(trial, (TrialState.PAUSED,), "only paused trials can be resumed")
        text = f"trial {trial.number} is no longer paused"
        self._journal.put(replace(trial, state=TrialState.QUEUED), log=("info", text))

    def _skip(self, trial: Trial) -> None:
        _expect(trial, (TrialState.QUEUED, TrialState.PAUSED), "only trials that have not finished can be skipped")
        skipped = replace(trial, state=TrialState.CANCELLED, message="skipped by the user", ended_at=time.time())
        self._journal.put(skipped, log=told(skipped))

    def _stop_early(self, trial: Trial) -> None:
        reason = "only trials that have begun and have not finished can be stopped early"
        _expect(trial, (TrialState.QUEUED, TrialState.PAUSED), reason)
        epochs = self._journal.epochs_of(trial.number)
        ended = ended_early(trial, epochs, self._search, "stopped by the user")
        if ended.state is not TrialState.PRUNED:
            raise RefusedError(f"trial {trial.number} has no score yet: skip it instead")
        ended = replace(ended, ended_at=time.time())
        self._journal.put(ended, log=told(ended))

    def _retry(self, trial: Trial) -> None:
        reason = "only failed and cancelled trials can be tried again"
        _expect(trial, (TrialState.FAILED, TrialState.CANCELLED), reason)
        problems = self._space().problems(trial.values)
        if problems:
            raise RefusedError(f"the search space does not allow the values of trial {trial.number}: {problems[0]}")
        self._add(
            Trial(
                number=self._number(),
                state=TrialState.QUEUED,
                values=trial.values,
                epochs_planned=trial.epochs_planned,
                initial_epoch=trial.initial_epoch,
                parent=trial.parent,
                reason=f"Trial {trial.number} once more",
                created_at=time.time(),
                origin="retry",
            )
        )

    def _enqueue(self, command: EnqueueTrial) -> None:
        space = self._space()
        values = with_defaults(space, command.values)
        problems = space.problems(values)
        if problems:
            raise RefusedError("; ".join(problems))
        self._add(
            Trial(
                number=self._number(),
                state=TrialState.QUEUED,
                values=values,
                epochs_planned=self._epochs,
                reason="Values of the user",
                created_at=time.time(),
                note=command.note,
                origin="user",
            )
        )

    def _number(self) -> int:
        return self._journal.next_number(self._reserved())

    def _add(self, trial: Trial) -> None:
        self._journal.put(trial, log=("info", f"trial {trial.number} is queued: {trial.reason}"))


def with_defaults(space: SearchSpace, values: Values) -> Values:
    """`values` with the defaults of active hyperparameters that are not among them, in the order of the space."""
    complete: Values = {}
    for hyperparameter in space.hyperparameters:
        if not space.is_active(hyperparameter, complete):
            continue
        complete[hyperparameter.name] = values.get(hyperparameter.name, hyperparameter.default_value())
    return {**complete, **values}


def _expect(trial: Trial, states: tuple[TrialState, ...], reason: str) -> None:
    if trial.state not in states:
        raise RefusedError(f"trial {trial.number} is {trial.state.value}: {reason}")
