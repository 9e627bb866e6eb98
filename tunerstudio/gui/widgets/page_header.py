"""The header above every page: title, one sentence, the primary button."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from tunerstudio.gui.pages.base import Page
from tunerstudio.gui.theme import SPACE_M, SPACE_S, Theme
from tunerstudio.gui.widgets.basics import heading_label, horizontal_line, muted_label, primary_button


class PageHeader(QWidget):
    """Shows what `Page.status` and `Page.primary_action` say.

    Signals:
        command_requested: (str) the primary button was pressed.
    """

    command_requested = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        row = QHBoxLayout()
        row.setContentsMargins(SPACE_M, SPACE_S, SPACE_M, SPACE_S)
        row.setSpacing(SPACE_M)
        self._title = heading_label(theme, level=1)
        self._title.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self._sentence = muted_label()
        self._sentence.setAlignment(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        self._primary = primary_button()
        self._primary.clicked.connect(self._clicked)
        self._command = ""
        row.addWidget(self._title)
        row.addWidget(self._sentence, 1)
        row.addWidget(self._primary)
        outer.addLayout(row)
        outer.addWidget(horizontal_line())
        self.setMinimumHeight(self._primary.sizeHint().height() + 2 * SPACE_S + 1)

    @property
    def command(self) -> str:
        """What the primary button asks for; empty without a button."""
        return self._command

    def show_page(self, page: Page) -> None:
        """Show the header of `page` as it is now."""
        self._title.setText(page.title)
        self._sentence.setText(page.status().sentence)
        action = page.primary_action()
        self._primary.setVisible(action is not None)
        self._command = ""
        if action is not None:
            text, self._command = action
            self._primary.setText(text)

    def set_enabled(self, enabled: bool) -> None:
        """Whether the primary button can be pressed."""
        self._primary.setEnabled(enabled)

    def _clicked(self) -> None:
        if self._command:
            self.command_requested.emit(self._command)
