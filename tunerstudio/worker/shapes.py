"""Shapes in words."""

from __future__ import annotations

from collections.abc import Sequence


def shape_text(shape: Sequence[int | None]) -> str:
    """`(rows, 28, 28, 3)` for a Keras shape whose first axis is the batch; `?` where a size is unknown."""
    return "(" + ", ".join(["rows", *("?" if size is None else str(size) for size in shape[1:])]) + ")"
