"""Which configurations to look at to learn about a whole search space: its corners, its edges, and random ones."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tunerstudio.study.constraints import Constraint, broken_constraint
from tunerstudio.study.hyperparameters import SearchSpace, Values, values_key

Kind = Literal["default", "smallest", "largest", "edge", "random"]

_TRIES = 20
"""Draws per random configuration until one keeps to the constraints and is new."""


@dataclass(frozen=True)
class Sample:
    """One configuration and why it is looked at."""

    kind: Kind
    values: Values


def space_samples(
    space: SearchSpace, constraints: Sequence[Constraint], count: int = 200, seed: int = 0
) -> Iterator[Sample]:
    """Distinct configurations: defaults, smallest, largest, then each hyperparameter at its ends, then random ones.

    A space of `count` configurations or fewer is gone through completely.

    Args:
        space: The search space.
        constraints: What no trial may break; such configurations are left out.
        count: How many random ones, at most.
        seed: Of the random ones.
    """
    seen: set[str] = set()
    for sample in (*_corners(space), *_edges(space), *_random(space, constraints, count, seed)):
        key = values_key(sample.values)
        if key not in seen and broken_constraint(constraints, sample.values) is None:
            seen.add(key)
            yield sample


def _corners(space: SearchSpace) -> list[Sample]:
    """Defaults, and every number at its least and at its greatest, every choice at its first and last."""
    low = space.from_units(dict.fromkeys(space.names(), 0.0))
    high = space.from_units(dict.fromkeys(space.names(), 1.0))
    return [Sample("default", space.defaults()), Sample("smallest", low), Sample("largest", high)]


def _edges(space: SearchSpace) -> Iterator[Sample]:
    """Each hyperparameter at its ends (a short list at each of its values), all others at their defaults.

    What a hyperparameter needs to be active is chosen first, so that no branch is missed.
    """
    for hyperparameter in space.hyperparameters:
        count = hyperparameter.count()
        steps = int(count) if count <= 6 else 2
        for step in range(steps):
            units = {**_units_for(space, hyperparameter.name), hyperparameter.name: step / max(1, steps - 1)}
            values = space.from_units(units)
            if hyperparameter.name in values:
                yield Sample("edge", values)


def _units_for(space: SearchSpace, name: str) -> dict[str, float]:
    """Positions of the parents under which `name` is active."""
    units: dict[str, float] = {}
    for condition in space[name].conditions:
        units |= _units_for(space, condition.parent)
        units[condition.parent] = space[condition.parent].to_unit(condition.values[0])
    return units


def _random(space: SearchSpace, constraints: Sequence[Constraint], count: int, seed: int) -> Iterator[Sample]:
    rng = random.Random(seed)
    if space.count() <= count:
        every = [Sample("random", values) for values in space.all_values()]
        rng.shuffle(every)
        yield from every
        return
    seen: set[str] = set()
    for _ in range(count):
        for _ in range(_TRIES):
            values = space.from_units({name: rng.random() for name in space.names()})
            key = values_key(values)
            if key not in seen and broken_constraint(constraints, values) is None:
                seen.add(key)
                yield Sample("random", values)
                break
