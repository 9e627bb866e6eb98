"""The study's log, as it grows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from tunerstudio.gui.theme import Role, Theme
from tunerstudio.store.reader import LogLine

MOST_LINES = 5000
"""Lines kept in the view; all of them stay in the study's database."""

_ROLES: dict[str, Role] = {"warning": "warning", "error": "bad"}


class LogView(QPlainTextEdit):
    """Read-only text, newest line at the end; warnings and errors coloured. Follows the end unless scrolled away."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """An empty log."""
        super().__init__(parent)
        self._theme = theme
        self._lines: list[LogLine] = []
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setMaximumBlockCount(MOST_LINES)
        self.setFont(theme.code_font())
        self.setAccessibleName(self.tr("Log"))
        self.setPlaceholderText(self.tr("What the search did, line by line, appears here."))
        theme.theme_changed.connect(self._restyle)

    def set_lines(self, lines: Sequence[LogLine]) -> None:
        """Show these lines and no others."""
        self.clear()
        self._lines = []
        self.add_lines(lines)

    def add_lines(self, lines: Sequence[LogLine]) -> None:
        """Append lines."""
        new = list(lines[-MOST_LINES:])
        if not new:
            return
        self._lines = [*self._lines, *new][-MOST_LINES:]
        bar = self.verticalScrollBar()
        follows = bar.value() >= bar.maximum() - 1
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        cursor.movePosition(QTextCursor.MoveOperation.End)
        is_first = self.document().isEmpty()
        for line in new:
            if not is_first:
                cursor.insertBlock()
            is_first = False
            cursor.insertText(_text(line), self._format(line.level))
        cursor.endEditBlock()
        if follows:
            bar.setValue(bar.maximum())

    def _format(self, level: str) -> QTextCharFormat:
        look = QTextCharFormat()
        look.setForeground(self._theme.color(_ROLES.get(level, "text")))
        return look

    def _restyle(self) -> None:
        self.set_lines(self._lines)


def _text(line: LogLine) -> str:
    clock = datetime.fromtimestamp(line.at).strftime("%H:%M:%S")
    level = "" if line.level == "info" else f"{line.level}: "
    return f"{clock}  {level}{line.text}"
