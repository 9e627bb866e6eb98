"""The search space as calls of Keras Tuner's `HyperParameters`, with loops over the copies of a repeat."""

from __future__ import annotations

from collections.abc import Sequence

from tunerstudio.export_code.loops import Family, families
from tunerstudio.export_code.text import Call, Expression, Writer, literal, quoted
from tunerstudio.study.errors import TunerStudioError
from tunerstudio.study.hyperparameters import (
    Boolean,
    Choice,
    Condition,
    Fixed,
    Float,
    Int,
    Scalar,
    SearchSpace,
    same_value,
)

Hyperparameter = Int | Float | Choice | Boolean | Fixed


ONLY_IF = '''@contextlib.contextmanager
def only_if(hp, name, values):
    """Like `hp.conditional_scope`, but `name` may be declared outside of the open scopes."""
    hp._conditions.append(conditions.Parent(name, values))
    try:
        yield
    finally:
        hp._conditions.pop()'''


def write_space(writer: Writer, space: SearchSpace) -> bool:
    """Declare every hyperparameter of `space`, each in the scopes of its conditions.

    Returns:
        Whether `ONLY_IF` is needed.

    Raises:
        TunerStudioError: If Keras Tuner has no such hyperparameter.
    """
    whole = SearchSpace(hyperparameters=tuple(_with_one_condition_each(one) for one in space.hyperparameters))
    open_scopes: tuple[str, ...] = ()
    for family in families(whole.hyperparameters):
        if family.copies > 1:
            open_scopes = _close(writer, open_scopes, ())
            _write_loop(writer, family, whole)
        else:
            open_scopes = _write_one(writer, family.members[0], open_scopes, whole)
    _close(writer, open_scopes, ())
    return any("with only_if(" in line for line in writer.lines)


def _write_loop(writer: Writer, family: Family, space: SearchSpace) -> None:
    """The body of the first copy with the number of the copy in place of 1."""
    writer.add(f"for i in range(1, {family.copies + 1}):")
    writer.depth += 1
    open_scopes: tuple[str, ...] = ()
    for index, one in enumerate(family.members):
        scopes = tuple(
            _loop_scope(family, index, place, condition, space) for place, condition in enumerate(one.conditions)
        )
        open_scopes = _open(writer, open_scopes, scopes)
        writer.call(_declared(one, family.pattern(index)))
    _close(writer, open_scopes, ())
    writer.depth -= 1


def _loop_scope(family: Family, index: int, place: int, condition: Condition, space: SearchSpace) -> str:
    parent = family.parent_pattern(index, place)
    nested = _is_nested(family.members[index], place, space)
    if not family.shrinks(index, place):
        return _scope(parent, condition.values, nested)
    values = list(condition.values)
    whole = isinstance(space[condition.parent], Int) and values == list(range(1, len(values) + 1))
    listed = f"list(range(i, {len(values) + 1}))" if whole else f"[n for n in {values!r} if n >= i]"
    return f"{_opening(nested)}{parent}, {listed}):"


def _scope(parent: str, values: Sequence[Scalar], nested: bool) -> str:
    return f"{_opening(nested)}{parent}, [{', '.join(_flat(value) for value in values)}]):"


def _opening(nested: bool) -> str:
    return "with hp.conditional_scope(" if nested else "with only_if(hp, "


def _is_nested(one: Hyperparameter, place: int, space: SearchSpace) -> bool:
    """Whether the parent of a condition was declared under just the conditions before it, as Keras Tuner wants."""
    return space[one.conditions[place].parent].conditions == one.conditions[:place]


def _flat(value: Scalar) -> str:
    return quoted(value) if isinstance(value, str) else repr(value)


def _write_one(
    writer: Writer, one: Hyperparameter, open_scopes: tuple[str, ...], space: SearchSpace
) -> tuple[str, ...]:
    scopes = tuple(
        _scope(quoted(condition.parent), condition.values, _is_nested(one, place, space))
        for place, condition in enumerate(one.conditions)
    )
    open_scopes = _open(writer, open_scopes, scopes)
    writer.call(_declared(one, quoted(one.name)))
    return open_scopes


def _open(writer: Writer, before: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Close what `wanted` does not begin with, and open the rest of it."""
    common = 0
    while common < min(len(before), len(wanted)) and before[common] == wanted[common]:
        common += 1
    _close(writer, before, before[:common])
    for scope in wanted[common:]:
        writer.add(scope)
        writer.depth += 1
    return wanted


def _close(writer: Writer, before: tuple[str, ...], kept: tuple[str, ...]) -> tuple[str, ...]:
    writer.depth -= len(before) - len(kept)
    return kept


def _with_one_condition_each(one: Hyperparameter) -> Hyperparameter:
    """Several conditions on one parent as one: Keras Tuner refuses nested scopes of the same parent."""
    merged: dict[str, tuple[Scalar, ...]] = {}
    for condition in one.conditions:
        known = merged.get(condition.parent, condition.values)
        merged[condition.parent] = tuple(v for v in known if any(same_value(v, other) for other in condition.values))
    if any(not values for values in merged.values()):
        raise TunerStudioError(f"{one.name} can never be active: two of its conditions exclude each other.")
    conditions = tuple(Condition(parent=parent, values=values) for parent, values in merged.items())
    return one.model_copy(update={"conditions": conditions})


def _declared(one: Hyperparameter, name: str) -> Call:
    """`hp.Int("units", 8, 64, step=8)`."""
    named: dict[str, Expression] = {}
    if isinstance(one, Int | Float):
        if one.step is not None:
            named["step"] = repr(one.step)
        if one.sampling != "linear":
            named["sampling"] = quoted(one.sampling)
        if one.default is not None and one.default != one.min:
            named["default"] = repr(one.default)
        return Call(f"hp.{type(one).__name__}", (name, repr(one.min), repr(one.max)), named)
    if isinstance(one, Boolean):
        return Call("hp.Boolean", (name,), {"default": "True"} if one.default else {})
    if isinstance(one, Fixed):
        return Call("hp.Fixed", (name, literal(one.value)))
    return _declared_choice(one, name)


def _declared_choice(one: Choice, name: str) -> Call:
    choices, default = list(one.choices), one.default
    kinds = {type(choice) for choice in choices}
    if kinds == {int, float}:
        choices, default = [float(choice) for choice in choices], None if default is None else float(default)
    elif len(kinds) > 1:
        raise TunerStudioError(
            f"{one.name} chooses among values of different kinds ({', '.join(map(repr, choices))}); Keras Tuner takes "
            "numbers or texts, not both."
        )
    named: dict[str, Expression] = {}
    if default is not None and not same_value(default, choices[0]):
        named["default"] = literal(default)
    if one.ordered is False and kinds <= {int, float}:
        named["ordered"] = "False"
    return Call("hp.Choice", (name, literal(choices)), named)
