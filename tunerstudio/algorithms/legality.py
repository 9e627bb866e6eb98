"""Make any values legal: complete, on the grid, within bounds, active ones only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
    describe_values,
    same_value,
)


def random_values(space: SearchSpace, rng: np.random.Generator) -> Values:
    """A configuration drawn uniformly on the sampling scale of each hyperparameter."""
    return space.from_units({name: float(rng.random()) for name in space.names()})


@dataclass(frozen=True)
class Legal:
    """A legal configuration and how far it is from what was proposed.

    Attributes:
        values: The configuration.
        repairs: What was put right, one sentence each.
        repaired: Of each of these sentences, the hyperparameter that it is about.
        refused: Values that no legal one is near to, such as text for a number or NaN, one clause each; in their place
            stand random ones.
    """

    values: Values
    repairs: tuple[str, ...]
    repaired: tuple[str, ...]
    refused: tuple[str, ...]


def legal_values(space: SearchSpace, values: Mapping[str, Any], rng: np.random.Generator) -> Legal:
    """The legal configuration nearest to `values`.

    A number is clipped and put on its grid; what has no near value or is missing is drawn from `rng`; inactive
    hyperparameters are dropped. Dropping an inactive hyperparameter and drawing a conditional one that became active
    are no repairs.
    """
    known = set(space.names())
    notes = {name: f"{name!r} is not a hyperparameter of this study" for name in values if name not in known}
    refused: list[str] = []
    legal: Values = {}
    for hyperparameter in space.hyperparameters:
        if not space.is_active(hyperparameter, legal):
            continue
        name = hyperparameter.name
        draw = float(rng.random())  # always drawn, so that one repair does not shift the others
        if name not in values:
            legal[name] = hyperparameter.from_unit(draw)
            if not isinstance(hyperparameter, Fixed) and not hyperparameter.conditions:
                notes[name] = f"{name} had no value and got {legal[name]!r}"
            continue
        nearest = _nearest(hyperparameter, values[name])
        legal[name] = hyperparameter.from_unit(draw) if nearest is None else nearest
        if hyperparameter.contains(plain(values[name])):
            continue
        sentence = f"{name} = {values[name]!r} is not one of {describe_values(hyperparameter)}"
        if nearest is None:
            refused.append(sentence)
        else:
            notes[name] = f"{sentence}; took {nearest!r}"
    return Legal(legal, tuple(notes.values()), tuple(notes), tuple(refused))


def plain(value: Any) -> Any:
    """`value` without NumPy: a NumPy scalar becomes Python's own."""
    return value.item() if isinstance(value, np.generic) else value


def _nearest(hyperparameter: Int | Float | Choice | Boolean | Fixed, value: Any) -> Scalar | None:
    value = plain(value)
    if isinstance(hyperparameter, Int | Float):
        return _nearest_number(hyperparameter, value)
    listed = [option for option in hyperparameter.values() if same_value(option, value)]
    if listed:
        return listed[0]
    if isinstance(hyperparameter, Boolean) and value in (0, 1):
        return bool(value)
    if isinstance(hyperparameter, Fixed):
        return hyperparameter.value
    if isinstance(hyperparameter, Choice) and hyperparameter.is_ordered() and _is_number(value):
        numbers = [v for v in hyperparameter.values() if _is_number(v)]
        return min(numbers, key=lambda v: abs(float(v) - value)) if numbers else None
    return None


def _nearest_number(hyperparameter: Int | Float, value: Any) -> Scalar | None:
    if not _is_number(value):
        return None
    clipped = min(max(value, hyperparameter.min), hyperparameter.max)
    if isinstance(hyperparameter, Int):
        clipped = round(clipped)
    elif hyperparameter.step is None:
        return float(clipped)
    return hyperparameter.from_unit(hyperparameter.to_unit(clipped))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
