"""The Model page: a network drawn from layers, code of the user's, or an estimator; and how big its space is."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.formats import as_sentence
from tunerstudio.gui.model_editor.code_panel import CodePanel
from tunerstudio.gui.model_editor.estimator_panel import EstimatorPanel
from tunerstudio.gui.model_editor.layers_panel import LayersPanel
from tunerstudio.gui.model_editor.network_views import NetworkViews
from tunerstudio.gui.model_editor.space_panel import headline
from tunerstudio.gui.model_editor.space_watcher import SpaceWatcher
from tunerstudio.gui.pages.base import Page, PageStatus, Readiness
from tunerstudio.gui.theme import SPACE_M, SPACE_S, Theme, format_count
from tunerstudio.gui.widgets.basics import muted_label
from tunerstudio.protocol.space import NetworkDescription, SpaceReport
from tunerstudio.study.catalogue import Catalogue, load_catalogue
from tunerstudio.study.checks import model_problems
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import Problem, StudyError
from tunerstudio.study.hyperparameters import UNCOUNTABLE
from tunerstudio.study.model import BlocksModel, CodeModel, EstimatorModel, ModelSpec
from tunerstudio.study.network import placed_layers, search_space
from tunerstudio.study.objectives import objective_problem, usual_objective
from tunerstudio.study.templates import new_document, template_names

if TYPE_CHECKING:
    from tunerstudio.gui.services import Services

_KINDS = ("blocks", "code", "estimator")


class ModelPage(Page):
    """Edits `document.model`. Each tab keeps what it held while another one is chosen.

    While the page is hidden only its status follows the document.
    """

    def __init__(
        self, theme: Theme, services: Services, parent: QWidget | None = None, catalogue: Catalogue | None = None
    ) -> None:
        """Draw the editors from `catalogue` (by default the one that ships with the program)."""
        super().__init__(parent)
        self.title = self.tr("Model")
        self._catalogue = catalogue or load_catalogue()
        self._study: StudyContext | None = None
        self._kind = ""
        self._stale = False
        self._held: dict[str, ModelSpec] = {}
        self._problems: list[Problem] = []
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setAccessibleName(self.tr("kind of model"))
        for text, tip in (
            (self.tr("Layers"), self.tr("Draw a network; every field may be tuned")),
            (self.tr("Code"), self.tr("A Python file of yours with build(hp)")),
            (self.tr("Estimator"), self.tr("scikit-learn, scored by cross-validation")),
        ):
            self.tabs.setTabToolTip(self.tabs.addTab(text), tip)
        self.tabs.currentChanged.connect(self._tab_chosen)
        self._space = muted_label()
        self._space.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.watcher = SpaceWatcher(services.engine, self)
        self.watcher.report_changed.connect(self._show_report)
        self.watcher.described.connect(self._show_description)
        self.watcher.failed.connect(lambda sentence: self._views().space.show_failure(sentence))
        self.watcher.describe_failed.connect(lambda sentence: self._views().drawing.show_failure(sentence))
        self.layers = LayersPanel(theme, self._catalogue)
        self.code = CodePanel(theme, services.engine)
        for views in (self.layers.below, self.code.below):
            views.drawing.values_changed.connect(partial(self._describe_drawn, views))
            views.space.constraint_wanted.connect(self._add_constraint)
        self.estimator = EstimatorPanel(theme, self._catalogue)
        self.layers.trouble_changed.connect(self.status_changed)
        self.layers.command_requested.connect(self.action_requested)
        self.layers.go_requested.connect(lambda page: self.action_requested.emit(f"go:{page}"))
        self.code.trouble_changed.connect(self._code_read)
        self.code.model_chosen.connect(self._take_code)
        self.code.ranges_chosen.connect(self._take_ranges)
        self.estimator.trouble_changed.connect(self.status_changed)
        self._arrange()

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(SPACE_M)
        top.addWidget(self.tabs)
        top.addWidget(self._space, 1)
        self._stack = QStackedWidget()
        for panel in (self.layers, self.code, self.estimator):
            self._stack.addWidget(panel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_M, SPACE_S, SPACE_M, SPACE_M)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self._stack, 1)

    def set_study(self, study: StudyContext | None) -> None:
        if self._study is not None:
            self._study.document_changed.disconnect(self._document_changed)
            self._study.preview_changed.disconnect(self._refresh)
        self._study = study
        self._kind = ""
        self._held.clear()
        self.watcher.set_study(study)
        for panel in (self.layers, self.code, self.estimator):
            panel.set_study(study)
        if study is not None:
            study.document_changed.connect(self._document_changed)
            study.preview_changed.connect(self._refresh)
            self._document_changed(study.document)
        self.status_changed.emit()

    def status(self) -> PageStatus:
        if self._study is None:
            return PageStatus(Readiness.NOT_YET, "")
        typed = self._troubles()
        if typed:
            name, sentence = next(iter(typed.items()))
            told = sentence if name in sentence else f"{name}: {sentence}"
            return PageStatus(Readiness.NEEDS_YOU, self.tr("A field is not right yet: {what}").format(what=told))
        broken_code = self.code.problem() if self._kind == "code" else ""
        if broken_code:  # asked for now: the file may change at any time
            return PageStatus(Readiness.NEEDS_YOU, broken_code)
        if self._problems:
            more = len(self._problems) - 1
            rest = self.tr(" (and {count} more)").format(count=more) if more else ""
            return PageStatus(Readiness.NEEDS_YOU, as_sentence(self._problems[0].message) + rest)
        return PageStatus(Readiness.READY, self._describe(self._study.document))

    @property
    def catalogue(self) -> Catalogue:
        """What the editors are drawn from."""
        return self._catalogue

    def primary_action(self) -> tuple[str, str] | None:
        return (self.tr("Next: Search"), "go:search") if self._study is not None else None

    def show_field(self, field: str) -> None:
        """Go to the field that a problem names, such as `model.blocks.1.arguments.units`."""
        self.layers.show_field(field)

    # What is shown

    def _document_changed(self, document: StudyDocument) -> None:
        kind = document.model.kind
        self._held[kind] = document.model
        if kind != self._kind:
            self._kind = kind
            with QSignalBlocker(self.tabs):
                self.tabs.setCurrentIndex(_KINDS.index(kind))
            self._stack.setCurrentIndex(_KINDS.index(kind))
        self._refresh()

    def _refresh(self) -> None:
        if self._study is None:
            return
        document = self._study.document
        self._problems = model_problems(document, self._catalogue)
        if isinstance(document.model, CodeModel):
            self.code.refresh(document.model)
        self._stale = not self.isVisible()
        if not self._stale:
            self._show(document)
            self._watch()
        self.status_changed.emit()

    def _watch(self) -> None:
        """Let the whole space be checked, unless something is wrong that is told already."""
        if self._problems or self._troubles():
            self.watcher.rest()
            return
        if self._kind == "code":
            if self.code.problem():
                self.watcher.rest()
                return
            assert self._study is not None
            document = self._study.document
            self.code.below.drawing.show_code((document.model, document.training, self.code.text))
        self.watcher.watch(self.code.text if self._kind == "code" else "")

    def _code_read(self) -> None:
        """The file was read, for the first time or again."""
        if self._study is not None and self.isVisible() and self._kind == "code":
            self._watch()
        self.status_changed.emit()

    def _views(self) -> NetworkViews:
        """Drawing and space of the kind of model that the document has."""
        return self.code.below if self._kind == "code" else self.layers.below

    def _describe_drawn(self, views: NetworkViews) -> None:
        self.watcher.describe(views.drawing.values())

    def _add_constraint(self, line: str) -> None:
        if self._study is None or line in self._study.document.search.constraints:
            return
        document = self._study.document
        search = document.search.model_copy(update={"constraints": (*document.search.constraints, line)})
        self._study.edit(self.tr("add a constraint"), document.model_copy(update={"search": search}))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self._refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.watcher.rest()

    def _show_report(self, report: SpaceReport | None) -> None:
        self._views().show_report(report)
        if self._study is None:
            return
        self._space.setText(headline(report) if report is not None else self._space_sentence(self._study.document))

    def _show_description(self, description: NetworkDescription) -> None:
        self._views().drawing.show_description(description)

    def _show(self, document: StudyDocument) -> None:
        by_field: dict[str, str] = {}
        for problem in self._problems:
            by_field.setdefault(problem.field, problem.message)
        if isinstance(document.model, BlocksModel):
            self.layers.refresh(by_field)
        elif isinstance(document.model, EstimatorModel):
            self.estimator.refresh(by_field)
        if self.watcher.report is None or isinstance(document.model, EstimatorModel):
            self._space.setText(self._space_sentence(document))

    def _troubles(self) -> dict[str, str]:
        if self._kind == "blocks":
            return self.layers.troubles()
        return self.estimator.troubles() if self._kind == "estimator" else {}

    def _space_sentence(self, document: StudyDocument) -> str:
        if isinstance(document.model, CodeModel):
            return self.tr("The search space follows from the code")
        try:
            space = search_space(document)
        except StudyError:
            return ""
        count = space.count()
        number = len(space.hyperparameters)
        names = self.tr("1 hyperparameter") if number == 1 else self.tr("{n} hyperparameters").format(n=number)
        if count == UNCOUNTABLE:
            return self.tr("{names}, any number of combinations").format(names=names)
        return self.tr("{names}, {count} combinations").format(names=names, count=format_count(count))

    def _describe(self, document: StudyDocument) -> str:
        model = document.model
        if isinstance(model, CodeModel):
            return self.tr("The model is built by {file}.").format(file=model.file)
        space = search_space(document)
        if not space.hyperparameters:
            return self.tr("Nothing is tunable yet: press the dice beside a field.")
        names = ", ".join(space.names()[:3])
        if len(space.names()) > 3:
            names = self.tr("{names} and {count} more").format(names=names, count=len(space.names()) - 3)
        if isinstance(model, EstimatorModel):
            return self.tr("{name}; tunable: {names}.").format(name=model.estimator, names=names)
        if not model.blocks:
            return self.tr("Only the output layer; tunable: {names}.").format(names=names)
        layers = len(placed_layers(model)) + 1
        return self.tr("Up to {layers} layers; tunable: {names}.").format(layers=layers, names=names)

    # Another kind of model

    def _tab_chosen(self, index: int) -> None:
        if self._study is None:
            return
        kind = _KINDS[index]
        self._stack.setCurrentIndex(index)
        if kind == self._kind:
            return
        model = self._held.get(kind) or self._first_model(kind)
        if model is not None:
            self._take(model, self.tr("use {kind}").format(kind=self.tabs.tabText(index).lower()))

    def _first_model(self, kind: str) -> ModelSpec | None:
        """What a tab starts with; None where the user must choose a file first."""
        assert self._study is not None
        document = self._study.document
        for info in template_names(document.data):
            if info.kind == kind:
                return new_document(document.name, document.data, info.name).model
        return BlocksModel() if kind == "blocks" else None

    def _take_ranges(self, model: CodeModel, text: str, key: str) -> None:
        if self._study is not None:
            self._study.edit(text, self._study.document.model_copy(update={"model": model}), key)

    def _take_code(self, model: CodeModel, text: str) -> None:
        self._take(model, text)

    def _take(self, model: ModelSpec, text: str) -> None:
        """Put `model` into the document, with an objective that goes with it."""
        assert self._study is not None
        document = self._study.document
        search = document.search
        if objective_problem(search.objective, document.data.task, model):
            search = search.model_copy(update={"objective": usual_objective(document.data.task)})
        self._study.edit(text, document.model_copy(update={"model": model, "search": search}))
