"""The network as a drawing: a box for each layer, with what it makes and how many weights it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QToolButton, QToolTip, QVBoxLayout, QWidget

from tunerstudio.gui.formats import as_sentence
from tunerstudio.gui.model_editor.drawing_layout import OUTPUT, Place, places
from tunerstudio.gui.model_editor.plain_editors import QuietComboBox
from tunerstudio.gui.model_editor.summary import argument_segments
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_S, SPACE_XS, Role, Theme, format_count
from tunerstudio.gui.widgets.basics import ElidedLabel
from tunerstudio.protocol.space import NetworkDescription
from tunerstudio.study.hyperparameters import SearchSpace, Values
from tunerstudio.study.model import BlocksModel
from tunerstudio.study.network import INPUT, Network, ResolvedLayer, resolve_network

_BOX = QSize(100, 46)
_GAP_X, _GAP_Y, _MARGIN = 18, 14, 10


@dataclass(frozen=True)
class LayerFacts:
    """What a built layer is.

    Attributes:
        shape: Of its output, without the batch: `28×28×16`.
        parameters: Number of its weights.
    """

    shape: str
    parameters: int


@dataclass(frozen=True)
class Drawn:
    """What is drawn.

    Attributes:
        facts: By name of the layer, as far as they are known.
    """

    network: Network
    places: list[Place]
    facts: Mapping[str, LayerFacts] = field(default_factory=dict)


class NetworkDrawing(QWidget):
    """A strip with the network at the default, the smallest, the largest or a random configuration.

    Signals:
        layer_clicked: (str) field path of the block that a box stands for.
        values_changed: () `values()` gives another configuration.
    """

    layer_clicked = Signal(str)
    values_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Draw nothing yet."""
        super().__init__(parent)
        self._space = SearchSpace()
        self._model: BlocksModel | None = BlocksModel()
        self._code: object = None
        self._units: dict[str, float] = {}
        self._rng = np.random.default_rng()
        self._which = QuietComboBox()
        self._which.setMinimumContentsLength(18)
        for text, key in (
            (self.tr("default values"), "default"),
            (self.tr("smallest values"), "smallest"),
            (self.tr("largest values"), "largest"),
            (self.tr("random values"), "random"),
        ):
            self._which.addItem(text, key)
        self._which.setAccessibleName(self.tr("values that the drawing shows"))
        self._which.activated.connect(self._choose)
        self._again = QToolButton()
        self._again.setIcon(theme.icon("ph.shuffle"))
        self._again.setToolTip(self.tr("Draw other random values"))
        self._again.setAccessibleName(self.tr("draw other random values"))
        self._again.setAutoRaise(True)
        self._again.setMinimumSize(MINIMUM_TARGET, MINIMUM_TARGET)
        self._again.clicked.connect(self._sample)
        self._total = ElidedLabel()
        self._total.setProperty("look", "muted")
        self.canvas = _Canvas(theme)
        self.canvas.clicked.connect(self.layer_clicked)
        self._arrange()

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(SPACE_S)
        top.addWidget(self._which)
        top.addWidget(self._again)
        top.addWidget(self._total, 1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.StyledPanel)
        scroll.setWidgetResizable(True)
        scroll.setWidget(self.canvas)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE_XS, 0, 0)
        layout.setSpacing(SPACE_XS)
        layout.addLayout(top)
        layout.addWidget(scroll, 1)

    def values(self) -> Values:
        """The configuration that is drawn."""
        return self._space.from_units(self._units)

    def show_model(self, model: BlocksModel, space: SearchSpace) -> None:
        """Draw `model`, whose hyperparameters are `space`."""
        if (model, space) == (self._model, self._space):
            return
        self._model, self._space, self._code = model, space, None
        self._choose()

    def show_code(self, code: object) -> None:
        """Draw what code builds, which only a description tells; the same again unless `code` is another one."""
        if self._model is None and code == self._code:
            return
        self._model, self._space, self._code = None, SearchSpace(), code
        self._units = {}
        self._again.setVisible(self._which.currentData() == "random")
        self._draw()

    def show_description(self, described: NetworkDescription) -> None:
        """Draw shapes and numbers of weights, if they belong to what is drawn now."""
        if self._model is None and described.space is not None and described.space != self._space:
            self._space = described.space  # the first answer tells what may vary
            if self._which.currentData() != "default":
                self._choose()
        if described.values != self.values():
            return
        network = described_network(described) if self._model is None else self.canvas.drawn.network
        facts = {layer.name: LayerFacts(shape_text(layer.shape), layer.weights) for layer in described.layers}
        facts[INPUT] = LayerFacts(shape_text(described.input_shape), 0)
        last = described.layers[-1] if described.layers else None
        if last is not None and not last.error:
            facts[OUTPUT] = facts.pop(last.name) if self._model is not None else replace(facts[last.name], parameters=0)
        self.canvas.show_network(Drawn(network, places(network), facts))
        self._total.setText(self.tr("{count} parameters").format(count=format_count(described.weights)))

    def show_failure(self, sentence: str) -> None:
        """Say why the network that is asked for cannot be drawn."""
        if self._model is None:
            self._code = None  # the same code may be asked about again, once it is trusted
            self.canvas.show_network(Drawn(Network((), INPUT), []))
            self._total.setText(as_sentence(sentence))

    def _choose(self) -> None:
        which = self._which.currentData()
        self._again.setVisible(which == "random")
        if which == "random":
            self._sample()
            return
        ends = {"smallest": 0.0, "largest": 1.0}
        self._units = dict.fromkeys(self._space.names(), ends[which]) if which in ends else {}
        self._draw()

    def _sample(self) -> None:
        self._units = {name: float(self._rng.random()) for name in self._space.names()}
        self._draw()

    def _draw(self) -> None:
        if self._model is None:
            self._total.setText(self.tr("Calling build(hp)…"))
        else:
            network = resolve_network(self._model, self.values())
            self._total.setText("")
            self.canvas.show_network(Drawn(network, places(network)))
        self.values_changed.emit()


