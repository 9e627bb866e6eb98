"""The window of the plugin manager."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QMessageBox,
    QPushButton,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from tunerstudio.algorithms import installing
from tunerstudio.algorithms.discovery import AlgorithmInfo, find_plugins
from tunerstudio.algorithms.installing import Candidate
from tunerstudio.gui.formats import as_sentence
from tunerstudio.gui.plugins.checker import PluginChecker
from tunerstudio.gui.plugins.details import PluginDetails
from tunerstudio.gui.plugins.item_model import NAME, STATE, PluginItemModel
from tunerstudio.gui.theme import SPACE_M, SPACE_S, Theme
from tunerstudio.gui.trial_table.looks import set_up_table
from tunerstudio.gui.widgets.basics import muted_label
from tunerstudio.locations import user_plugins_folder
from tunerstudio.study.errors import TunerStudioError


class PluginsDialog(QDialog):
    """All plugins, one row each; folders and zip files can be dropped on it.

    Signals:
        changed: () plugins were installed, switched or removed.
    """

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Look for plugins and show them."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Plugins"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAcceptDrops(True)
        self.model = PluginItemModel(theme)
        self.model.setParent(self)
        self.table = QTableView()
        self.details = PluginDetails(theme)
        self.checker = PluginChecker(self)
        self.message = muted_label()
        self.message.setVisible(False)
        self._prepare_table()
        self._build()
        self.details.switched.connect(lambda name, enabled: self._do(lambda: installing.switch(name, enabled)))
        self.details.check_wanted.connect(self._check)
        self.checker.checked.connect(self._take_verdict)
        self.finished.connect(self.checker.stop)
        self.details.removed.connect(lambda name: self._do(lambda: installing.remove(name)))
        self.resize(1080, 620)
        self.reload()

    def reload(self) -> None:
        """Look for plugins again; the selected one stays selected."""
        before = self.selected()
        self.model.set_plugins(find_plugins())
        row = -1 if before is None else self.model.row_of(before)
        self._select(max(row, 0))

    def selected(self) -> AlgorithmInfo | None:
        """The plugin that is shown on the right."""
        rows = self.table.selectionModel().selectedRows()
        return self.model.plugins[rows[0].row()] if rows else None

    def install(self, source: Path) -> None:
        """Install the plugin in a folder or zip, after the user has agreed to run its code."""
        try:
            with installing.opened(source) as candidate:
                if not self._is_trusted(candidate):
                    return
                folder = installing.install(candidate)
        except TunerStudioError as error:
            self._tell(as_sentence(str(error)))
            return
        self._after_change(self.tr("{name} is installed.").format(name=candidate.info.name))
        row = next((row for row, info in enumerate(self.model.plugins) if info.folder == folder), 0)
        self._select(row)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() and event.mimeData().urls()[0].isLocalFile():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.install(Path(event.mimeData().urls()[0].toLocalFile()))

    def _prepare_table(self) -> None:
        self.table.setModel(self.model)
        set_up_table(self.table)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setAlternatingRowColors(False)
        self.table.setAccessibleName(self.tr("Plugins"))
        header = self.table.horizontalHeader()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._show())

    def _build(self) -> None:
        hint = muted_label(
            self.tr(
                "Search algorithms and pruners. Drop a folder or a zip file here to install one; what changes in the"
                " plugin folder is seen at once."
            )
        )
        splitter = QSplitter()
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.table)
        splitter.addWidget(self.details)
        splitter.setStretchFactor(0, 3)
        splitter.setStretchFactor(1, 2)
        splitter.setSizes([680, 380])
        install = QPushButton(self.tr("Install…"))
        install.setToolTip(self.tr("Takes a plugin from a zip file; a folder can be dropped here."))
        install.clicked.connect(self._choose)
        folder = QPushButton(self.tr("Open plugin folder"))
        folder.clicked.connect(self._open_folder)
        close = QPushButton(self.tr("Close"))
        close.clicked.connect(self.reject)
        verbs = QHBoxLayout()
        verbs.addWidget(install)
        verbs.addWidget(folder)
        verbs.addWidget(self.message, 1)
        verbs.addStretch(0)
        verbs.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_M, SPACE_M, SPACE_M, SPACE_M)
        layout.setSpacing(SPACE_S)
        layout.addWidget(hint)
        layout.addWidget(splitter, 1)
        layout.addLayout(verbs)

    def _select(self, row: int) -> None:
        index = self.model.index(min(row, self.model.rowCount() - 1), STATE)
        flags = QItemSelectionModel.SelectionFlag
        self.table.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self.table.scrollTo(index)
        self._show()

    def _show(self) -> None:
        info = self.selected()
        about = ""
        if info is not None:
            version = f"{info.manifest.version}" if info.manifest else ""
            kind = self.model.kind(info) if info.manifest else ""
            about = " · ".join(part for part in (kind, version, self._trust(info)) if part)
        verdict = None if info is None else self.model.verdict(info)
        is_checking = info is not None and self.checker.folder == info.folder
        self.details.show_plugin(info, about, verdict, is_checking)

    def _check(self) -> None:
        info = self.selected()
        if info is not None:
            self.checker.check(info.folder)
            self._show()

    def _take_verdict(self, folder: Path, problems: tuple[str, ...]) -> None:
        self.model.set_verdict(folder, problems)
        self._show()

    def _trust(self, info: AlgorithmInfo) -> str:
        """Whose code it is, and that it runs."""
        words = {
            "shipped": self.tr("comes with Tuner Studio"),
            "user": self.tr("in your plugin folder: its code runs with your rights"),
            "installed": self.tr("from an installed Python package: its code runs with your rights"),
        }
        return words[info.origin]

    def _do(self, change: Callable[[], object]) -> None:
        try:
            change()
        except TunerStudioError as error:
            self._tell(as_sentence(str(error)))
            return
        self._after_change("")

    def _after_change(self, sentence: str) -> None:
        self._tell(sentence)
        self.reload()
        self.changed.emit()

    def _tell(self, sentence: str) -> None:
        self.message.setText(sentence)
        self.message.setVisible(bool(sentence))

    def _choose(self) -> None:
        title, filters = self.tr("Choose a plugin"), self.tr("Zipped plugins") + " (*.zip)"
        name, _ = QFileDialog.getOpenFileName(self, title, str(Path.home()), filters)
        if name:
            self.install(Path(name))

    def _open_folder(self) -> None:
        user_plugins_folder().mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(user_plugins_folder())))

    def _is_trusted(self, candidate: Candidate) -> bool:
        manifest = candidate.info.manifest
        assert manifest is not None  # `opened` refuses others
        text = self.tr("Install {name} {version}?").format(name=manifest.name, version=manifest.version)
        more = self.tr(
            "{about}\n\nIts code will run with your rights: {code}. Look at it first if you do not know its author."
        ).format(about=manifest.description, code=", ".join(candidate.code))
        if candidate.replaces is not None and candidate.replaces.manifest is not None:
            version = candidate.replaces.manifest.version
            more += "\n\n" + self.tr("Version {version} goes to the trash.").format(version=version)
        return self.ask(text, more)

    def ask(self, text: str, more: str) -> bool:
        """Whether the user agrees."""
        box = QMessageBox(QMessageBox.Icon.Question, self.tr("Install a plugin"), text, parent=self)
        box.setInformativeText(more)
        install = box.addButton(self.tr("Install"), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        return box.clickedButton() is install
