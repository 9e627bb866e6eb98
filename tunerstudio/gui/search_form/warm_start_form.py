"""The card for earlier studies from which the algorithm learns before the first trial of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from tunerstudio.gui import dialogs, recent
from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.formats import as_sentence
from tunerstudio.gui.theme import SPACE_S, Theme
from tunerstudio.gui.widgets.basics import Card, heading_label, link_button, muted_label
from tunerstudio.store.reader import has_history

_MOST_OFFERED = 8


class WarmStartForm(Card):
    """Edits `search.warm_start`: a row for each study, and a button with the recent ones.

    Attributes:
        add: Opens the menu of studies that can be added.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Show nothing before `set_study`."""
        super().__init__(parent)
        self._theme = theme
        self._study: StudyContext | None = None
        self._shown: tuple[str, ...] | None = None
        self._missing = ""
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self._sentence = QLabel()
        self._sentence.setWordWrap(True)
        self._sentence.setProperty("look", "bad_text")
        self._sentence.hide()
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill_menu)
        self.add = QPushButton(self.tr("Add a study"))
        self.add.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.add.setToolTip(self.tr("Choose a study whose trials the search algorithm shall know from the start."))
        self.add.setMenu(self._menu)
        self.body.addWidget(heading_label(theme, self.tr("Learn from earlier studies")))
        self.body.addWidget(muted_label(self._about()))
        self.body.addLayout(self._rows)
        self.body.addWidget(self._sentence)
        self.body.addWidget(self.add)

    def _about(self) -> str:
        return self.tr(
            "Their completed trials count as known if the scores mean the same: the same data, split and objective. The"
            " log of the search says how many were taken."
        )

    def set_study(self, study: StudyContext | None) -> None:
        """Edit `study` from now on."""
        self._study, self._shown = study, None

    def refresh(self, problems: Mapping[str, str]) -> None:
        """Show the document's studies, with what is wrong."""
        if self._study is None:
            return
        folders = self._study.document.search.warm_start
        if folders != self._shown:
            self._shown, self._missing = folders, self._find_missing(folders)
            self._show_rows(folders)
        sentence = problems.get("search.warm_start", "") or self._missing
        self._sentence.setText(as_sentence(sentence))
        self._sentence.setVisible(bool(sentence))

    def folders(self) -> list[str]:
        """What the rows show, as tool-tips: whole paths."""
        return [str(self._whole(text)) for text in self._shown or ()]

    # -- inside -------------------------------------------------------------------------------------------------------

    def _whole(self, text: str) -> Path:
        assert self._study is not None
        return Path(os.path.normpath(self._study.folder / text))

    def _find_missing(self, folders: tuple[str, ...]) -> str:
        """What is wrong with a folder, in a sentence; "" if nothing is. It stops no search."""
        gone = next((text for text in folders if not has_history(self._whole(text))), None)
        if gone is None:
            return ""
        return self.tr("{folder} holds no study with trials: it is left out.").format(folder=gone)

    def _show_rows(self, folders: tuple[str, ...]) -> None:
        while (item := self._rows.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        names = {entry.folder: entry.name for entry in recent.load_recent()}
        for text in folders:
            self._rows.addWidget(self._row(text, names.get(str(self._whole(text)), "")))

    def _row(self, text: str, name: str) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_S)
        label = QLabel(f"{name}  ({text})" if name else text)
        label.setToolTip(str(self._whole(text)))
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        away = link_button(self.tr("Remove"), lambda: self._remove(text))
        away.setAccessibleName(self.tr("Remove {study}").format(study=name or text))
        layout.addWidget(label, 1)
        layout.addWidget(away)
        return row

    def _fill_menu(self) -> None:
        self._menu.clear()
        if self._study is None:
            return
        taken = {str(self._study.folder), *self.folders()}
        offered = [entry for entry in recent.load_recent() if entry.folder not in taken and entry.trials]
        for entry in offered[:_MOST_OFFERED]:
            count = self.tr("1 trial") if entry.trials == 1 else self.tr("{n} trials").format(n=entry.trials)
            action = self._menu.addAction(f"{entry.name}, {count}".replace("&", "&&"))
            action.setToolTip(entry.folder)
            action.triggered.connect(lambda checked=False, folder=entry.folder: self.add_folder(Path(folder)))
        if offered:
            self._menu.addSeparator()
        self._menu.addAction(self.tr("Another folder…")).triggered.connect(lambda: self._choose())

    def _choose(self) -> None:
        if self._study is not None:
            chosen = dialogs.choose_study_folder(self, self._study.folder.parent)
            if chosen is not None:
                self.add_folder(chosen)

    def add_folder(self, folder: Path) -> None:
        """Learn from the study in `folder` too: told by its way from this study if it lies beside it."""
        if self._study is None:
            return
        own = self._study.folder.resolve()
        whole = folder.resolve()
        text = f"../{whole.name}" if whole.parent == own.parent else str(whole)
        known = self._study.document.search.warm_start
        if whole != own and str(whole) not in self.folders() and text not in known:
            self._edit(self.tr("learn from {study}").format(study=whole.name), (*known, text))

    def _remove(self, text: str) -> None:
        if self._study is not None:
            known = self._study.document.search.warm_start
            left = tuple(other for other in known if other != text)
            self._edit(self.tr("learn no more from {study}").format(study=Path(text).name), left)

    def _edit(self, verb: str, folders: tuple[str, ...]) -> None:
        if self._study is not None:
            document = self._study.document
            search = document.search.model_copy(update={"warm_start": folders})
            self._study.edit(verb, document.model_copy(update={"search": search}))
