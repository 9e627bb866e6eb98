"""Python text with colours, line numbers and one marked line; read-only unless it is to be edited."""

from __future__ import annotations

import builtins
import keyword
import re

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
)
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QWidget

from tunerstudio.gui.theme import SPACE_S, Role, Theme

_BUILTINS = "|".join(name for name in dir(builtins) if name.islower() and not name.startswith("_"))
_RULES: tuple[tuple[str, Role, bool], ...] = (
    (rf"\b(?:{_BUILTINS})\b(?=\()", "accent", False),
    (rf"\b(?:{'|'.join(keyword.kwlist)})\b", "accent", True),
    (r"(?<=\bdef )\w+|(?<=\bclass )\w+", "text", True),
    (r"@[\w.]+", "warning", False),
    (r"\b\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?\b", "warning", False),
    (r"\bhp\.\w+", "good", True),
    (r"[rbfuRBFU]{0,2}(?:\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')", "good", False),
    (r"#[^\n]*", "muted", False),
)
_IN_TEXT = 1
_INDENT = 4
_QUOTES = ('"""', "'''")


class PythonHighlighter(QSyntaxHighlighter):
    """Colours Python; understands strings over several lines."""

    def __init__(self, document: QTextDocument, theme: Theme) -> None:
        """Colour `document` now and after every switch of the theme."""
        super().__init__(document)
        self._theme = theme
        self._rules = [(re.compile(pattern), role, bold) for pattern, role, bold in _RULES]
        theme.theme_changed.connect(self.rehighlight)

    def highlightBlock(self, text: str) -> None:
        for pattern, role, bold in self._rules:
            for match in pattern.finditer(text):
                self.setFormat(match.start(), match.end() - match.start(), self._format(role, bold))
        self._long_strings(text)

    def _long_strings(self, text: str) -> None:
        state = self.previousBlockState()
        inside = state - _IN_TEXT if state >= _IN_TEXT else -1
        start = 0
        while start <= len(text):
            if inside < 0:
                starts = [
                    (place, index) for index, quote in enumerate(_QUOTES) if (place := text.find(quote, start)) >= 0
                ]
                if not starts:
                    break
                begin, inside = min(starts)
                search_from = begin + 3
            else:
                begin, search_from = start, start
            end = text.find(_QUOTES[inside], search_from)
            stop = len(text) if end < 0 else end + 3
            self.setFormat(begin, stop - begin, self._format("good", bold=False))
            if end < 0:
                self.setCurrentBlockState(inside + _IN_TEXT)
                return
            inside, start = -1, stop
        self.setCurrentBlockState(0)

    def _format(self, role: Role, bold: bool) -> QTextCharFormat:
        style = QTextCharFormat()
        style.setForeground(self._theme.color(role))
        if bold:
            style.setFontWeight(QFont.Weight.DemiBold)
        return style


class PythonView(QPlainTextEdit):
    """A view of Python text; Tab indents by four spaces where it can be edited."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, editable: bool = False) -> None:
        """Show nothing yet."""
        super().__init__(parent)
        self._theme = theme
        self._marked: int | None = None
        self.setReadOnly(not editable)
        self.setFont(theme.code_font())
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        if not editable:
            self.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
        self.setAccessibleName(self.tr("Python file"))
        self._highlighter = PythonHighlighter(self.document(), theme)
        self._numbers = _LineNumbers(self)
        self.updateRequest.connect(self._scroll_numbers)
        self.blockCountChanged.connect(self._make_room)
        theme.theme_changed.connect(self._mark)
        self._make_room()

    @property
    def marked_line(self) -> int | None:
        """1-based number of the marked line."""
        return self._marked

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.isReadOnly() and event.key() == Qt.Key.Key_Tab and not self.textCursor().hasSelection():
            column = self.textCursor().columnNumber()
            self.insertPlainText(" " * (_INDENT - column % _INDENT))
            return
        if not self.isReadOnly() and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            line = self.textCursor().block().text()[: self.textCursor().positionInBlock()]
            indent = len(line) - len(line.lstrip(" "))
            self.insertPlainText("\n" + " " * (indent + _INDENT if line.rstrip().endswith(":") else indent))
            return
        super().keyPressEvent(event)

    def mark(self, line: int | None) -> None:
        """Mark a line (from 1), or none, without moving there."""
        self._marked = line
        self._mark()

    def show_text(self, text: str, marked_line: int | None = None) -> None:
        """Show `text`; `marked_line` (from 1) is marked and scrolled to."""
        if text != self.toPlainText():
            self.setPlainText(text)
        self.mark(marked_line)
        if marked_line is not None:
            self.go_to(marked_line)

    def go_to(self, line: int) -> None:
        """Put the cursor into a line (from 1), in the middle of the view."""
        self.setTextCursor(QTextCursor(self.document().findBlockByNumber(line - 1)))
        self.centerCursor()

    def number_width(self) -> int:
        """Room for line numbers, in pixels."""
        digits = max(3, len(str(self.blockCount())))
        return self.fontMetrics().horizontalAdvance("9") * digits + 2 * SPACE_S

    def paint_numbers(self, event: QPaintEvent) -> None:
        """Paint the numbers of the visible lines."""
        painter = QPainter(self._numbers)
        painter.fillRect(event.rect(), self._theme.color("alternate"))
        painter.setPen(self._theme.color("muted"))
        painter.setFont(self.font())
        block = self.firstVisibleBlock()
        top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
        height = self.fontMetrics().height()
        while block.isValid() and top <= event.rect().bottom():
            place = QRect(0, round(top), self._numbers.width() - SPACE_S, height)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight, str(block.blockNumber() + 1))
            top += self.blockBoundingRect(block).height()
            block = block.next()
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        area = self.contentsRect()
        self._numbers.setGeometry(QRect(area.left(), area.top(), self.number_width(), area.height()))

    def _make_room(self) -> None:
        self.setViewportMargins(self.number_width(), 0, 0, 0)

    def _scroll_numbers(self, area: QRect, dy: int) -> None:
        if dy:
            self._numbers.scroll(0, dy)
        else:
            self._numbers.update(0, area.y(), self._numbers.width(), area.height())

    def _mark(self) -> None:
        if self._marked is None:
            self.setExtraSelections([])
            return
        selection = QTextEdit.ExtraSelection()
        style = QTextCharFormat()
        style.setBackground(QColor(self._theme.color("bad_soft")))
        style.setProperty(QTextFormat.Property.FullWidthSelection, True)
        selection.format = style
        selection.cursor = QTextCursor(self.document().findBlockByNumber(self._marked - 1))
        self.setExtraSelections([selection])


class _LineNumbers(QWidget):
    """The strip left of the text."""

    def __init__(self, view: PythonView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self) -> QSize:
        return QSize(self._view.number_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._view.paint_numbers(event)
