"""Axes that speak our number format; whole numbers where only those make sense."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyqtgraph as pg

from tunerstudio.gui.formats import format_number


class PlainAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """Numbers without SI prefixes."""

    def __init__(self, orientation: str) -> None:
        """An axis at `orientation` ("left", "bottom")."""
        super().__init__(orientation)
        self.enableAutoSIPrefix(False)

    def logTickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """Labels of logarithmic ticks."""
        return [format_number(float(10.0**value)) for value in values]


class WholeAxis(PlainAxis):
    """Whole numbers only: trials, epochs."""

    def tickSpacing(self, minVal: float, maxVal: float, size: float) -> Any:
        """Distances of ticks, none below one."""
        spacings = [(max(1, round(spacing)), 0) for spacing, _ in super().tickSpacing(minVal, maxVal, size)]
        return list(dict.fromkeys(spacings))

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """Labels."""
        return [f"{round(value)}" for value in values]
