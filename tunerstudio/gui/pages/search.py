"""The Search page: algorithm, objective, budget, training; the search space, and whether all of it can run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from tunerstudio.algorithms.discovery import check_space, find_plugins
from tunerstudio.algorithms.pruning_choice import pruning_problems
from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.formats import as_sentence
from tunerstudio.gui.live_changes import LiveChanges
from tunerstudio.gui.pages.base import Page, PageStatus, Readiness
from tunerstudio.gui.search_form.algorithm_form import AlgorithmForm
from tunerstudio.gui.search_form.cards import all_settings
from tunerstudio.gui.search_form.check_panel import CheckPanel
from tunerstudio.gui.search_form.extra_form import ExtraForm
from tunerstudio.gui.search_form.objective_form import ObjectiveForm
from tunerstudio.gui.search_form.pruning_form import PruningForm
from tunerstudio.gui.search_form.settings_form import SettingsForm
from tunerstudio.gui.search_form.space_table import SpaceTable
from tunerstudio.gui.search_form.warm_start_form import WarmStartForm
from tunerstudio.gui.theme import SPACE_M, SPACE_S, Theme, format_count
from tunerstudio.gui.widgets.apply_strip import ApplyStrip
from tunerstudio.gui.widgets.basics import Card, heading_label, muted_label
from tunerstudio.gui.widgets.column_scroll import ColumnScroll
from tunerstudio.study.checks import objective_problems
from tunerstudio.study.constraints import constraint_problems
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import StudyError
from tunerstudio.study.hyperparameters import UNCOUNTABLE, SearchSpace
from tunerstudio.study.model import CodeModel, EstimatorModel, ModelSpec
from tunerstudio.study.network import search_space

if TYPE_CHECKING:
    from tunerstudio.gui.services import Services

_LEAST_WIDTH = 480
"""Of the forms, in logical pixels."""


class SearchPage(Page):
    """Edits `document.search` and `document.training`. While it is hidden only its status follows the document."""

    def __init__(self, theme: Theme, services: Services, parent: QWidget | None = None) -> None:
        """Plugins are looked for when the first study is shown."""
        super().__init__(parent)
        self.title = self.tr("Search")
        self._study: StudyContext | None = None
        self._code_space: tuple[ModelSpec, SearchSpace] | None = None
        self._problems: list[tuple[str, str]] = []
        self._checked: dict[str, str] = {}
        self._looked = False
        self._stale = False
        self.algorithm = AlgorithmForm(theme)
        self.objective = ObjectiveForm(theme)
        self._forms = tuple(SettingsForm(theme, title, settings) for title, settings in all_settings())
        self.budget, self.training, self.more, self.advanced = self._forms
        self.pruning, self.extra, self.warm_start = PruningForm(theme), ExtraForm(theme), WarmStartForm(theme)
        self.table = SpaceTable(theme)
        self._size = muted_label()
        self._size.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.changes = LiveChanges(self)
        self.strip = ApplyStrip(theme, self.changes)
        self.check = CheckPanel(theme, services.engine)
        for form in (self.algorithm, self.objective, self.pruning, self.extra):
            form.trouble_changed.connect(self.status_changed)
        for settings in self._forms:
            settings.trouble_changed.connect(self.status_changed)
        self.check.space_found.connect(self._take_space)
        self.check.problems_changed.connect(self._take_problems)
        self.check.trust_needed.connect(lambda: self.action_requested.emit("ask_for_trust"))
        self.check.go_requested.connect(lambda page, _field: self.action_requested.emit(f"go:{page}"))
        self.table.doubleClicked.connect(lambda: self.action_requested.emit("go:model"))
        self._arrange(theme)

    def _arrange(self, theme: Theme) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        learning = (self.pruning, self.warm_start)
        for card in (self.algorithm, self.objective, self.extra, self.budget, *learning, *self._forms[1:]):
            column.addWidget(card)
        column.addStretch(1)
        scroll = ColumnScroll(_LEAST_WIDTH)
        scroll.setWidget(left)
        right = QWidget()
        side = QVBoxLayout(right)
        side.setContentsMargins(SPACE_S, 0, 0, 0)
        side.setSpacing(SPACE_M)
        space = Card()
        space.body.addWidget(heading_label(theme, self.tr("Search space")))
        space.body.addWidget(self._size)
        space.body.addWidget(self.table, 1)
        side.addWidget(space, 1)
        side.addWidget(self.check)
        splitter = QSplitter()
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(scroll)
        splitter.addWidget(right)
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([520, 600])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_M, SPACE_S, SPACE_M, SPACE_M)
        layout.addWidget(self.strip)
        layout.addWidget(splitter, 1)

    def set_study(self, study: StudyContext | None) -> None:
        if self._study is not None:
            self._study.document_changed.disconnect(self._refresh)
            self._study.search_state_changed.disconnect(self.status_changed)
        self._study = study
        self._code_space = None
        self._checked = {}
        self.changes.set_study(study)
        for form in (self.algorithm, self.objective, self.pruning, self.extra, self.warm_start, self.check):
            form.set_study(study)
        for settings in self._forms:
            settings.set_study(study)
        if study is not None:
            if not self._looked:
                self.reload_algorithms()
            study.document_changed.connect(self._refresh)
            study.search_state_changed.connect(self.status_changed)
            self._refresh()
        self.status_changed.emit()

    def reload_algorithms(self) -> None:
        """Look for plugins again; only their manifests are read."""
        self._looked = True
        plugins = find_plugins()
        self.algorithm.set_algorithms([info for info in plugins if not info.is_pruner])
        self.pruning.set_pruners([info for info in plugins if info.is_pruner])
        self._refresh()

    def status(self) -> PageStatus:
        if self._study is None:
            return PageStatus(Readiness.NOT_YET, "")
        for name, sentence in self._troubles().items():
            told = sentence if name in sentence else f"{name}: {sentence}"
            return PageStatus(Readiness.NEEDS_YOU, self.tr("A field is not right yet: {what}").format(what=told))
        if self._problems:
            return PageStatus(Readiness.NEEDS_YOU, as_sentence(self._problems[0][1]))
        return PageStatus(Readiness.READY, self._describe(self._study.document))

    def primary_action(self) -> tuple[str, str] | None:
        if self._study is None:
            return None
        if self._study.search_state != "idle":
            return self.tr("Show the run"), "go:run"
        return self.tr("Run"), "run"

    # What is shown

    def _refresh(self) -> None:
        if self._study is None:
            return
        document = self._study.document
        self.check.refresh()
        space = self._space(document)
        self._problems = self._find_problems(document, space)
        self._stale = not self.isVisible()
        if not self._stale:
            self._show(document, space)
        self.status_changed.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self._refresh()

    def _show(self, document: StudyDocument, space: SearchSpace | None) -> None:
        by_field: dict[str, str] = {}
        for field, sentence in (*self._problems, *self._checked.items()):
            by_field.setdefault(field, sentence)
        self.algorithm.refresh(by_field)
        self.objective.refresh(by_field)
        self.pruning.refresh(by_field)
        self.extra.refresh(by_field)
        self.warm_start.refresh(by_field)
        for form in self._forms:
            form.refresh(by_field)
        self.training.setVisible(not isinstance(document.model, EstimatorModel))
        self.pruning.setVisible(not isinstance(document.model, EstimatorModel) or bool(self.pruning.trouble.text()))
        self.table.show_space(space)
        self._size.setText(self._size_sentence(document, space))

    def _space(self, document: StudyDocument) -> SearchSpace | None:
        """The search space; None if it cannot be known without the engine, or is broken."""
        if isinstance(document.model, CodeModel):
            known = self._code_space
            return known[1] if known is not None and known[0] == document.model else None
        try:
            return search_space(document)
        except StudyError:
            return None

    def _find_problems(self, document: StudyDocument, space: SearchSpace | None) -> list[tuple[str, str]]:
        found = [(problem.field, problem.message) for problem in objective_problems(document)]
        found += self.algorithm.problems()
        info = self.algorithm.info
        if info is not None and info.manifest is not None and space is not None:
            found += [(problem.field, problem.message) for problem in check_space(info.manifest, space)]
        search, manifest = document.search, info.manifest if info is not None else None
        found += [(problem.field, problem.message) for problem in pruning_problems(search, manifest)]
        if space is not None:
            wrong = constraint_problems(search.constraints, space.names())
            found += [("search.constraints", problem.message) for problem in wrong]
        return found

    def _troubles(self) -> dict[str, str]:
        found = self.algorithm.troubles() | self.pruning.troubles() | self.extra.troubles()
        for form in self._forms:
            found |= form.troubles()
        return found

    def _size_sentence(self, document: StudyDocument, space: SearchSpace | None) -> str:
        if space is None:
            if isinstance(document.model, CodeModel):
                return self.tr("The space follows from the code: press Check now to see it.")
            return self.tr("The Model page says what keeps the space from being known.")
        if not space.hyperparameters:
            return self.tr("Nothing varies: make a field tunable on the Model page.")
        number, count, trials = len(space.hyperparameters), space.count(), document.search.budget.trials
        names = self.tr("1 hyperparameter") if number == 1 else self.tr("{n} hyperparameters").format(n=number)
        if count == UNCOUNTABLE:
            return self.tr("{names}, any number of combinations.").format(names=names)
        text = self.tr("{names}, {count} combinations.").format(names=names, count=format_count(count))
        if count <= trials:
            text += " " + self.tr("All of them can be tried within the budget.")
        return text

    def _describe(self, document: StudyDocument) -> str:
        info = self.algorithm.info
        name = info.name if info is not None else document.search.algorithm.id
        objective = document.search.objective
        best = self.tr("greatest") if objective.direction == "max" else self.tr("least")
        trials = document.search.budget.trials
        return self.tr("{name}, {trials} trials, for the {best} {objective}.").format(
            name=name, trials=trials, best=best, objective=objective.name
        )

    def _take_space(self, space: SearchSpace) -> None:
        if self._study is not None and isinstance(self._study.document.model, CodeModel):
            self._code_space = (self._study.document.model, space)
            self._refresh()

    def _take_problems(self, problems: dict[str, str]) -> None:
        if problems != self._checked:
            self._checked = problems
            self._refresh()
