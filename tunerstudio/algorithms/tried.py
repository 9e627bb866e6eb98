"""Which configurations have been tried, and how to find one that has not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
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
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._count = space.count()
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

    @property
    def total(self) -> float:
        """Number of configurations of the space; infinite if it is continuous."""
        return self._count

    @property
    def exhausted(self) -> bool:
        """Whether every configuration has been tried."""
        return len(self._keys) >= self._count

    def substitute(self, values: Values, rng: np.random.Generator) -> Values | None:
        """An untried configuration, as near to `values` as can be; None if there is none."""
        neighbours = [near for near in self._neighbours(values, rng) if near not in self]
        if neighbours:
            return neighbours[int(rng.integers(len(neighbours)))]
        return self.untried(rng)

    def untried(self, rng: np.random.Generator) -> Values | None:
        """An untried configuration at random; None if there is none."""
        if self.exhausted:
            return None
        for _ in range(_DRAWS):
            values = random_values(self._space, rng)
            if values not in self:
                return values
        if math.isinf(self._count):
            return None
        if self._count <= _LISTABLE:
            left = [values for values in self._space.all_values() if values not in self]
            return left[int(rng.integers(len(left)))] if left else None
        return next((values for values in self._space.all_values() if values not in self), None)

    def _neighbours(self, values: Values, rng: np.random.Generator) -> Iterator[Values]:
        for name, value in values.items():
            for other in _beside(self._space[name], value):
                yield legal_values(self._space, {**values, name: other}, rng)[0]


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
