"""Optuna's samplers as pure algorithms: a study in memory is told the whole history and asked for the next trial.

Nothing of Optuna's lives from one proposal to the next, and nothing that it has pickled is stored or read. What a
sampler must know of its own trials (their generation, say) stands in their tags.
"""

from __future__ import annotations

import datetime
import json
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Literal

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from tunerstudio.algorithms.api import (
    Finished,
    History,
    Proposal,
    Scalar,
    SearchSpace,
    Trial,
    TrialState,
    Values,
    untried_values,
)
from tunerstudio.algorithms.optuna_space import Number, OptunaSpace

SILENT: Final = "silent"
"""Tag: parameters that were sampled for hyperparameters which were then inactive, as JSON."""

Inactive = Literal["absent", "middle", "kept"]
"""What a sampler is told of inactive hyperparameters: nothing, the middle of the range, or what it sampled itself."""

_WHEN: Final = datetime.datetime(2000, 1, 1)
"""Optuna wants to know when a trial began and ended, but samplers do not look at it."""


class ToldTrial(FrozenTrial):
    """A trial that is told once: it need not be copied, which would take longer than all else."""

    def __deepcopy__(self, memo: dict[int, Any]) -> ToldTrial:
        return self


class Teller:
    """What became of the trials of a study, told as Optuna's samplers understand it.

    Every objective is told as a loss to be minimised.

    Args:
        space: As Optuna sees it.
        history: All that is known.
        inactive: What to tell of inactive hyperparameters.
        punish: Whether a failed trial counts as completed with the worst loss so far. Optuna's samplers pass over
            trials that are told as failed, and propose the same surroundings again.
        pruned: Whether the sampler knows pruned trials; to others they are told as completed, with the loss that they
            can be expected to reach.
    """

    def __init__(
        self, space: OptunaSpace, history: History, inactive: Inactive, punish: bool = True, pruned: bool = False
    ) -> None:
        self._space = space
        self._history = history
        self._inactive: Inactive = inactive
        self._pruned = pruned
        self._losses = self._known_losses()
        self._failed = {trial.number for trial in history.failed()}
        known = list(self._losses.values())
        self._worst = np.array(known).max(axis=0).tolist() if known and punish else None

    @property
    def finished(self) -> int:
        """Number of trials from which the sampler learns."""
        failed = len(self._failed) if self._worst is not None else 0
        return len(self._losses) + failed + (len(self._history.pruned()) if self._knows_pruned else 0)

    def told(self, marks: Callable[[Trial], Mapping[str, Any]] = lambda trial: {}) -> Iterator[FrozenTrial]:
        """All trials that tell a sampler anything, by number.

        Args:
            marks: User attributes to give to a trial.
        """
        for trial in self._history.trials:
            told = self.trial(trial, user=marks(trial))
            if told is not None:
                yield told

    def trial(
        self, trial: Trial, user: Mapping[str, Any] | None = None, system: Mapping[str, Any] | None = None
    ) -> FrozenTrial | None:
        """One trial with attributes; None if it tells nothing."""
        outcome = self._outcome(trial)
        if outcome is None:
            return None
        parameters = self._parameters(trial)
        return ToldTrial(
            number=-1,
            trial_id=-1,
            value=None,
            datetime_start=_WHEN,
            datetime_complete=_WHEN if outcome["state"].is_finished() else None,
            params=parameters,
            distributions=dict(self._space.distributions(parameters)),
            user_attrs=dict(user or {}),
            system_attrs=dict(system or {}),
            **outcome,
        )

    def _outcome(self, trial: Trial) -> dict[str, Any] | None:
        """State, losses and intermediate losses."""
        losses = self._losses.get(trial.number)
        if losses is None and trial.number in self._failed:
            losses = self._worst
        if losses is not None:
            return _outcome(OptunaState.COMPLETE, losses)
        if not trial.state.is_finished:
            return _outcome(OptunaState.RUNNING)
        if trial.state is TrialState.PRUNED and trial.score is not None and self._knows_pruned:
            return _outcome(OptunaState.PRUNED, intermediate=self._intermediate(trial, trial.score))
        return None if trial.state is TrialState.CANCELLED else _outcome(OptunaState.FAIL)

    def _parameters(self, trial: Trial) -> dict[str, Number]:
        if self._inactive == "absent":
            return self._space.told(trial.values)
        return self._space.filled(trial.values, self._silent(trial) if self._inactive == "kept" else {})

    def _silent(self, trial: Trial) -> dict[str, Number]:
        """Its tag, as far as it names parameters of this space and numbers that these can be."""
        try:
            noted = json.loads(str(trial.tags.get(SILENT, "{}")))
        except ValueError:
            return {}
        parameters = self._space.parameters
        named = noted.items() if isinstance(noted, dict) else ()
        return {name: told for name, told in named if name in parameters and parameters[name].can_be(told)}

    @property
    def _knows_pruned(self) -> bool:
        return self._pruned and not self._history.also

    def _known_losses(self) -> dict[int, list[float]]:
        """Losses of the trials that are told as completed: (objectives,) each."""
        if self._history.also:
            trials, rows = self._history.vectors()
        elif self._pruned:
            trials, rows = self._history.completed(), self._history.losses()[:, None]
        else:
            trials, observed = self._history.observed()
            rows = observed[:, None]
        return {trial.number: row.tolist() for trial, row in zip(trials, rows, strict=True)}

    def _intermediate(self, trial: Trial, score: float) -> dict[int, float]:
        """The best loss of a pruned trial so far, at its last epoch: that is all that samplers look at."""
        curves = self._history.curves
        epoch = curves.epochs(trial.number) if curves is not None else 0
        best = curves.best(trial.number, epoch) if curves is not None else None
        if best is None or not math.isfinite(best):
            best = -score if self._history.direction == "max" else score
        return {max(epoch, 1): best}


def _outcome(
    state: OptunaState, losses: list[float] | None = None, intermediate: dict[int, float] | None = None
) -> dict[str, Any]:
    return {"state": state, "values": losses, "intermediate_values": intermediate or {}}


def new_study(sampler: BaseSampler, history: History, told: Iterable[FrozenTrial]) -> optuna.Study:
    """A study in memory that has been told these trials."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # every new study would be a line on the screen
    study = optuna.create_study(sampler=sampler, directions=["minimize"] * (1 + len(history.also)))
    study.add_trials(told)
    return study


def ask(study: optuna.Study, space: OptunaSpace) -> tuple[Values, dict[str, Scalar]]:
    """The next configuration, and the tag with what was sampled for hyperparameters that are inactive in it."""
    asked = study.ask()
    values = space.ask(asked)
    silent = {name: told for name, told in asked.relative_params.items() if name not in values}
    return values, {SILENT: json.dumps(silent)} if silent else {}


@contextmanager
def without_warnings() -> Iterator[None]:
    """Quiet about what Optuna calls experimental, and about what its next major version will no longer have.

    People choose these options by their help text; the version of Optuna is bound to one that has them.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        warnings.filterwarnings("ignore", message=r".* has been deprecated in v", category=FutureWarning)
        yield


def seed_from(rng: np.random.Generator) -> int:
    """A seed for a sampler."""
    return int(rng.integers(2**31))


def only_configuration(space: SearchSpace, history: History, rng: np.random.Generator) -> Proposal | Finished:
    """For a space in which nothing varies: its one configuration, once."""
    left = untried_values(space, history, rng)
    return Finished("all configurations have been tried") if left is None else Proposal(left)
