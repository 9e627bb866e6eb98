"""The card Pruning: whether and how bad trials are ended early, with the options of the chosen plugin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from tunerstudio.algorithms.discovery import AlgorithmInfo
from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.formats import as_sentence
from tunerstudio.gui.model_editor.field_form import FieldForm
from tunerstudio.gui.model_editor.field_row import LABEL_WIDTH
from tunerstudio.gui.model_editor.node_fields import with_argument
from tunerstudio.gui.model_editor.plain_editors import QuietComboBox
from tunerstudio.gui.search_form.algorithm_form import meant_value, option_argument, shown_value
from tunerstudio.gui.theme import SPACE_S, Theme
from tunerstudio.gui.widgets.basics import Card, heading_label, muted_label
from tunerstudio.study.search import Pruning

_NONE = Pruning().method


class PruningForm(Card):
    """Chooses the pruner and edits its options.

    Signals:
        trouble_changed: () `troubles()` would answer differently.
    """

    trouble_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """No pruners yet."""
        super().__init__(parent)
        self._study: StudyContext | None = None
        self._infos: dict[str, AlgorithmInfo] = {}
        self._kept: dict[str, Pruning] = {}
        self._drawn = ""
        self.method = QuietComboBox()
        self.method.setAccessibleName(self.tr("bad trials"))
        self.method.activated.connect(self._choose)
        self.about = muted_label()
        self.trouble = QLabel()
        self.trouble.setWordWrap(True)
        self.trouble.setProperty("look", "bad_text")
        self.options = FieldForm(theme, None)
        self.options.edited.connect(self._option_edited)
        self.options.trouble_changed.connect(self.trouble_changed)
        label = QLabel(self.tr("bad trials"))
        label.setBuddy(self.method)
        label.setFixedWidth(LABEL_WIDTH)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(label)
        row.addWidget(self.method, 1)
        self.body.addWidget(heading_label(theme, self.tr("Pruning")))
        self.body.addLayout(row)
        for widget in (self.about, self.trouble, self.options):
            self.body.addWidget(widget)

    def set_pruners(self, infos: Sequence[AlgorithmInfo]) -> None:
        """Offer those of `infos` that can be used."""
        self._infos = {info.id: info for info in infos if info.usable}
        self._drawn = ""

    def set_study(self, study: StudyContext | None) -> None:
        """Edit `study` from now on."""
        self._study = study
        self._kept.clear()
        self._drawn = ""

    def refresh(self, problems: Mapping[str, str]) -> None:
        """Show the document's choice, with what is wrong by field path."""
        if self._study is None:
            return
        pruning = self._study.document.search.pruning
        self._show_methods(pruning.method)
        info = self._infos.get(pruning.method)
        manifest = info.manifest if info is not None else None
        options = manifest.options if manifest is not None else ()
        if self._drawn != pruning.method:
            self._drawn = pruning.method
            labels = {option.name: (option.label, option.unit) for option in options}
            self.options.set_arguments([option_argument(option) for option in options], labels, tunable=False)
            self.options.setVisible(bool(options))
        told = self.tr("Every trial is trained to its end.") if pruning.method == _NONE else ""
        self.about.setText(manifest.description if manifest is not None else told)
        sentence = problems.get("search.pruning.method", "") or problems.get("search.pruning", "")
        self.trouble.setText(as_sentence(sentence))
        self.trouble.setVisible(bool(sentence))
        values = {o.name: shown_value(o, pruning.options[o.name]) for o in options if o.name in pruning.options}
        self.options.show_values(values)
        prefix = "search.pruning.options."
        self.options.show_remarks({k[len(prefix) :]: text for k, text in problems.items() if k.startswith(prefix)})

    def troubles(self) -> dict[str, str]:
        """Options in which something wrong is typed."""
        return self.options.troubles()

    def _show_methods(self, chosen: str) -> None:
        known = {_NONE: self.tr("are trained to their end")}
        known |= {name: self.tr("{rule} ends them").format(rule=info.name) for name, info in self._infos.items()}
        known.setdefault(chosen, chosen)  # a plugin that is gone, or cannot be used
        with QSignalBlocker(self.method):
            if [self.method.itemData(index) for index in range(self.method.count())] != list(known):
                self.method.clear()
                for name, text in known.items():
                    self.method.addItem(text, name)
            self.method.setCurrentIndex(self.method.findData(chosen))

    def _choose(self) -> None:
        """Take another pruner; the options of the one before come back with it."""
        if self._study is None:
            return
        present, name = self._study.document.search.pruning, str(self.method.currentData())
        if name == present.method:
            return
        self._kept[present.method] = present
        self._edit(self.tr("change the pruning"), self._kept.get(name, Pruning(method=name)))

    def _option_edited(self, name: str, value: Any, stretch: int) -> None:
        if self._study is None:
            return
        present = self._study.document.search.pruning
        info = self._infos.get(present.method)
        if info is None or info.manifest is None:
            return
        option = info.manifest.option(name)
        changed = present.model_copy(
            update={"options": with_argument(present.options, name, meant_value(option, value))}
        )
        self._edit(self.tr("change {name}").format(name=option.label.lower()), changed, f"pruning:{name}:{stretch}")

    def _edit(self, text: str, pruning: Pruning, merge_key: str = "") -> None:
        if self._study is not None:
            document = self._study.document
            search = document.search.model_copy(update={"pruning": pruning})
            self._study.edit(text, document.model_copy(update={"search": search}), merge_key)
