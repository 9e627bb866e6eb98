"""How all tables of the window look and behave."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_S

_WIDEST = 260
"""Widest column when fitted to its contents, in logical pixels; the last column takes what is left."""


def set_up_table(view: QTableView) -> None:
    """Rows as a whole, no grid, quiet headings, room around the text."""
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setAlternatingRowColors(True)
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setTabKeyNavigation(False)
    view.setCornerButtonEnabled(False)
    view.setStyleSheet(
        f"QHeaderView::section {{ padding: 0px {SPACE_S}px; }} QTableView::item {{ padding: 0px {SPACE_S}px; }}"
        # Above the text: beside it the arrow would cover a heading that is aligned to the right.
        "QHeaderView::up-arrow, QHeaderView::down-arrow"
        " { subcontrol-position: top center; width: 10px; height: 6px; }"
    )
    view.verticalHeader().hide()
    view.verticalHeader().setDefaultSectionSize(MINIMUM_TARGET)
    view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    header = view.horizontalHeader()
    header.setHighlightSections(False)
    header.setStretchLastSection(True)
    header.setMinimumHeight(MINIMUM_TARGET)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setResizeContentsPrecision(0)


def fit_columns(view: QTableView) -> None:
    """Give each column the width of what is in sight; the last one takes the rest."""
    header = view.horizontalHeader()
    for section in range(view.model().columnCount() - 1):
        wanted = max(view.sizeHintForColumn(section), header.sectionSizeHint(section))
        view.setColumnWidth(section, min(wanted + SPACE_S, _WIDEST))
