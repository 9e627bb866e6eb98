"""The Run page: run the search and watch it."""

from __future__ import annotations

import importlib
import threading
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.pages.base import Page, PageStatus, Readiness
from tunerstudio.gui.services import Services
from tunerstudio.gui.theme import SPACE_M, SPACE_S, Theme
from tunerstudio.gui.widgets.basics import EmptyState
from tunerstudio.protocol.service import Failure
from tunerstudio.study.errors import StudyError
from tunerstudio.study.hyperparameters import SearchSpace
from tunerstudio.study.model import CodeModel
from tunerstudio.study.network import search_space

if TYPE_CHECKING:
    from tunerstudio.gui.run_view.view import RunView


class RunPage(Page):
    """Empty until the first run; then banner, plots and table.

    Signals:
        problems_found: (list[tuple[str, str]], str) why the space of the study is not known: (field, sentence) pairs.
    """

    problems_found = Signal(list, str)

    def __init__(self, theme: Theme, services: Services, parent: QWidget | None = None) -> None:
        """No study yet. `services` are asked for the space of a code model only."""
        super().__init__(parent)
        self._services = services
        self.title = self.tr("Run")
        self._theme = theme
        self._study: StudyContext | None = None
        self._view: RunView | None = None
        self._empty = EmptyState(theme, "ph.play-circle", "", self.tr("Run"), self)
        self._empty.clicked.connect(lambda: self.action_requested.emit("run"))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(SPACE_M, SPACE_S, SPACE_M, SPACE_S)
        self._stack = QStackedLayout()
        self._stack.addWidget(self._empty)
        outer.addLayout(self._stack)

    @property
    def view(self) -> RunView | None:
        """What is shown once there is a history or a search; None before."""
        return self._view

    def import_plots(self) -> None:
        """Import in another thread what the first search will need; takes half a second that nobody notices then."""
        name = "tunerstudio.gui.run_view.view"
        threading.Thread(target=importlib.import_module, args=(name,), name="import of plots", daemon=True).start()

    def set_study(self, study: StudyContext | None) -> None:
        if self._study is not None:
            self._study.trials_changed.disconnect(self._show_right_part)
            self._study.search_state_changed.disconnect(self._show_right_part)
            self._study.document_changed.disconnect(self._show_right_part)
        self._study = study
        if self._view is not None:
            self._view.set_study(study)
        if study is not None:
            study.trials_changed.connect(self._show_right_part)
            study.search_state_changed.connect(self._show_right_part)
            study.document_changed.connect(self._show_right_part)
        self._show_right_part()

    def status(self) -> PageStatus:
        study = self._study
        if study is None or not self._is_started(study):
            return PageStatus(Readiness.NOT_YET, self.tr("Press Run to start the search."))
        name, direction = study.document.search.objective.name, study.document.search.objective.direction
        wanted = self.tr("greater is better") if direction == "max" else self.tr("smaller is better")
        sentence = self.tr("Objective: {name} ({wanted})").format(name=name, wanted=wanted)
        completed = any(trial.score is not None for trial in study.trials.values())
        return PageStatus(Readiness.READY if completed else Readiness.NOT_YET, sentence)

    def _is_started(self, study: StudyContext) -> bool:
        return bool(study.trials) or study.search_state != "idle"

    def _show_right_part(self) -> None:
        study = self._study
        if study is not None and self._is_started(study):
            view = self._ensure_view(study)
            if self._stack.currentWidget() is not view:
                view.refresh()
                self._stack.setCurrentWidget(view)
                self.status_changed.emit()
            return
        self._empty.set_text(self._invitation(study))
        self._stack.setCurrentWidget(self._empty)
        self.status_changed.emit()

    def _ensure_view(self, study: StudyContext) -> RunView:
        if self._view is None:
            # Plots take half a second to import: not before they are needed, so that the window opens at once.
            from tunerstudio.gui.run_view.view import RunView

            self._view = RunView(self._theme, self)
            self._view.action_requested.connect(self.action_requested)
            self._view.phase_changed.connect(self.status_changed)
            self._view.space_needed.connect(self._find_space)
            self._stack.addWidget(self._view)
            self._view.set_study(study)
        return self._view

    def _find_space(self) -> None:
        """The search space for a form of values; what code declares is known to the engine alone."""
        study = self._study
        if study is None:
            return
        if isinstance(study.document.model, CodeModel):
            params = {"folder": str(study.folder)}
            study.save_now()
            self._services.engine.request("space", params, self._take_space, self._space_failed)
            return
        try:
            self._show_form(search_space(study.document))
        except StudyError as error:
            self.problems_found.emit([(problem.field, problem.message) for problem in error.problems], str(error))

    def _take_space(self, result: dict[str, Any]) -> None:
        self._show_form(SearchSpace.model_validate(result["space"]))

    def _space_failed(self, failure: Failure) -> None:
        self.problems_found.emit(list(failure.problems) or [("", failure.message)], failure.message)

    def _show_form(self, space: SearchSpace) -> None:
        if self._view is not None and self._study is not None:
            self._view.trials.show_form(space)

    def _invitation(self, study: StudyContext | None) -> str:
        if study is None:
            return self.tr("Open a study to run its search.")
        search, training = study.document.search, study.document.training
        return self.tr(
            "Run searches for the best {metric}: up to {trials} trials, each with {executions} × {epochs} epochs."
            " You can stop at any time and go on later."
        ).format(
            trials=search.budget.trials,
            executions=training.executions,
            epochs=training.epochs,
            metric=search.objective.name,
        )
