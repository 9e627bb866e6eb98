"""Vector icons whose colour follows the theme while they are on screen."""

from __future__ import annotations

from collections.abc import Callable

import qtawesome
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QIcon, QIconEngine, QPainter, QPixmap

ColorOf = Callable[[], QColor]
"""Asked at every painting, so that an icon follows a switch of the theme."""

_DISABLED_OPACITY = 0.4


class _GlyphEngine(QIconEngine):
    """Paints one glyph of a bundled icon font."""

    def __init__(self, name: str, color_of: ColorOf) -> None:
        super().__init__()
        self._name = name
        self._color_of = color_of
        self._glyph: str = qtawesome.charmap(name)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        painter.save()
        font: QFont = qtawesome.font(self._name.split(".")[0], max(1, round(min(rect.width(), rect.height()) * 0.92)))
        painter.setFont(font)
        # On the ground of a selection a colour of its own would hardly be seen.
        is_selected = mode == QIcon.Mode.Selected
        painter.setPen(QGuiApplication.palette().highlightedText().color() if is_selected else self._color_of())
        if mode == QIcon.Mode.Disabled:
            painter.setOpacity(_DISABLED_OPACITY)
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self._glyph)
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _GlyphEngine(self._name, self._color_of)


def glyph_icon(name: str, color_of: ColorOf) -> QIcon:
    """The icon `name` of a bundled font (`ph.play`, `mdi6.stop`), coloured by `color_of` whenever it is painted.

    Raises:
        Exception: Of qtawesome, if the font or the glyph does not exist.
    """
    return QIcon(_GlyphEngine(name, color_of))
