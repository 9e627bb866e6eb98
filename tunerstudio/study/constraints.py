"""Constraints on combinations of values, such as `units * layers <= 512`: read, checked and evaluated without `eval`.

A constraint compares numbers and texts. It may use names of hyperparameters, numbers, texts in quotes, True and False,
`+ - * / // % **`, comparisons (chained too), `in` a list, `and`, `or`, `not`, and the functions `min`, `max`, `abs`,
`round`, `sqrt` and `log`. A name with other characters than letters, digits and `_` is written `hp["my name"]`.

A hyperparameter that is not active counts as 0. `parameters` and `memory_mb` are known once the network is built.
"""

from __future__ import annotations

import ast
import contextlib
import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tunerstudio.study.errors import Problem, suggest

MEASURED: Final[Mapping[str, str]] = {
    "parameters": "number of weights of the network",
    "memory_mb": "estimated memory of weights, gradients, optimizer and one batch, in 10^6 bytes",
}
"""Names that a constraint may use beside hyperparameters, with their meaning; known after the network is built."""

FIELD: Final = "search.constraints"

_MOST_LETTERS: Final = 500
_HP: Final = "hp"

_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "round": round,
    "sqrt": math.sqrt,
    "log": math.log,
}

_ARITHMETIC: Final[Mapping[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}

_COMPARISONS: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}


class ConstraintError(ValueError):
    """A text that is no constraint; the message says why and what would be one."""


@dataclass(frozen=True)
class Constraint:
    """One condition that the values of every trial must keep to.

    Attributes:
        text: As the user wrote it.
        names: Hyperparameters and measured quantities in it, in order.
    """

    text: str
    names: tuple[str, ...]
    _tree: ast.expr

    @property
    def is_measured(self) -> bool:
        """Whether it can be decided only when the network is built."""
        return any(name in MEASURED for name in self.names)

    def holds(self, values: Mapping[str, object]) -> bool:
        """Whether `values` keep to it; a missing name counts as 0, and what cannot be computed does not hold."""
        try:
            return bool(_value(self._tree, values))
        except (ArithmeticError, ValueError, TypeError):
            return False


def parse_constraint(text: str) -> Constraint:
    """Read one constraint.

    Raises:
        ConstraintError: If it is none; says what is wrong with it.
    """
    if len(text) > _MOST_LETTERS:
        raise ConstraintError(f"at most {_MOST_LETTERS} letters are possible; write several constraints")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        hint = (
            " Use == to compare." if "=" in text and not any(sign in text for sign in ("==", "<=", ">=", "!=")) else ""
        )
        reason = getattr(error, "msg", None) or str(error)
        raise ConstraintError(
            f"{text!r} cannot be read ({reason}).{hint} Write it like units * layers <= 512"
        ) from error
    names: dict[str, None] = {}
    _check(tree, names)
    if not _is_condition(tree):
        raise ConstraintError(f"{text!r} compares nothing: write it like {text.strip() or 'units'} <= 512")
    if not names:
        raise ConstraintError(f"{text!r} names no hyperparameter")
    return Constraint(text, tuple(names), tree)


def parse_constraints(texts: Iterable[str]) -> tuple[Constraint, ...]:
    """Read several; `ConstraintError` at the first that is none."""
    return tuple(parse_constraint(text) for text in texts)


def measured_names(texts: Iterable[str]) -> set[str]:
    """The measured quantities that constraints ask for; those that cannot be read ask for nothing."""
    names: set[str] = set()
    for text in texts:
        with contextlib.suppress(ConstraintError):  # said where the document is checked
            names.update(name for name in parse_constraint(text).names if name in MEASURED)
    return names


def constraint_problems(texts: Sequence[str], names: Iterable[str]) -> list[Problem]:
    """Everything that is wrong with the constraints of a study.

    Args:
        texts: As in the document.
        names: All hyperparameters of the study.
    """
    known = [*names, *MEASURED]
    problems = []
    for index, text in enumerate(texts):
        field = f"{FIELD}.{index}"
        try:
            constraint = parse_constraint(text)
        except ConstraintError as error:
            problems.append(Problem(field, str(error)))
            continue
        for name in constraint.names:
            if name not in known:
                listed = suggest(name, known) or f" Known are {', '.join(known[:20])}."
                problems.append(Problem(field, f"there is no hyperparameter {name!r}.{listed}"))
    return problems


