"""The saved models of the study: what they are worth, and where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from tunerstudio.gui.formats import format_score
from tunerstudio.gui.theme import SPACE_S, SPACE_XS, Theme
from tunerstudio.gui.trial_table.looks import set_up_table
from tunerstudio.gui.widgets.basics import link_button, muted_label
from tunerstudio.registry.saved import MODELS_FOLDER, SavedModel, list_saved

_SETTLE_MS = 150
"""Pause after a change on disk before it is read: saving renames and removes several things in a row."""


class SavedModels(QObject):
    """Knows the saved models of a study folder and notices when they change.

    Signals:
        changed: () `models` is another list now.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        """No study yet."""
        super().__init__(parent)
        self._folder: Path | None = None
        self.models: list[SavedModel] = []
        self._watcher = QFileSystemWatcher(self)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.read)
        self._watcher.directoryChanged.connect(lambda _: self._settle.start())

    def set_folder(self, folder: Path | None) -> None:
        """Look into the study in `folder`."""
        if self._watcher.directories():
            self._watcher.removePaths(self._watcher.directories())
        self._settle.stop()
        self._folder = folder
        self.read()

    def read(self) -> None:
        """Read the folder again."""
        found = [] if self._folder is None else list_saved(self._folder)
        self._watch()
        if found != self.models:
            self.models = found
            self.changed.emit()

    def of_trial(self, number: int) -> SavedModel | None:
        """The saved model of trial `number`."""
        return next((model for model in self.models if model.card is not None and model.card.trial == number), None)

    def numbers(self) -> set[int]:
        """Trials that have a saved model."""
        return {model.card.trial for model in self.models if model.card is not None}

    def _watch(self) -> None:
        if self._folder is None:
            return
        wanted = [path for path in (self._folder, self._folder / MODELS_FOLDER) if path.is_dir()]
        new = [str(path) for path in wanted if str(path) not in self._watcher.directories()]
        if new:
            self._watcher.addPaths(new)


class SavedPanel(QFrame):
    """The saved models as a short table.

    Signals:
        open_requested: (str) open this file or folder with the desktop's own program.
        trial_clicked: (int) show this trial.
    """

    open_requested = Signal(str)
    trial_clicked = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """No models."""
        super().__init__(parent)
        self._theme = theme
        self._models: Sequence[SavedModel] = ()
        self.setProperty("look", "card")
        title = QLabel(self.tr("Saved models"), self)
        title.setFont(theme.bold_font())
        self.table = QTableWidget(0, 5, self)
        set_up_table(self.table)
        self.table.setFrameShape(QFrame.Shape.NoFrame)
        self.table.setAccessibleName(self.tr("Saved models"))
        self.table.setFont(theme.number_font())
        headings = (self.tr("Trial"), self.tr("Score"), self.tr("Test"), self.tr("Checked"), self.tr("File"))
        for column, text in enumerate(headings):
            self.table.setHorizontalHeaderItem(column, _aligned(text, column))
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.itemSelectionChanged.connect(self._selection_changed)
        self.table.doubleClicked.connect(lambda _: self._open_card())
        self.empty = muted_label(self.tr("None yet. Save the best trials with the button above."))
        self.open_card_button = link_button(self.tr("Open card"), self._open_card)
        self.open_folder_button = link_button(self.tr("Open folder"), self._open_folder)
        head = QHBoxLayout()
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self.open_card_button)
        head.addWidget(self.open_folder_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_S, SPACE_XS, SPACE_S, SPACE_S)
        layout.setSpacing(SPACE_XS)
        layout.addLayout(head)
        layout.addWidget(self.empty)
        layout.addWidget(self.table, 1)
        self.set_models(())

    def set_models(self, models: Sequence[SavedModel]) -> None:
        """Show these models."""
        self._models = models
        self.table.setRowCount(len(models))
        for row, model in enumerate(models):
            self._fill(row, model)
        self.table.setVisible(bool(models))
        self.empty.setVisible(not models)
        self._update_buttons()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _fill(self, row: int, model: SavedModel) -> None:
        card = model.card
        if card is None:
            cells = ["–", "–", "–", "–", model.problem]
        else:
            metric = card.objective.name.removeprefix("val_")
            checked = self.tr("yes") if card.verified else self.tr("no")
            spread = format_score(card.score, card.standard_error, len(card.executions))
            place = model.problem or f"{model.folder.name}/{card.file}"
            cells = [str(card.trial), spread, format_score(card.test.get(metric)), checked, place]
        for column, text in enumerate(cells):
            item = _aligned(text, column)
            if model.problem:
                item.setForeground(QColor(self._theme.color("bad")))
                item.setToolTip(model.problem)
            self.table.setItem(row, column, item)

    def _selected(self) -> SavedModel | None:
        rows = self.table.selectionModel().selectedRows()
        if rows:
            return self._models[rows[0].row()]
        return self._models[0] if len(self._models) == 1 else None

    def _selection_changed(self) -> None:
        self._update_buttons()
        model = self._selected()
        if model is not None and model.card is not None:
            self.trial_clicked.emit(model.card.trial)

    def _update_buttons(self) -> None:
        model = self._selected()
        self.open_card_button.setEnabled(model is not None and model.page is not None)
        self.open_folder_button.setEnabled(bool(self._models))

    def _open_card(self) -> None:
        model = self._selected()
        if model is not None and model.page is not None:
            self.open_requested.emit(str(model.page))

    def _open_folder(self) -> None:
        model = self._selected()
        if model is not None:
            self.open_requested.emit(str(model.folder))
        elif self._models:
            self.open_requested.emit(str(self._models[0].folder.parent))


def _aligned(text: str, column: int) -> QTableWidgetItem:
    """The first three columns hold numbers."""
    item = QTableWidgetItem(text)
    side = Qt.AlignmentFlag.AlignRight if column < 3 else Qt.AlignmentFlag.AlignLeft
    item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
    return item
