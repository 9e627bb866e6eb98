"""Making findings: short forms for their parts."""

from __future__ import annotations

from collections.abc import Sequence

from tunerstudio.data.edits import with_roles
from tunerstudio.protocol.preview import Finding, Repair
from tunerstudio.study.data import Data

LISTED = 5
"""Names that a sentence lists before it counts the rest."""


def error(code: str, message: str, column: str | None = None, *repairs: Repair) -> Finding:
    """A finding that stops the work."""
    return Finding(severity="error", code=code, message=message, column=column, repairs=repairs)


def warning(code: str, message: str, column: str | None = None, *repairs: Repair) -> Finding:
    """A finding that may spoil the result."""
    return Finding(severity="warning", code=code, message=message, column=column, repairs=repairs)


def info(code: str, message: str, column: str | None = None, *repairs: Repair) -> Finding:
    """A finding that is good to know."""
    return Finding(severity="info", code=code, message=message, column=column, repairs=repairs)


def quoted(names: Sequence[str]) -> str:
    """`"a", "b" and 3 more`."""
    listed = ", ".join(f'"{name}"' for name in names[:LISTED])
    return f"{listed} and {len(names) - LISTED} more" if len(names) > LISTED else listed


def plural(count: int, one: str, many: str) -> str:
    """`1 row`, `3 rows`."""
    return f"{count} {one if count == 1 else many}"


def ignoring(data: Data, *names: str) -> Repair:
    """The repair that ignores columns."""
    return Repair(label="Ignore it" if len(names) == 1 else "Ignore them", data=with_roles(data, names, "ignore"))
