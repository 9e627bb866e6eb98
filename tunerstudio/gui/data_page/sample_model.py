"""The first rows of the data as a table."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from tunerstudio.gui.theme import Theme
from tunerstudio.protocol.preview import ColumnProfile, Preview
from tunerstudio.study.data import Column

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


class SampleItemModel(QAbstractTableModel):
    """Rows of a preview; columns with their profile and their place in the document."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._profiles: tuple[ColumnProfile, ...] = ()
        self._columns: dict[str, Column] = {}
        self._rows: tuple[tuple[str, ...], ...] = ()
        self._missing: frozenset[str] = frozenset()
        self._font = theme.number_font()

    def set_preview(self, preview: Preview | None, columns: tuple[Column, ...]) -> None:
        """Show `preview`; `columns` are the document's, which may be newer."""
        self.beginResetModel()
        self._profiles = () if preview is None else preview.columns
        self._rows = () if preview is None else preview.sample
        markers = () if preview is None else preview.data.format.missing or ()
        self._missing = frozenset({*markers, "", "NaN", "nan"})
        self._columns = {column.name: column for column in columns}
        self.endResetModel()

    def set_columns(self, columns: tuple[Column, ...]) -> None:
        """Show other roles and kinds at once, before the data service has looked again."""
        self._columns = {column.name: column for column in columns}
        if self._profiles:
            last = len(self._profiles) - 1
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, last)
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, last))

    def profile(self, section: int) -> ColumnProfile:
        """The profile of a column by its place."""
        return self._profiles[section]

    def column(self, section: int) -> Column:
        """Role and kind of a column by its place."""
        profile = self._profiles[section]
        return self._columns.get(profile.name, Column(name=profile.name, role=profile.role, kind=profile.kind))

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._profiles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return self._profiles[section].name if orientation == Qt.Orientation.Horizontal else str(section + 1)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        text = self._rows[index.row()][index.column()]
        column = self.column(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return text or "–"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if column.kind == "numeric" else _LEFT
        if role == Qt.ItemDataRole.ForegroundRole and (column.role == "ignore" or text in self._missing):
            return self._theme.color("muted")
        if role == Qt.ItemDataRole.FontRole:
            return self._font
        return None
