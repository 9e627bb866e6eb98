"""Small parts that every page uses: cards, headings, links, empty states, banners."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_M, SPACE_S, SPACE_XS, Theme


def muted_label(text: str = "") -> QLabel:
    """A label in the quiet colour, wrapping, selectable by mouse."""
    label = QLabel(text)
    label.setProperty("look", "muted")
    label.setWordWrap(True)
    return label


def heading_label(theme: Theme, text: str = "", level: int = 2) -> QLabel:
    """A heading; level 1 is the page's title."""
    label = QLabel(text)
    label.setFont(theme.heading_font(level))
    return label


def primary_button(text: str = "") -> QPushButton:
    """The one button of a page that goes on with the work."""
    button = QPushButton(text)
    button.setProperty("look", "primary")
    button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    return button


def link_button(text: str, on_click: Callable[[], object] | None = None) -> QPushButton:
    """A button that reads like a link, for repairs and second thoughts."""
    button = QPushButton(text)
    button.setProperty("look", "link")
    button.setCursor(Qt.CursorShape.PointingHandCursor)
    button.setMinimumHeight(MINIMUM_TARGET)
    button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    if on_click is not None:
        button.clicked.connect(lambda: on_click())
    return button


def horizontal_line() -> QFrame:
    """A line one pixel high."""
    line = QFrame()
    line.setProperty("look", "line")
    line.setFixedHeight(1)
    return line


def set_look(widget: QWidget, name: str, value: object) -> None:
    """Change a dynamic property that the style sheet looks at, and redraw."""
    widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


class Card(QFrame):
    """A rounded panel with a vertical layout, `body`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("look", "card")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(SPACE_M, SPACE_M, SPACE_M, SPACE_M)
        self.body.setSpacing(SPACE_S)


class FieldGrid(QGridLayout):
    """Labels on the left, fields on the right, both centred on their line."""

    def __init__(self) -> None:
        super().__init__()
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(SPACE_S)
        self.setColumnStretch(1, 1)

    def add(self, text: str, field: QWidget) -> None:
        """Append a line; the label names the field for screen readers, too."""
        row = self.rowCount()
        if text:
            label = QLabel(text)
            label.setBuddy(field)
            field.setAccessibleName(text)
            self.addWidget(label, row, 0)
        field.setMinimumHeight(MINIMUM_TARGET)
        self.addWidget(field, row, 1)


class ElidedLabel(QLabel):
    """One line that ends in an ellipsis where there is no room; the tool-tip holds the whole text."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._tip = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def set_tip(self, tip: str) -> None:
        """More on what the line says, for the tool-tip."""
        self._tip = tip
        self.update()

    def minimumSizeHint(self) -> QSize:
        return QSize(self.fontMetrics().averageCharWidth() * 8, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self.palette().color(self.foregroundRole()))
        area = self.contentsRect()
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, area.width())
        whole = self.text() if shown != self.text() else ""
        self.setToolTip("\n".join(part for part in (whole, self._tip) if part))
        painter.drawText(area, int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), shown)
        painter.end()


class EmptyState(QWidget):
    """What a page shows instead of nothing: an icon, what to do next, and a button that does it.

    Signals:
        clicked: () the button was pressed.
    """

    clicked = Signal()

    def __init__(self, theme: Theme, icon: str, sentence: str, button: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE_M)
        layout.addStretch(2)
        picture = QLabel()
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._picture, self._icon = picture, theme.icon(icon, "muted")
        self._sentence = QLabel(sentence)
        self._sentence.setWordWrap(True)
        self._sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._button = primary_button(button)
        self._button.clicked.connect(self.clicked)
        layout.addWidget(picture)
        layout.addWidget(self._sentence)
        layout.addWidget(self._button, 0, Qt.AlignmentFlag.AlignHCenter)
        self._button.setVisible(bool(button))  # not earlier: without a parent it would be a window of its own
        layout.addStretch(3)
        self._draw()

    def set_text(self, sentence: str, button: str | None = None) -> None:
        """Say something else; `button` None keeps the button, "" hides it."""
        self._sentence.setText(sentence)
        if button is not None:
            self._button.setText(button)
            self._button.setVisible(bool(button))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._draw()
        super().changeEvent(event)

    def _draw(self) -> None:
        self._picture.setPixmap(self._icon.pixmap(QSize(48, 48), self.devicePixelRatioF()))


_BANNER_ICONS = {"info": "ph.info", "warning": "ph.warning", "bad": "ph.x-circle"}


class Banner(QFrame):
    """A sentence where something happened, with *Details* if there are any, and buttons that repair.

    Signals:
        closed: () the user closed it.
    """

    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None, closable: bool = True) -> None:
        super().__init__(parent)
        self._theme = theme
        outer = QVBoxLayout(self)
        outer.setContentsMargins(SPACE_S, SPACE_XS, SPACE_S, SPACE_XS)
        outer.setSpacing(SPACE_XS)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        self._icon = QPushButton()
        self._icon.setFlat(True)
        self._icon.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._icon.setFixedWidth(MINIMUM_TARGET)
        self._icon.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._sentence = QLabel()
        self._sentence.setWordWrap(True)
        self._sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._buttons = QHBoxLayout()
        self._details_button = link_button(self.tr("Details"), self._toggle_details)
        self._close_button = link_button(self.tr("Close"), self._close)
        row.addWidget(self._icon)
        row.addWidget(self._sentence, 1)
        row.addLayout(self._buttons)
        row.addWidget(self._details_button)
        row.addWidget(self._close_button)
        self._details = QLabel()
        self._details.setFont(theme.code_font())
        self._details.setWordWrap(True)
        self._details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        outer.addLayout(row)
        outer.addWidget(self._details)
        self._close_button.setVisible(closable)  # not earlier: without a parent it would be a window of its own
        self.hide()

    @property
    def text(self) -> str:
        """The sentence that is shown; empty while hidden."""
        return "" if self.isHidden() else self._sentence.text()

    def tell(
        self,
        severity: str,
        sentence: str,
        details: str = "",
        buttons: tuple[tuple[str, Callable[[], object]], ...] = (),
    ) -> None:
        """Show `sentence`; `severity` is info, warning or bad."""
        set_look(self, "look", severity)
        role = {"info": "accent", "warning": "warning", "bad": "bad"}[severity]
        self._icon.setIcon(self._theme.icon(_BANNER_ICONS[severity], role))  # type: ignore[arg-type]  # keys of Role
        self._sentence.setText(sentence)
        self._details.setText(details)
        self._details.hide()
        self._details_button.setVisible(bool(details))
        while (item := self._buttons.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for text, action in buttons:
            self._buttons.addWidget(link_button(text, action))
        self.show()

    def clear(self) -> None:
        """Hide it."""
        self.hide()

    def _toggle_details(self) -> None:
        self._details.setVisible(self._details.isHidden())

    def _close(self) -> None:
        self.hide()
        self.closed.emit()
