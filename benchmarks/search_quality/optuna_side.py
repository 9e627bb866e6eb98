"""Optuna's samplers in the same simulation, for comparison; Optuna is no dependency of the program.

Choices that are numbers go in as their place in order, others as categories. A training that diverged is told as
failed, as Optuna's users do.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState as State
from optuna.trial import create_trial

from tunerstudio.algorithms.api import Choice, Float, Proposal, Scalar, SearchSpace, Trial, Values

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)

SAMPLERS: dict[str, Callable[[int], optuna.samplers.BaseSampler]] = {
    "gp": lambda seed: optuna.samplers.GPSampler(seed=seed),
    "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed, multivariate=True),
    "tpe_univariate": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "cma_es": lambda seed: optuna.samplers.CmaEsSampler(seed=seed),
    "qmc": lambda seed: optuna.samplers.QMCSampler(seed=seed),
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
}


class OptunaProposer:
    """A sampler that is asked as our algorithms are.

    Args:
        sampler: Key of `SAMPLERS`.
        space: Of `Choice` and `Float` hyperparameters without conditions, as tables have.
        seed: Any whole number.
    """

    def __init__(self, sampler: str, space: SearchSpace, seed: int) -> None:
        self._hyperparameters = [h for h in space.hyperparameters if isinstance(h, Choice | Float)]
        self._distributions = {h.name: _distribution(h) for h in self._hyperparameters}
        self._study = optuna.create_study(sampler=SAMPLERS[sampler](seed))
        self._asked: optuna.Trial | None = None
        self._proposed: Values = {}

    def next(self, trials: Sequence[Trial], number: int) -> Proposal:
        """Tell what became of the last proposal and ask for the next."""
        if self._asked is not None:
            self._tell(self._asked, trials[-1])
        self._asked = self._study.ask(self._distributions)
        self._proposed = {h.name: _value(h, self._asked.params[h.name]) for h in self._hyperparameters}
        return Proposal(dict(self._proposed))

    def _tell(self, asked: optuna.Trial, trial: Trial) -> None:
        """A table may have trained something else than was asked for; then that is what is told."""
        done = State.COMPLETE if trial.score is not None else State.FAIL
        if trial.values == self._proposed:
            self._study.tell(asked, trial.score, state=done)
            return
        self._study.tell(asked, state=State.FAIL)
        parameters = {h.name: _parameter(h, trial.values) for h in self._hyperparameters}
        told = create_trial(params=parameters, distributions=self._distributions, value=trial.score, state=done)
        self._study.add_trial(told)


def _is_ordered(hyperparameter: Choice) -> bool:
    return all(isinstance(choice, int | float) for choice in hyperparameter.choices)


def _distribution(hyperparameter: Choice | Float) -> BaseDistribution:
    if isinstance(hyperparameter, Float):
        return FloatDistribution(hyperparameter.min, hyperparameter.max, log=hyperparameter.sampling == "log")
    if _is_ordered(hyperparameter):
        return IntDistribution(0, len(hyperparameter.choices) - 1)
    return CategoricalDistribution(hyperparameter.choices)


def _value(hyperparameter: Choice | Float, parameter: Scalar) -> Scalar:
    if isinstance(hyperparameter, Choice) and _is_ordered(hyperparameter):
        return sorted(hyperparameter.choices, key=lambda choice: float(choice))[int(parameter)]
    return parameter


def _parameter(hyperparameter: Choice | Float, values: Values) -> Scalar:
    value = values[hyperparameter.name]
    if isinstance(hyperparameter, Choice) and _is_ordered(hyperparameter):
        return sorted(hyperparameter.choices, key=lambda choice: float(choice)).index(value)
    return value
