"""Parallel coordinates: one line per trial over all hyperparameters and the score."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QWidget

from tunerstudio.analysis.parallel import ParallelCoordinates, parallel_coordinates
from tunerstudio.gui.formats import format_number
from tunerstudio.gui.plots.axes import PlainAxis
from tunerstudio.gui.plots.panel import PlotPanel, mixed, nearest
from tunerstudio.gui.theme import Theme
from tunerstudio.study.hyperparameters import SearchSpace
from tunerstudio.study.search import Objective
from tunerstudio.study.trials import Trial

_SHADES = 12
"""Colours of the score: one plot item for each, never one per trial."""


class ParallelPlot(PlotPanel):
    """Lines coloured by score, the best on top, selected trials in their own colour."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """No lines yet."""
        self._trials: Iterable[Trial] = ()
        self._objective = Objective()
        self._space: SearchSpace | None = None
        self._is_outdated = True
        self._picture = ParallelCoordinates((), np.empty(0, np.int64), np.empty((0, 0)), np.empty(0))
        self._selection: list[int] = []
        self._shades: list[Any] = [pg.PlotCurveItem(connect="finite") for _ in range(_SHADES)]
        self._uprights: Any = pg.PlotCurveItem(connect="pairs")
        self._chosen: list[Any] = []
        self._labels: list[Any] = []
        super().__init__(theme, "", parent)
        self.title_label.setText(self.tr("Values and score of each trial"))
        self.plot.setAccessibleName(self.tr("Parallel coordinates"))
        for item in (*self._shades, self._uprights):
            self.plot.addItem(item)
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.hideAxis("left")
        self.plot.getAxis("bottom").setStyle(tickLength=0)

    def make_axis(self, side: str) -> Any:
        return PlainAxis(side)

    def set_trials(self, trials: Iterable[Trial], objective: Objective, space: SearchSpace | None = None) -> None:
        """Draw `trials`, which are read anew when the plot is drawn next; `space` orders and scales the axes."""
        self._trials, self._objective, self._space = trials, objective, space
        self._is_outdated = True
        self.request_redraw()

    def set_selection(self, numbers: Sequence[int]) -> None:
        """Draw these trials on top, in their own colours."""
        self._selection = list(numbers)
        self.request_redraw()

    def redraw(self) -> None:
        if self._is_outdated:
            direction = self._objective.direction
            self._picture = parallel_coordinates(list(self._trials), self._objective.name, direction, self._space)
            self._is_outdated = False
        x = np.arange(len(self._picture.axes), dtype=np.float64)
        self._draw_shades(x)
        self._draw_selection(x)
        uprights_x, uprights_y = np.repeat(x, 2), np.tile([0.0, 1.0], len(x))
        self._uprights.setData(uprights_x, uprights_y, pen=self.pen(self.theme.color("plot_foreground"), 1))
        self._draw_labels()
        self.plot.showGrid(x=False, y=False)
        self.fit((-0.35, max(len(x) - 1, 1) + 0.35), (-0.04, 1.06), padding=0.0)
        self._tell()

    def trial_at(self, where: QPointF) -> tuple[int, str] | None:
        picture = self._picture
        if not picture.positions.size:
            return None
        x = np.tile(np.arange(len(picture.axes), dtype=np.float64), len(picture.numbers))
        place = nearest(self.plot, where, x, picture.positions.ravel())
        if place is None:
            return None
        number = int(picture.numbers[place // len(picture.axes)])
        return number, self.tr("Trial {number}").format(number=number)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _draw_shades(self, x: np.ndarray) -> None:
        picture = self._picture
        shade_of = np.minimum((picture.goodness * _SHADES).astype(int), _SHADES - 1)
        many = len(picture.numbers) > 300
        for shade, item in enumerate(self._shades):
            rows = picture.positions[shade_of == shade]
            line_x, line_y = _lines(x, rows)
            # The best stand out most: bright on dark, dark on light.
            place = shade / (_SHADES - 1)
            color = self.theme.score_color(place if self.theme.is_dark else 1 - place)
            share = (0.45 if many else 0.75) * (0.5 if self._selection else 1.0)
            # Opaque and in single segments: one long half-transparent path takes half a second to paint.
            item.setSegmentedLineMode("on" if many else "auto")
            line = self.pen(mixed(color, self.theme.color("card"), share), 1.0 if many else 1.4)
            item.setData(line_x, line_y, pen=line, antialias=not many)

    def _draw_selection(self, x: np.ndarray) -> None:
        for item in self._chosen:
            self.plot.removeItem(item)
        self._chosen = []
        places = {int(number): place for place, number in enumerate(self._picture.numbers)}
        for number in self._selection[-8:]:
            if number in places:
                row = self._picture.positions[places[number]]
                item = pg.PlotCurveItem(x, row, connect="finite", antialias=True)
                item.setPen(self.pen(self.theme.trial_color(number), 3))
                self.plot.addItem(item)
                self._chosen.append(item)

    def _draw_labels(self) -> None:
        for label in self._labels:
            self.plot.removeItem(label)
        self._labels = []
        font = self.theme.small_font()
        count = max(len(self._picture.axes), 1)
        room = max(self.plot.width() / count - 10, 30.0)
        elide = QFontMetricsF(font).elidedText
        names = [elide(axis.name, Qt.TextElideMode.ElideMiddle, room) for axis in self._picture.axes]
        self.plot.getAxis("bottom").setTicks([list(enumerate(names))])
        for place, axis in enumerate(self._picture.axes):
            is_last = place == len(self._picture.axes) - 1
            for height, value in axis.ticks:
                self._add_label(elide(format_number(value), Qt.TextElideMode.ElideRight, room), place, height, is_last)

    def _add_label(self, text: str, place: int, height: float, is_last: bool) -> None:
        backdrop = self.theme.color("card")
        backdrop.setAlphaF(0.75)
        label = pg.TextItem(
            text, color=self.theme.color("text"), anchor=(1.05 if is_last else -0.05, 0.5), fill=backdrop
        )
        label.setFont(self.theme.small_font())
        label.setPos(place, height)
        label.setZValue(10)
        self.plot.addItem(label)
        self._labels.append(label)

    def _tell(self) -> None:
        picture = self._picture
        if picture.left_out:
            text = self.tr("The best and a sample of the rest: {shown} of {all} trials").format(
                shown=len(picture.numbers), all=len(picture.numbers) + picture.left_out
            )
            self.set_note(text)
        else:
            self.set_note("")
        names = ", ".join(axis.name for axis in picture.axes)
        self.describe(self.tr("{count} trials over {names}").format(count=len(picture.numbers), names=names or "–"))


def _lines(x: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All `rows` (n, axes) as one line with a NaN after each."""
    if not rows.size:
        return np.empty(0), np.empty(0)
    gaps = np.full((len(rows), 1), np.nan)
    line_y = np.hstack([rows, gaps]).ravel()
    line_x = np.tile(np.append(x, np.nan), len(rows))
    return line_x, line_y
