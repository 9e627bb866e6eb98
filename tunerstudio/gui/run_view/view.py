"""The Run page with everything on it: banner, plots, table, tabs. One selection for all of them."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSplitter, QTabWidget, QVBoxLayout, QWidget

from tunerstudio.analysis.clock import trained_s
from tunerstudio.analysis.endings import endings
from tunerstudio.analysis.history import score_history
from tunerstudio.analysis.pareto import pareto_front
from tunerstudio.analysis.progress import COUNTED, progress, training_of
from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.live_changes import LiveChanges
from tunerstudio.gui.plots.curves import CurvesPlot
from tunerstudio.gui.plots.history import HistoryPlot
from tunerstudio.gui.plots.importance import ImportancePlot
from tunerstudio.gui.plots.panel import PlotPanel
from tunerstudio.gui.plots.parallel import ParallelPlot
from tunerstudio.gui.plots.pareto import ParetoPlot
from tunerstudio.gui.plots.resources import ResourcesPlot
from tunerstudio.gui.plots.throttle import Throttle
from tunerstudio.gui.plots.timeline import TimelinePlot
from tunerstudio.gui.run_view.about_session import about_endings, about_session
from tunerstudio.gui.run_view.banner import RunBanner
from tunerstudio.gui.run_view.limits_popover import LimitsPopover
from tunerstudio.gui.run_view.log_view import LogView
from tunerstudio.gui.run_view.search_phase import SearchPhase, search_phase
from tunerstudio.gui.run_view.trials_panel import TrialsPanel
from tunerstudio.gui.theme import SPACE_S, Theme
from tunerstudio.gui.widgets.apply_strip import ApplyStrip
from tunerstudio.study.errors import StudyError
from tunerstudio.study.hyperparameters import SearchSpace
from tunerstudio.study.machine import workers_for
from tunerstudio.study.network import search_space
from tunerstudio.study.trials import Epoch, Trial, TrialState


class RunView(QWidget):
    """Everything on the Run page.

    Signals:
        action_requested: (str) as in `Page`.
        space_needed: () the search space is wanted for a form; `show_form` takes it.
        phase_changed: () `phase` would now answer differently.
    """

    action_requested = Signal(str)
    phase_changed = Signal()
    space_needed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """No study yet."""
        super().__init__(parent)
        self._study: StudyContext | None = None
        self._space: SearchSpace | None = None
        self._best: int | None = None
        self._tab_chosen = False
        self.phase = SearchPhase.NEW
        self.banner = RunBanner(theme, self)
        self.history = HistoryPlot(theme, self)
        self.curves = CurvesPlot(theme, self)
        self.trials = TrialsPanel(theme, self)
        self.timeline = TimelinePlot(theme, self)
        self.resources = ResourcesPlot(theme, self)
        self.parallel = ParallelPlot(theme, self)
        self.importance = ImportancePlot(theme, self)
        self.pareto = ParetoPlot(theme, self)
        self.log = LogView(theme, self)
        self.changes = LiveChanges(self)
        self.strip = ApplyStrip(theme, self.changes, self)
        self.limits = LimitsPopover(theme, self.changes, self)
        self._arrange()
        self._refresh_soon = Throttle(self.refresh, self)
        self.banner.action_requested.connect(self.action_requested)
        self.banner.limits_requested.connect(lambda: self.limits.open_under(self.banner.limits_button))
        self.trials.space_needed.connect(self.space_needed)
        self.banner.trial_clicked.connect(lambda number: self._pick(number, False))
        for plot in self._selecting():
            plot.trial_clicked.connect(self._pick)

    def set_study(self, study: StudyContext | None) -> None:
        """Show `study` from now on."""
        if self._study is not None:
            self._disconnect(self._study)
        self._study = study
        self.curves.clear_metrics()
        self.trials.set_study(study)
        self.changes.set_study(study)
        self.limits.set_study(study)
        if study is None:
            return
        study.trials_changed.connect(self._take_trials)
        study.epochs_added.connect(self._take_epochs)
        study.log_added.connect(self.log.add_lines)
        study.history_reset.connect(self._take_reset)
        study.selection_changed.connect(self._take_selection)
        study.search_state_changed.connect(self._refresh_soon.request)
        study.session_changed.connect(self._refresh_soon.request)
        study.resources_added.connect(self._take_surroundings)
        study.attempts_changed.connect(self._take_surroundings)
        study.disk_changed.connect(self._take_surroundings)
        study.document_changed.connect(self._take_document)
        self.log.set_lines(study.log)
        self.curves.set_epochs(study.epochs)
        self._take_surroundings()
        self._take_document()
        self._take_epochs([reports[-1] for reports in study.epochs.values() if reports])
        self._take_selection(study.selection)
        self.refresh()

    def refresh(self) -> None:
        """Bring figures and plots up to date."""
        study = self._study
        if study is None:
            return
        self._refresh_soon.cancel()
        search, training = study.document.search, training_of(study.document)
        now, session = time.time(), study.session
        is_open = study.search_state != "idle" and session is not None
        began = session.started_at if is_open and session is not None else now
        slots = session.workers if is_open and session is not None else workers_for(search)
        early = endings(search.budget, search.objective, study.trials.values(), began, now)
        time_left = None if early.finish_at is None else early.finish_at - now
        limited = search.budget.time_limit_s is not None
        spent_s = trained_s(study.attempts, study.trials.values(), now) if limited else 0.0
        how_far = progress(study.trials.values(), study.epochs, search.budget, training, slots, time_left, spent_s)
        phase = search_phase(study.search_state, bool(study.trials), how_far.done, search.budget.trials, study.has_died)
        has_changed, self.phase = phase is not self.phase, phase
        history = score_history(study.trials.values(), search.objective.direction)
        self.banner.show_phase(phase)
        said = (about_session(study, phase), about_endings(early, search.objective) if phase.is_open else "")
        rests = phase in (SearchPhase.PAUSED, SearchPhase.STOPPED)
        is_plugin = rests and session is not None and session.reason == "plugin"
        self.banner.show_line(" ".join(part for part in said if part), is_plugin)
        self.banner.show_progress(how_far, int(history.completed.sum()))
        self.banner.show_best(history.best_score, history.best_number)
        self.history.set_history(history, search.objective)
        self._best = history.best_number
        self.timeline.set_trials(study.trials.values())
        self.timeline.set_attempts(study.attempts, study.search_state != "idle")
        self.parallel.set_trials(study.trials.values(), search.objective, self._space)
        self.importance.set_trials(study.trials.values(), search.objective.direction)
        if search.also:
            self.pareto.set_front(pareto_front(study.trials.values(), search))
        self._choose_curves()
        self._show_what_has_data(len(history), bool(study.epochs))
        if has_changed:
            self.phase_changed.emit()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _arrange(self) -> None:
        self.upper_part = QSplitter(Qt.Orientation.Horizontal, self)
        self.upper_part.addWidget(self.history)
        self.upper_part.addWidget(self.curves)
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName(self.tr("More about the search"))
        self.tabs.addTab(self.timeline, self.tr("Timeline"))
        self.tabs.addTab(self.resources, self.tr("Resources"))
        self.tabs.addTab(self.parallel, self.tr("Parallel"))
        self.tabs.addTab(self.importance, self.tr("Importance"))
        self.tabs.addTab(self.pareto, self.tr("Pareto"))
        self.tabs.addTab(self.log, self.tr("Log"))
        self.tabs.tabBarClicked.connect(self._choose_tab)
        self.lower_part = QSplitter(Qt.Orientation.Horizontal, self)
        self.lower_part.addWidget(self.trials)
        self.lower_part.addWidget(self.tabs)
        whole = QSplitter(Qt.Orientation.Vertical, self)
        whole.addWidget(self.upper_part)
        whole.addWidget(self.lower_part)
        for splitter, sizes in ((self.upper_part, (1, 1)), (self.lower_part, (13, 7)), (whole, (5, 6))):
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(SPACE_S)
            splitter.setSizes([size * 100 for size in sizes])
            for place, size in enumerate(sizes):
                splitter.setStretchFactor(place, size)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_S)
        layout.addWidget(self.banner)
        layout.addWidget(self.strip)
        layout.addWidget(whole, 1)

    def _choose_tab(self, _: int) -> None:
        self._tab_chosen = True

    def _selecting(self) -> tuple[PlotPanel, ...]:
        return (self.history, self.curves, self.timeline, self.parallel, self.pareto)

    def _disconnect(self, study: StudyContext) -> None:
        study.trials_changed.disconnect(self._take_trials)
        study.epochs_added.disconnect(self._take_epochs)
        study.log_added.disconnect(self.log.add_lines)
        study.history_reset.disconnect(self._take_reset)
        study.selection_changed.disconnect(self._take_selection)
        study.search_state_changed.disconnect(self._refresh_soon.request)
        study.session_changed.disconnect(self._refresh_soon.request)
        study.resources_added.disconnect(self._take_surroundings)
        study.attempts_changed.disconnect(self._take_surroundings)
        study.disk_changed.disconnect(self._take_surroundings)
        study.document_changed.disconnect(self._take_document)

    def _take_trials(self, trials: list[Trial]) -> None:
        self.trials.update_trials(trials)
        self._refresh_soon.request()

    def _take_epochs(self, epochs: list[Epoch]) -> None:
        if self._study is None or not epochs:
            return
        self.trials.update_epochs(epochs)
        # All epochs of a search log the same metrics; the last one speaks for its batch.
        self.curves.add_metrics(list(epochs[-1].metrics), self._study.document.search.objective.name)
        self._refresh_soon.request()

    def _take_surroundings(self, *_: object) -> None:
        if self._study is None:
            return
        self.resources.set_samples(self._study.resources)
        self.resources.set_disk(self._study.disk)
        self.timeline.set_attempts(self._study.attempts, self._study.search_state != "idle")

    def _take_reset(self) -> None:
        self.trials.reset()
        self.log.set_lines([])
        self._refresh_soon.request()

    def _take_selection(self, numbers: list[int]) -> None:
        self.trials.show_selection(numbers)
        self.history.set_selection(numbers)
        self.timeline.set_selection(numbers)
        self.parallel.set_selection(numbers)
        self.pareto.set_selection(numbers)
        self._choose_curves()

    def _take_document(self) -> None:
        assert self._study is not None
        try:
            self._space = search_space(self._study.document)
        except StudyError:
            self._space = None  # the Search page tells what is wrong; the views follow from the values then
        self.trials.update_columns()
        self._refresh_soon.request()

    def _choose_curves(self) -> None:
        """Running trials first, then those selected that trained, or else the best one to compare with."""
        study = self._study
        if study is None:
            return
        is_active = study.search_state != "idle"
        running = [n for n, trial in study.trials.items() if is_active and trial.state is TrialState.RUNNING]
        trained = {number for number, _ in study.epochs} if study.selection else set()
        selected = [number for number in study.selection if number in trained]
        others = selected or ([] if self._best is None else [self._best])
        self.curves.set_trials([*running[-4:], *others])

    def _show_what_has_data(self, scores: int, has_epochs: bool) -> None:
        assert self._study is not None
        done = any(trial.state in COUNTED for trial in self._study.trials.values())
        self.history.setVisible(scores > 0)
        self.curves.setVisible(has_epochs)
        self.upper_part.setVisible(scores > 0 or has_epochs)
        shown = (
            (self.timeline, done or bool(self._study.attempts)),
            (self.resources, bool(self._study.resources) or self._study.disk is not None),
            (self.parallel, scores > 1),
            (self.importance, scores > 0),
            (self.pareto, bool(self._study.document.search.also) and scores > 0),
        )
        for widget, has_data in shown:
            self.tabs.setTabVisible(self.tabs.indexOf(widget), has_data)
        if done and not self._tab_chosen:
            self._tab_chosen = True
            self.tabs.setCurrentWidget(self.timeline)

    def _pick(self, number: int, add: bool) -> None:
        if self._study is None:
            return
        selection = self._study.selection
        if not add:
            self._study.select([number])
        elif number in selection:
            self._study.select([other for other in selection if other != number])
        else:
            self._study.select([*selection, number])
