"""The rail on the left: the five pages with their marks, the study's name and the device."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from tunerstudio.gui.pages.base import PageStatus, Readiness
from tunerstudio.gui.theme import SPACE_M, SPACE_S, SPACE_XS, Role, Theme
from tunerstudio.gui.widgets.basics import ElidedLabel, horizontal_line

RAIL_WIDTH = 172
_MARK_SIZE = 18
_MARKS: dict[Readiness, tuple[str, Role]] = {
    Readiness.READY: ("ph.check-circle-fill", "good"),
    Readiness.NEEDS_YOU: ("ph.warning-circle-fill", "warning"),
}


class PageButton(QToolButton):
    """One page in the rail; its mark says how ready the page is, its tool-tip why."""

    def __init__(self, theme: Theme, title: str, icon: str, shortcut: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._title = title
        self._shortcut = shortcut
        self._readiness = Readiness.NOT_YET
        self.setProperty("look", "page")
        self.setText(" " + title)
        self.setIcon(theme.icon(icon))
        self.setIconSize(QSize(20, 20))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.set_status(PageStatus(Readiness.NOT_YET, ""))

    @property
    def readiness(self) -> Readiness:
        """The mark that is shown."""
        return self._readiness

    def set_status(self, status: PageStatus) -> None:
        """Show how ready the page is."""
        self._readiness = status.readiness
        self.setToolTip("\n".join(part for part in (f"{self._title} ({self._shortcut})", status.sentence) if part))
        words = {Readiness.READY: self.tr("ready"), Readiness.NEEDS_YOU: self.tr("needs you")}
        word = words.get(status.readiness)
        self.setAccessibleName(f"{self._title}: {word}" if word else self._title)
        self.setAccessibleDescription(status.sentence)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._readiness not in _MARKS or not self.isEnabled():
            return
        icon, role = _MARKS[self._readiness]
        left = self.width() - _MARK_SIZE - SPACE_S
        painter = QPainter(self)
        area = QRect(left, (self.height() - _MARK_SIZE) // 2, _MARK_SIZE, _MARK_SIZE)
        self._theme.icon(icon, role).paint(painter, area)
        painter.end()


class Rail(QFrame):
    """The five pages.

    Signals:
        page_chosen: (int) index of the page.
        name_clicked: () the study's name was clicked.
    """

    page_chosen = Signal(int)
    name_clicked = Signal()

    def __init__(self, theme: Theme, pages: list[tuple[str, str]], parent: QWidget | None = None) -> None:
        """`pages`: (title, icon) of each page, in order."""
        super().__init__(parent)
        self.setProperty("look", "rail")
        self.setFixedWidth(RAIL_WIDTH)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_S, SPACE_M, SPACE_S, SPACE_M)
        layout.setSpacing(SPACE_XS)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self.buttons: list[PageButton] = []
        for index, (title, icon) in enumerate(pages):
            button = PageButton(theme, title, icon, f"Ctrl+{index + 1}")
            self._group.addButton(button, index)
            self.buttons.append(button)
            layout.addWidget(button)
        self._group.idClicked.connect(self.page_chosen)
        layout.addSpacing(SPACE_S)
        layout.addWidget(horizontal_line())
        layout.addSpacing(SPACE_XS)
        self._name = ElidedLabel()
        self._name.setFont(theme.bold_font())
        self._device = ElidedLabel()
        self._device.setProperty("look", "muted")
        for label in (self._name, self._device):
            label.setContentsMargins(SPACE_S, 0, SPACE_S, 0)
            layout.addWidget(label)
        layout.addStretch(1)

    def set_current(self, index: int) -> None:
        """Mark the page that is shown; the focus, if it is in the rail, goes along."""
        self.buttons[index].setChecked(True)
        if any(button.hasFocus() for button in self.buttons):
            self.buttons[index].setFocus()

    def set_study_name(self, name: str) -> None:
        """Show the name of the open study."""
        self._name.setText(name)

    def set_device(self, device: str, reason: str = "") -> None:
        """Show where trials will run; `reason`: why not the GPU."""
        self._device.setText(device)
        self._device.set_tip(reason)
