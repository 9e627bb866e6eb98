"""Configurations as arrays, for algorithms that calculate: positions to move through, features to measure on.

A *position* is a row with one number per hyperparameter that varies: the index of the value where values can be
listed, else the place in [0, 1] on the sampling scale; NaN where inactive. *Features* are what the kernel sees: a
column in [0, 1] per ordered hyperparameter, one-hot columns for an unordered one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tunerstudio.study.hyperparameters import (
    Boolean,
    Choice,
    Fixed,
    Float,
    Int,
    Scalar,
    SearchSpace,
    Values,
    same_value,
)

_LISTED: Final = 1000
"""Ranges with more values are treated as continuous."""

_INACTIVE: Final = 0.5
"""Feature of an inactive ordered hyperparameter: the middle, equally far from both ends."""

Array = np.ndarray


@dataclass(frozen=True)
class Axis:
    """One hyperparameter that varies.

    Attributes:
        name: Its name.
        values: Its values in order, or empty if it is continuous.
        places: Where each listed value lies in [0, 1].
        ordered: Whether neighbours are alike.
    """

    hyperparameter: Int | Float | Choice | Boolean
    values: tuple[Scalar, ...]
    places: Array
    ordered: bool

    @property
    def name(self) -> str:
        """Name of the hyperparameter."""
        return self.hyperparameter.name

    @property
    def listed(self) -> bool:
        """Whether positions are indices of `values`."""
        return bool(self.values)

    @property
    def width(self) -> int:
        """Number of feature columns."""
        return 1 if self.ordered else len(self.values)


class Encoder:
    """Between values, positions and features of one search space.

    Attributes:
        axes: The hyperparameters that vary, in order.
        groups: Of each feature column, the index of its axis.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self.axes = [_axis(h) for h in space.hyperparameters if not isinstance(h, Fixed) and h.count() > 1]
        self.groups = np.repeat(np.arange(len(self.axes)), [axis.width for axis in self.axes])
        self._indices = [{(type(v), v): i for i, v in enumerate(axis.values)} for axis in self.axes]
        self._number = {axis.name: i for i, axis in enumerate(self.axes)}
        self._conditions = [self._conditions_of(axis.hyperparameter) for axis in self.axes]

    @property
    def discrete(self) -> bool:
        """Whether positions of all hyperparameters are indices, so that equal rows are equal configurations."""
        return all(axis.listed for axis in self.axes)

    def position(self, values: Values) -> Array:
        """The position of legal `values`."""
        row = np.full(len(self.axes), np.nan)
        for index, axis in enumerate(self.axes):
            if axis.name in values:
                value = values[axis.name]
                if axis.listed:
                    row[index] = self._indices[index][type(value), value]
                else:
                    row[index] = axis.hyperparameter.to_unit(value)
        return row

    def positions(self, configurations: Sequence[Values]) -> Array:
        """Positions of several legal configurations, one per row."""
        return np.array([self.position(values) for values in configurations]).reshape(-1, len(self.axes))

    def values(self, position: Array) -> Values:
        """The configuration at a position."""
        values: Values = {}
        for hyperparameter in self._space.hyperparameters:
            if not self._space.is_active(hyperparameter, values):
                continue
            index = self._number.get(hyperparameter.name)
            if index is None or np.isnan(position[index]):
                values[hyperparameter.name] = hyperparameter.default_value()
            elif self.axes[index].listed:
                values[hyperparameter.name] = self.axes[index].values[int(position[index])]
            else:
                values[hyperparameter.name] = hyperparameter.from_unit(float(position[index]))
        return values

    def features(self, positions: Array) -> Array:
        """Feature rows of position rows."""
        columns = []
        for index, axis in enumerate(self.axes):
            column = positions[:, index]
            inactive = np.isnan(column)
            if not axis.ordered:
                columns.append((column[:, None] == np.arange(len(axis.values))) * np.sqrt(0.5))
                continue
            place = axis.places[np.where(inactive, 0, column).astype(int)] if axis.listed else column
            columns.append(np.where(inactive, _INACTIVE, place)[:, None])
        return np.hstack(columns) if columns else np.zeros((len(positions), 0))

    def draw(self, count: int, rng: np.random.Generator) -> Array:
        """Positions drawn uniformly."""
        rows = rng.random((count, len(self.axes)))
        for index, axis in enumerate(self.axes):
            if axis.listed:
                rows[:, index] = np.floor(rows[:, index] * len(axis.values))
        return self.settle(rows, rng)

    def settle(self, rows: Array, rng: np.random.Generator) -> Array:
        """Make rows legal in place: inactive becomes NaN, newly active gets a random position."""
        for index, axis in enumerate(self.axes):
            column = rows[:, index]
            missing = np.isnan(column)
            if missing.any():
                drawn = rng.random(int(missing.sum()))
                column[missing] = np.floor(drawn * len(axis.values)) if axis.listed else drawn
            for parent, allowed in self._conditions[index]:
                column[~np.isin(rows[:, parent], allowed)] = np.nan
        return rows

    def _conditions_of(self, hyperparameter: Int | Float | Choice | Boolean | Fixed) -> list[tuple[int, Array]]:
        """(column of the parent, positions for which it is active); a parent that does not vary stands for its own."""
        found = []
        for condition in hyperparameter.conditions:
            parent = self._number.get(condition.parent)
            if parent is None:
                found += self._conditions_of(self._space[condition.parent])
            else:
                allowed = [self._parent_position(parent, value) for value in condition.values]
                found.append((parent, np.array(allowed)))
        return found

    def _parent_position(self, parent: int, value: Scalar) -> float:
        axis = self.axes[parent]
        if not axis.listed:
            return axis.hyperparameter.to_unit(value)
        return next(float(index) for index, listed in enumerate(axis.values) if same_value(listed, value))


def _axis(hyperparameter: Int | Float | Choice | Boolean) -> Axis:
    if hyperparameter.count() > _LISTED:
        return Axis(hyperparameter, (), np.zeros(0), ordered=True)
    values = tuple(hyperparameter.values())
    if isinstance(hyperparameter, Choice):
        if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
            values = tuple(sorted(values, key=float))
        places = np.linspace(0.0, 1.0, len(values))
        return Axis(hyperparameter, values, places, ordered=hyperparameter.is_ordered() or len(values) == 2)
    units = np.array([hyperparameter.to_unit(value) for value in values])
    return Axis(hyperparameter, values, (units - units[0]) / (units[-1] - units[0]), ordered=True)
