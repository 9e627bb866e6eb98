"""Layers, merges and arguments at their place in the largest network, before values are chosen.

What a walk over the blocks gives (`study/walk.py`) and what `study/network.py` resolves for given values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from tunerstudio.study.hyperparameters import Condition, Scalar, same_value


@dataclass(frozen=True)
class PlacedObject:
    """A regularizer, schedule, loss, … or an inner layer as an argument.

    Attributes:
        kind: The key its name stands under when it is resolved: `name`, or `layer`.
        name: The class, or what gives it.
        arguments: For every class.
        when: By class: arguments of this one alone.
        layer_name: Unique name of an inner layer; "" for other objects.
    """

    kind: str
    name: PlacedArgument
    arguments: tuple[PlacedArgument, ...]
    when: tuple[tuple[str, tuple[PlacedArgument, ...]], ...] = ()
    layer_name: str = ""

    def value(self, values: Mapping[str, Scalar]) -> JsonValue:
        """`{name: ..., arguments: {...}}` with plain values; None where the name is none."""
        name = self.name.value(values)
        if self.kind == "name" and str(name).lower() == "none":
            return None
        own = next((arguments for choice, arguments in self.when if choice == name), ())
        resolved: dict[str, JsonValue] = {self.kind: name}
        if self.layer_name:
            resolved["name"] = self.layer_name
        resolved["arguments"] = plain_arguments((*self.arguments, *own), values)
        return resolved


@dataclass(frozen=True)
class PlacedArgument:
    """One argument: a plain value, an object, or the hyperparameter that gives it.

    Attributes:
        plain: The value; with a hyperparameter, what a structure takes while that is not active.
        hyperparameter: Name of the hyperparameter; None for a plain value or an object.
        factor: What its value is multiplied by; see `scaled`.
        path: Field in the document.
    """

    name: str
    plain: JsonValue = None
    hyperparameter: str | None = None
    path: str = ""
    factor: float = 1.0
    nested: PlacedObject | None = None

    def is_given(self, values: Mapping[str, Scalar]) -> bool:
        """Whether it has a value: a field whose condition does not hold is left out."""
        if self.nested is not None:
            return self.nested.name.is_given(values)
        return self.hyperparameter is None or self.hyperparameter in values

    def value(self, values: Mapping[str, Scalar]) -> JsonValue:
        """What to hand to the constructor."""
        if self.nested is not None:
            return self.nested.value(values)
        if self.hyperparameter is None or self.hyperparameter not in values:
            return self.plain
        return scaled(values[self.hyperparameter], self.factor)


def plain_arguments(arguments: tuple[PlacedArgument, ...], values: Mapping[str, Scalar]) -> dict[str, JsonValue]:
    """Plain values of those arguments that have one."""
    return {argument.name: argument.value(values) for argument in arguments if argument.is_given(values)}


def scaled(value: Scalar, factor: float) -> Scalar:
    """`value` times `factor`; a whole number is rounded down, but not below 1. Texts and booleans stay as they are."""
    if factor == 1.0 or isinstance(value, bool | str):
        return value
    return max(1, int(value * factor)) if isinstance(value, int) else value * factor


@dataclass(frozen=True)
class PlacedLayer:
    """A layer at its place in the unrolled network; present only if `conditions` hold."""

    layer: str
    name: str
    arguments: tuple[PlacedArgument, ...]
    conditions: tuple[Condition, ...]
    path: str


@dataclass(frozen=True)
class PlacedMerge:
    """Branches that come together; present only if `conditions` hold.

    Attributes:
        merge: How: a name of `study.model.MERGES`.
        projection: For a residual block: auto, always or never; "" for parallel branches.
        skip: Whether the skip of a residual block is there; None for parallel branches.
        branches: What each branch holds.
    """

    name: str
    merge: PlacedArgument
    branches: tuple[PlacedList, ...]
    conditions: tuple[Condition, ...]
    path: str
    projection: str = ""
    skip: PlacedArgument | None = None


PlacedList = tuple[PlacedLayer | PlacedMerge, ...]


def holds(conditions: tuple[Condition, ...], values: Mapping[str, Scalar]) -> bool:
    """Whether all of `conditions` hold."""
    return all(
        condition.parent in values
        and any(same_value(values[condition.parent], allowed) for allowed in condition.values)
        for condition in conditions
    )


def widened(left: tuple[Condition, ...], right: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Conditions that hold whenever those of `left` or of `right` do: of parents in both, with the values of both."""
    merged = []
    for condition in left:
        other = next((c for c in right if c.parent == condition.parent), None)
        if other is not None:
            more = tuple(v for v in other.values if not any(same_value(v, known) for known in condition.values))
            merged.append(Condition(parent=condition.parent, values=(*condition.values, *more)))
    return tuple(merged)
