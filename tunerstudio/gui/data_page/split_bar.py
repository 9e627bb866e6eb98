"""How rows are divided, as a bar whose borders can be dragged or moved by arrow keys."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from tunerstudio.gui.formats import format_percent
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_XS, Role, Theme

_LEAST = 0.01
_LEAST_TRAINING = 0.06
_GRIP_PX = 8


class SplitBar(QWidget):
    """Training, validation and test as shares of one bar.

    Signals:
        fractions_changed: (float, float) validation and test, as the user drags; in whole percent.
    """

    fractions_changed = Signal(float, float)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._validation = 0.2
        self._test = 0.15
        self._dragged = -1
        self._chosen = 0
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Split of the rows"))
        self.setToolTip(self.tr("Drag a border, or move it by the arrow keys (up and down choose the border)."))
        self._describe()

    def sizeHint(self) -> QSize:
        return QSize(240, MINIMUM_TARGET)

    def set_fractions(self, validation: float, test: float) -> None:
        """Show these shares of all rows; the rest is for training."""
        self._validation, self._test = validation, test
        self._describe()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left = 1.0
        for share, role, ink, word in self._parts():
            width = share * (self.width() - 2)
            area = QRectF(left, 1, max(width - 1, 0), self.height() - 2)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.color(role))
            painter.drawRoundedRect(area, 3, 3)
            self._paint_label(painter, area, share, ink, word)
            left += width
        if self.hasFocus():
            painter.setPen(QPen(self._theme.color("text"), 2))
            place = self._borders()[self._chosen]
            painter.drawLine(round(place), 1, round(place), self.height() - 1)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._dragged = self._border_at(event.position().x())
        if self._dragged >= 0:
            self._chosen = self._dragged
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged >= 0:
            self._move_border(self._dragged, event.position().x() / max(self.width(), 1))
        near = self._border_at(event.position().x()) >= 0
        self.setCursor(Qt.CursorShape.SplitHCursor if near else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragged = -1

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -0.01, Qt.Key.Key_Right: 0.01}
        if event.key() in steps:
            place = self._borders()[self._chosen] / max(self.width(), 1) + steps[Qt.Key(event.key())]
            self._move_border(self._chosen, place)
        elif event.key() in {Qt.Key.Key_Up, Qt.Key.Key_Down}:
            self._chosen = 1 - self._chosen
            self.update()
        else:
            super().keyPressEvent(event)

    def _parts(self) -> tuple[tuple[float, Role, Role, str], ...]:
        train = 1 - self._validation - self._test
        return (
            (train, "train", "on_accent", self.tr("train")),
            (self._validation, "validation", "on_part", self.tr("val")),
            (self._test, "test", "on_part", self.tr("test")),
        )

    def _paint_label(self, painter: QPainter, area: QRectF, share: float, ink: Role, word: str) -> None:
        percent = format_percent(share)
        for text in (f"{word} {percent}", percent, word):
            if painter.fontMetrics().horizontalAdvance(text) + SPACE_XS <= area.width():
                painter.setPen(self._theme.color(ink))
                painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)
                return

    def _borders(self) -> tuple[float, float]:
        return (1 - self._validation - self._test) * self.width(), (1 - self._test) * self.width()

    def _border_at(self, x: float) -> int:
        distances = [abs(x - border) for border in self._borders()]
        nearest = distances.index(min(distances))
        return nearest if distances[nearest] <= _GRIP_PX else -1

    def _move_border(self, border: int, place: float) -> None:
        validation, test = self._validation, self._test
        if border == 0:
            validation = min(max(1 - test - place, _LEAST), 1 - test - _LEAST_TRAINING)
        else:
            train = 1 - validation - test
            test = min(max(1 - place, 0.0), 1 - train - _LEAST)
            validation = 1 - train - test
        validation, test = round(validation, 2), round(test, 2)
        if (validation, test) != (self._validation, self._test):
            self.set_fractions(validation, test)
            self.fractions_changed.emit(validation, test)

    def _describe(self) -> None:
        text = self.tr("{train} training, {validation} validation, {test} test")
        shares = {"train": 1 - self._validation - self._test, "validation": self._validation, "test": self._test}
        self.setAccessibleDescription(text.format(**{name: format_percent(share) for name, share in shares.items()}))
