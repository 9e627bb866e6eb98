"""Keras Tuner's Bayesian optimization, with pending trials guessed from the finished ones alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras_tuner import HyperParameters, Objective
from keras_tuner.oracles import BayesianOptimizationOracle

from tunerstudio.algorithms.api import Options


class _Oracle(BayesianOptimizationOracle):  # type: ignore[misc]  # Keras Tuner has no types
    """The original guesses pending trials with whatever model it fitted last, or with none after a restart."""

    trials: dict[str, Any]
    ongoing_trials: dict[str, Any]

    def _vectorize_trials(self) -> Any:
        if self.ongoing_trials:
            self._fit_to_finished()
        return super()._vectorize_trials()

    def _fit_to_finished(self) -> None:
        trials, ongoing = self.trials, self.ongoing_trials
        self.trials = {key: trial for key, trial in trials.items() if trial.status == "COMPLETED"}
        self.ongoing_trials = {}
        try:
            positions, scores = super()._vectorize_trials()
        finally:
            self.trials, self.ongoing_trials = trials, ongoing
        self.gpr.fit(np.nan_to_num(positions), np.nan_to_num(scores))


def create_oracle(
    space: HyperParameters, objective: Objective, max_trials: int, seed: int, options: Options
) -> BayesianOptimizationOracle:
    """Keras Tuner's oracle with all its options."""
    points = options["num_initial_points"]
    if points is None:
        varying = sum(type(hyperparameter).__name__ != "Fixed" for hyperparameter in space.space)
        points = max(min(3 * varying, max_trials // 2), 3)
    return _Oracle(
        objective=objective,
        max_trials=max_trials,
        num_initial_points=points,
        alpha=options["alpha"],
        beta=options["beta"],
        seed=seed,
        hyperparameters=space,
    )
