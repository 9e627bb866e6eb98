"""From the table of commands to menus and shortcuts."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QToolButton

from tunerstudio.gui.actions import ActionSpec, action_table, menu_titles
from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.theme import Mode, Theme


class Menus:
    """The window's menus; keeps the actions by id.

    Attributes:
        actions: Every action.
        specs: The table they were made from.
    """

    def __init__(self, window: QMainWindow, theme: Theme, do: Callable[[str], object]) -> None:
        """Fill the menu bar of `window`; a triggered action calls `do` with its id."""
        self.specs = action_table()
        self.actions: dict[str, QAction] = {}
        menus = {name: window.menuBar().addMenu(title) for name, title in menu_titles().items()}
        for spec in self.specs:
            if spec.separated:
                menus[spec.menu].addSeparator()
            action = self._make(window, theme, spec, do)
            self.actions[spec.id] = action
            menus[spec.menu].addAction(action)
        window.menuBar().setCornerWidget(self._find_button(window, theme, do))
        looks = QActionGroup(window)
        for mode in ("system", "light", "dark"):
            action = self.actions[f"look:{mode}"]
            action.setCheckable(True)
            looks.addAction(action)

    def update(self, study: StudyContext | None, mode: Mode) -> None:
        """Enable what can be done with `study` now."""
        state = "" if study is None else study.search_state
        possible = {
            "nothing": True,
            "study": study is not None,
            "idle": state == "idle",
            "search": state not in {"", "idle"},
            "running": state == "running",
            "paused": state in {"pausing", "paused"},
        }
        for spec in self.specs:
            self.actions[spec.id].setEnabled(possible[spec.needs])
        self.actions[f"look:{mode}"].setChecked(True)
        if study is not None:
            stack = study.undo_stack
            self._name(self.actions["undo"], "undo", stack.canUndo(), stack.undoText())
            self._name(self.actions["redo"], "redo", stack.canRedo(), stack.redoText())

    def _name(self, action: QAction, spec_id: str, possible: bool, what: str) -> None:
        text = next(spec.text for spec in self.specs if spec.id == spec_id)
        action.setEnabled(possible)
        action.setText(f"{text}: {what}" if possible and what else text)

    def _find_button(self, window: QMainWindow, theme: Theme, do: Callable[[str], object]) -> QToolButton:
        """The field-like button on the right of the menu bar."""
        button = QToolButton(window)
        button.setText(QCoreApplication.translate("Actions", "Find anything   Ctrl+K"))
        button.setIcon(theme.icon("ph.magnifying-glass", "muted"))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setProperty("look", "find")
        button.clicked.connect(lambda: do("palette"))
        return button

    def _make(self, window: QMainWindow, theme: Theme, spec: ActionSpec, do: Callable[[str], object]) -> QAction:
        action = QAction(spec.text, window)
        if spec.shortcut:
            action.setShortcut(QKeySequence(spec.shortcut))
        if spec.icon:
            action.setIcon(theme.icon(spec.icon))
        if spec.tip:
            action.setToolTip(spec.tip)
            action.setStatusTip(spec.tip)
        action.triggered.connect(lambda: do(spec.id))
        return action
