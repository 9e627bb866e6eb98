"""Find anything: one field that finds every command, page, recent study and example by a few letters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QIcon, QKeyEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_S

_WIDTH = 560
_MOST_SHOWN = 12


@dataclass(frozen=True)
class Entry:
    """One thing that can be found.

    Attributes:
        text: What it is called.
        detail: Its group and shortcut.
        icon: May be null.
        action: What happens when it is chosen.
    """

    text: str
    detail: str
    icon: QIcon
    action: Callable[[], object]


def rank(query: str, entry: Entry) -> int | None:
    """How well `entry` fits: 0 the name starts with it, 1 a word does, 2 it occurs, 3 its words occur; None: not."""
    wanted, text = query.casefold().strip(), entry.text.casefold()
    whole = f"{text} {entry.detail.casefold()}"
    if text.startswith(wanted):
        return 0
    if any(word.startswith(wanted) for word in text.split()):
        return 1
    if wanted in whole:
        return 2
    return 3 if all(word in whole for word in wanted.split()) else None


class CommandPalette(QDialog):
    """The field and its hits; Enter or a click does the chosen one and closes."""

    def __init__(self, entries: list[Entry], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._entries = entries
        self.setProperty("look", "card")
        self.setFixedWidth(_WIDTH)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_S, SPACE_S, SPACE_S, SPACE_S)
        self._field = QLineEdit()
        self._field.setPlaceholderText(self.tr("Find anything: a command, a page, a study…"))
        self._field.setAccessibleName(self.tr("Find anything"))
        self._field.setMinimumHeight(MINIMUM_TARGET + SPACE_S)
        self._field.textChanged.connect(self._filter)
        self._field.installEventFilter(self)
        self._list = QListWidget()
        self._list.setIconSize(QSize(18, 18))
        self._list.setAccessibleName(self.tr("Hits"))
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.itemClicked.connect(lambda item: self._choose())
        layout.addWidget(self._field)
        layout.addWidget(self._list)
        self._shown: list[Entry] = []
        self._filter("")
        self._field.setFocus()

    @property
    def shown(self) -> list[str]:
        """Texts of the hits, best first."""
        return [entry.text for entry in self._shown]

    def set_query(self, text: str) -> None:
        """As if typed."""
        self._field.setText(text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in {Qt.Key.Key_Down, Qt.Key.Key_Up} and self._shown:
                step = 1 if event.key() == Qt.Key.Key_Down else -1
                self._list.setCurrentRow((self._list.currentRow() + step) % len(self._shown))
                return True
            if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
                self._choose()
                return True
        return super().eventFilter(watched, event)

    def _filter(self, query: str) -> None:
        ranked = [(place, entry) for entry in self._entries if (place := rank(query, entry)) is not None]
        self._shown = [entry for place, entry in sorted(ranked, key=lambda pair: pair[0])]
        self._list.clear()
        for entry in self._shown:
            item = QListWidgetItem(entry.icon, f"{entry.text}    {entry.detail}" if entry.detail else entry.text)
            item.setSizeHint(QSize(0, MINIMUM_TARGET))
            self._list.addItem(item)
        if self._shown:
            self._list.setCurrentRow(0)
        rows = min(max(len(self._shown), 1), _MOST_SHOWN)
        self._list.setFixedHeight(rows * MINIMUM_TARGET + SPACE_S)
        self.adjustSize()

    def _choose(self) -> None:
        row = self._list.currentRow()
        if 0 <= row < len(self._shown):
            entry = self._shown[row]
            self.close()
            entry.action()
