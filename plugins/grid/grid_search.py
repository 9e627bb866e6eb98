"""Grid search: every combination, in order, the last hyperparameter varying fastest."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tunerstudio.algorithms.api import (
    UNCOUNTABLE,
    Boolean,
    Choice,
    Finished,
    Fixed,
    Float,
    History,
    Int,
    Options,
    Proposal,
    Scalar,
    SearchSpace,
    Values,
    same_value,
    values_key,
)


def propose(space: SearchSpace, history: History, rng: np.random.Generator, options: Options) -> Proposal | Finished:
    """The first point of the grid, from the one last proposed on, that has not been tried."""
    tried = {values_key(trial.values) for trial in history.trials}
    start = 1 + max((int(trial.tags["point"]) for trial in history.trials if "point" in trial.tags), default=-1)
    axes = _axes(space, options)
    for index, values in enumerate(_points(space, axes, 0, {})):
        if index >= start and values_key(values) not in tried and history.allows(values):
            return Proposal(values, f"Point {index + 1} of the grid", tags={"point": index})
    return Finished("every point of the grid has been tried")


def total_trials(space: SearchSpace, max_epochs: int, options: Options) -> int | None:
    """Number of points of the grid; None if it has too many to count in a moment."""
    axes = _axes(space, options)
    product = 1
    for axis in axes.values():
        product *= len(axis)
    if not any(hyperparameter.conditions for hyperparameter in space.hyperparameters):
        return product
    return sum(1 for _ in _points(space, axes, 0, {})) if product <= 100_000 else None


def _axes(space: SearchSpace, options: Options) -> dict[str, list[Scalar]]:
    """The values of each hyperparameter that are tried, in order."""
    points = int(str(options["points"]))
    axes = {h.name: _values(h, points) for h in space.hyperparameters}
    if options["start_with_defaults"]:
        for hyperparameter in space.hyperparameters:
            default = hyperparameter.default_value()
            rest = [value for value in axes[hyperparameter.name] if not same_value(value, default)]
            axes[hyperparameter.name] = [default, *rest]
    return axes


def _values(hyperparameter: Int | Float | Choice | Boolean | Fixed, points: int) -> list[Scalar]:
    by_scale = isinstance(hyperparameter, Int) and hyperparameter.step is None and hyperparameter.sampling != "linear"
    if hyperparameter.count() == UNCOUNTABLE or (by_scale and hyperparameter.count() > points):
        assert isinstance(hyperparameter, Int | Float)
        inner = [hyperparameter.from_unit(index / (points - 1)) for index in range(1, points - 1)]
        return list(dict.fromkeys([hyperparameter.min, *inner, hyperparameter.max]))
    return list(hyperparameter.values())


def _points(space: SearchSpace, axes: dict[str, list[Scalar]], index: int, values: Values) -> Iterator[Values]:
    if index == len(space.hyperparameters):
        yield dict(values)
        return
    hyperparameter = space.hyperparameters[index]
    if not space.is_active(hyperparameter, values):
        yield from _points(space, axes, index + 1, values)
        return
    for value in axes[hyperparameter.name]:
        yield from _points(space, axes, index + 1, {**values, hyperparameter.name: value})
