"""Parallel coordinates: one vertical axis per hyperparameter and one for the score, one line per trial."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tunerstudio.analysis.importance import is_numeric
from tunerstudio.study.hyperparameters import Scalar, SearchSpace, same_value
from tunerstudio.study.search import Direction
from tunerstudio.study.trials import Trial, TrialState, ranked

MOST_LINES = 2000
"""Lines beyond which a picture shows only its own ink."""


@dataclass(frozen=True)
class Axis:
    """One axis.

    Attributes:
        name: Of the hyperparameter, or of the objective.
        ticks: (position 0 to 1, value) pairs; at most seven.
        log: Whether positions follow the logarithm.
    """

    name: str
    ticks: tuple[tuple[float, Scalar], ...]
    log: bool = False


@dataclass(frozen=True)
class ParallelCoordinates:
    """What to draw.

    Attributes:
        axes: Hyperparameters that varied, then the objective.
        numbers: Trial numbers, worst first so that the best are drawn on top (int64, (n,)).
        positions: Where each line crosses each axis, 0 to 1; NaN where inactive (float64, (n, axes)).
        goodness: Rank of the score, 0 worst to 1 best; for colours (float64, (n,)).
        left_out: Completed trials that are not drawn because there are too many.
    """

    axes: tuple[Axis, ...]
    numbers: np.ndarray
    positions: np.ndarray
    goodness: np.ndarray
    left_out: int = 0


def parallel_coordinates(
    trials: Sequence[Trial],
    objective: str,
    direction: Direction,
    space: SearchSpace | None = None,
    most: int = MOST_LINES,
) -> ParallelCoordinates:
    """Arrays for `trials`.

    Args:
        trials: Any; those without a finite score are left out.
        objective: Name for the last axis.
        direction: Which scores are better.
        space: Gives the order of axes and which of them are logarithmic; without it both follow from the values.
        most: At most so many lines: the better half of them the best trials, the rest spread evenly.
    """
    best_first = [
        t
        for t in ranked(list(trials), direction)
        if t.state is TrialState.COMPLETED and t.score is not None and math.isfinite(t.score)
    ]
    shown = _thinned(best_first, most)
    names = [name for name in _names(shown, space) if _varies([t.values[name] for t in shown if name in t.values])]
    axes, columns = [], []
    for name in names:
        axis, column = _axis(name, [t.values.get(name) for t in shown], _is_log(name, space))
        axes.append(axis)
        columns.append(column)
    if shown:
        axis, column = _axis(objective, [t.score for t in shown], log=False)
        axes.append(axis)
        columns.append(column)
    count = len(shown)
    goodness = np.linspace(1.0, 0.0, count) if count > 1 else np.ones(count)
    positions = np.column_stack(columns) if columns else np.empty((0, 0))
    numbers = np.array([t.number for t in shown], dtype=np.int64)
    return ParallelCoordinates(
        tuple(axes), numbers[::-1], positions[::-1], goodness[::-1], left_out=len(best_first) - count
    )


def _thinned(best_first: list[Trial], most: int) -> list[Trial]:
    if len(best_first) <= most:
        return best_first
    head = most // 2
    places = np.linspace(head, len(best_first) - 1, most - head).astype(int)
    return best_first[:head] + [best_first[place] for place in places]


def _names(trials: Sequence[Trial], space: SearchSpace | None) -> list[str]:
    known = space.names() if space is not None else []
    return list(dict.fromkeys([*known, *(name for t in trials for name in t.values)]))


def _varies(values: Sequence[Scalar]) -> bool:
    return any(not same_value(value, values[0]) for value in values)


def _is_log(name: str, space: SearchSpace | None) -> bool | None:
    if space is None or name not in space.names():
        return None
    return getattr(space[name], "sampling", "linear") == "log"


def _axis(name: str, values: Sequence[Scalar | None], log: bool | None) -> tuple[Axis, np.ndarray]:
    present = [value for value in values if value is not None]
    if not is_numeric(present):
        options = list(dict.fromkeys(sorted(str(value) for value in present)))
        places = {option: (index + 0.5) / len(options) for index, option in enumerate(options)}
        positions = np.array([np.nan if value is None else places[str(value)] for value in values])
        step = max(1, -(-len(options) // 7))
        return Axis(name, tuple((places[option], option) for option in options[::step])), positions
    numbers = np.array([np.nan if value is None else float(value) for value in values])
    low, high = float(np.nanmin(numbers)), float(np.nanmax(numbers))
    if log is None:
        log = low > 0 and high / low >= 50
    log = log and low > 0
    scale = np.log if log else np.asarray
    span = float(scale(high) - scale(low))
    positions = (scale(numbers) - scale(low)) / span if span else np.where(np.isnan(numbers), np.nan, 0.5)
    return Axis(name, _numeric_ticks(low, high, log, all(isinstance(v, int) for v in present)), log), positions


def _numeric_ticks(low: float, high: float, log: bool, whole: bool) -> tuple[tuple[float, Scalar], ...]:
    if low == high:
        return ((0.5, int(low) if whole else low),)
    shares = (0.0, 0.25, 0.5, 0.75, 1.0)
    ticks: list[tuple[float, Scalar]] = []
    for share in shares:
        value = low * (high / low) ** share if log else low + (high - low) * share
        if whole:
            value = round(value)
            inside = (np.log(value / low) / np.log(high / low)) if log else (value - low) / (high - low)
            ticks.append((float(inside), int(value)))
        else:
            ticks.append((share, float(value)))
    return tuple(dict.fromkeys(ticks))
