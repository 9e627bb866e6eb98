"""What is known of the whole search space: how much of it cannot be built and why, sizes, times."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from PySide6.QtCore import QCoreApplication, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from tunerstudio.gui.formats import as_sentence, format_count, format_duration, format_number
from tunerstudio.gui.theme import SPACE_M, SPACE_S, SPACE_XS, Theme
from tunerstudio.gui.widgets.basics import link_button, muted_label
from tunerstudio.protocol.space import SpaceProblem, SpaceReport

_MOST_PROBLEMS = 6
_BARS = 24


class SpacePanel(QScrollArea):
    """Shows a `SpaceReport`.

    Signals:
        field_wanted: (str) go to this field of the document.
        line_wanted: (int) go to this line of the Python file.
        constraint_wanted: (str) add this line to the search's constraints.
    """

    field_wanted = Signal(str)
    line_wanted = Signal(int)
    constraint_wanted = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Nothing is known yet."""
        super().__init__(parent)
        self._theme = theme
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._headline = QLabel()
        self._headline.setWordWrap(True)
        self._headline.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._problems = QVBoxLayout()
        self._problems.setSpacing(SPACE_S)
        self._sizes = Distribution(theme, self.tr("parameters"))
        self._memory = Distribution(theme, self.tr("memory, MB"))
        self._times = Distribution(theme, self.tr("seconds per epoch"))
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(SPACE_S, SPACE_S, SPACE_S, SPACE_S)
        layout.setSpacing(SPACE_S)
        layout.addWidget(self._headline)
        layout.addLayout(self._problems)
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE_M)
        for column, part in enumerate((self._sizes, self._memory, self._times)):
            grid.addWidget(part, 0, column)
            grid.setColumnStretch(column, 1)
        layout.addLayout(grid)
        layout.addStretch(1)
        self.setWidget(inside)
        self.show_report(None)

    @property
    def text(self) -> str:
        """All sentences, for tests and screen readers."""
        labels = [item.widget() for item in map(self._problems.itemAt, range(self._problems.count())) if item]
        found = [label.text() for box in labels if box is not None for label in box.findChildren(QLabel)]
        return "\n".join([self._headline.text(), *found])

    def show_report(self, report: SpaceReport | None) -> None:
        """Show what is known; None: nothing."""
        self._headline.setText(headline(report) if report is not None else self.tr("The search space is checked…"))
        while (item := self._problems.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for problem in report.problems[:_MOST_PROBLEMS] if report is not None else ():
            self._problems.addWidget(self._problem_box(problem))
        every = report.configurations if report is not None else ()
        self._sizes.show_values([c.parameters for c in every if c.parameters is not None])
        self._memory.show_values([c.memory_mb for c in every if c.memory_mb is not None])
        self._times.show_values([c.seconds_per_epoch for c in every if c.seconds_per_epoch is not None])

    def show_failure(self, sentence: str) -> None:
        """Say why the space could not be checked."""
        self.show_report(None)
        self._headline.setText(as_sentence(sentence))

    def _problem_box(self, problem: SpaceProblem) -> QWidget:
        box = QFrame()
        box.setProperty("look", "warning")
        layout = QVBoxLayout(box)
        layout.setContentsMargins(SPACE_S, SPACE_XS, SPACE_S, SPACE_XS)
        layout.setSpacing(0)
        share = f"{problem.share:.0%}" if problem.share >= 0.005 else self.tr("A few")
        if not problem.layer or problem.layer in problem.reason:  # the reason says where
            text = self.tr("{share} of the networks fail: {reason}")
        else:
            text = self.tr("{share} of the networks fail at {layer}: {reason}")
        sentence = QLabel(text.format(share=share, layer=problem.layer, reason=problem.reason))
        sentence.setWordWrap(True)
        layout.addWidget(sentence)
        if problem.repair:
            layout.addWidget(muted_label(problem.repair))
        links = QHBoxLayout()
        links.setSpacing(SPACE_S)
        if problem.line is not None:
            links.addWidget(link_button(self.tr("Show the line"), partial(self.line_wanted.emit, problem.line)))
        elif problem.field.startswith("model.blocks"):
            links.addWidget(link_button(self.tr("Show it"), lambda: self.field_wanted.emit(problem.field)))
        for narrowing in problem.narrowings:
            if narrowing.constraint:
                text = self.tr("Add the constraint {line}").format(line=narrowing.constraint)
                links.addWidget(link_button(text, partial(self.constraint_wanted.emit, narrowing.constraint)))
        links.addStretch(1)
        layout.addLayout(links)
        return box


def headline(report: SpaceReport) -> str:
    """`1,248 networks, none of 214 checked fails, 60–2,100 parameters, the search takes 3–6 min`."""
    parts = []
    if report.combinations is not None:
        count = format_count(report.combinations)
        parts.append(_tr("1 network") if count == "1" else _tr("{count} networks").format(count=count))
    failing = sum(1 for c in report.configurations if c.problem is not None)
    checked = report.done
    if not failing:
        parts.append(_tr("none of {count} checked fails").format(count=checked))
    else:
        parts.append(_tr("{failing} of {count} checked fail").format(failing=failing, count=checked))
    sizes = [c.parameters for c in report.configurations if c.parameters is not None]
    if sizes:
        low, high = format_count(min(sizes)), format_count(max(sizes))
        parts.append(_tr("{low}–{high} parameters").format(low=low, high=high) if low != high else _one_size(low))
    if report.forecast is not None:
        low, high = format_duration(report.forecast.low_s), format_duration(report.forecast.high_s)
        text = _tr("{trials} trials take {low} to {high} on this machine")
        parts.append(text.format(trials=report.forecast.trials, low=low, high=high))
    return ", ".join(parts)


def _end_text(value: float) -> str:
    """Of a distribution: small numbers with two digits, such as `0.013`."""
    return format_count(value) if value >= 100 or value == int(value) else format_number(float(f"{value:.2g}"))


def _one_size(size: str) -> str:
    return _tr("{count} parameters").format(count=size)


def _tr(text: str) -> str:
    return QCoreApplication.translate("SpacePanel", text)


class Distribution(QWidget):
    """A small histogram with its ends; over more than two powers of ten the steps are equal factors."""

    def __init__(self, theme: Theme, title: str, parent: QWidget | None = None) -> None:
        """Show nothing yet."""
        super().__init__(parent)
        self._theme = theme
        self._title = title
        self._counts: np.ndarray = np.zeros(0)
        self._ends = ("", "")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(title)

    def sizeHint(self) -> QSize:
        return QSize(140, 62)

    def show_values(self, values: Sequence[float]) -> None:
        """Count `values`; an empty list hides the picture."""
        self.setVisible(bool(values))
        if not values:
            return
        array = np.array(values, dtype=float)
        low, high = float(array.min()), float(array.max())
        if low > 0 and high > 100 * low:
            array = np.log(array)
        self._counts, _ = np.histogram(array, bins=_BARS if high > low else 1)
        self._ends = (_end_text(low), _end_text(high) if high > low else "")
        self.setAccessibleDescription(f"{self._title}: {low:g} – {high:g}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        height = painter.fontMetrics().height()
        painter.setPen(self._theme.color("muted"))
        top = QRectF(0, 0, self.width(), height)
        painter.drawText(top, Qt.AlignmentFlag.AlignLeft, self._title)
        bottom = QRectF(0, self.height() - height, self.width(), height)
        painter.drawText(bottom, Qt.AlignmentFlag.AlignLeft, self._ends[0])
        painter.drawText(bottom, Qt.AlignmentFlag.AlignRight, self._ends[1])
        area = QRectF(0, height + 2, self.width(), self.height() - 2 * height - 4)
        most = max(float(self._counts.max()), 1.0) if self._counts.size else 1.0
        width = area.width() / max(self._counts.size, 1)
        for index, count in enumerate(self._counts):
            tall = area.height() * float(count) / most
            bar = QRectF(index * width, area.bottom() - tall, max(width - 1, 1), tall)
            painter.fillRect(bar, self._theme.color("accent"))
        painter.end()
