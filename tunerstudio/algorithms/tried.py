"""Which configurations have been tried, and how to find one that has not."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tunerstudio.algorithms.legality import legal_values, random_values
from tunerstudio.study.hyperparameters import Choice, Fixed, Float, Int, Scalar, SearchSpace, Values, values_key
from tunerstudio.study.trials import Trial

_LISTABLE: Final = 20_000
"""Of spaces up to this size, all that is left is listed to draw from; of larger ones the first found is taken."""

_DRAWS: Final = 100
"""Random draws before listing."""

_CONSTRAINED_DRAWS: Final = 5_000
"""The same where constraints may leave only a small part of a space that cannot be listed."""

_NEAR: Final = 32
"""Of so many configurations that keep to the constraints, the one nearest to a proposal that breaks them is taken."""

_FAR_STEP: Final = 0.05
"""How far, on the unit scale, a neighbour on a continuous range lies."""


@dataclass(frozen=True)
class _Seen:
    """Values of a trial as they came, in the type of their hyperparameters, and their key; no key if illegal."""

    values: Values
    canonical: Values
    key: str | None


class TriedConfigurations:
    """The configurations of all trials so far, as far as they are legal in this space.

    Trials of an earlier version of the space that are not legal now count as nothing and are hidden from algorithms.

    Args:
        space: What may vary.
        allows: Whether a configuration keeps to the constraints; None: there are none.
    """

    def __init__(self, space: SearchSpace, allows: Callable[[Values], bool] | None = None) -> None:
        self._space = space
        self._allows = allows
        self._count = space.count()
        if allows is not None and self._count <= _LISTABLE:
            self._count = sum(map(allows, space.all_values()))
        self._seen: dict[int, _Seen] = {}
        self._keys: set[str] = set()

    def update(self, trials: Sequence[Trial]) -> list[Trial]:
        """Take note of `trials`, which replace those of the call before.

        Returns:
            The trials that are legal in this space, by number, with values in the type of their hyperparameter.
        """
        self._seen = {trial.number: self._entry(trial) for trial in trials}
        self._keys = set()
        usable = []
        for trial in sorted(trials, key=lambda trial: trial.number):
            seen = self._seen[trial.number]
            if seen.key is not None:
                if self.allows(seen.canonical):  # or it would count among those that can be tried
                    self._keys.add(seen.key)
                usable.append(trial if seen.canonical is seen.values else replace(trial, values=seen.canonical))
        return usable

    def _entry(self, trial: Trial) -> _Seen:
        """What is known of a trial, remembered from call to call."""
        known = self._seen.get(trial.number)
        if known is not None and known.values == trial.values:
            return known
        if self._space.problems(trial.values):
            return _Seen(trial.values, trial.values, None)
        values = canonical(self._space, trial.values)
        return _Seen(trial.values, values, values_key(values))

    def add(self, values: Values) -> None:
        """Take note of one more legal configuration."""
        self._keys.add(values_key(values))

    def __contains__(self, values: Values) -> bool:
        """Whether a trial has had these legal values."""
        return values_key(values) in self._keys

    def allows(self, values: Values) -> bool:
        """Whether these legal values keep to the constraints."""
        return self._allows is None or self._allows(values)

    @property
    def total(self) -> float:
        """Number of configurations that keep to the constraints; infinite if the space is continuous.

        Of spaces with constraints that are too large to list: of all configurations.
        """
        return self._count

    @property
    def exhausted(self) -> bool:
        """Whether every configuration has been tried."""
        return len(self._keys) >= self._count

    def substitute(self, values: Values, rng: np.random.Generator) -> Values | None:
        """An untried configuration, as near to `values` as can be; None if there is none."""
        neighbours = [near for near in self._neighbours(values, rng) if self._is_open(near)]
        if neighbours:
            return neighbours[int(rng.integers(len(neighbours)))]
        if self._allows is None or self._count <= _LISTABLE:
            return self.untried(rng)
        drawn = list(itertools.takewhile(lambda near: near is not None, (self.untried(rng) for _ in range(_NEAR))))
        return min(drawn, key=lambda near: self._distance(values, near or {}), default=None)

    def _is_open(self, values: Values) -> bool:
        return values not in self and self.allows(values)

    def _distance(self, left: Values, right: Values) -> float:
        """Sum of the differences on the unit scales; 1 for a hyperparameter that only one of them has."""
        total = 0.0
        for name in left.keys() | right.keys():
            if name not in left or name not in right:
                total += 1.0
            elif isinstance(self._space[name], Int | Float):
                total += abs(self._space[name].to_unit(left[name]) - self._space[name].to_unit(right[name]))
            else:
                total += left[name] != right[name]
        return total

    def untried(self, rng: np.random.Generator) -> Values | None:
        """An untried configuration at random; None if there is none."""
        if self.exhausted:
            return None
        listable = self._allows is None or self._count <= _LISTABLE
        for _ in range(_DRAWS if listable else _CONSTRAINED_DRAWS):
            values = random_values(self._space, rng)
            if self._is_open(values):
                return values
        if math.isinf(self._count):
            return None
        if self._count <= _LISTABLE:
            left = [values for values in self._space.all_values() if self._is_open(values)]
            return left[int(rng.integers(len(left)))] if left else None
        return next((values for values in self._space.all_values() if self._is_open(values)), None)

    def _neighbours(self, values: Values, rng: np.random.Generator) -> Iterator[Values]:
        for name, value in values.items():
            for other in _beside(self._space[name], value):
                yield legal_values(self._space, {**values, name: other}, rng).values


def canonical(space: SearchSpace, values: Values) -> Values:
    """Legal `values` in the type of their hyperparameter: 1 for a Float becomes 1.0."""
    changed = {n: float(v) for n, v in values.items() if type(v) is int and isinstance(space[n], Float)}
    return {**values, **changed} if changed else values


def _beside(hyperparameter: object, value: Scalar) -> Iterator[Scalar]:
    """Values one step away from `value`."""
    if isinstance(hyperparameter, Fixed):
        return
    if isinstance(hyperparameter, Int | Float):
        unit, count = hyperparameter.to_unit(value), hyperparameter.count()
        if hyperparameter.min == hyperparameter.max:
            return
        by_one = isinstance(hyperparameter, Int) and hyperparameter.step is None
        for sign in (-1, 1):
            if by_one:
                yield int(value) + sign if hyperparameter.contains(int(value) + sign) else value
            else:
                step = _FAR_STEP if math.isinf(count) else 1 / count
                yield hyperparameter.from_unit(min(max(unit + sign * step, 0.0), 1.0))
        return
    assert hasattr(hyperparameter, "values")
    options = list(hyperparameter.values())
    if isinstance(hyperparameter, Choice) and hyperparameter.is_ordered():
        place = next(index for index, option in enumerate(options) if option == value)
        yield from options[max(place - 1, 0) : place] + options[place + 1 : place + 2]
        return
    yield from (option for option in options if option != value)
