"""A small picture of the values that a tunable field will draw."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from tunerstudio.gui.theme import Theme
from tunerstudio.study.hyperparameters import UNCOUNTABLE, Choice, Float, Int
from tunerstudio.study.network import AnyTunable

_MOST_MARKS = 48
_HEIGHT = 18
_MARGIN = 5.0


def mark_positions(tunable: AnyTunable) -> list[float]:
    """Where the values lie between the least (0) and the greatest (1), as they are spread when drawn evenly.

    A list of texts is spread evenly; a continuous or long range is shown by equally likely values.
    """
    hyperparameter = tunable.named("value")
    count = hyperparameter.count()
    if not isinstance(hyperparameter, Int | Float):
        numbers = isinstance(hyperparameter, Choice) and hyperparameter.is_ordered()
        values = [float(value) if numbers else float(index) for index, value in enumerate(hyperparameter.values())]
    elif count == UNCOUNTABLE or count > _MOST_MARKS:
        shares = _MOST_MARKS - 1
        values = [float(hyperparameter.from_unit(index / shares)) for index in range(_MOST_MARKS)]
    else:
        values = [float(value) for value in hyperparameter.values()]
    low, high = min(values), max(values)
    return [(value - low) / (high - low) if high > low else 0.5 for value in values]


class RangePreview(QWidget):
    """A line with a mark for every value (or for equally likely ones, if there are too many)."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Show nothing yet."""
        super().__init__(parent)
        self._theme = theme
        self._positions: list[float] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("values that will be drawn"))

    @property
    def positions(self) -> list[float]:
        """The marks that are painted, 0 to 1."""
        return list(self._positions)

    def show_values(self, tunable: AnyTunable | None) -> None:
        """Paint the values of `tunable`; None: nothing."""
        self._positions = mark_positions(tunable) if tunable is not None else []
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width, height = self.width() - 2 * _MARGIN, self.height()
        painter.setPen(self._theme.color("border"))
        painter.drawLine(QPointF(_MARGIN, height - 4.0), QPointF(_MARGIN + width, height - 4.0))
        color = self._theme.color("accent")
        if len(self._positions) >= _MOST_MARKS:
            color.setAlphaF(0.7)
        painter.setPen(self._theme.color("accent"))
        for position in self._positions:
            x = _MARGIN + position * width
            painter.fillRect(QRectF(x - 1.0, 3.0, 2.0, height - 7.0), color)
        painter.end()
