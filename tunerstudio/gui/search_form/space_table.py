"""The search space as a table: all that Keras Tuner's `search_space_summary` prints."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QTableView, QWidget

from tunerstudio.gui.model_editor.parsing import list_text, value_text
from tunerstudio.gui.theme import Theme
from tunerstudio.gui.trial_table.looks import set_up_table
from tunerstudio.study.hyperparameters import Boolean, Choice, Condition, Fixed, Float, Int, SearchSpace

_Index = QModelIndex | QPersistentModelIndex
_RIGHT = ("default", "min", "max", "step")
_KEYS = ("name", "type", "default", "min", "max", "step", "sampling", "only_if")
_SPAN = (_KEYS.index("min"), _KEYS.index("only_if") - _KEYS.index("min"))
"""First column and number of columns over which the values of a list are written."""


class SpaceItemModel(QAbstractTableModel):
    """One row for each hyperparameter, parents before children."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """An empty table."""
        super().__init__(parent)
        self._theme = theme
        self._rows: list[dict[str, str]] = []
        self._titles = {
            "name": self.tr("name"),
            "type": self.tr("type"),
            "default": self.tr("default"),
            "min": self.tr("min"),
            "max": self.tr("max"),
            "step": self.tr("step"),
            "sampling": self.tr("sampling"),
            "only_if": self.tr("only if"),
        }

    def show_space(self, space: SearchSpace | None) -> None:
        """List the hyperparameters of `space`."""
        self.beginResetModel()
        self._rows = [row_of(hyperparameter) for hyperparameter in space.hyperparameters] if space is not None else []
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own signature
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(_KEYS)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        key = _KEYS[index.column()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self._rows[index.row()][key]
        if role == Qt.ItemDataRole.TextAlignmentRole and key in _RIGHT and not self.is_list(index.row(), key):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.FontRole and key in _RIGHT:
            return self._theme.number_font()
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        key = _KEYS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._titles[key]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if key in _RIGHT else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def is_list(self, row: int, key: str = "min") -> bool:
        """Whether the cell `key` of `row` begins a list of values rather than a range."""
        return key == "min" and not self._rows[row]["sampling"]


class SpaceTable(QTableView):
    """The table; a list of values runs over the columns of a range."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """An empty table."""
        super().__init__(parent)
        self.rows = SpaceItemModel(theme, self)
        self.setModel(self.rows)
        self.setAccessibleName(self.tr("search space"))
        set_up_table(self)

    def show_space(self, space: SearchSpace | None) -> None:
        """List the hyperparameters of `space`."""
        self.rows.show_space(space)
        self.clearSpans()
        for row in range(self.rows.rowCount()):
            if self.rows.is_list(row):
                self.setSpan(row, _SPAN[0], 1, _SPAN[1])
        only_if = _KEYS.index("only_if")
        texts = [self.rows.data(self.rows.index(row, only_if)) for row in range(self.rows.rowCount())]
        self.setColumnHidden(only_if, not any(texts))
        self.horizontalHeader().setStretchLastSection(False)
        self.resizeColumnsToContents()
        self.horizontalHeader().setStretchLastSection(True)


def row_of(hyperparameter: Int | Float | Choice | Boolean | Fixed) -> dict[str, str]:
    """The texts of one row by column; empty where the kind has no such thing."""
    row = dict.fromkeys(_KEYS, "")
    row["name"] = hyperparameter.name
    row["type"] = type(hyperparameter).__name__
    row["default"] = value_text(hyperparameter.default_value())
    row["only_if"] = "; ".join(_condition(condition) for condition in hyperparameter.conditions)
    if isinstance(hyperparameter, Int | Float):
        row["min"], row["max"] = value_text(hyperparameter.min), value_text(hyperparameter.max)
        row["sampling"] = hyperparameter.sampling
        step = hyperparameter.step
        sign = "× " if hyperparameter.sampling == "log" and step is not None else ""
        row["step"] = "" if step is None else sign + value_text(step)
    else:
        row["min"] = list_text(list(hyperparameter.values()))
    return row


def _condition(condition: Condition) -> str:
    values = list(condition.values)
    numbers = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    if len(numbers) == len(values) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"{condition.parent} = {numbers[0]} … {numbers[-1]}"
    return f"{condition.parent} = {' | '.join(value_text(value) for value in values)}"
