"""What workers use over time: processor, memory, GPU; and the disk that the study takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QWidget

from tunerstudio.analysis.disk import DiskUse
from tunerstudio.analysis.resources import ENGINE, WorkerUse, last_stretch, worker_use
from tunerstudio.gui.formats import format_bytes
from tunerstudio.gui.plots.panel import PlotPanel
from tunerstudio.gui.theme import SPACE_S, Theme
from tunerstudio.study.trials import ResourceUse

_GIGA = 1e9


class ResourcesPlot(PlotPanel):
    """One line per worker, and one for the engine."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """No samples yet."""
        self._samples: Sequence[ResourceUse] = ()
        self._use: list[WorkerUse] = []
        self._is_outdated = True
        self._lines: list[Any] = []
        self._disk: DiskUse | None = None
        super().__init__(theme, "", parent)
        self.title_label.setText(self.tr("Use of the machine"))
        self.plot.setAccessibleName(self.tr("Use of the machine by worker"))
        self.chooser = QComboBox(self)
        self.chooser.setAccessibleName(self.tr("What is drawn"))
        self.chooser.addItem(self.tr("Processor"), "cpu")
        self.chooser.addItem(self.tr("Memory"), "memory")
        self.chooser.currentIndexChanged.connect(lambda _: self.show_everything())
        self.tools.addWidget(self.chooser)
        self.legend = QLabel(self)
        self.legend.setFont(theme.small_font())
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setWordWrap(True)
        self.legend.setContentsMargins(SPACE_S, 0, SPACE_S, 0)
        self.layout().insertWidget(1, self.legend)  # type: ignore[union-attr]  # panels have a box layout

    def make_axis(self, side: str) -> Any:
        if side != "bottom":
            return super().make_axis(side)
        axis = pg.DateAxisItem(side)
        axis.zoomLevels.popitem()  # the finest level leaves hour and minute out
        return axis

    def set_samples(self, samples: Sequence[ResourceUse]) -> None:
        """Draw these, oldest first."""
        self._samples, self._is_outdated = samples, True
        self.request_redraw()

    def set_disk(self, disk: DiskUse | None) -> None:
        """Say what the study takes on the disk."""
        self._disk = disk
        self._tell_disk()

    def redraw(self) -> None:
        if self._is_outdated:
            self._is_outdated = False
            self._use = worker_use(self._samples)
            self._offer_gpu()
        for line in self._lines:
            self.plot.removeItem(line)
        self._lines = []
        names = []
        for use in self._use:
            values, color = self._values(use), self._color(use.worker)
            if not np.isfinite(values).any():
                continue
            line = pg.PlotDataItem(use.at, values, pen=self.pen(color, 1.5), connect="finite")
            self.plot.addItem(line)
            self._lines.append(line)
            names.append(f'<span style="color:{color.name()}">&#9644;</span> {self._name(use, values)}')
        self.legend.setText("&nbsp;&nbsp; ".join(names))
        self.plot.setLabel("left", self._unit())
        self._set_range()
        self.describe(self.tr("{count} lines").format(count=len(self._lines)))

    # --- inside -----------------------------------------------------------------------------------------------------

    def _offer_gpu(self) -> None:
        has_gpu = any(use.has_gpu for use in self._use)
        if has_gpu and self.chooser.findData("gpu") < 0:
            self.chooser.addItem(self.tr("GPU"), "gpu")
            self.chooser.addItem(self.tr("GPU memory"), "gpu_memory")

    def _values(self, use: WorkerUse) -> np.ndarray:
        what = self.chooser.currentData()
        if what == "memory":
            return use.memory_bytes / _GIGA
        if what == "gpu":
            return use.gpu_percent
        return use.gpu_bytes / _GIGA if what == "gpu_memory" else use.cpu_percent

    def _unit(self) -> str:
        words = {
            "cpu": self.tr("% of one core"),
            "memory": "GB",
            "gpu": "%",
            "gpu_memory": "GB",
        }
        return words[self.chooser.currentData()]

    def _color(self, worker: int) -> Any:
        return self.theme.color("muted") if worker == ENGINE else self.theme.trial_color(worker)

    def _name(self, use: WorkerUse, values: np.ndarray) -> str:
        name = self.tr("engine") if use.worker == ENGINE else self.tr("worker {n}").format(n=use.worker)
        last = float(values[np.isfinite(values)][-1])
        what = self.chooser.currentData()
        return f"{name} {last:.2f} GB" if what in {"memory", "gpu_memory"} else f"{name} {last:.0f} %"

    def _set_range(self) -> None:
        times = [use.at for use in self._use if use.at.size]
        if not times:
            return
        at = np.sort(np.concatenate(times))
        start = last_stretch(at)
        assert start is not None
        tops = [float(np.nanmax(values)) for use in self._use if np.isfinite(values := self._values(use)).any()]
        self.fit((start, max(float(at[-1]), start + 1.0)), (0.0, max([*tops, 1e-3]) * 1.05), padding=0.02)

    def _tell_disk(self) -> None:
        disk = self._disk
        if disk is None:
            self.set_note("")
            return
        text = self.tr("On disk: {total} (trials {trials}, models {models}, data {cache}); {free} free.")
        self.set_note(
            text.format(
                total=format_bytes(disk.total),
                trials=format_bytes(disk.trials),
                models=format_bytes(disk.models),
                cache=format_bytes(disk.cache),
                free=format_bytes(disk.free),
            )
        )