def broken_constraint(constraints: Iterable[Constraint], values: Mapping[str, object]) -> Constraint | None:
    """The first constraint that `values` do not keep to, of those whose measured names are among `values`."""
    for constraint in constraints:
        if all(name in values for name in constraint.names if name in MEASURED) and not constraint.holds(values):
            return constraint
    return None


def _is_condition(node: ast.expr) -> bool:
    if isinstance(node, ast.BoolOp):
        return all(map(_is_condition, node.values))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return True
    return isinstance(node, ast.Compare | ast.Name | ast.Subscript)


def _check(node: ast.expr, names: dict[str, None]) -> None:
    """Refuse everything that is not on the list, and collect the names."""
    name = _name(node)
    if name is not None:
        names[name] = None
    elif isinstance(node, ast.Constant):
        if not isinstance(node.value, bool | int | float | str):
            raise ConstraintError(f"{ast.unparse(node)!r} is not a number, a text, True or False")
    elif isinstance(node, ast.BinOp):
        _allow(node.op, _ARITHMETIC)
        _check_all([node.left, node.right], names)
    elif isinstance(node, ast.Compare):
        for comparison in node.ops:
            _allow(comparison, _COMPARISONS)
        _check_all([node.left, *node.comparators], names)
    elif isinstance(node, ast.BoolOp):
        _check_all(node.values, names)
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Invert):
        _check(node.operand, names)
    elif isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Name) or node.func.id not in _FUNCTIONS or node.keywords or not node.args:
            raise ConstraintError(f"{ast.unparse(node.func)}() cannot be used; there are {', '.join(_FUNCTIONS)}")
        _check_all(node.args, names)
    elif isinstance(node, ast.Tuple | ast.List):
        _check_all(node.elts, names)
    else:
        raise ConstraintError(f"{ast.unparse(node)!r} cannot be used in a constraint")


def _check_all(nodes: Iterable[ast.expr], names: dict[str, None]) -> None:
    for node in nodes:
        _check(node, names)


def _allow(sign: ast.AST, allowed: Mapping[Any, object]) -> None:
    if type(sign) not in allowed:
        raise ConstraintError(f"the sign {type(sign).__name__} cannot be used in a constraint")


def _name(node: ast.expr) -> str | None:
    """The name that a node stands for: `units`, `dense.units` or `hp["my units"]`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = _name(node.value)
        return None if before is None else f"{before}.{node.attr}"
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == _HP:
        key = node.slice
        return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
    return None


def _value(node: ast.expr, values: Mapping[str, object]) -> Any:
    name = _name(node)
    if name is not None:
        return _number(values.get(name, 0))
    if isinstance(node, ast.Constant):
        return _number(node.value)
    if isinstance(node, ast.BinOp):
        return _ARITHMETIC[type(node.op)](_value(node.left, values), _value(node.right, values))
    if isinstance(node, ast.Compare):
        sides = [_value(side, values) for side in (node.left, *node.comparators)]
        return all(
            _COMPARISONS[type(sign)](left, right) for sign, left, right in zip(node.ops, sides, sides[1:], strict=False)
        )
    if isinstance(node, ast.BoolOp):
        truths = (bool(_value(part, values)) for part in node.values)
        return all(truths) if isinstance(node.op, ast.And) else any(truths)
    if isinstance(node, ast.UnaryOp):
        inner = _value(node.operand, values)
        return not inner if isinstance(node.op, ast.Not) else -inner if isinstance(node.op, ast.USub) else +inner
    if isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Name)  # _check has seen to it
        return _FUNCTIONS[node.func.id](*(_value(argument, values) for argument in node.args))
    assert isinstance(node, ast.Tuple | ast.List)
    return [_value(element, values) for element in node.elts]


def _number(value: object) -> object:
    """Whole numbers as decimal ones: 9 ** 9 ** 9 then overflows at once instead of computing for ever."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
