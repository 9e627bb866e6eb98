"""The best trials as rows, in the order of the chosen rule."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont

from tunerstudio.gui.formats import format_count, format_number
from tunerstudio.gui.theme import Theme
from tunerstudio.gui.trial_table.columns import score_text
from tunerstudio.registry.ranking import Ranking
from tunerstudio.study.trials import Trial

MOST_ROWS = 100
"""Ranks that are shown; nobody picks a model from further down."""

_Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class _Column:
    title: str
    text: Callable[[int, Trial], str]
    help: str = ""
    is_number: bool = True


class RankingItemModel(QAbstractTableModel):
    """Rank, trial, score with spread, size, epochs, whether it is saved, and the values."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        """An empty ranking."""
        super().__init__(parent)
        self._theme = theme
        self._ranking = Ranking((), frozenset(), None, 0)
        self._saved: frozenset[int] = frozenset()
        self._names: tuple[str, ...] = ()
        self._columns: list[_Column] = self._make_columns(())
        self._number_font: QFont | None = None

    def set_ranking(self, ranking: Ranking, names: Sequence[str], saved: Collection[int]) -> None:
        """Show `ranking`.

        Args:
            ranking: Trials in order.
            names: Hyperparameters, one column each.
            saved: Numbers of the trials that have a saved model.
        """
        same_rows = [t.number for t in ranking.trials[:MOST_ROWS]] == [t.number for t in self.trials]
        if same_rows and tuple(names) == self._names:
            self._ranking, self._saved = ranking, frozenset(saved)
            if self.trials:
                last = self.index(self.rowCount() - 1, self.columnCount() - 1)
                self.dataChanged.emit(self.index(0, 0), last)
            return
        self.beginResetModel()
        self._ranking, self._saved = ranking, frozenset(saved)
        self._names = tuple(names)
        self._columns = self._make_columns(self._names)
        self.endResetModel()

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The trials shown, in order."""
        return self._ranking.trials[:MOST_ROWS]

    def row_of(self, number: int) -> int | None:
        """The row of trial `number`; None if it is not shown."""
        return next((row for row, trial in enumerate(self.trials) if trial.number == number), None)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default, immutable
        return 0 if parent.isValid() else len(self.trials)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default, immutable
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.trials):
            return None
        trial, column = self.trials[index.row()], self._columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(index.row() + 1, trial)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(column)
        if role == Qt.ItemDataRole.FontRole:
            return self._font(trial)
        if role == Qt.ItemDataRole.ToolTipRole and trial.number in self._ranking.as_good:
            return self.tr("As good as the best: the difference is within one standard error")
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self._columns):
            return None
        column = self._columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.help or column.title
        return self._alignment(column) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def _alignment(self, column: _Column) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
        return side | Qt.AlignmentFlag.AlignVCenter

    def _font(self, trial: Trial) -> QFont:
        """Those as good as the best stand out."""
        if self._number_font is None:
            self._number_font = self._theme.number_font()
        font = QFont(self._number_font)
        if trial.number in self._ranking.as_good:
            font.setWeight(QFont.Weight.DemiBold)
        return font

    def _make_columns(self, names: Sequence[str]) -> list[_Column]:
        fixed = [
            _Column(self.tr("Rank"), lambda rank, _: str(rank)),
            _Column(self.tr("Trial"), lambda _, t: str(t.number)),
            _Column(
                self.tr("Score"),
                lambda _, t: score_text(t),
                self.tr("Mean ± standard error (executions); bold: as good as the best"),
            ),
            _Column(self.tr("Parameters"), lambda _, t: "–" if t.parameters is None else format_count(t.parameters)),
            _Column(self.tr("Epochs"), lambda _, t: str(t.epochs), self.tr("Trained, over all executions")),
            _Column(
                self.tr("Saved"), lambda _, t: self.tr("saved") if t.number in self._saved else "", is_number=False
            ),
        ]
        return [*fixed, *(self._value_column(name) for name in names)]

    def _value_column(self, name: str) -> _Column:
        found = [t.values[name] for t in self._ranking.trials if name in t.values]
        is_number = not any(isinstance(value, str | bool) for value in found)
        return _Column(
            name, lambda _, t: format_number(t.values[name]) if name in t.values else "", is_number=is_number
        )
