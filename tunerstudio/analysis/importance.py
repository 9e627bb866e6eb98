"""Which hyperparameters matter: the share of the score's variance that each explains by itself.

A small, honest measure: trials are grouped by the hyperparameter's value (numbers in equally full bins), and the
bias-corrected share of the variance between the groups (omega squared) of the *ranks* of the scores is reported. Ranks,
because one diverged trial must not decide. It sees no interactions, and says so by being small.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tunerstudio.study.hyperparameters import Scalar, same_value
from tunerstudio.study.search import Direction
from tunerstudio.study.trials import Trial, TrialState

ENOUGH_TRIALS = 15
"""Completed trials below which any importance would be a guess."""


@dataclass(frozen=True)
class HyperparameterImportance:
    """One hyperparameter.

    Attributes:
        name: Of the hyperparameter.
        share: Of the variance of the scores' ranks, 0 to 1.
        tendency: Rank correlation with how good the score is, -1 to 1: positive when greater values did better;
            None for values that have no order.
        trials: Completed trials in which it was active.
    """

    name: str
    share: float
    tendency: float | None
    trials: int


@dataclass(frozen=True)
class Importance:
    """All that can be said of a history.

    Attributes:
        rows: Most important first; empty with too few trials.
        completed: Completed trials.
        needed: Completed trials from which something can be said.
    """

    rows: tuple[HyperparameterImportance, ...]
    completed: int
    needed: int = ENOUGH_TRIALS


def importance(trials: Iterable[Trial], direction: Direction) -> Importance:
    """Importance of every hyperparameter that varied and was active in enough completed trials."""
    done = [t for t in trials if t.state is TrialState.COMPLETED and t.score is not None and math.isfinite(t.score)]
    if len(done) < ENOUGH_TRIALS:
        return Importance((), len(done))
    sign = 1.0 if direction == "max" else -1.0
    names = dict.fromkeys(name for t in done for name in t.values)
    rows = []
    for name in names:
        active = [(t.values[name], sign * float(t.score or 0.0)) for t in done if name in t.values]
        row = _one(name, [value for value, _ in active], np.array([score for _, score in active]))
        if row is not None:
            rows.append(row)
    rows.sort(key=lambda row: (-row.share, row.name))
    return Importance(tuple(rows), len(done))


def _one(name: str, values: Sequence[Scalar], goodness: np.ndarray) -> HyperparameterImportance | None:
    if len(values) < ENOUGH_TRIALS or all(same_value(value, values[0]) for value in values):
        return None
    ranks = average_ranks(goodness)
    if is_numeric(values):
        numbers = np.array([float(value) for value in values])
        groups = _equally_full_bins(numbers)
        tendency = _correlation(average_ranks(numbers), ranks)
    else:
        codes: dict[tuple[type, Scalar], int] = {}
        groups = np.array([codes.setdefault((type(value), value), len(codes)) for value in values])
        tendency = None
    return HyperparameterImportance(name, explained_share(groups, ranks), tendency, len(values))


def is_numeric(values: Iterable[Scalar]) -> bool:
    """Whether all values are numbers (booleans are not)."""
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 0 (float64); equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    first = np.cumsum(counts) - counts
    return np.asarray((first + (counts - 1) / 2)[inverse], dtype=np.float64)


def _equally_full_bins(numbers: np.ndarray) -> np.ndarray:
    """Group of each number: few values keep a group each, many are cut into about n/5 (at most 8) groups."""
    levels = np.unique(numbers)
    wanted = int(np.clip(len(numbers) // 5, 2, 8))
    if len(levels) <= wanted:
        return np.searchsorted(levels, numbers)
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, wanted + 1)[1:-1]))
    return np.searchsorted(edges, numbers, side="right")


def explained_share(groups: np.ndarray, values: np.ndarray) -> float:
    """Omega squared: the share of the variance of `values` between `groups`, without what chance alone would give.

    Args:
        groups: Group number of each value (int).
        values: Finite numbers, same length.

    Returns:
        0 to 1.
    """
    _, groups = np.unique(groups, return_inverse=True)
    counts = np.bincount(groups)
    total = float(((values - values.mean()) ** 2).sum())
    degrees = len(values) - len(counts)
    if total == 0 or degrees <= 0 or len(counts) < 2:
        return 0.0
    means = np.bincount(groups, values) / counts
    between = float((counts * (means - values.mean()) ** 2).sum())
    within = (total - between) / degrees
    return float(np.clip((between - (len(counts) - 1) * within) / (total + within), 0.0, 1.0))


def _correlation(left: np.ndarray, right: np.ndarray) -> float:
    left, right = left - left.mean(), right - right.mean()
    scale = float(np.sqrt((left**2).sum() * (right**2).sum()))
    return float((left * right).sum()) / scale if scale else 0.0
