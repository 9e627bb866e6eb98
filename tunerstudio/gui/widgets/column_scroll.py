"""A column of widgets that scrolls up and down only."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QFrame, QScrollArea, QStyle, QWidget

from tunerstudio.gui.theme import SPACE_M


class ColumnScroll(QScrollArea):
    """Is never narrower than its content with the scroll bar, so that nothing is cut at the right edge.

    The content keeps its width when the scroll bar comes and goes, and the wheel scrolls it: it changes a list or a
    number only in a field that has the keyboard.
    """

    def __init__(self, least_width: int = 0, right_margin: int = SPACE_M, parent: QWidget | None = None) -> None:
        """Empty; see `setWidget`.

        Args:
            least_width: In logical pixels, however narrow the content could be.
            right_margin: Kept free on the right of the content; the scroll bar stands in it.
            parent: Qt's.
        """
        super().__init__(parent)
        self._least_width = least_width
        self._right_margin = right_margin
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # Not at once: the area is in the middle of laying out its content when the range changes.
        self.verticalScrollBar().rangeChanged.connect(self._keep_margin, Qt.ConnectionType.QueuedConnection)
        self._keep_margin()

    def setWidget(self, widget: QWidget) -> None:
        super().setWidget(widget)
        fields: list[QWidget] = [*widget.findChildren(QComboBox), *widget.findChildren(QAbstractSpinBox)]
        for field in fields:
            field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # by itself the wheel would give it the keyboard
            field.installEventFilter(self)
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(self.minimumWidth(), super().sizeHint().height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.widget() and event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QComboBox | QAbstractSpinBox):
            event.setAccepted(watched.hasFocus())  # else on to the content, and so to the scroll bar
            return not watched.hasFocus()
        return super().eventFilter(watched, event)

    def _bar_width(self) -> int:
        return self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent, None, self)

    def _fit(self) -> None:
        content: QWidget | None = self.widget()
        if content is not None:
            wanted = content.minimumSizeHint().width() + max(self._right_margin, self._bar_width())
            self.setMinimumWidth(max(wanted, self._least_width))

    def _keep_margin(self) -> None:
        bar = self._bar_width() if self.verticalScrollBar().maximum() > 0 else 0
        self.setViewportMargins(0, 0, max(self._right_margin - bar, 0), 0)
