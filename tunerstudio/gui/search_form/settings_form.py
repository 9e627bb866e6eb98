"""A card of settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.model_editor.field_form import FieldForm
from tunerstudio.gui.search_form.settings import Setting
from tunerstudio.gui.theme import Theme
from tunerstudio.gui.widgets.basics import Card, heading_label
from tunerstudio.study.network import AnyTunable


class SettingsForm(Card):
    """Fields that stand at fixed places of the document; every edit is an undo step.

    Signals:
        trouble_changed: () `troubles()` would answer differently.
        focused: (object) the ArgumentInfo that has the keyboard.
    """

    trouble_changed = Signal()
    focused = Signal(object)

    def __init__(self, theme: Theme, title: str, settings: Sequence[Setting], parent: QWidget | None = None) -> None:
        """A card called `title`."""
        super().__init__(parent)
        self._settings = {setting.argument.name: setting for setting in settings}
        self._study: StudyContext | None = None
        self._refused: dict[str, str] = {}
        self._problems: Mapping[str, str] = {}
        self.form = FieldForm(theme, None)
        self.form.set_arguments(
            [setting.argument for setting in settings],
            {name: (setting.label, setting.unit) for name, setting in self._settings.items()},
            tunable={name for name, setting in self._settings.items() if setting.tunable},
        )
        self.form.edited.connect(self._edited)
        self.form.trouble_changed.connect(self.trouble_changed)
        self.form.focused.connect(self.focused)
        self.body.addWidget(heading_label(theme, title))
        self.body.addWidget(self.form)

    def set_study(self, study: StudyContext | None) -> None:
        """Edit `study` from now on."""
        self._study = study
        self._refused.clear()

    def refresh(self, problems: Mapping[str, str]) -> None:
        """Show the document's values, with what is wrong by field path."""
        if self._study is None:
            return
        document = self._study.document
        self.form.show_values({name: setting.read(document) for name, setting in self._settings.items()})
        self._show_remarks(problems)

    def troubles(self) -> dict[str, str]:
        """Fields in which something wrong is typed, by their label."""
        found = {**self._refused, **self.form.troubles()}
        return {self._settings[name].label: sentence for name, sentence in found.items()}

    def _show_remarks(self, problems: Mapping[str, str]) -> None:
        self._problems = problems
        remarks = {name: problems.get(setting.field, "") for name, setting in self._settings.items()}
        self.form.show_remarks({**remarks, **self._refused})

    def _edited(self, name: str, value: Any, stretch: int) -> None:
        if self._study is None:
            return
        setting = self._settings[name]
        if self._is_refused(setting, value):
            return  # the document keeps the last right value
        verb = self.tr("tune {name}") if isinstance(value, AnyTunable) else self.tr("change {name}")
        document = setting.write(self._study.document, value)
        self._study.edit(verb.format(name=setting.label), document, f"setting:{setting.field}:{stretch}")

    def _is_refused(self, setting: Setting, value: Any) -> bool:
        name, sentence = setting.argument.name, setting.check(value)
        if sentence == self._refused.get(name, ""):
            return bool(sentence)
        if sentence:
            self._refused[name] = sentence
        else:
            del self._refused[name]
        self._show_remarks(self._problems)
        self.trouble_changed.emit()
        return bool(sentence)
