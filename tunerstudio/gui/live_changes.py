"""Edits of a study whose search is under way: what the search does not know of yet, and telling it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QCoreApplication, QObject, Signal

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.model_editor.parsing import UNSET, value_text
from tunerstudio.gui.search_form.cards import all_settings
from tunerstudio.protocol.control import ControlCommand, ReloadStudy, SetBudget, SetWorkers
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.machine import workers_for
from tunerstudio.study.search import Search


class LiveChanges(QObject):
    """Compares the document with the one that the running search has.

    Signals:
        changed: () `pending` would answer differently.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        """No study yet."""
        super().__init__(parent)
        self._study: StudyContext | None = None
        self._known: StudyDocument | None = None

    @property
    def pending(self) -> list[str]:
        """What was changed and not told to the search, such as `trials 50 → 60`; empty without a search."""
        if self._study is None or self._known is None:
            return []
        return describe_changes(self._known, self._study.document)

    def set_study(self, study: StudyContext | None) -> None:
        """Follow `study` from now on."""
        if self._study is not None:
            self._study.search_state_changed.disconnect(self._state_changed)
            self._study.document_changed.disconnect(self.changed)
            self._study.document_taken.disconnect(self._taken_from_disk)
            self._study.command_answered.disconnect(self._answered)
        self._study, self._known = study, None
        if study is not None:
            study.search_state_changed.connect(self._state_changed)
            study.document_changed.connect(self.changed)
            study.document_taken.connect(self._taken_from_disk)
            study.command_answered.connect(self._answered)
            self._state_changed(study.search_state)
        self.changed.emit()

    def apply(self) -> None:
        """Tell the running search."""
        study, known = self._study, self._known
        if study is None or known is None:
            return
        for command in commands_for(known, study.document):
            study.request(command)

    def _state_changed(self, state: str, _: str = "") -> None:
        if state == "idle":
            self._known = None
        elif self._known is None and self._study is not None:
            self._known = self._study.document
        self.changed.emit()

    def _taken_from_disk(self, document: StudyDocument) -> None:
        """Another program changes budget and workers by telling the search, which writes them down."""
        if self._known is not None:
            self._known = _with_limits(self._known, document.search)

    def _answered(self, command: ControlCommand, outcome: str) -> None:
        if outcome or self._known is None or self._study is None:
            return
        document = self._study.document
        if isinstance(command, ReloadStudy):
            self._known = document
        elif isinstance(command, SetBudget):
            search = self._known.search.model_copy(update={"budget": command.budget})
            self._known = self._known.model_copy(update={"search": search})
        elif isinstance(command, SetWorkers):
            search = self._known.search.model_copy(update={"workers": document.search.workers})
            self._known = self._known.model_copy(update={"search": search})
        self.changed.emit()


def commands_for(before: StudyDocument, after: StudyDocument) -> list[ControlCommand]:
    """What tells a search that has the document `before` to go on with `after`."""
    found: list[ControlCommand] = []
    if after.search.budget != before.search.budget:
        found.append(SetBudget(budget=after.search.budget))
    if after.search.workers != before.search.workers:
        found.append(SetWorkers(workers=workers_for(after.search)))
    if _with_limits(before, after.search) != after:
        found.append(ReloadStudy())
    return found


def describe_changes(before: StudyDocument, after: StudyDocument) -> list[str]:
    """The differences in a few words each; empty if there are none."""
    if before == after:
        return []
    found = []
    for _, settings in all_settings():
        for setting in settings:
            old, new = setting.read(before), setting.read(after)
            if old != new:
                words = [_shown(value, setting.argument.default) for value in (old, new)]
                found.append(f"{setting.label} {' → '.join(words)}")
    others = (
        (_tr("model"), before.model != after.model),
        (_tr("data"), before.data != after.data),
        (_tr("algorithm"), before.search.algorithm != after.search.algorithm),
        (_tr("objective"), before.search.objective != after.search.objective),
    )
    found += [name for name, differs in others if differs]
    return found or [_tr("other fields")]


def _with_limits(document: StudyDocument, search: Search) -> StudyDocument:
    """`document` with budget and workers of `search`."""
    changed = document.search.model_copy(update={"budget": search.budget, "workers": search.workers})
    return document.model_copy(update={"search": changed})


def _shown(value: Any, default: Any) -> str:
    return value_text(default if value is UNSET else value)


def _tr(text: str) -> str:
    return QCoreApplication.translate("LiveChanges", text)
