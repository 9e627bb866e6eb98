"""A small picture of a study's network, drawn from its document; says at a glance what varies."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from tunerstudio.gui.theme import SPACE_S, Role, Theme
from tunerstudio.study.arguments import varies as argument_varies
from tunerstudio.study.containers import lists_of
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.model import Block, BlocksModel, LayerBlock, RepeatBlock
from tunerstudio.study.tunable import TuneInt

_HEIGHT = 84
_DOT = 4.0
_MOST_DOTS = 5
_MOST_COLUMNS = 8
_FLAT = {"Flatten", "Dropout", "Activation", "BatchNormalization", "LayerNormalization", "Reshape", "GaussianNoise"}


@dataclass(frozen=True)
class SketchColumn:
    """One column of the picture.

    Attributes:
        dots: How many neurons are drawn; for pictures, how many maps.
        square: Whether they are maps of a picture.
        varies: Whether something of the layer is tunable.
    """

    dots: int
    square: bool = False
    varies: bool = False


def sketch_columns(document: StudyDocument) -> list[SketchColumn]:
    """Input, the layers that have weights (a repeated group twice), output."""
    image = document.data.image is not None
    columns = [SketchColumn(3 if image else _MOST_DOTS, square=image)]
    if isinstance(document.model, BlocksModel):
        columns += _layers(document.model.blocks)
    outputs = {"binary": 1, "regression": 1}.get(document.data.task or "", 3)
    return [*columns[: _MOST_COLUMNS - 1], SketchColumn(outputs)]


def _layers(blocks: tuple[Block, ...], varies: bool = False) -> list[SketchColumn]:
    columns: list[SketchColumn] = []
    for block in blocks:
        if isinstance(block, RepeatBlock):
            columns += _layers(block.blocks, isinstance(block.repeat, TuneInt)) * 2
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

    def __init__(self, theme: Theme, document: StudyDocument, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._columns = sketch_columns(document)
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def sizeHint(self) -> QSize:
        return QSize(200, _HEIGHT)

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
            for point in points:
                self._draw(painter, point, column.square)
        painter.end()

    def _draw(self, painter: QPainter, point: QPointF, square: bool) -> None:
        if square:
            side = _DOT * 3
            painter.drawRoundedRect(QRectF(point.x() - side / 2, point.y() - side / 2, side, side), 2, 2)
        else:
            painter.drawEllipse(point, _DOT, _DOT)

    def _places(self, index: int, column: SketchColumn) -> list[QPointF]:
        margin = 3.0 * SPACE_S
        width = self.width() - 2 * margin
        x = margin + width * index / max(len(self._columns) - 1, 1)
        step = (_HEIGHT - 2 * SPACE_S) / _MOST_DOTS * (1.4 if column.square else 1.0)
        top = (_HEIGHT - step * (column.dots - 1)) / 2
        return [QPointF(x, top + step * row) for row in range(column.dots)]
