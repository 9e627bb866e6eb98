"""Which hyperparameters a `build(hp)` asks for: it is called with one choice after another until nothing new appears.

Keras Tuner learns of `units_2` in `for i in range(hp.Int("layers", 1, 3))` only when a trial happens to get there.
Here every value of a choice is visited once, so that the whole space is known before the first trial, and what
depends on what is seen from which calls asked for a hyperparameter and which did not.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras_tuner
from pydantic import ValidationError

from tunerstudio.study.errors import ModelError
from tunerstudio.study.hyperparameters import (
    Boolean,
    Choice,
    Condition,
    Fixed,
    Float,
    Int,
    Scalar,
    SearchSpace,
    Values,
    same_value,
    values_key,
)

MAX_CALLS = 400
MAX_SECONDS = 60.0
_MANY = 24
"""An Int with more values than this is visited at its ends only."""

AnyHyperparameter = Int | Float | Choice | Boolean | Fixed


@dataclass(frozen=True)
class _Call:
    """One call of the user's code: the values of what it asked for and got."""

    values: Values


def discover(build: Callable[[Any], None]) -> SearchSpace:
    """The search space of `build`, which takes a `keras_tuner.HyperParameters`.

    Raises:
        ModelError: If it cannot be built at its defaults, or a range is unusable.
    """
    found: dict[str, list[Any]] = {}
    calls: list[_Call] = []
    waiting: deque[Values] = deque([{}])
    visited: set[str] = set()
    deadline = time.monotonic() + MAX_SECONDS
    while waiting and len(visited) < MAX_CALLS and time.monotonic() < deadline:
        values = waiting.popleft()
        key = values_key(values)
        if key in visited:
            continue
        visited.add(key)
        hp = keras_tuner.HyperParameters()
        hp.values = dict(values)
        try:
            build(hp)
        except ModelError:
            if not calls:
                raise
            continue  # a combination that cannot be built: such a trial fails by itself, with its sentence
        active = {one.name: hp.values[one.name] for one in hp.space if one.name in hp.values}
        calls.append(_Call(active))
        waiting.extend(_new_visits(hp.space, found, active))
    return _space(found, calls)


def _new_visits(space: list[Any], found: dict[str, list[Any]], active: Values) -> Iterator[Values]:
    """Values to call with next, because of hyperparameters that were not known before."""
    for one in space:
        known = found.setdefault(one.name, [])
        if any(other.conditions == one.conditions for other in known):
            continue
        known.append(one)
        for condition in one.conditions:
            for value in condition.values:
                yield {**active, condition.name: value}
        if len(known) == 1:
            for value in _other_values(one):
                yield {**active, one.name: value}


def _other_values(one: Any) -> list[Scalar]:
    """Values besides the default that may make `build` ask for more."""
    converted = _convert(one, ())
    if isinstance(converted, Float | Fixed):
        return []
    if isinstance(converted, Int) and converted.count() > _MANY:
        values: list[Scalar] = [converted.min, converted.max]
    else:
        values = list(converted.values())
    return [value for value in values if not same_value(value, one.default)]


def _space(found: dict[str, list[Any]], calls: list[_Call]) -> SearchSpace:
    converted: list[AnyHyperparameter] = []
    for name, definitions in found.items():
        earlier = {one.name: one for one in converted}
        conditions = _stated_conditions(definitions, earlier)
        if conditions is None:
            conditions = _seen_conditions(name, earlier, calls)
        converted.append(_convert(definitions[0], conditions))
    try:
        return SearchSpace(hyperparameters=tuple(converted))
    except ValidationError as error:
        raise ModelError("; ".join(item["msg"] for item in error.errors())) from error


def _stated_conditions(definitions: list[Any], earlier: dict[str, AnyHyperparameter]) -> tuple[Condition, ...] | None:
    """Conditions that the code states by a conditional scope; None if there are none that can be taken as they are."""
    first = definitions[0].conditions
    if len(definitions) > 1 or not first:
        return None
    conditions = []
    for one in first:
        parent = earlier.get(one.name)
        possible = tuple(value for value in one.values if parent is not None and parent.contains(value))
        if not possible:
            return None
        conditions.append(Condition(parent=one.name, values=possible))
    return tuple(conditions)


def _seen_conditions(name: str, earlier: dict[str, AnyHyperparameter], calls: list[_Call]) -> tuple[Condition, ...]:
    """A condition that explains in which calls `name` was asked for; empty if none does, or it always was."""
    if all(name in call.values for call in calls):
        return ()
    for parent in reversed(list(earlier.values())):
        asked, not_asked = _parent_values(name, parent.name, calls)
        is_listed = isinstance(parent, Choice | Boolean) or (isinstance(parent, Int) and parent.count() <= _MANY)
        explains = all(not any(same_value(value, other) for other in not_asked) for value in asked)
        only_with_parent = all(parent.name in call.values for call in calls if name in call.values)
        if is_listed and asked and not_asked and explains and only_with_parent:
            return (Condition(parent=parent.name, values=tuple(asked)),)
    return ()


def _parent_values(name: str, parent: str, calls: list[_Call]) -> tuple[list[Scalar], list[Scalar]]:
    """Values of `parent` in calls that asked for `name`, and in calls that did not."""
    asked: list[Scalar] = []
    not_asked: list[Scalar] = []
    for call in calls:
        if parent in call.values:
            side = asked if name in call.values else not_asked
            value = call.values[parent]
            if not any(same_value(value, other) for other in side):
                side.append(value)
    return asked, not_asked


def _convert(one: Any, conditions: tuple[Condition, ...]) -> AnyHyperparameter:
    """A Keras Tuner hyperparameter as ours; its ends can be reached and its values lie on its grid."""
    config = one.get_config()
    kind = type(one).__name__
    try:
        if kind in {"Int", "Float"}:
            return _convert_range(kind, config, conditions)
        if kind == "Choice":
            return Choice(
                name=one.name,
                choices=tuple(config["values"]),
                ordered=config["ordered"],
                default=config["default"],
                conditions=conditions,
            )
        if kind == "Boolean":
            return Boolean(name=one.name, default=bool(config["default"]), conditions=conditions)
        return Fixed(name=one.name, value=config["value"], conditions=conditions)
    except ValidationError as error:
        reasons = "; ".join(item["msg"].removeprefix("Value error, ") for item in error.errors())
        raise ModelError(f"hp.{kind}({one.name!r}, ...): {reasons}") from error


def _convert_range(kind: str, config: dict[str, Any], conditions: tuple[Condition, ...]) -> Int | Float:
    made: type[Int] | type[Float] = Int if kind == "Int" else Float
    step = config["step"]
    if kind == "Int" and config["sampling"] == "linear" and step == 1:
        step = None  # every whole number, said the shorter way
    fields = {
        "name": config["name"],
        "min": config["min_value"],
        "max": config["max_value"],
        "step": step,
        "sampling": config["sampling"] or "linear",
        "conditions": conditions,
    }
    without_default = made.model_validate(fields)
    default = config["default"]
    if default is None or default == config["min_value"]:
        return without_default
    # Keras Tuner takes any default; the nearest value of the grid stands in for one that is not on it.
    inside = min(max(default, config["min_value"]), config["max_value"])
    if not without_default.contains(inside):
        inside = without_default.from_unit(without_default.to_unit(inside))
    return made.model_validate({**fields, "default": inside})
