"""The table's header: name, role and kind as chips that are changed in place, a histogram, a fact."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QHeaderView, QTableView, QToolTip

from tunerstudio.gui.data_page.sample_model import SampleItemModel
from tunerstudio.gui.data_page.words import column_details, column_facts, kind_words, role_words
from tunerstudio.gui.theme import SPACE_S, SPACE_XS, Role, Theme

_BARS_HEIGHT = 28
_CHIP_PADDING = 6
_MAXIMUM_WIDTH = 240
_MINIMUM_WIDTH = 112


class ColumnHeader(QHeaderView):
    """Paints columns of a `SampleItemModel`.

    Signals:
        menu_requested: (int, QPoint) the user wants to change a column; its place, and where to open a menu.
    """

    menu_requested = Signal(int, QPoint)

    def __init__(self, theme: Theme, item_model: SampleItemModel, table: QTableView) -> None:
        super().__init__(Qt.Orientation.Horizontal, table)
        self._theme = theme
        self._model = item_model
        self._roles = role_words()
        self._kinds = kind_words()
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setMinimumSectionSize(_MINIMUM_WIDTH)
        self.setDefaultSectionSize(_MINIMUM_WIDTH + SPACE_S)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Columns"))

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._facts_top() + self.fontMetrics().height() + SPACE_S)

    def wanted_width(self, section: int) -> int:
        """Width at which name and chips are not cut."""
        column = self._model.column(section)
        name = self.fontMetrics().horizontalAdvance(column.name) * 1.1
        chips = sum(self._chip_width(text) for text in (self._roles[column.role], self._kinds[column.kind]))
        return min(max(int(max(name, chips + SPACE_XS)) + 2 * SPACE_S + 2, _MINIMUM_WIDTH), _MAXIMUM_WIDTH)

    def chip_rectangle(self, section: int) -> QRect:
        """Where role and kind of a column stand, in the viewport."""
        left = self.sectionViewportPosition(section)
        return QRect(left, self._chips_top(), self.sectionSize(section), self._chip_height())

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        if not rect.isValid() or section >= self._model.columnCount():
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(rect, self._theme.color("card"))
        inner = rect.adjusted(SPACE_S, 0, -SPACE_S, 0)
        column = self._model.column(section)
        self._paint_name(painter, inner, column.name, column.role == "ignore")
        self._paint_chips(painter, inner, section)
        self._paint_bars(painter, inner, section)
        self._paint_facts(painter, inner, section)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QPen(self._theme.color("border"), 1))
        painter.drawLine(rect.topRight(), rect.bottomRight())
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        painter.restore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        over_chip = self._section_of_chip(event.position().toPoint()) is not None
        if over_chip and not event.buttons():
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
            return
        self.viewport().unsetCursor()
        super().mouseMoveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        section = self._section_of_chip(event.position().toPoint())
        if section is None or event.button() != Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)
            return
        corner = self.chip_rectangle(section).bottomLeft() + QPoint(SPACE_S, SPACE_XS)
        self.menu_requested.emit(section, self.viewport().mapToGlobal(corner))

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            section = self.logicalIndexAt(event.pos())
            if 0 <= section < self._model.columnCount():
                QToolTip.showText(event.globalPos(), column_details(self._model.profile(section)), self)
            return True
        return super().viewportEvent(event)

    def _section_of_chip(self, place: QPoint) -> int | None:
        section = self.logicalIndexAt(place)
        if not 0 <= section < self._model.columnCount():
            return None
        return section if self.chip_rectangle(section).contains(place) else None

    def _chip_height(self) -> int:
        return self.fontMetrics().height() + SPACE_XS

    def _chips_top(self) -> int:
        return SPACE_S + self.fontMetrics().height() + SPACE_XS

    def _bars_top(self) -> int:
        return self._chips_top() + self._chip_height() + SPACE_S

    def _facts_top(self) -> int:
        return self._bars_top() + _BARS_HEIGHT + SPACE_XS

    def _chip_width(self, text: str) -> int:
        metrics = self.fontMetrics()
        return metrics.horizontalAdvance(text) + metrics.horizontalAdvance(" ▾") + 2 * _CHIP_PADDING

    def _paint_name(self, painter: QPainter, inner: QRect, name: str, faded: bool) -> None:
        painter.setFont(self._theme.bold_font())
        painter.setPen(self._theme.color("muted" if faded else "text"))
        area = QRect(inner.left(), SPACE_S, inner.width(), painter.fontMetrics().height())
        text = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, inner.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_chips(self, painter: QPainter, inner: QRect, section: int) -> None:
        column = self._model.column(section)
        styles: dict[str, tuple[Role, Role]] = {
            "feature": ("accent_soft", "text"),
            "target": ("accent", "on_accent"),
            "ignore": ("alternate", "muted"),
            "sample_weight": ("warning_soft", "text"),
        }
        ground, ink = styles[column.role]
        painter.setFont(self.font())
        left = self._paint_chip(painter, inner, inner.left(), self._roles[column.role], ground, ink)
        self._paint_chip(painter, inner, left + SPACE_XS, self._kinds[column.kind], "alternate", "muted")

    def _paint_chip(self, painter: QPainter, inner: QRect, left: int, text: str, ground: Role, ink: Role) -> int:
        room = inner.right() - left + 1
        width = min(self._chip_width(text), room)
        if width < 2 * _CHIP_PADDING:
            return left
        area = QRect(left, self._chips_top(), width, self._chip_height())
        painter.setPen(QPen(self._theme.color("border" if ground == "alternate" else ground), 1))
        painter.setBrush(self._theme.color(ground))
        painter.drawRoundedRect(QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.setPen(self._theme.color(ink))
        label = painter.fontMetrics().elidedText(
            f"{text} ▾", Qt.TextElideMode.ElideRight, width - 2 * _CHIP_PADDING + 2
        )
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, label)
        return left + width

    def _paint_bars(self, painter: QPainter, inner: QRect, section: int) -> None:
        profile = self._model.profile(section)
        counts = profile.histogram or tuple(count for _, count in profile.top)
        column = self._model.column(section)
        bottom = self._bars_top() + _BARS_HEIGHT
        painter.setPen(QPen(self._theme.color("border"), 1))
        painter.drawLine(QPointF(inner.left(), bottom), QPointF(inner.right(), bottom))
        if not counts or max(counts) == 0:
            return
        role: Role = "accent" if column.role == "target" else "bar"
        color = QColor(self._theme.color(role))
        color.setAlphaF(0.35 if column.role == "ignore" else 1.0)
        step = min(inner.width() / len(counts), 24.0)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        for index, count in enumerate(counts):
            height = max(count / max(counts) * _BARS_HEIGHT, 1.0) if count else 0.0
            painter.drawRect(QRectF(inner.left() + index * step, bottom - height, max(step - 1, 1), height))

    def _paint_facts(self, painter: QPainter, inner: QRect, section: int) -> None:
        profile = self._model.profile(section)
        painter.setFont(self._theme.small_font())
        painter.setPen(self._theme.color("warning" if profile.missing else "muted"))
        area = QRect(inner.left(), self._facts_top(), inner.width(), self.fontMetrics().height())
        text = painter.fontMetrics().elidedText(column_facts(profile), Qt.TextElideMode.ElideRight, inner.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
