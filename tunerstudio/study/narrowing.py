"""Ranges of a code model's hyperparameters, narrowed or fixed in the study without touching the Python file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import ValidationError

from tunerstudio.study.errors import Problem, suggest
from tunerstudio.study.hyperparameters import (
    UNCOUNTABLE,
    Boolean,
    Choice,
    Condition,
    Fixed,
    Float,
    Int,
    Scalar,
    describe_values,
    same_value,
)
from tunerstudio.study.tunable import AnyTunable

AnyHyperparameter = Int | Float | Choice | Boolean | Fixed
Ranges = Mapping[str, AnyTunable | Scalar]
"""By hyperparameter: a smaller range, or the one value that it has."""

_FIELD = "model.ranges"
_MOST_CHECKED = 10_000


def narrowed(declared: Iterable[AnyHyperparameter], ranges: Ranges) -> tuple[list[AnyHyperparameter], list[Problem]]:
    """The hyperparameters that `build(hp)` declares, with the study's own ranges in their place.

    A hyperparameter that can no longer become active, because its parent never has the value it needs, is left out.

    Args:
        declared: Parents before children.
        ranges: Each must lie within what the code declares.

    Returns:
        The hyperparameters and what is wrong with `ranges`; a wrong range is not applied.
    """
    found: dict[str, AnyHyperparameter] = {}
    problems: list[Problem] = []
    every = list(declared)
    for hyperparameter in every:
        conditions = _still_possible(hyperparameter.conditions, found)
        if conditions is None:
            continue
        here = hyperparameter.model_copy(update={"conditions": conditions})
        if hyperparameter.name in ranges:
            try:
                here = _replaced(here, ranges[hyperparameter.name])
            except ValueError as error:
                problems.append(Problem(f"{_FIELD}.{hyperparameter.name}", str(error)))
        found[here.name] = here
    names = [hyperparameter.name for hyperparameter in every]
    for name in ranges:
        if name not in names:
            problems.append(
                Problem(f"{_FIELD}.{name}", f"the code has no hyperparameter {name!r}.{suggest(name, names)}")
            )
    return list(found.values()), problems


def _still_possible(
    conditions: tuple[Condition, ...], found: Mapping[str, AnyHyperparameter]
) -> tuple[Condition, ...] | None:
    """`conditions` with the values that their parents can still have; None if one can never hold."""
    kept = []
    for condition in conditions:
        parent = found.get(condition.parent)
        values = tuple(value for value in condition.values if parent is not None and parent.contains(value))
        if not values:
            return None
        kept.append(Condition(parent=condition.parent, values=values))
    return tuple(kept)


def _replaced(declared: AnyHyperparameter, wanted: AnyTunable | Scalar) -> AnyHyperparameter:
    """The hyperparameter that `wanted` makes of `declared`; ValueError if it reaches beyond it."""
    if not isinstance(wanted, AnyTunable):
        if not declared.contains(wanted):
            raise ValueError(f"{wanted!r} is not one of {describe_values(declared)}, which the code declares")
        return Fixed(name=declared.name, value=wanted, conditions=declared.conditions)
    if wanted.name is not None or wanted.shared or wanted.only_if or wanted.copies is not None:
        raise ValueError("name, shared, only_if and copies are the code's: only the range can be changed here")
    try:
        new = wanted.named(declared.name, declared.conditions)
    except ValidationError as error:
        raise ValueError("; ".join(str(item["msg"]) for item in error.errors())) from error
    outside = next((value for value in _values_to_check(new) if not _allowed(declared, value)), None)
    if outside is not None:
        raise ValueError(f"{outside!r} is not one of {describe_values(declared)}, which the code declares")
    return new


def _values_to_check(new: Int | Float | Choice | Boolean) -> Iterable[Scalar]:
    if isinstance(new, Int | Float):
        few = new.count() != UNCOUNTABLE and new.count() <= _MOST_CHECKED
        return new.values() if few else (new.min, new.max)
    return new.values()


def _allowed(declared: AnyHyperparameter, value: Scalar) -> bool:
    if isinstance(declared, Float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    return declared.contains(value) or (isinstance(declared, Fixed) and same_value(declared.value, value))
