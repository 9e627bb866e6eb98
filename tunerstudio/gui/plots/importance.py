"""Which hyperparameters matter, as bars."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QWidget

from tunerstudio.analysis.importance import HyperparameterImportance, Importance, importance
from tunerstudio.gui.formats import format_percent
from tunerstudio.gui.plots.panel import PlotPanel
from tunerstudio.gui.theme import Theme
from tunerstudio.study.search import Direction
from tunerstudio.study.trials import Trial

_MOST = 12
"""Bars that fit in the panel."""

_STRONG = 0.3
"""Rank correlation from which a tendency is worth an arrow."""


class ImportancePlot(PlotPanel):
    """One bar per hyperparameter: the share of the score's variance that it explains by itself."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """No bars yet."""
        self._trials: Iterable[Trial] = ()
        self._direction: Direction = "min"
        self._is_outdated = True
        self._importance = Importance((), 0)
        self._bars: Any = pg.BarGraphItem(x0=[], y=[], width=[], height=0.6)
        self._labels: list[Any] = []
        super().__init__(theme, "", parent)
        self.title_label.setText(self.tr("What the score depends on"))
        self.title_label.setToolTip(
            self.tr(
                "Share of the variance of the scores' ranks that each hyperparameter explains by itself. "
                "An arrow tells whether greater (↑) or smaller (↓) values did better."
            )
        )
        self.plot.setAccessibleName(self.tr("Importance of the hyperparameters"))
        self.plot.addItem(self._bars)
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.getAxis("left").setStyle(tickLength=0)
        self.plot.getAxis("bottom").setStyle(showValues=False, tickLength=0)

    def set_trials(self, trials: Iterable[Trial], direction: Direction) -> None:
        """Learn from `trials`, which are read anew when the plot is drawn next."""
        self._trials, self._direction = trials, direction
        self._is_outdated = True
        self.request_redraw()

    def redraw(self) -> None:
        if self._is_outdated:
            self._importance = importance(self._trials, self._direction)
            self._is_outdated = False
        rows = self._importance.rows[:_MOST]
        for label in self._labels:
            self.plot.removeItem(label)
        self._labels = []
        y = -np.arange(len(rows), dtype=np.float64)
        shares = np.array([row.share for row in rows])
        self._bars.setOpts(x0=np.zeros(len(rows)), y=y, width=shares, height=0.6)
        self._bars.setOpts(brush=self.theme.color("bar"), pen=self.pen(self.theme.color("bar"), 0, Qt.PenStyle.NoPen))
        self._set_names(rows, y)
        for row, place in zip(rows, y, strict=True):
            self._add_label(row, float(place))
        self.plot.showGrid(x=False, y=False)
        widest = float(shares.max()) if rows else 1.0
        self.fit((0.0, max(widest, 0.05) * 1.25), (-max(len(rows), 4) + 0.4, 0.6), padding=0.0)
        self._tell(rows)

    def _set_names(self, rows: tuple[HyperparameterImportance, ...], y: np.ndarray) -> None:
        font = self.theme.small_font()
        metrics = QFontMetricsF(font)
        room = max(self.plot.width() * 0.4, 60.0)
        names = [metrics.elidedText(row.name, Qt.TextElideMode.ElideMiddle, room) for row in rows]
        axis = self.plot.getAxis("left")
        axis.setTicks([list(zip(y.tolist(), names, strict=True))])
        axis.setWidth(max((metrics.horizontalAdvance(name) for name in names), default=20.0) + 14)

    def _add_label(self, row: HyperparameterImportance, place: float) -> None:
        arrow = ""
        if row.tendency is not None and abs(row.tendency) >= _STRONG:
            arrow = " ↑" if row.tendency > 0 else " ↓"
        label = pg.TextItem(format_percent(row.share) + arrow, color=self.theme.color("text"), anchor=(0, 0.5))
        label.setFont(self.theme.small_font())
        label.setPos(row.share, place)
        self.plot.addItem(label)
        self._labels.append(label)

    def _tell(self, rows: tuple[HyperparameterImportance, ...]) -> None:
        found = self._importance
        if not rows:
            self.set_note(
                self.tr("This needs {needed} completed trials to say something; there are {have}.").format(
                    needed=found.needed, have=found.completed
                )
                if found.completed < found.needed
                else self.tr("No hyperparameter varied.")
            )
        else:
            hidden = len(found.rows) - len(rows)
            self.set_note(self.tr("Less important, not shown: {count}").format(count=hidden) if hidden else "")
        self.describe(", ".join(f"{row.name}: {format_percent(row.share)}" for row in rows))
