"""The Models page: choose the best, look at them, save them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.models_view.saved_panel import SavedModels
from tunerstudio.gui.pages.base import Page, PageStatus, Readiness
from tunerstudio.gui.services import Services
from tunerstudio.gui.theme import SPACE_M, SPACE_S, Theme
from tunerstudio.gui.widgets.basics import EmptyState
from tunerstudio.study.trials import TrialState

if TYPE_CHECKING:
    from tunerstudio.gui.models_view.view import ModelsView


class ModelsPage(Page):
    """Empty until a trial is completed or a model is saved; then ranking, detail and saved models."""

    def __init__(self, theme: Theme, services: Services, parent: QWidget | None = None) -> None:
        """No study yet. `services` is not needed: saving goes through `action_requested`."""
        super().__init__(parent)
        self.title = self.tr("Models")
        self._theme = theme
        self._study: StudyContext | None = None
        self._view: ModelsView | None = None
        self._saved = SavedModels(self)
        self._saved.changed.connect(self._show_right_part)
        self._empty = EmptyState(theme, "ph.medal", "", self.tr("Go to Run"), self)
        self._empty.clicked.connect(lambda: self.action_requested.emit("go:run"))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(SPACE_M, SPACE_S, SPACE_M, SPACE_S)
        self._stack = QStackedLayout()
        self._stack.addWidget(self._empty)
        outer.addLayout(self._stack)

    @property
    def view(self) -> ModelsView | None:
        """What is shown once there is something to choose from; None before."""
        return self._view

    def set_study(self, study: StudyContext | None) -> None:
        if self._study is not None:
            self._study.trials_changed.disconnect(self._show_right_part)
            self._study.history_reset.disconnect(self._show_right_part)
        self._study = study
        if self._view is not None:
            self._view.set_study(study)
        self._saved.set_folder(None if study is None else study.folder)
        if study is not None:
            study.trials_changed.connect(self._show_right_part)
            study.history_reset.connect(self._show_right_part)
        self._show_right_part()

    def status(self) -> PageStatus:
        saved = len([model for model in self._saved.models if not model.problem])
        if saved:
            return PageStatus(Readiness.READY, self.tr("Saved models: {count}").format(count=saved))
        if self._has_something():
            return PageStatus(Readiness.NOT_YET, self.tr("Choose how many of the best models to save."))
        return PageStatus(Readiness.NOT_YET, self.tr("The best trials appear here."))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_right_part()

    def _has_something(self) -> bool:
        study = self._study
        if study is None:
            return False
        completed = any(trial.state is TrialState.COMPLETED for trial in study.trials.values())
        return completed or bool(self._saved.models)

    def _show_right_part(self) -> None:
        study = self._study
        if study is not None and self._has_something():
            # The view imports the plots: not before the page is looked at.
            if self.isVisible() and self._stack.currentWidget() is not self._ensure_view(study):
                self._stack.setCurrentWidget(self._ensure_view(study))
        else:
            self._empty.set_text(
                self.tr("No trial is completed yet. Run the search; its best models can then be saved here.")
            )
            self._stack.setCurrentWidget(self._empty)
        self.status_changed.emit()

    def _ensure_view(self, study: StudyContext) -> ModelsView:
        if self._view is None:
            from tunerstudio.gui.models_view.view import ModelsView

            self._view = ModelsView(self._theme, self._saved, self)
            self._view.action_requested.connect(self.action_requested)
            self._stack.addWidget(self._view)
            self._view.set_study(study)
        return self._view
