"""Windows over rows that follow each other in time: which rows each one sees, and what it predicts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunerstudio.data.split import assign_parts
from tunerstudio.study.data import Split, Window
from tunerstudio.study.errors import DataError


@dataclass(frozen=True)
class Windows:
    """Some windows over the rows of a source.

    Attributes:
        ends: Row that each window ends with, ascending, int64 (windows,).
        targets: Row that each window predicts, int64 (windows,).
        parts: Part of each window, int8 (windows,).
    """

    ends: np.ndarray
    targets: np.ndarray
    parts: np.ndarray


def make_windows(usable: np.ndarray, window: Window, split: Split) -> Windows:
    """Every window whose predicted row is usable, divided in the order of time.

    The predictions of a part all lie behind those of the part before. Windows between two parts are left out where
    their prediction was not yet known when the first of the next part is made.

    Args:
        usable: Whether a row has all that a prediction needs, bool (rows,).
        window: Their length and how far they look ahead.
        split: Shares of the parts.

    Raises:
        DataError: If there are too few rows.
    """
    targets = np.arange(window.past - 1 + window.horizon, len(usable), dtype=np.int64)
    targets = targets[usable[targets]]
    if len(targets) == 0:
        raise DataError(
            f"{len(usable)} rows are too few for windows of {window.past} rows that look {window.horizon} ahead: "
            "make them shorter."
        )
    parts = assign_parts(len(targets), split.model_copy(update={"method": "ordered"}), None)
    kept = np.ones(len(targets), dtype=bool)
    for first in np.flatnonzero(np.diff(parts)) + 1:
        kept[:first] &= targets[:first] <= targets[first] - max(1, window.horizon)
    targets, parts = targets[kept], parts[kept]
    if len(np.unique(parts)) < 2 or not np.any(parts == 0):
        raise DataError(f"{len(usable)} rows are too few to look {window.horizon} ahead: make the horizon shorter.")
    return Windows(targets - window.horizon, targets, parts)


def window_count(rows: int, window: Window) -> int:
    """Windows over `rows` rows that all are usable."""
    return max(0, rows - window.past - window.horizon + 1)
