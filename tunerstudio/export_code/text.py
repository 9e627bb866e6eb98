"""Python expressions as text, broken over lines as a formatter would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

WIDTH = 100
"""Longest line, in letters."""

INDENT = "    "


@dataclass(frozen=True)
class Call:
    """`name(first, key=value)`.

    Attributes:
        name: What is called; dots allowed.
        arguments: Positional ones.
        named: By name.
        applied: What the result is called with, such as `(x)`; "" for nothing.
    """

    name: str
    arguments: tuple[Expression, ...] = ()
    named: Mapping[str, Expression] = field(default_factory=dict)
    applied: str = ""


@dataclass(frozen=True)
class Listing:
    """A list."""

    items: tuple[Expression, ...]


Expression: TypeAlias = "Call | Listing | str"
"""A text is Python already, on one line."""


def literal(value: object) -> Expression:
    """A JSON value as Python."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key)}: {flat(literal(item))}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence):
        return Listing(tuple(literal(item) for item in value))
    return repr(value)


def quoted(text: str) -> str:
    """A text in double quotes."""
    escaped = text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text.replace("\\", "\\\\")
    return '"' + escaped.replace('"', '\\"') + '"'


def flat(expression: Expression) -> str:
    """On one line, however long."""
    if isinstance(expression, str):
        return expression
    if isinstance(expression, Listing):
        return "[" + ", ".join(flat(item) for item in expression.items) + "]"
    return f"{expression.name}({', '.join(_given(expression))}){expression.applied}"


def _given(expression: Call) -> list[str]:
    return [*(flat(one) for one in expression.arguments), *(_key(k) + flat(v) for k, v in expression.named.items())]


def _key(name: str) -> str:
    """`name=`; anything but a name stands for a dictionary of arguments."""
    return f"{name}=" if name.isidentifier() else "**"


def statement(start: str, expression: Expression, depth: int, end: str = "") -> list[str]:
    """The lines of `start` + expression + `end`, such as `x = ` and a call, indented by `depth`."""
    indent = INDENT * depth
    line = f"{indent}{start}{flat(expression)}{end}"
    if len(line) <= WIDTH or isinstance(expression, str):
        return [line]
    if isinstance(expression, Listing):
        return _opened(indent, f"{start}[", _hugged(expression.items), f"]{end}", depth)
    pieces: list[tuple[str, Expression]] = [("", one) for one in expression.arguments]
    pieces += [(_key(name), value) for name, value in expression.named.items()]
    if not pieces:
        return [line]
    return _opened(indent, f"{start}{expression.name}(", pieces, f"){expression.applied}{end}", depth)


def _hugged(items: Sequence[Expression]) -> list[tuple[str, Expression]]:
    return [("", item) for item in items]


def _opened(indent: str, head: str, pieces: Sequence[tuple[str, Expression]], tail: str, depth: int) -> list[str]:
    """One piece to a line with a comma behind each, or all pieces on one line in between if they fit there."""
    lines = [indent + head]
    for key, value in pieces:
        lines += statement(key, value, depth + 1, ",")
    return [*lines, indent + tail]


class Writer:
    """Collects lines of Python."""

    def __init__(self, depth: int = 0) -> None:
        """Start indented by `depth`."""
        self.lines: list[str] = []
        self.depth = depth

    def add(self, line: str = "") -> None:
        """One line; "" is an empty one."""
        self.lines.append(INDENT * self.depth + line if line else "")

    def assign(self, name: str, expression: Expression) -> None:
        """`name = expression`."""
        self.lines += statement(f"{name} = ", expression, self.depth)

    def give(self, expression: Expression) -> None:
        """`return expression`."""
        self.lines += statement("return ", expression, self.depth)

    def call(self, expression: Expression) -> None:
        """The expression as a statement."""
        self.lines += statement("", expression, self.depth)

    def text(self) -> str:
        """All lines."""
        return "\n".join(self.lines)
