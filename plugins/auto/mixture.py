"""Several objectives as one: a mixture whose parts change from proposal to proposal (ParEGO, Knowles 2006)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from tunerstudio.algorithms.api import History, TrialState

Array = np.ndarray

_SLOPE: Final = 0.05
"""How much the sum of all objectives counts beside the worst one, so that nothing is given away for nothing."""


def mixed_history(history: History, rng: np.random.Generator) -> tuple[History, Array]:
    """The history as if there were one objective, to be made small.

    Returns:
        The history, in which trials without a value for every objective count as nothing, and the part of each
        objective; they add up to 1.
    """
    parts = rng.dirichlet(np.ones(1 + len(history.also)))
    trials, losses = history.vectors()
    scores = dict(zip((trial.number for trial in trials), _mixed(losses, parts), strict=True))
    mixed = [
        replace(trial, score=scores[trial.number]) if trial.number in scores else trial
        for trial in history.trials
        if trial.number in scores or trial.state not in (TrialState.COMPLETED, TrialState.PRUNED)
    ]
    return replace(history, trials=mixed, direction="min", also=(), objective=None, curves=None), parts


def _mixed(losses: Array, parts: Array) -> list[float]:
    """The augmented Chebyshev norm of the objectives, each by its place among all trials: scales do not matter."""
    if not len(losses):
        return []
    places = np.array([np.searchsorted(np.sort(column), column) for column in losses.T]).T / max(len(losses) - 1, 1)
    low, high = losses.min(axis=0), np.quantile(losses, 0.9, axis=0)
    spread = np.where(high > low, high - low, 1.0)
    values = 0.5 * places + 0.5 * np.minimum((losses - low) / spread, 1.5)
    weighted = values * parts
    return [float(value) for value in weighted.max(axis=1) + _SLOPE * weighted.sum(axis=1)]
