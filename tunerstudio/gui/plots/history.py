"""The score of each trial, with its spread, and the best so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from tunerstudio.analysis.history import ScoreHistory, readable_range, score_history
from tunerstudio.gui.formats import format_score
from tunerstudio.gui.plots.axes import WholeAxis
from tunerstudio.gui.plots.panel import PlotPanel, nearest
from tunerstudio.gui.theme import Theme
from tunerstudio.study.search import Objective

_MOST_BARS = 1000
"""Trials up to which error bars tell something; more of them are a grey cloud."""

_KEYS = {
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Right: 1,
}


class HistoryPlot(PlotPanel):
    """Points with error bars, the best so far as a step line. A click or the arrow keys select a trial."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """An empty history."""
        self._bars: Any = pg.ErrorBarItem()
        self._points: Any = pg.ScatterPlotItem(pxMode=True)
        self._pruned: Any = pg.ScatterPlotItem(pxMode=True)
        self._chosen: Any = pg.ScatterPlotItem(pxMode=True)
        self._best: Any = pg.PlotCurveItem(connect="finite")
        self._objective = Objective()
        self._selection: list[int] = []
        self._is_outdated = True
        self._history = score_history((), "min")
        super().__init__(theme, "", parent)
        self.title_label.setText(self.tr("Score of each trial, best so far"))
        self.plot.setAccessibleName(self.tr("Score of each trial"))
        for item in (self._bars, self._best, self._pruned, self._points, self._chosen):
            self.plot.addItem(item)
        self.plot.setLabel("bottom", self.tr("Trial"))
        self.plot.installEventFilter(self)

    @property
    def history(self) -> ScoreHistory:
        """What is drawn."""
        return self._history

    def make_axis(self, side: str) -> Any:
        return WholeAxis(side) if side == "bottom" else super().make_axis(side)

    def set_history(self, history: ScoreHistory, objective: Objective) -> None:
        """Show `history` of the scores of `objective`."""
        self._history, self._objective = history, objective
        self._is_outdated = True
        self.request_redraw()

    def set_selection(self, numbers: Sequence[int]) -> None:
        """Mark these trials."""
        self._selection = list(numbers)
        self.request_redraw()

    def redraw(self) -> None:
        history = self._history
        x = history.numbers.astype(np.float64)
        if self._is_outdated:
            self._is_outdated = False
            self.plot.setLabel("left", self._objective.name)
            self._draw_bars(x, history)
            self._draw_points(x, history)
            self._best.setData(*_steps(x, history.best))
        self._draw_selection(x, history)
        self._set_range(x, history)
        best = format_score(history.best_score)
        self.describe(
            self.tr("{count} trials with a score; best {best} (trial {number})").format(
                count=len(history), best=best, number=history.best_number or "–"
            )
        )

    def restyle(self) -> None:
        self._is_outdated = True
        self._best.setPen(self.pen(self.theme.color("good"), 2))

    def trial_at(self, where: QPointF) -> tuple[int, str] | None:
        history = self._history
        place = nearest(self.plot, where, history.numbers.astype(np.float64), history.scores)
        if place is None:
            return None
        error = float(history.errors[place])
        score = format_score(float(history.scores[place]), None if np.isnan(error) else error)
        number = int(history.numbers[place])
        return number, self.tr("Trial {number}: {score}").format(number=number, score=score)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = _KEYS.get(Qt.Key(event.key()))
            if step is not None and len(self._history):
                self._step_selection(step)
                return True
        return super().eventFilter(watched, event)

    def _step_selection(self, step: int) -> None:
        numbers = self._history.numbers
        place = int(np.searchsorted(numbers, self._selection[-1])) + step if self._selection else len(numbers) - 1
        place = min(max(place, 0), len(numbers) - 1)
        self.trial_clicked.emit(int(numbers[place]), False)

    def _draw_bars(self, x: np.ndarray, history: ScoreHistory) -> None:
        known = np.isfinite(history.errors)
        if not 0 < known.sum() <= _MOST_BARS:
            self._bars.setData(x=None, y=None, height=None)
            return
        shade = self.pen(self.theme.color("muted"), 1, alpha=0.6)
        self._bars.setData(x=x[known], y=history.scores[known], height=2 * history.errors[known], beam=0.25, pen=shade)

    def _draw_points(self, x: np.ndarray, history: ScoreHistory) -> None:
        size = 7 if len(history) <= 300 else 5 if len(history) <= 2000 else 3
        fill = self.theme.color("accent")
        if len(history) > 2000:
            fill.setAlphaF(0.6)
        done = history.completed
        edge = self.pen(self.theme.color("card"), 1) if len(history) <= 2000 else self.pen(fill, 0, Qt.PenStyle.NoPen)
        self._points.setData(x=x[done], y=history.scores[done], size=size, pen=edge, brush=fill, symbol="o")
        hollow = self.pen(self.theme.color("warning"), 1.2)
        self._pruned.setData(x=x[~done], y=history.scores[~done], size=size, pen=hollow, brush=None, symbol="t")

    def _draw_selection(self, x: np.ndarray, history: ScoreHistory) -> None:
        places = [int(np.searchsorted(history.numbers, number)) for number in self._selection[-200:]]
        places = [p for p, n in zip(places, self._selection[-200:], strict=True) if p < len(x) and x[p] == n]
        self._chosen.setData(
            x=x[places],
            y=history.scores[places],
            size=13,
            pen=self.pen(self.theme.color("text"), 1.5),
            brush=[pg.mkBrush(self.theme.trial_color(int(history.numbers[place]))) for place in places],
        )

    def _set_range(self, x: np.ndarray, history: ScoreHistory) -> None:
        errors = np.nan_to_num(history.errors)
        limits = readable_range(np.concatenate([history.scores - errors, history.scores + errors]))
        if limits is None:
            self.set_note("")
            return
        outside = int(((history.scores < limits[0]) | (history.scores > limits[1])).sum())
        self.fit((0.5, max(float(x.max()), 5.0) + 0.5), limits)
        is_cut = outside and not self.is_zoomed
        self.set_note(self.tr("Trials outside of the picture: {count}").format(count=outside) if is_cut else "")


def _steps(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners of a step line that changes at each x; only those where it does change."""
    if not x.size:
        return x, y
    known = np.flatnonzero(np.isfinite(y))
    if not known.size:
        return np.empty(0), np.empty(0)
    changes = known[np.flatnonzero(np.diff(y[known], prepend=np.nan) != 0)]
    ends = np.append(x[changes[1:]], x[-1])
    return np.column_stack([x[changes], ends]).ravel(), np.repeat(y[changes], 2)
