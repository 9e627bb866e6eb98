"""The data as a table with its painted header and the menu that changes a column."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableView, QWidget

from tunerstudio.gui.data_page.column_header import ColumnHeader
from tunerstudio.gui.data_page.sample_model import SampleItemModel
from tunerstudio.gui.data_page.words import kind_sentences, role_sentences
from tunerstudio.gui.theme import MINIMUM_TARGET, Theme
from tunerstudio.protocol.preview import Preview
from tunerstudio.study.data import Column

_MOST_MEASURED = 200


class DataTable(QTableView):
    """Columns with role, kind and histogram; sample rows below.

    Signals:
        role_chosen: (str, str) name of a column and its new role.
        kind_chosen: (str, str) name of a column and its new kind.
    """

    role_chosen = Signal(str, str)
    kind_chosen = Signal(str, str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.item_model = SampleItemModel(theme, self)
        self.setModel(self.item_model)
        self._theme = theme
        self._header = ColumnHeader(theme, self.item_model, self)
        self.setHorizontalHeader(self._header)
        self._header.menu_requested.connect(self._open_menu)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(MINIMUM_TARGET)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setWordWrap(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectColumns)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._context_menu)
        self.setAccessibleName(self.tr("Data: columns and first rows"))
        self.setWhatsThis(self.tr("Click the chips below a column's name, or press the menu key, to change its role."))
        theme.theme_changed.connect(self._header.viewport().update)

    def set_preview(self, preview: Preview | None, columns: tuple[Column, ...]) -> None:
        """Show other data."""
        self.item_model.set_preview(preview, columns)
        self._fit()

    def set_columns(self, columns: tuple[Column, ...]) -> None:
        """Show other roles and kinds of the same data."""
        self.item_model.set_columns(columns)
        self._header.viewport().update()

    def column_menu(self, section: int) -> QMenu:
        """The menu that changes the role and kind of a column."""
        column = self.item_model.column(section)
        menu = QMenu(self)
        roles, kinds = QActionGroup(menu), QActionGroup(menu)
        for role, text in role_sentences().items():
            action = self._choice(menu, roles, text, role == column.role)
            action.triggered.connect(partial(self.role_chosen.emit, column.name, role))
        menu.addSeparator()
        for kind, text in kind_sentences().items():
            action = self._choice(menu, kinds, text, kind == column.kind)
            action.triggered.connect(partial(self.kind_chosen.emit, column.name, kind))
        return menu

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._stretch()

    def _choice(self, menu: QMenu, group: QActionGroup, text: str, checked: bool) -> QAction:
        action = QAction(text, menu)
        action.setCheckable(True)
        action.setChecked(checked)
        group.addAction(action)
        menu.addAction(action)
        return action

    def _open_menu(self, section: int, place: QPoint) -> None:
        menu = self.column_menu(section)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(place)

    def _context_menu(self, place: QPoint) -> None:
        index = self.indexAt(place)
        section = index.column() if index.isValid() else self.currentIndex().column()
        if section >= 0:
            self._open_menu(section, self.viewport().mapToGlobal(place))

    def _fit(self) -> None:
        self._header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        for section in range(min(self.item_model.columnCount(), _MOST_MEASURED)):
            self._header.resizeSection(section, self._header.wanted_width(section))
        self._stretch()

    def _stretch(self) -> None:
        """Few columns share the whole width; many keep theirs and scroll."""
        count = self.item_model.columnCount()
        if not 0 < count <= _MOST_MEASURED:
            return
        wanted = sum(self._header.wanted_width(section) for section in range(count))
        fits = wanted <= self.viewport().width()
        mode = QHeaderView.ResizeMode.Stretch if fits else QHeaderView.ResizeMode.Interactive
        if self._header.sectionResizeMode(0) != mode:
            self._header.setSectionResizeMode(mode)
            if not fits:
                for section in range(count):
                    self._header.resizeSection(section, self._header.wanted_width(section))