class _Canvas(QWidget):
    """The boxes and lines.

    Signals:
        clicked: (str) field path of the block that a box stands for.
    """

    clicked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.drawn = Drawn(Network((), INPUT), [])
        self.setAccessibleName(self.tr("drawing of the network"))

    def show_network(self, drawn: Drawn) -> None:
        """Draw another network."""
        self.drawn = drawn
        columns = 1 + max((place.column for place in drawn.places), default=0)
        rows = 1 + max((place.row for place in drawn.places), default=0)
        width = 2 * _MARGIN + columns * _BOX.width() + (columns - 1) * _GAP_X
        height = 2 * _MARGIN + rows * _BOX.height() + (rows - 1) * _GAP_Y
        self.setMinimumSize(width, height)
        self.update()

    def box(self, place: Place) -> QRectF:
        """Where a box stands."""
        x = _MARGIN + place.column * (_BOX.width() + _GAP_X)
        y = _MARGIN + place.row * (_BOX.height() + _GAP_Y)
        return QRectF(x, y, _BOX.width(), _BOX.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        boxes = {place.name: self.box(place) for place in self.drawn.places}
        painter.setPen(QPen(self._theme.color("muted"), 1.2))
        for place in self.drawn.places:
            for source in place.inputs:
                painter.drawPath(_line(boxes[source], boxes[place.name]))
        for place in self.drawn.places:
            self._paint_box(painter, place, boxes[place.name])
        painter.end()

    def _paint_box(self, painter: QPainter, place: Place, box: QRectF) -> None:
        is_end = place.name in (INPUT, OUTPUT)
        border: Role = "muted" if is_end else "accent"
        painter.setPen(QPen(self._theme.color(border), 1))
        painter.setBrush(self._theme.color("alternate" if is_end else "base"))
        painter.drawRoundedRect(box, 5, 5)
        title, below = self._texts(place)
        inside = box.adjusted(6, 3, -6, -3)
        metrics = painter.fontMetrics()
        painter.setPen(self._theme.color("text"))
        top = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        elide = Qt.TextElideMode.ElideRight
        painter.drawText(inside, top, metrics.elidedText(title, elide, int(inside.width())))
        painter.setPen(self._theme.color("muted"))
        bottom = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom
        painter.drawText(inside, bottom, metrics.elidedText(below, elide, int(inside.width())))

    def _texts(self, place: Place) -> tuple[str, str]:
        """Title, and what stands below it."""
        fact = self.drawn.facts.get(place.name)
        if place.name in (INPUT, OUTPUT):
            title = self.tr("Input") if place.name == INPUT else self.tr("Output")
            return title, _fact_text(fact)
        layer = next(layer for layer in self.drawn.network.layers if layer.name == place.name)
        if fact is not None:
            return layer.layer, _fact_text(fact)
        return layer.layer, "  ".join(segment.text for segment in argument_segments(layer.arguments))

    def _place_at(self, point: QPoint) -> Place | None:
        return next((place for place in self.drawn.places if self.box(place).contains(QPointF(point))), None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._place_at(event.position().toPoint())
        layer = next((layer for layer in self.drawn.network.layers if place and layer.name == place.name), None)
        if layer is not None and layer.path:
            self.clicked.emit(layer.path)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            place = self._place_at(event.pos())
            QToolTip.showText(event.globalPos(), self._tip(place) if place is not None else "", self)
            return True
        return super().event(event)

    def _tip(self, place: Place) -> str:
        layer = next((layer for layer in self.drawn.network.layers if layer.name == place.name), None)
        if layer is None:
            return "\n".join(text for text in self._texts(place) if text)
        lines = [f"{layer.name} ({layer.layer})", *(segment.text for segment in argument_segments(layer.arguments))]
        fact = self.drawn.facts.get(place.name)
        if fact is not None:
            lines += [fact.shape, self.tr("{count} parameters").format(count=f"{fact.parameters:,}")]
        return "\n".join(lines)


def described_network(described: NetworkDescription) -> Network:
    """The network of a description, whose layers have no arguments and no place in the document."""
    layers = tuple(ResolvedLayer(layer.layer, layer.name, {}, layer.inputs) for layer in described.layers)
    return Network(layers, layers[-1].name if layers else INPUT)


def shape_text(shape: tuple[int | None, ...] | None) -> str:
    """`28×28×16`; what is unknown is a question mark."""
    return "×".join("?" if size is None else str(size) for size in shape or ())


def _fact_text(fact: LayerFacts | None) -> str:
    """Shape and number of weights, where there are some."""
    if fact is None:
        return ""
    return f"{fact.shape}  {format_count(fact.parameters)}" if fact.parameters else fact.shape


def _line(source: QRectF, target: QRectF) -> QPainterPath:
    """A line from the right of one box to the left of another; over others it bends below them."""
    start = QPointF(source.right(), source.center().y())
    end = QPointF(target.left(), target.center().y())
    path = QPainterPath(start)
    span = end.x() - start.x()
    if span > _GAP_X + 1 and abs(start.y() - end.y()) < 1:  # past other boxes of the same row
        low = source.bottom() + _GAP_Y * 0.6
        path.cubicTo(
            QPointF(start.x() + _GAP_X, low), QPointF(start.x() + _GAP_X, low), QPointF(start.x() + _GAP_X, low)
        )
        path.lineTo(QPointF(end.x() - _GAP_X, low))
        path.quadTo(QPointF(end.x() - _GAP_X / 2, low), end)
    else:
        bend = min(span / 2, _GAP_X)
        path.cubicTo(QPointF(start.x() + bend, start.y()), QPointF(end.x() - bend, end.y()), end)
    return path
