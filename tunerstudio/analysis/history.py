"""The score of each trial and the best so far: what the history plot draws."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from tunerstudio.study.search import Direction
from tunerstudio.study.trials import Trial, TrialState


@dataclass(frozen=True)
class ScoreHistory:
    """Scores by trial number, rising; every array has one item per trial with a finite score.

    Attributes:
        numbers: Trial numbers (int64).
        scores: Means over executions (float64).
        errors: Standard errors of the means (float64); NaN with fewer than two executions.
        completed: Whether the trial ran to its end (bool); the others were pruned.
        best: Best completed score so far (float64); NaN before the first.
        best_number: Number of the best completed trial; None before the first.
        best_score: Its score; None before the first.
    """

    numbers: np.ndarray
    scores: np.ndarray
    errors: np.ndarray
    completed: np.ndarray
    best: np.ndarray
    best_number: int | None
    best_score: float | None

    def __len__(self) -> int:
        """Number of trials with a finite score."""
        return len(self.numbers)


def score_history(trials: Iterable[Trial], direction: Direction) -> ScoreHistory:
    """The history of `trials` (any order); trials without a finite score are left out."""
    scored = (TrialState.COMPLETED, TrialState.PRUNED)
    found = [t for t in trials if t.score is not None and math.isfinite(t.score) and t.state in scored]
    found.sort(key=attrgetter("number"))
    numbers = np.array([t.number for t in found], dtype=np.int64)
    scores = np.array([t.score for t in found], dtype=np.float64)
    errors = np.array([t.standard_error for t in found], dtype=np.float64)  # None becomes NaN
    completed = np.array([t.state is TrialState.COMPLETED for t in found], dtype=bool)
    best = best_so_far(np.where(completed, scores, np.nan), direction)
    if not completed.any():
        return ScoreHistory(numbers, scores, errors, completed, best, None, None)
    sign = -1.0 if direction == "max" else 1.0
    place = int(np.nanargmin(np.where(completed, sign * scores, np.nan)))
    return ScoreHistory(numbers, scores, errors, completed, best, int(numbers[place]), float(scores[place]))


def best_so_far(scores: np.ndarray, direction: Direction) -> np.ndarray:
    """Running best of `scores` (float64, same length); NaN counts as no score."""
    if direction == "max":
        best = np.maximum.accumulate(np.where(np.isfinite(scores), scores, -np.inf))
    else:
        best = np.minimum.accumulate(np.where(np.isfinite(scores), scores, np.inf))
    return np.where(np.isfinite(best), best, np.nan)


def readable_range(values: np.ndarray, share: float = 0.9, stretch: float = 4.0) -> tuple[float, float] | None:
    """Limits that show most of `values` well: all of them, or without the outliers that would crush the rest.

    Args:
        values: Any numbers; those that are not finite are ignored.
        share: Part of the values that must be inside.
        stretch: Outliers are left outside when all values together span more than this many times that part.

    Returns:
        (low, high), low < high; None without finite values.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return None
    low, high = float(finite.min()), float(finite.max())
    tail = (1.0 - share) / 2
    inner_low, inner_high = (float(q) for q in np.quantile(finite, [tail, 1.0 - tail]))
    if finite.size >= 10 and inner_high > inner_low and high - low > stretch * (inner_high - inner_low):
        span = inner_high - inner_low
        low, high = max(low, inner_low - span), min(high, inner_high + span)
    if low == high:
        margin = abs(low) * 0.05 or 0.5
        return low - margin, high + margin
    return low, high
