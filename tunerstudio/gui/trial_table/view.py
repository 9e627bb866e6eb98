"""The view of the trials table: one selection with the rest of the window, copying, a menu per row."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QPoint, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu, QTableView, QWidget

from tunerstudio.analysis.table import to_delimited
from tunerstudio.gui.theme import Theme
from tunerstudio.gui.trial_table.item_model import TrialsItemModel
from tunerstudio.gui.trial_table.looks import fit_columns, set_up_table
from tunerstudio.gui.trial_table.verbs import TrialVerb, trial_verbs
from tunerstudio.study.trials import Trial

_VERBS_DELAY_MS = 100
"""After a change of the trials; a live search changes them twenty times a second."""


class TrialsView(QTableView):
    """Trials as a table.

    Signals:
        numbers_selected: (list[int]) the user selected these trials, in order of selection.
        folder_requested: (int) open the folder of this trial.
        details_requested: (int) show message and details of this trial.
        verb_requested: (str, list[int]) do this (id of a `TrialVerb`) with these trials.
    """

    numbers_selected = Signal(list)
    folder_requested = Signal(int)
    details_requested = Signal(int)
    verb_requested = Signal(str, list)

    def __init__(self, theme: Theme, item_model: TrialsItemModel, parent: QWidget | None = None) -> None:
        """Show `item_model`."""
        super().__init__(parent)
        self._theme = theme
        self._item_model = item_model
        self._picked: list[int] = []
        self._fitted_rows = -1
        self.setModel(item_model)
        self.setAccessibleName(self.tr("Trials"))
        set_up_table(self)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)
        self._set_up_sorting()
        self._fit_soon = QTimer(self)
        self._fit_soon.setSingleShot(True)
        self._fit_soon.timeout.connect(self._fit_columns)
        self._update_verbs_soon = QTimer(self)
        self._update_verbs_soon.setSingleShot(True)
        self._update_verbs_soon.timeout.connect(self._update_verbs)
        self.selectionModel().selectionChanged.connect(self._selection_changed)
        item_model.modelReset.connect(self._model_was_reset)
        item_model.rowsInserted.connect(self._rows_arrived)
        item_model.layoutChanged.connect(self._rows_arrived)
        item_model.dataChanged.connect(self._rows_arrived)
        self._actions = self._make_actions()
        self.verb_actions = {verb.id: self._verb_action(verb) for verb in trial_verbs()}
        self.selectionModel().currentChanged.connect(self._update_verbs)
        self._update_verbs()

    def show_selection(self, numbers: list[int]) -> None:
        """Select exactly the trials `numbers`, without telling anyone."""
        self._picked = list(numbers)
        selection = QItemSelection()
        rows = [row for row in map(self._item_model.row_of, numbers) if row is not None]
        last_column = self._item_model.columnCount() - 1
        for row in rows:
            selection.select(self._item_model.index(row, 0), self._item_model.index(row, last_column))
        model = self.selectionModel()
        with QSignalBlocker(model):
            model.select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            if rows:
                where = self._item_model.index(rows[-1], 0)
                model.setCurrentIndex(where, QItemSelectionModel.SelectionFlag.NoUpdate)
        self._update_verbs()
        self.viewport().update()

    def reveal(self, number: int) -> None:
        """Scroll up or down until trial `number` is in sight."""
        row = self._item_model.row_of(number)
        if row is not None:
            sideways = self.horizontalScrollBar().value()
            self.scrollTo(self._item_model.index(row, 0))
            self.horizontalScrollBar().setValue(sideways)

    @property
    def picked(self) -> list[int]:
        """Numbers of the selected trials, in order of selection."""
        return list(self._picked)

    def selected_trials(self) -> list[Trial]:
        """The selected trials in the order shown."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self._item_model.trial(row) for row in rows]

    def copy_rows(self, delimiter: str) -> None:
        """Put the selected rows (all that are shown, if none is selected) on the clipboard."""
        trials = self.selected_trials() or self._item_model.shown
        names = [c.key.removeprefix("value:") for c in self._item_model.columns if c.key.startswith("value:")]
        QGuiApplication.clipboard().setText(to_delimited(trials, names, delimiter))

    def copy_values(self) -> None:
        """Put the values of the selected trials on the clipboard, one `name: value` per line."""
        blocks = ["\n".join(f"{name}: {value}" for name, value in t.values.items()) for t in self.selected_trials()]
        QGuiApplication.clipboard().setText("\n\n".join(blocks))

    # --- inside -----------------------------------------------------------------------------------------------------

    def _set_up_sorting(self) -> None:
        self.horizontalHeader().setSectionsMovable(True)
        # The model sorts only when a heading is clicked; at first the newest trial stands on top.
        self.horizontalHeader().setSortIndicator(1, Qt.SortOrder.DescendingOrder)
        self.setSortingEnabled(True)

    def _make_actions(self) -> list[QAction]:
        copy = self._action(self.tr("Copy rows"), lambda: self.copy_rows("\t"), QKeySequence.StandardKey.Copy)
        return [
            copy,
            self._action(self.tr("Copy rows as CSV"), lambda: self.copy_rows(",")),
            self._action(self.tr("Copy values"), self.copy_values, QKeySequence("Ctrl+Shift+C")),
            self._action(self.tr("Open folder"), lambda: self._of_current(self.folder_requested.emit)),
            self._action(
                self.tr("Message and details…"),
                lambda: self._of_current(self.details_requested.emit),
                QKeySequence("Alt+Return"),
            ),
        ]

    def _action(
        self, text: str, do: Callable[[], None], keys: QKeySequence | QKeySequence.StandardKey | None = None
    ) -> QAction:
        action = QAction(text, self)
        action.triggered.connect(do)
        if keys is not None:
            action.setShortcut(keys)
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.addAction(action)
        return action

    def _verb_action(self, verb: TrialVerb) -> QAction:
        action = self._action(verb.text, lambda: self._request_verb(verb), QKeySequence(verb.keys))
        action.setIcon(self._theme.icon(verb.icon))
        action.setToolTip(verb.tip)
        action.setStatusTip(verb.tip)
        return action

    def _chosen(self) -> list[Trial]:
        """The selected trials, or else the one that the keyboard is on."""
        index = self.currentIndex()
        current = [self._item_model.trial(index.row())] if index.isValid() else []
        return self.selected_trials() or current

    def _request_verb(self, verb: TrialVerb) -> None:
        chosen = self._chosen() if verb.command is not None else self._chosen()[-1:]
        numbers = [trial.number for trial in chosen if verb.applies(trial)]
        if numbers:
            self.verb_requested.emit(verb.id, numbers)

    def _update_verbs(self, *_: object) -> None:
        """Enable what applies to at least one of the chosen trials."""
        chosen = self._chosen()
        for verb in trial_verbs():
            action = self.verb_actions[verb.id]
            action.setEnabled(any(verb.applies(trial) for trial in chosen))

    def _of_current(self, emit: Callable[[int], None]) -> None:
        index = self.currentIndex()
        if index.isValid():
            emit(self._item_model.trial(index.row()).number)

    def _show_menu(self, where: QPoint) -> None:
        menu = self.build_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.viewport().mapToGlobal(where))

    def build_menu(self) -> QMenu:
        """The menu of the selected rows."""
        menu = QMenu(self)
        copy, csv, values, folder, details = self._actions
        self._update_verbs()
        menu.setToolTipsVisible(True)
        menu.addActions(list(self.verb_actions.values()))
        menu.addSeparator()
        menu.addActions([copy, csv, values])
        menu.addSeparator()
        menu.addActions([folder, details])
        index = self.currentIndex()
        has_trial = index.isValid()
        for action in (values, folder, details):
            action.setEnabled(has_trial)
        return menu

    def _selection_changed(self) -> None:
        selected = {self._item_model.trial(index.row()).number for index in self.selectionModel().selectedRows()}
        before = set(self._picked)
        kept = [number for number in self._picked if number in selected]
        new = [trial.number for trial in self.selected_trials() if trial.number not in before]
        self._picked = [*kept, *new]
        self._update_verbs()
        self.numbers_selected.emit(self._picked)

    def _model_was_reset(self) -> None:
        self._fitted_rows = -1
        self.show_selection(self._picked)
        self._rows_arrived()

    def _rows_arrived(self, *_: object) -> None:
        """Fit the columns again while the table is young; later the widths stay where the user has them."""
        if not self._update_verbs_soon.isActive():
            self._update_verbs_soon.start(_VERBS_DELAY_MS)
        rows = self._item_model.rowCount()
        if self._fitted_rows < 5 and rows:
            self._fit_soon.start(0)

    def _fit_columns(self) -> None:
        self._fitted_rows = self._item_model.rowCount()
        fit_columns(self)
