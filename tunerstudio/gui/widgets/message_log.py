"""All messages of this run of the program, newest last; shown and hidden from the status bar."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from tunerstudio.gui.theme import SPACE_M, SPACE_S, Theme
from tunerstudio.gui.widgets.basics import heading_label, horizontal_line, link_button

_MOST_LINES = 5000
_HEIGHT = 160


class MessageLog(QFrame):
    """A drawer at the bottom of the window."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(horizontal_line())
        top = QHBoxLayout()
        top.setContentsMargins(SPACE_M, 0, SPACE_S, 0)
        top.addWidget(heading_label(theme, self.tr("Messages")), 1)
        top.addWidget(link_button(self.tr("Close"), self.hide))
        layout.addLayout(top)
        self._text = QPlainTextEdit()
        self._text.setReadOnly(True)
        self._text.setMaximumBlockCount(_MOST_LINES)
        self._text.setFont(theme.code_font())
        self._text.setAccessibleName(self.tr("Messages"))
        self._text.setFrameShape(QFrame.Shape.NoFrame)
        self._text.setFixedHeight(_HEIGHT)
        layout.addWidget(self._text)
        self.hide()

    @property
    def text(self) -> str:
        """Everything that was said."""
        return self._text.toPlainText()

    def add(self, text: str, details: str = "") -> None:
        """Add a message with the time; `details` are indented below it."""
        lines = [f"{datetime.now():%H:%M:%S}  {text}", *(f"          {line}" for line in details.splitlines())]
        self._text.appendPlainText("\n".join(lines))
