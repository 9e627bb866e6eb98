"""When each trial ran."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QWidget

from tunerstudio.analysis.timeline import Timeline, attempts_timeline, last_session_start, timeline
from tunerstudio.gui.formats import format_duration
from tunerstudio.gui.plots.panel import PlotPanel
from tunerstudio.gui.theme import Theme
from tunerstudio.study.trials import Attempt, Trial, TrialState


class TimelinePlot(PlotPanel):
    """One bar per trial, coloured by state; what ran side by side lies in different rows."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """No bars yet."""
        self._trials: Iterable[Trial] = ()
        self._attempts: Sequence[Attempt] = ()
        self._is_live = False
        self._line = timeline((), 0.0)
        self._is_outdated = True
        self._selection: list[int] = []
        self._bars: dict[TrialState, Any] = {}
        self._marks: Any = pg.BarGraphItem(x0=[], x1=[], y0=[], height=0.8)
        super().__init__(theme, "", parent)
        self.title_label.setText(self.tr("When each trial ran"))
        self.plot.setAccessibleName(self.tr("Timeline of the trials"))
        self.plot.addItem(self._marks)
        self._marks.setZValue(5)
        self.plot.setMouseEnabled(x=True, y=False)
        self.plot.hideAxis("left")

    def make_axis(self, side: str) -> Any:
        if side != "bottom":
            return super().make_axis(side)
        axis = pg.DateAxisItem(side)
        # The finest level reads "16.500" without hour and minute: whole seconds are fine enough.
        axis.zoomLevels.popitem()
        return axis

    def set_trials(self, trials: Iterable[Trial]) -> None:
        """Show `trials`, which are read anew when the plot is drawn next."""
        self._trials = trials
        self._is_outdated = True
        self.request_redraw()

    def set_attempts(self, attempts: Sequence[Attempt], is_live: bool) -> None:
        """Show what ran where, and whether it goes on; without attempts the trials themselves are shown."""
        self._attempts, self._is_live = attempts, is_live
        self._is_outdated = True
        self.request_redraw()

    def set_selection(self, numbers: Sequence[int]) -> None:
        """Outline these trials."""
        self._selection = list(numbers)
        self.request_redraw()

    def redraw(self) -> None:
        if self._is_outdated:
            self._is_outdated = False
            now = time.time()
            if self._attempts:
                self._line = attempts_timeline(self._attempts, now, self._is_live)
            else:
                self._line = timeline(self._trials, now)
            self._name_rows(self._line)
            states = np.array([state.value for state in self._line.states], dtype=object)
            for state in TrialState:
                self._draw_state(self._line, state, states == state.value)
        line = self._line
        chosen = np.isin(line.numbers, self._selection)
        self._marks.setOpts(**_bars(line, chosen), brush=None, pen=self.pen(self.theme.color("text"), 2))
        self.plot.showGrid(x=False, y=False)
        self._set_range(line)
        lanes = int(line.lanes.max()) + 1 if line.lanes.size else 0
        self.describe(self.tr("{count} trials, up to {lanes} side by side").format(count=len(line.states), lanes=lanes))

    def restyle(self) -> None:
        self._is_outdated = True

    def trial_at(self, where: QPointF) -> tuple[int, str] | None:
        box, line = self.plot.getViewBox(), self._line
        if not box.sceneBoundingRect().contains(where) or not line.starts.size:
            return None
        here = box.mapSceneToView(where)
        reach = box.viewPixelSize()[0] * 3
        hit = (line.starts - reach <= here.x()) & (here.x() <= line.ends + reach)
        hit &= np.abs(-line.lanes - here.y()) <= 0.4
        if not hit.any():
            return None
        place = int(np.flatnonzero(hit)[-1])
        text = self.tr("Trial {number}: {state}, {duration}").format(
            number=int(line.numbers[place]),
            state=self.theme.state(line.states[place]).word,
            duration=format_duration(float(line.ends[place] - line.starts[place])),
        )
        if line.places:
            worker = line.rows[int(line.lanes[place])]
            text += self.tr(", worker {worker} ({place})").format(worker=worker, place=line.places[place])
        return int(line.numbers[place]), text

    def _name_rows(self, line: Timeline) -> None:
        """Names of workers at the left, where rows are workers."""
        if not line.rows:
            self.plot.hideAxis("left")
            return
        self.plot.showAxis("left")
        self.plot.setLabel("left", self.tr("Worker"))
        self.plot.getAxis("left").setTicks([[(-lane, name) for lane, name in enumerate(line.rows)]])

    def _draw_state(self, line: Timeline, state: TrialState, of_state: np.ndarray) -> None:
        item = self._bars.get(state)
        if item is None:
            if not of_state.any():
                return
            item = self._bars[state] = pg.BarGraphItem(x0=[], x1=[], y0=[], height=0.8)
            self.plot.addItem(item)
        edge = (
            self.pen(self.theme.color("card"), 1)
            if len(line.states) <= 500
            else self.pen(self.theme.color("card"), 0, Qt.PenStyle.NoPen)
        )
        item.setOpts(**_bars(line, of_state), brush=self.theme.state(state).color, pen=edge)

    def _set_range(self, line: Timeline) -> None:
        start = last_session_start(line)
        if start is None:
            return
        end = float(line.ends.max())
        lanes = int(line.lanes.max()) + 1
        room = max(4 - lanes, 0) / 2  # a single row of bars lies in the middle, not stretched over the plot
        self.fit((start, max(end, start + 1.0)), (-lanes + 0.4 - room, 0.6 + room), padding=0.01)


def _bars(line: Timeline, which: np.ndarray) -> dict[str, Any]:
    return {
        "x0": line.starts[which],
        "x1": line.ends[which],
        "y0": -line.lanes[which] - 0.4,
        "height": np.full(int(which.sum()), 0.8),
    }
