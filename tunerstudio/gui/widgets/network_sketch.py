"""A small picture of a study's network, drawn from its document; says at a glance what varies."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from tunerstudio.gui.theme import SPACE_S, Role, Theme
from tunerstudio.study.arguments import varies as argument_varies
from tunerstudio.study.containers import lists_of
from tunerstudio.study.data import Look
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.model import Block, BlocksModel, LayerBlock, OneOfBlock, RepeatBlock
from tunerstudio.study.tunable import TuneInt

_HEIGHT = 84
_DOT = 4.0
_INPUT = 22.0
"""Width of the lines of a text, or of a curve, left of the place of the input."""
_WORDS = (17.0, 12.0, 20.0, 9.0, 14.0)
"""Lengths of the lines that stand for a text."""
_WAVE = (0.3, 0.7, 0.5, 1.0, 0.2, 0.6, 0.4)
"""Heights of the curve that stands for a series."""
_MOST_DOTS = 5
_MOST_COLUMNS = 8
_FLAT = {"Flatten", "Dropout", "Activation", "BatchNormalization", "LayerNormalization", "Reshape", "GaussianNoise"}
_FLAT |= {"SpatialDropout1D", "RandomTranslation", "RandomRotation", "RandomFlip", "RandomZoom"}


@dataclass(frozen=True)
class SketchColumn:
    """One column of the picture.

    Attributes:
        dots: How many neurons are drawn; for pictures, how many maps.
        square: Whether they are maps of a picture.
        varies: Whether something of the layer is tunable.
        look: Of the input: what its rows are.
    """

    dots: int
    square: bool = False
    varies: bool = False
    look: Look = "table"


def sketch_columns(document: StudyDocument) -> list[SketchColumn]:
    """Input, the layers that have weights (a repeated group twice), output."""
    look = document.data.look
    columns = [SketchColumn(3 if look == "image" else _MOST_DOTS, square=look == "image", look=look)]
    if isinstance(document.model, BlocksModel):
        columns += _layers(document.model.blocks)
    outputs = {"binary": 1, "regression": 1}.get(document.data.task or "", 3)
    return [*columns[: _MOST_COLUMNS - 1], SketchColumn(outputs)]


def _layers(blocks: tuple[Block, ...], varies: bool = False) -> list[SketchColumn]:
    columns: list[SketchColumn] = []
    for block in blocks:
        if isinstance(block, RepeatBlock):
            columns += _layers(block.blocks, isinstance(block.repeat, TuneInt)) * 2
        elif isinstance(block, OneOfBlock):  # one of them is there at a time
            columns += _layers(block.one_of[0].blocks, varies=True)
        elif not isinstance(block, LayerBlock):
            for inside in lists_of(block):
                columns += _layers(inside.blocks, varies)
        elif block.layer not in _FLAT:
            square = "2D" in block.layer
            tunable = varies or any(argument_varies(value) for value in block.arguments.values())
            columns.append(SketchColumn(3 if square else 4, square, tunable))
    return columns


class NetworkSketch(QWidget):
    """Draws `sketch_columns` of a study."""

    def __init__(
        self, theme: Theme, document: StudyDocument, parent: QWidget | None = None, height: int = _HEIGHT
    ) -> None:
        """A picture of `document`, `height` pixels high."""
        super().__init__(parent)
        self._theme = theme
        self._columns = sketch_columns(document)
        self._scale = height / _HEIGHT
        self.setFixedHeight(height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def sizeHint(self) -> QSize:
        return QSize(200, self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("alternate"))
        painter.drawRoundedRect(QRectF(self.rect()), 6, 6)
        places = [self._places(index, column) for index, column in enumerate(self._columns)]
        line = self._theme.color("bar")
        line.setAlphaF(0.45)
        painter.setPen(QPen(line, 1))
        for left, right in pairwise(places):
            for start in left:
                for end in right:
                    painter.drawLine(start, end)
        for column, points in zip(self._columns, places, strict=True):
            role: Role = "accent" if column.varies else "bar"
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.color(role))
            if column.look in ("text", "series"):
                self._draw_input(painter, column.look, points)
                continue
            for point in points:
                self._draw(painter, point, column.square)
        painter.end()

    def _draw_input(self, painter: QPainter, look: Look, points: list[QPointF]) -> None:
        """Lines of a text, or a curve."""
        if look == "text":
            for point, length in zip(points, _WORDS, strict=False):
                painter.drawRoundedRect(QRectF(point.x() - _INPUT, point.y() - 2, length, 4), 2, 2)
            return
        top, bottom = points[0].y(), points[-1].y()
        left, step = points[0].x() - _INPUT, (_INPUT - _DOT) / (len(_WAVE) - 1)
        curve = [QPointF(left + step * index, bottom - (bottom - top) * value) for index, value in enumerate(_WAVE)]
        painter.setPen(QPen(painter.brush().color(), 2))
        painter.drawPolyline(QPolygonF(curve))

    def _draw(self, painter: QPainter, point: QPointF, square: bool) -> None:
        dot = _DOT * self._scale
        if square:
            side = dot * 3
            painter.drawRoundedRect(QRectF(point.x() - side / 2, point.y() - side / 2, side, side), 2, 2)
        else:
            painter.drawEllipse(point, dot, dot)

    def _places(self, index: int, column: SketchColumn) -> list[QPointF]:
        margin, height = 3.0 * SPACE_S, self.height()
        width = self.width() - 2 * margin
        x = margin + width * index / max(len(self._columns) - 1, 1)
        step = (height - 2 * SPACE_S * self._scale) / _MOST_DOTS * (1.4 if column.square else 1.0)
        top = (height - step * (column.dots - 1)) / 2
        return [QPointF(x, top + step * row) for row in range(column.dots)]
