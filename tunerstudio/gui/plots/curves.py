"""Learning curves of the running and the selected trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QWidget

from tunerstudio.analysis.curves import VALIDATION_PREFIX, Curve, TrialCurves, base_metric, joined, trial_curves
from tunerstudio.analysis.history import readable_range
from tunerstudio.gui.formats import format_number
from tunerstudio.gui.plots.axes import WholeAxis
from tunerstudio.gui.plots.panel import PlotPanel, nearest
from tunerstudio.gui.theme import Theme
from tunerstudio.study.trials import Epoch

MOST_TRIALS = 8
"""Trials that can be told apart in one picture: one for each colour."""

_SYMBOLS = ("", "o", "s", "t", "d")


class CurvesPlot(PlotPanel):
    """A metric by epoch: training dashed, validation solid; executions faint behind their mean."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """No curves yet."""
        self._epochs: Mapping[tuple[int, int], Sequence[Epoch]] = {}
        self._trials: list[int] = []
        self._left_out = 0
        self._items: list[Any] = []
        self._drawn: list[TrialCurves] = []
        self._wanted_metric = ""
        super().__init__(theme, "", parent)
        self.title_label.setText(self.tr("Learning curves"))
        self.plot.setAccessibleName(self.tr("Learning curves"))
        self.plot.setLabel("bottom", self.tr("Epoch"))
        self.metric_chooser = QComboBox(self)
        self.metric_chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.metric_chooser.setAccessibleName(self.tr("Metric of the learning curves"))
        self.metric_chooser.setToolTip(self.tr("Which metric is drawn"))
        self.metric_chooser.currentIndexChanged.connect(lambda _: self._metric_chosen())
        self.log_switch = QCheckBox(self.tr("log"), self)
        self.log_switch.setToolTip(self.tr("Logarithmic axis"))
        self.log_switch.toggled.connect(lambda _: self.show_everything())
        self.tools.addWidget(self.metric_chooser)
        self.tools.addWidget(self.log_switch)
        self.legend = QLabel(self)
        self.legend.setFont(theme.small_font())
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setWordWrap(True)
        self.legend.setContentsMargins(8, 0, 8, 0)
        self.layout().insertWidget(1, self.legend)  # type: ignore[union-attr]  # panels have a box layout

    def make_axis(self, side: str) -> Any:
        return WholeAxis(side) if side == "bottom" else super().make_axis(side)

    def set_epochs(self, epochs: Mapping[tuple[int, int], Sequence[Epoch]]) -> None:
        """Draw from `epochs` by (trial, execution), read anew at each redraw."""
        self._epochs = epochs
        self.request_redraw()

    def add_metrics(self, names: Sequence[str], preferred: str = "") -> None:
        """Offer these metrics too (without `val_`); `preferred` is chosen until the user chooses."""
        known = {self.metric_chooser.itemText(index) for index in range(self.metric_chooser.count())}
        new = [name for name in dict.fromkeys(map(base_metric, names)) if name not in known]
        self.metric_chooser.blockSignals(True)
        self.metric_chooser.addItems(new)
        wanted = self._wanted_metric or base_metric(preferred)
        place = self.metric_chooser.findText(wanted)
        if place >= 0:
            self.metric_chooser.setCurrentIndex(place)
        self.metric_chooser.blockSignals(False)
        if new:
            self.request_redraw()

    def clear_metrics(self) -> None:
        """Offer none; another study is shown."""
        self._wanted_metric = ""
        self.metric_chooser.clear()

    def set_trials(self, numbers: Sequence[int]) -> None:
        """Draw these trials, the most important first; only the first eight are shown."""
        distinct = list(dict.fromkeys(numbers))
        self._trials, self._left_out = distinct[:MOST_TRIALS], max(len(distinct) - MOST_TRIALS, 0)
        self.request_redraw()

    def redraw(self) -> None:
        for item in self._items:
            self.plot.removeItem(item)
        self._items = []
        name = self.metric_chooser.currentText()
        self._drawn = []
        for number in reversed(self._trials):
            training = trial_curves(self._epochs, number, name)
            validation = trial_curves(self._epochs, number, VALIDATION_PREFIX + name)
            self._draw(training, Qt.PenStyle.DashLine)
            self._draw(validation, Qt.PenStyle.SolidLine)
            self._drawn += [training, validation]
        is_log = self.log_switch.isChecked()
        self.plot.getAxis("left").setLogMode(False, is_log)
        self.plot.setLabel("left", name)
        self._set_range(is_log)
        self._set_legend()
        self.set_note(self.tr("Selected but not drawn: {count}").format(count=self._left_out) if self._left_out else "")
        self._describe(name)

    def trial_at(self, where: QPointF) -> tuple[int, str] | None:
        best: tuple[float, tuple[int, str]] | None = None
        for curves in self._drawn:
            mean = curves.mean
            place = nearest(self.plot, where, mean.epochs, self._heights(mean.values))
            if place is None:
                continue
            here = self.plot.getViewBox().mapSceneToView(where)
            distance = abs(float(self._heights(mean.values)[place]) - here.y())
            text = self.tr("Trial {number}, epoch {epoch}: {metric} {value}").format(
                number=curves.trial,
                epoch=round(mean.epochs[place]),
                metric=curves.metric,
                value=format_number(float(mean.values[place])),
            )
            if best is None or distance < best[0]:
                best = (distance, (curves.trial, text))
        return None if best is None else best[1]

    # --- inside -----------------------------------------------------------------------------------------------------

    def _metric_chosen(self) -> None:
        self._wanted_metric = self.metric_chooser.currentText()
        self.show_everything()

    def _heights(self, values: np.ndarray) -> np.ndarray:
        """Places on the axis: the values, or their logarithms (NaN where there is none)."""
        if not self.log_switch.isChecked():
            return values
        return np.log10(np.where(values > 0, values, np.nan))

    def _draw(self, curves: TrialCurves, style: Qt.PenStyle) -> None:
        if not curves.mean.epochs.size:
            return
        color = self.theme.trial_color(curves.trial)
        if len(curves.executions) > 1 and len(self._trials) <= 3:
            self._add(joined(curves.executions), self.pen(color, 1, style, alpha=0.3))
        width = 2.2 if curves.trial == self._trials[0] else 1.6
        symbol = self._symbol(curves.trial) if style == Qt.PenStyle.SolidLine else ""
        lone = symbol or ("o" if curves.mean.epochs.size == 1 else "")
        self._add(curves.mean, self.pen(color, width, style), lone)

    def _symbol(self, number: int) -> str:
        """A mark for trials that share their colour with one that is drawn before them."""
        color = self.theme.trial_color(number)
        same = [other for other in self._trials if self.theme.trial_color(other) == color]
        return _SYMBOLS[same.index(number) % len(_SYMBOLS)] if number in same else ""

    def _add(self, curve: Curve, line: Any, symbol: str = "") -> None:
        item = pg.PlotDataItem(
            curve.epochs,
            self._heights(curve.values),
            pen=line,
            connect="finite",
            antialias=True,
            symbol=symbol or None,
            symbolSize=6,
            symbolPen=None,
            symbolBrush=line.color(),
        )
        self.plot.addItem(item)
        self._items.append(item)

    def _set_range(self, is_log: bool) -> None:
        drawn = [c.mean for c in self._drawn] + [e for c in self._drawn for e in c.executions]
        if not drawn:
            return
        limits = readable_range(self._heights(np.concatenate([curve.values for curve in drawn])))
        last = max((float(curve.epochs.max()) for curve in drawn if curve.epochs.size), default=0.0)
        if limits is not None and last:
            self.fit((1.0, max(last, 2.0)), limits)

    def _set_legend(self) -> None:
        marks = {"": "●", "o": "●●", "s": "■", "t": "▼", "d": "◆"}
        parts = [
            f'<span style="color:{self.theme.trial_color(n).name()}">{marks[self._symbol(n)]}</span>&nbsp;'
            + self.tr("Trial {number}").format(number=n)
            for n in self._trials
            if any(curves.trial == n and curves.mean.epochs.size for curves in self._drawn)
        ]
        lines = [self.tr("solid: validation"), self.tr("dashed: training")]
        muted = self.theme.color("muted").name()
        tail = f'<span style="color:{muted}">{" · ".join(lines)}</span>'
        self.legend.setText(" &nbsp; ".join([*parts, tail]) if parts else "")
        self.legend.setVisible(bool(parts))

    def _describe(self, name: str) -> None:
        numbers = ", ".join(str(number) for number in self._trials)
        self.describe(self.tr("{metric} by epoch of the trials {numbers}").format(metric=name, numbers=numbers or "–"))
