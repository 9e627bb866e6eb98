"""A small read-only table of facts: names and values, with headings if there are several columns."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from tunerstudio.gui.theme import Theme
from tunerstudio.gui.trial_table.looks import set_up_table


class FactsTable(QTableWidget):
    """Rows of text; all columns but the first are right-aligned."""

    def __init__(self, theme: Theme, name: str, headings: Sequence[str], parent: QWidget | None = None) -> None:
        """An empty table.

        Args:
            theme: For the font.
            name: For screen readers.
            headings: One for each column.
            parent: Owner.
        """
        super().__init__(0, len(headings), parent)
        set_up_table(self)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setAccessibleName(name)
        self.setFont(theme.number_font())
        self.setHorizontalHeaderLabels(list(headings))
        header = self.horizontalHeader()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column, text in enumerate(headings[1:], start=1):
            item = QTableWidgetItem(text)
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.setHorizontalHeaderItem(column, item)

    def set_rows(self, rows: Sequence[Sequence[str]]) -> None:
        """Show these rows and no others."""
        self.setRowCount(len(rows))
        for row, cells in enumerate(rows):
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
                item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
                self.setItem(row, column, item)
