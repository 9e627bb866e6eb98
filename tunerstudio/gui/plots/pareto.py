"""Two objectives against each other: every trial, and the front of those that nothing else beats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QSignalBlocker
from PySide6.QtWidgets import QWidget

from tunerstudio.analysis.history import readable_range
from tunerstudio.analysis.pareto import ParetoFront, pareto_front
from tunerstudio.gui.formats import format_score
from tunerstudio.gui.model_editor.plain_editors import QuietComboBox
from tunerstudio.gui.plots.panel import PlotPanel, nearest
from tunerstudio.gui.theme import Theme
from tunerstudio.study.search import Search


class ParetoPlot(PlotPanel):
    """A further objective to the right, the study's own upwards. A click selects a trial."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """No trials yet."""
        self._others: Any = pg.ScatterPlotItem(pxMode=True)
        self._best: Any = pg.ScatterPlotItem(pxMode=True)
        self._chosen: Any = pg.ScatterPlotItem(pxMode=True)
        self._line: Any = pg.PlotCurveItem()
        self._front: ParetoFront = pareto_front((), Search())
        self._selection: list[int] = []
        super().__init__(theme, "", parent)
        self.title_label.setText(self.tr("Pareto front"))
        self.plot.setAccessibleName(self.tr("Pareto front"))
        self.other = QuietComboBox()
        self.other.setAccessibleName(self.tr("further objective"))
        self.other.setSizeAdjustPolicy(QuietComboBox.SizeAdjustPolicy.AdjustToContents)
        self.other.activated.connect(self.request_redraw)
        self.tools.addWidget(self.other)
        for item in (self._line, self._others, self._best, self._chosen):
            self.plot.addItem(item)

    @property
    def front(self) -> ParetoFront:
        """What is drawn."""
        return self._front

    def set_front(self, front: ParetoFront) -> None:
        """Show `front`, which has two objectives or more."""
        self._front = front
        with QSignalBlocker(self.other):
            names, chosen = list(front.names[1:]), self.other.currentText()
            if [self.other.itemText(index) for index in range(self.other.count())] != names:
                self.other.clear()
                self.other.addItems(names)
                self.other.setCurrentIndex(max(self.other.findText(chosen), 0))
        self.other.setVisible(len(front.names) > 2)
        self.request_redraw()

    def set_selection(self, numbers: Sequence[int]) -> None:
        """Mark these trials."""
        self._selection = list(numbers)
        self.request_redraw()

    def redraw(self) -> None:
        front = self._front
        if len(front.names) < 2:
            return
        x, y = self._coordinates()
        self.plot.setLabel("left", front.names[0])
        self.plot.setLabel("bottom", front.names[1 + max(self.other.currentIndex(), 0)])
        best = front.on_front
        self._others.setData(x=x[~best], y=y[~best], size=6, pen=None, brush=self.theme.color("muted"))
        edge = self.pen(self.theme.color("card"), 1)
        self._best.setData(x=x[best], y=y[best], size=9, pen=edge, brush=self.theme.color("accent"))
        order = np.argsort(x[best], kind="stable")
        is_line = len(front.names) == 2  # with more objectives the front is a surface
        self._line.setData(x=x[best][order] if is_line else [], y=y[best][order] if is_line else [])
        places = [place for place, number in enumerate(front.numbers) if int(number) in self._selection]
        brushes = [pg.mkBrush(self.theme.trial_color(int(front.numbers[place]))) for place in places]
        pen = self.pen(self.theme.color("text"), 1.5)
        self._chosen.setData(x=x[places], y=y[places], size=13, pen=pen, brush=brushes)
        self._set_range(x, y)
        self.describe(
            self.tr("{count} of {all} trials are on the Pareto front").format(count=int(best.sum()), all=len(x))
        )

    def restyle(self) -> None:
        self._line.setPen(self.pen(self.theme.color("accent"), 1.2, alpha=0.6))

    def trial_at(self, where: QPointF) -> tuple[int, str] | None:
        x, y = self._coordinates()
        place = nearest(self.plot, where, x, y)
        if place is None:
            return None
        number = int(self._front.numbers[place])
        values = zip(self._front.names, self._front.values[place], strict=True)
        told = ", ".join(f"{name} {format_score(float(value))}" for name, value in values)
        return number, self.tr("Trial {number}: {values}").format(number=number, values=told)

    def _coordinates(self) -> tuple[np.ndarray, np.ndarray]:
        values = self._front.values
        column = min(1 + max(self.other.currentIndex(), 0), values.shape[1] - 1)
        return values[:, column], values[:, 0]

    def _set_range(self, x: np.ndarray, y: np.ndarray) -> None:
        across, upwards = self._limits(x), self._limits(y)
        if across is not None and upwards is not None:
            self.fit(across, upwards)

    def _limits(self, values: np.ndarray) -> tuple[float, float] | None:
        """Limits that show most trials well, and the whole front."""
        limits = readable_range(values)
        if limits is None:
            return None
        front = values[self._front.on_front]
        return min(limits[0], float(front.min())), max(limits[1], float(front.max()))
