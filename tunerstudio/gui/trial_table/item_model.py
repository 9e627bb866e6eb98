"""The item model of the trials table: takes batches, sorts and filters by itself.

A QSortFilterProxyModel asks Python for every comparison: sorting 10 000 rows would stop the window for half a second.
Here one list of trial numbers is sorted by key, which takes some milliseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont

from tunerstudio.analysis.filters import TrialFilter
from tunerstudio.gui.theme import Theme
from tunerstudio.gui.trial_table.columns import SortKey, TrialColumn, is_interrupted, message_text, trial_columns
from tunerstudio.study.trials import Trial, TrialState

NUMBER_ROLE = Qt.ItemDataRole.UserRole + 1
"""Role that gives the number of a row's trial."""

_Index = QModelIndex | QPersistentModelIndex

_FEW = 8
"""Rows up to which single insertions cost less than one new layout."""


class TrialsItemModel(QAbstractTableModel):
    """Trials as rows, hyperparameter values as columns. Newest first until a heading is clicked."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        """An empty table; see `reset`."""
        super().__init__(parent)
        self._theme = theme
        self._trials: dict[int, Trial] = {}
        self._progress: dict[int, tuple[str, str]] = {}
        self._columns: list[TrialColumn] = []
        self._order: list[int] = []
        self._rows: dict[int, int] = {}
        self._filter = TrialFilter()
        self._sort_column = 1
        self._descending = True
        self._number_font: QFont | None = None
        theme.theme_changed.connect(self._repaint)
        self.set_value_names([], "")

    def reset(self, trials: Iterable[Trial]) -> None:
        """Show these trials and no others."""
        self.beginResetModel()
        self._trials = {trial.number: trial for trial in trials}
        self._progress = {}
        self._set_order(self._sorted(self._trials))
        self.endResetModel()

    def set_value_names(
        self, names: Sequence[str], objective: str, texts: Collection[str] = (), also: Sequence[str] = ()
    ) -> None:
        """Have one column for each hyperparameter in `names` (those in `texts` hold words) and further objective."""
        self.beginResetModel()
        key = self._columns[self._sort_column].key if self._columns else "number"
        self._columns = trial_columns(names, texts, lambda state: self._theme.state(state).word, objective, also)
        keys = [column.key for column in self._columns]
        self._sort_column = keys.index(key) if key in keys else keys.index("number")
        self._set_order(self._sorted(self._trials))
        self.endResetModel()

    def update_trials(self, trials: Sequence[Trial]) -> None:
        """Take in new and changed trials."""
        for trial in trials:
            self._trials[trial.number] = trial
            if trial.state is not TrialState.RUNNING:
                self._progress.pop(trial.number, None)
        if len(trials) > _FEW:
            self._lay_out()
            return
        for trial in trials:
            self._place(trial)

    def set_progress(self, number: int, epochs: str, score: str) -> None:
        """What the cells of a running trial say, such as `7/15` and `0.95…`."""
        if self._progress.get(number) == (epochs, score):
            return
        self._progress[number] = (epochs, score)
        self._row_changed(number)

    def set_filter(self, wanted: TrialFilter) -> None:
        """Show only the trials that pass."""
        if wanted != self._filter:
            self._filter = wanted
            self._lay_out()

    def trial(self, row: int) -> Trial:
        """The trial in `row`."""
        return self._trials[self._order[row]]

    def row_of(self, number: int) -> int | None:
        """The row of trial `number`; None if it is not shown."""
        return self._rows.get(number)

    @property
    def shown(self) -> list[Trial]:
        """The trials that pass the filter, in the order shown."""
        return [self._trials[number] for number in self._order]

    @property
    def total(self) -> int:
        """Number of trials, those that the filter hides included."""
        return len(self._trials)

    @property
    def columns(self) -> list[TrialColumn]:
        """The columns, in order."""
        return list(self._columns)

    # --- Qt ---------------------------------------------------------------------------------------------------------

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default, immutable
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default, immutable
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._order):
            return None
        trial = self._trials[self._order[index.row()]]
        column = self._columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(trial, column)
        if role == NUMBER_ROLE:
            return trial.number
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.FontRole and column.is_number:
            return self._figures()
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tool_tip(trial, column)
        return self._state_look(trial, role) if column.key == "state" else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self._columns):
            return None
        column = self._columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.help or column.title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        descending = order == Qt.SortOrder.DescendingOrder
        if not 0 <= column < len(self._columns):
            return
        if (column, descending) != (self._sort_column, self._descending):
            self._sort_column, self._descending = column, descending
            self._lay_out()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _text(self, trial: Trial, column: TrialColumn) -> str:
        live = self._progress.get(trial.number)
        if live is not None and column.key in ("epochs", "score"):
            return live[0] if column.key == "epochs" else live[1]
        return column.text(trial)

    def _tool_tip(self, trial: Trial, column: TrialColumn) -> str | None:
        if column.key in ("state", "message", "score") and message_text(trial):
            return message_text(trial)
        if column.key == "state" and is_interrupted(trial):
            return self.tr("Resume trains it again; completed executions are kept.")
        if column.key in ("number", "why") and trial.reason:
            return trial.reason
        return None

    def _state_look(self, trial: Trial, role: int) -> Any:
        if role == Qt.ItemDataRole.DecorationRole:
            return self._theme.state_icon(trial.state)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._theme.state(trial.state).color
        return None

    def _figures(self) -> QFont:
        if self._number_font is None:
            self._number_font = self._theme.number_font()
        return self._number_font

    def _key(self, number: int) -> tuple[bool, SortKey, int]:
        """Order of a trial: those without a key last in either direction, then newer first."""
        found = self._columns[self._sort_column].sort_key(self._trials[number])
        return (found is not None, found or (0, 0.0), number)

    def _sorted(self, numbers: Iterable[int]) -> list[int]:
        wanted = [n for n in numbers if self._filter.is_empty or self._filter.matches(self._trials[n])]
        if self._descending:
            return sorted(wanted, key=self._key, reverse=True)
        with_key: list[int] = []
        without: list[int] = []
        for number in wanted:
            (with_key if self._key(number)[0] else without).append(number)
        return [*sorted(with_key, key=self._key), *sorted(without)]

    def _set_order(self, order: list[int]) -> None:
        self._order = order
        self._rows = {number: row for row, number in enumerate(order)}

    def _lay_out(self) -> None:
        """Filter and sort everything anew; the view keeps its selection."""
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        numbers = [self._order[index.row()] for index in before]
        self._set_order(self._sorted(self._trials))
        after = []
        for index, number in zip(before, numbers, strict=True):
            row = self._rows.get(number)
            after.append(QModelIndex() if row is None else self.index(row, index.column()))
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _place(self, trial: Trial) -> None:
        """Insert, remove or repaint one row; a row whose place changed gives a new layout."""
        number = trial.number
        row = self._rows.get(number)
        passes = self._filter.is_empty or self._filter.matches(trial)
        if row is None and passes:
            self._insert(number)
        elif row is not None and (not passes or not self._is_in_place(row)):
            self._lay_out()
        elif row is not None:
            self._row_changed(number)

    def _insert(self, number: int) -> None:
        row = self._row_for(number)
        self.beginInsertRows(QModelIndex(), row, row)
        self._order.insert(row, number)
        for place in range(row, len(self._order)):
            self._rows[self._order[place]] = place
        self.endInsertRows()

    def _row_for(self, number: int) -> int:
        """Where a trial that is not shown yet belongs, by halving."""
        low, high = 0, len(self._order)
        while low < high:
            middle = (low + high) // 2
            if self._precedes(self._order[middle], number):
                low = middle + 1
            else:
                high = middle
        return low

    def _precedes(self, left: int, right: int) -> bool:
        """Whether `left` stands above `right`; the same order as `_sorted` gives."""
        (has_left, key_left, _), (has_right, key_right, _) = self._key(left), self._key(right)
        if has_left != has_right:
            return has_left
        first, second = (key_left, left), (key_right, right)
        return first > second if self._descending else first < second

    def _is_in_place(self, row: int) -> bool:
        here = self._order[row]
        above_fits = row == 0 or self._precedes(self._order[row - 1], here)
        return above_fits and (row + 1 == len(self._order) or self._precedes(here, self._order[row + 1]))

    def _row_changed(self, number: int) -> None:
        row = self._rows.get(number)
        if row is not None:
            self.dataChanged.emit(self.index(row, 0), self.index(row, len(self._columns) - 1))

    def _repaint(self) -> None:
        if self._order:
            last = self.index(len(self._order) - 1, len(self._columns) - 1)
            self.dataChanged.emit(self.index(0, 0), last)
