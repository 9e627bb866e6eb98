"""The tab Code: a Python file of the user's with `build(hp)` or a `HyperModel`; the window never runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QFileSystemWatcher, QSignalBlocker, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QAction, QDesktopServices, QKeySequence
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.formats import as_sentence
from tunerstudio.gui.model_editor.code_ranges import CodeRanges
from tunerstudio.gui.model_editor.network_views import NetworkViews
from tunerstudio.gui.model_editor.outline import CodeOutline, outline_of, read_outline
from tunerstudio.gui.model_editor.plain_editors import QuietComboBox
from tunerstudio.gui.model_editor.python_view import PythonView
from tunerstudio.gui.service_client import ServiceClient
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_M, SPACE_S, Theme
from tunerstudio.gui.widgets.basics import Banner, ElidedLabel, EmptyState, link_button
from tunerstudio.protocol.service import Failure
from tunerstudio.study.files import write_atomically
from tunerstudio.study.hyperparameters import SearchSpace
from tunerstudio.study.model import CodeModel
from tunerstudio.study.trust import trust

_CHECK_DELAY_MS = 300

_ENTRY_LENGTH = 22
"""Characters of a function or class that the list has room for."""


class CodePanel(QWidget):
    """Chooses the file and the entry, shows the text and lets it be edited.

    Signals:
        model_chosen: (CodeModel, str) what the document shall hold, and the text of the undo step.
        ranges_chosen: (CodeModel, str, str) the same with a key: steps in a row with the same key become one.
        trouble_changed: () `problem()` would answer differently.
    """

    model_chosen = Signal(object, str)
    ranges_chosen = Signal(object, str, str)
    trouble_changed = Signal()

    def __init__(self, theme: Theme, engine: ServiceClient, parent: QWidget | None = None) -> None:
        """Show nothing before `set_study`; `engine` calls the code."""
        super().__init__(parent)
        self._engine = engine
        self._request: int | None = None
        self._study: StudyContext | None = None
        self._model: CodeModel | None = None
        self._outline = CodeOutline()
        self._watcher = QFileSystemWatcher(self)
        self._watcher.fileChanged.connect(self._file_changed)
        self._empty = EmptyState(
            theme,
            "ph.code",
            self.tr(
                "Use a model that you wrote in Python: a file with a function build(hp) that returns a compiled Keras "
                "model, or a subclass of keras_tuner.HyperModel. The window never runs it; a worker process does."
            ),
            self.tr("Choose a Python file…"),
        )
        self._empty.clicked.connect(self.choose_file)
        self._path = ElidedLabel()
        self._entry = QuietComboBox()
        self._entry.setMinimumContentsLength(_ENTRY_LENGTH)
        self._entry.setAccessibleName(self.tr("function or class to use"))
        self._entry.activated.connect(self._entry_chosen)
        self._banner = Banner(theme, closable=False)
        self.view = PythonView(theme, editable=True)
        self.view.textChanged.connect(self._typed)
        self.below = NetworkViews(theme)
        self.below.space.line_wanted.connect(self._show_line)
        self.ranges = CodeRanges(theme)
        self.ranges.setMinimumWidth(340)
        self.ranges.asked.connect(self.ask_for_hyperparameters)
        self.ranges.edited.connect(self._ranges_edited)
        self._check_soon = QTimer(self)
        self._check_soon.setSingleShot(True)
        self._check_soon.setInterval(_CHECK_DELAY_MS)
        self._check_soon.timeout.connect(self._check_typed)
        self._save = QPushButton(self.tr("Save"))
        self._save.setMinimumHeight(MINIMUM_TARGET)
        self._save.clicked.connect(self.save)
        self._revert = link_button(self.tr("Undo all changes"), self._read_again)
        key = QAction(self.tr("Save the Python file"), self.view)
        key.setShortcut(QKeySequence(QKeySequence.StandardKey.Save))
        key.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        key.triggered.connect(self.save)
        self.view.addAction(key)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._make_file_view())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE_S, 0, 0)
        layout.addWidget(self._stack)

    def _make_file_view(self) -> QWidget:
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        choose = QPushButton(self.tr("Another file…"))
        choose.setMinimumHeight(MINIMUM_TARGET)
        choose.clicked.connect(self.choose_file)
        caption = QLabel(self.tr("Use"))
        caption.setBuddy(self._entry)
        row.addWidget(self._path, 1)
        row.addWidget(self._revert)
        row.addWidget(self._save)
        row.addWidget(choose)
        row.addWidget(link_button(self.tr("Open in the editor"), self._open_outside))
        row.addSpacing(SPACE_M)
        row.addWidget(caption)
        row.addWidget(self._entry)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addLayout(row)
        column.addWidget(self._banner)
        halves = QSplitter()
        halves.setChildrenCollapsible(False)
        left = QSplitter(Qt.Orientation.Vertical)
        left.setChildrenCollapsible(False)
        left.addWidget(self.view)
        left.addWidget(self.below)
        left.setStretchFactor(0, 3)
        left.setStretchFactor(1, 1)
        left.setSizes([350, 200])
        halves.addWidget(left)
        halves.addWidget(self.ranges)
        halves.setStretchFactor(0, 3)
        halves.setStretchFactor(1, 2)
        halves.setSizes([640, 420])
        column.addWidget(halves, 1)
        return inside

    def set_study(self, study: StudyContext | None) -> None:
        """Choose files for `study` from now on."""
        self._forget()
        self.ranges.show_declared(None)
        self._study = study
        self._model = None
        self._watch(None)
        self._stack.setCurrentIndex(0)

    def refresh(self, model: CodeModel) -> None:
        """Show what the document says."""
        moved = self._model is None or self._model.file != model.file
        self._model = model
        self._stack.setCurrentIndex(1)
        if moved:
            self._watch(self._file())
            self._read()
        self._show_entries()
        self._tell()
        self.ranges.show_model(model)

    def ask_for_hyperparameters(self) -> None:
        """Let the engine call the code once; a stranger's code is refused with a sentence."""
        if self._study is None:
            return
        self._forget()
        self._study.save_now()
        self.ranges.show_busy()
        params = {"folder": str(self._study.folder), "declared": True}
        self._request = self._engine.request("space", params, self._take_space, self._space_failed)

    def _forget(self) -> None:
        if self._request is not None:
            self._engine.forget(self._request)
            self._request = None

    def _take_space(self, result: dict[str, Any]) -> None:
        self._request = None
        self.ranges.show_declared(SearchSpace.model_validate(result["space"]))

    def _space_failed(self, failure: Failure) -> None:
        self._request = None
        sentences = [message for _, message in failure.problems] or [failure.message]
        self.ranges.show_failure(" ".join(as_sentence(sentence) for sentence in sentences))

    def _ranges_edited(self, model: CodeModel, name: str, stretch: int) -> None:
        self.ranges_chosen.emit(model, self.tr("change {name}").format(name=name), f"range:{name}:{stretch}")

    @property
    def is_edited(self) -> bool:
        """Whether the text differs from the file."""
        return self._model is not None and self.view.toPlainText() != self._outline.text

    def save(self) -> None:
        """Write what was typed into the file, in one step."""
        if not self.is_edited:
            return
        text = self.view.toPlainText()
        try:
            write_atomically(self._file(), text.encode())
        except OSError as error:
            sentence = self.tr("{file} cannot be written to: {reason}. Your changes are still here.")
            self._banner.tell("bad", sentence.format(file=self._file(), reason=error.strerror or error))
            return
        self._file_changed()

    @property
    def text(self) -> str:
        """The file as it is on disk."""
        return self._outline.text

    def problem(self) -> str:
        """Why the file cannot be used, in a sentence; empty if nothing speaks against it."""
        if self._model is None:
            return ""
        return self._outline.problem or self._outline.entry_problem(self._model.entry)

    def choose_file(self) -> None:
        """Ask for a file."""
        start = str(self._file().parent if self._model is not None else Path.home())
        path, _ = QFileDialog.getOpenFileName(
            self, self.tr("Python file with the model"), start, self.tr("Python (*.py);;All files (*)")
        )
        if path:
            self.take_file(Path(path))

    def take_file(self, path: Path) -> None:
        """Use the file at `path`; one inside the study folder is kept relative to it."""
        if self._study is None:
            return
        folder = self._study.folder.resolve()
        resolved = path.resolve()
        inside = resolved.is_relative_to(folder)
        name = resolved.relative_to(folder).as_posix() if inside else str(resolved)
        trust(folder)  # the person chose this very file
        self.model_chosen.emit(CodeModel(file=name), self.tr("use {file}").format(file=resolved.name))

    def _file(self) -> Path:
        assert self._study is not None
        assert self._model is not None
        return self._study.folder / self._model.file

    def _watch(self, path: Path | None) -> None:
        watched = [*self._watcher.files()]
        if watched:
            self._watcher.removePaths(watched)
        if path is not None and path.is_file():
            self._watcher.addPath(str(path))

    def _file_changed(self) -> None:
        """The file was written; editors that replace it make the watcher lose it."""
        if self._model is None:
            return
        self._watch(self._file())
        read = read_outline(self._file())
        if self.is_edited and read.text not in (self._outline.text, self.view.toPlainText()):
            sentence = self.tr("Another program has changed the file. What you typed here is not saved yet.")
            buttons = ((self.tr("Keep mine"), self._keep_mine), (self.tr("Take the file's"), self._read_again))
            self._banner.tell("warning", sentence, buttons=buttons)
            return
        self._read_again()

    def _keep_mine(self) -> None:
        self._banner.clear()
        self._check_typed()

    def _read_again(self) -> None:
        if self.ranges.button.isEnabled():  # what was read from another text counts no more
            self.ranges.show_declared(None)
        self._read()
        self._show_entries()
        self._tell()

    def _typed(self) -> None:
        self._show_edited()
        if self.is_edited:
            self._check_soon.start()

    def _check_typed(self) -> None:
        """Mark the line that is no Python, while the file itself is still as it was."""
        if self.is_edited:
            self.view.mark(outline_of(self.view.toPlainText(), self._file()).line)

    def _show_edited(self) -> None:
        edited = self.is_edited
        self._save.setEnabled(edited)
        self._revert.setVisible(edited)

    def _read(self) -> None:
        self._outline = read_outline(self._file())
        self._path.setText(str(self._file()))
        self.view.show_text(self._outline.text, self._outline.line)
        self._show_edited()

    def _show_entries(self) -> None:
        assert self._model is not None
        entry = self._model.entry
        with QSignalBlocker(self._entry):
            self._entry.clear()
            self._entry.addItem(self.tr("build, or the only one"), None)
            for name in dict.fromkeys((*self._outline.entries, *([entry] if entry else []))):
                self._entry.addItem(name, name)
            self._entry.setCurrentIndex(max(self._entry.findData(entry), 0))

    def _tell(self) -> None:
        problem = self.problem()
        if problem:
            self._banner.tell("bad", problem)
        else:
            self._banner.clear()
        self.trouble_changed.emit()

    def _entry_chosen(self) -> None:
        if self._model is not None:
            entry = self._entry.currentData()
            changed = self._model.model_copy(update={"entry": entry})
            self.model_chosen.emit(changed, self.tr("use {name}").format(name=entry or "build"))

    def _show_line(self, line: int) -> None:
        self.view.mark(line)
        self.view.go_to(line)

    def _open_outside(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._file())))
