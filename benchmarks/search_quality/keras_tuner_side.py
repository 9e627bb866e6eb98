"""Keras Tuner's oracles in the same simulation, as they are: its own space and defaults, no guard of ours.

Choices that are numbers are ordered, others are not, as Keras Tuner does by itself. A training that diverged is told
as failed, which Keras Tuner leaves out of its model.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras_tuner

from tunerstudio.algorithms.api import Choice, Finished, Float, Proposal, SearchSpace, Trial

ORACLES: dict[str, Callable[..., Any]] = {
    "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
    "random": keras_tuner.oracles.RandomSearchOracle,
}

_TUNER = "tuner0"


class KerasTunerProposer:
    """An oracle that is asked as our algorithms are.

    Args:
        oracle: Key of `ORACLES`.
        space: Of `Choice` and `Float` hyperparameters without conditions, as tables have.
        seed: Any whole number; Keras Tuner takes 0 for none, so that it gets the next one.
        trials: Budget of the search.
    """

    def __init__(self, oracle: str, space: SearchSpace, seed: int, trials: int) -> None:
        self._oracle = ORACLES[oracle](
            objective=keras_tuner.Objective("score", "min"),
            max_trials=10 * trials,  # the budget is the simulation's
            seed=seed + 1,
            hyperparameters=_hyperparameters(space),
            max_consecutive_failed_trials=10 * trials,
        )
        self._oracle.verbose = 0
        self._oracle.save = self._oracle._save_trial = _nothing  # it writes files that nobody reads here
        self._asked: Any = None

    def next(self, trials: Sequence[Trial], number: int) -> Proposal | Finished:
        """Tell what became of the last proposal and ask for the next."""
        if self._asked is not None:
            self._tell(self._asked, trials[-1])
        self._asked = self._oracle.create_trial(_TUNER)
        if self._asked.status != "RUNNING":
            return Finished("Keras Tuner has nothing left to propose")
        return Proposal(dict(self._asked.hyperparameters.values))

    def _tell(self, asked: Any, trial: Trial) -> None:
        """A table may have trained something else than was asked for; then that is what is told."""
        asked.hyperparameters.values = dict(trial.values)
        asked.status = "FAILED" if trial.score is None else "COMPLETED"
        if trial.score is not None:
            self._oracle.update_trial(asked.trial_id, {"score": trial.score})
        self._oracle.end_trial(asked)


def _hyperparameters(space: SearchSpace) -> Any:
    converted = keras_tuner.HyperParameters()
    for hyperparameter in space.hyperparameters:
        if isinstance(hyperparameter, Float):
            sampling, low, high = hyperparameter.sampling, hyperparameter.min, hyperparameter.max
            converted.Float(hyperparameter.name, low, high, sampling=sampling)
        elif isinstance(hyperparameter, Choice):
            converted.Choice(hyperparameter.name, _listed(hyperparameter))
    return converted


def _listed(hyperparameter: Choice) -> list[Any]:
    choices = list(hyperparameter.choices)
    if not all(isinstance(choice, int | float) for choice in choices):
        return choices
    whole = all(isinstance(choice, int) for choice in choices)
    return sorted(choices if whole else map(float, choices))


def _nothing(*_: Any) -> None:
    """In place of methods that write files."""
