"""The Models page with everything on it: chooser, ranking, detail, saved models."""

from __future__ import annotations

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QSignalBlocker, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFrame, QLabel, QSplitter, QTableView, QVBoxLayout, QWidget

from tunerstudio.analysis.table import value_names, varying_names
from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.models_view.chooser import Chooser
from tunerstudio.gui.models_view.detail import DetailPanel
from tunerstudio.gui.models_view.ranking_model import RankingItemModel
from tunerstudio.gui.models_view.saved_panel import SavedModels, SavedPanel
from tunerstudio.gui.plots.throttle import Throttle
from tunerstudio.gui.theme import SPACE_S, SPACE_XS, Theme
from tunerstudio.gui.trial_table.looks import fit_columns, set_up_table
from tunerstudio.registry.ranking import Constraints, Ranking, Rule, rank
from tunerstudio.study.trials import Trial


class ModelsView(QWidget):
    """Everything on the Models page.

    Signals:
        action_requested: (str) as in `Page`: `save_models:<n>`, or `save_trials:<numbers>` for another order.
    """

    action_requested = Signal(str)

    def __init__(self, theme: Theme, saved: SavedModels, parent: QWidget | None = None) -> None:
        """No study yet; `saved` knows the saved models."""
        super().__init__(parent)
        self._study: StudyContext | None = None
        self._saved = saved
        self.ranking = Ranking((), frozenset(), None, 0)
        self.chooser = Chooser(theme, self)
        self.item_model = RankingItemModel(theme, self)
        self.table = QTableView(self)
        self.table.setModel(self.item_model)
        self.table.setAccessibleName(self.tr("Best trials"))
        self.table.setFrameShape(QFrame.Shape.NoFrame)
        set_up_table(self.table)
        self.detail = DetailPanel(theme, self)
        self.saved_panel = SavedPanel(theme, self)
        self._arrange(theme)
        self._refresh_soon = Throttle(self.refresh, self)
        self._fit_soon = QTimer(self)
        self._fit_soon.setSingleShot(True)
        self._fit_soon.timeout.connect(lambda: fit_columns(self.table))
        self.item_model.modelReset.connect(lambda: self._fit_soon.start(0))
        self.table.selectionModel().selectionChanged.connect(self._selection_changed)
        self.chooser.changed.connect(self.refresh)
        self.chooser.save_requested.connect(self._save)
        self.saved_panel.trial_clicked.connect(self._select)
        self._saved.changed.connect(self.refresh)
        for panel in (self.detail, self.saved_panel):
            panel.open_requested.connect(lambda path: QDesktopServices.openUrl(QUrl.fromLocalFile(path)))

    def set_study(self, study: StudyContext | None) -> None:
        """Show `study` from now on."""
        if self._study is not None:
            self._study.trials_changed.disconnect(self._refresh_soon.request)
            self._study.history_reset.disconnect(self._refresh_soon.request)
            self._study.selection_changed.disconnect(self._show_selection)
            self._study.search_state_changed.disconnect(self._refresh_soon.request)
            self._study.saving_changed.disconnect(self._show_whether_to_save)
        self._study = study
        self.detail.curves.clear_metrics()
        if study is not None:
            study.trials_changed.connect(self._refresh_soon.request)
            study.history_reset.connect(self._refresh_soon.request)
            study.selection_changed.connect(self._show_selection)
            study.search_state_changed.connect(self._refresh_soon.request)
            study.saving_changed.connect(self._show_whether_to_save)
            self.refresh()

    def refresh(self) -> None:
        """Rank anew and show everything."""
        study = self._study
        if study is None:
            return
        self._refresh_soon.cancel()
        trials = list(study.trials.values())
        direction = study.document.search.objective.direction
        self.ranking = rank(trials, direction, self.chooser.rule, self.chooser.constraints)
        shown = list(self.ranking.trials)
        self.item_model.set_ranking(self.ranking, varying_names(shown, value_names(shown)), self._saved.numbers())
        self.chooser.explain(self.ranking, any(t.standard_error is not None for t in shown))
        self._show_whether_to_save()
        self.saved_panel.set_models(self._saved.models)
        self._show_selection(study.selection)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _arrange(self, theme: Theme) -> None:
        best = QFrame(self)
        best.setProperty("look", "card")
        title = QLabel(self.tr("Best trials"), best)
        title.setFont(theme.bold_font())
        title.setContentsMargins(SPACE_S, 0, 0, 0)
        inside = QVBoxLayout(best)
        inside.setContentsMargins(1, SPACE_S, 1, 1)
        inside.setSpacing(SPACE_XS)
        inside.addWidget(title)
        inside.addWidget(self.table, 1)
        left = QSplitter(Qt.Orientation.Vertical, self)
        left.addWidget(best)
        left.addWidget(self.saved_panel)
        whole = QSplitter(Qt.Orientation.Horizontal, self)
        whole.addWidget(left)
        whole.addWidget(self.detail)
        for splitter, sizes in ((left, (9, 5)), (whole, (6, 5))):
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(SPACE_S)
            splitter.setSizes([size * 100 for size in sizes])
            for place, size in enumerate(sizes):
                splitter.setStretchFactor(place, size)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_S)
        layout.addWidget(self.chooser)
        layout.addWidget(whole, 1)

    def _show_whether_to_save(self) -> None:
        if self._study is None:
            return
        why_not = ""
        if self._study.search_state != "idle":
            why_not = self.tr("Models can be saved when the search has stopped.")
        elif self._study.is_saving:
            why_not = self.tr("Models are being saved.")
        self.chooser.set_can_save(len(self.ranking.trials), why_not)

    def _selection_changed(self) -> None:
        rows = [index.row() for index in self.table.selectionModel().selectedRows()]
        numbers = [self.item_model.trials[row].number for row in rows]
        if self._study is not None and numbers:
            self._study.select(numbers)

    def _select(self, number: int) -> None:
        if self._study is not None:
            self._study.select([number])

    def _show_selection(self, numbers: list[int]) -> None:
        """Select the rows of these trials and show the last of them; the best one if none of them is ranked."""
        study = self._study
        if study is None:
            return
        rows = [row for row in map(self.item_model.row_of, numbers) if row is not None]
        selection = QItemSelection()
        last_column = self.item_model.columnCount() - 1
        for row in rows:
            selection.select(self.item_model.index(row, 0), self.item_model.index(row, last_column))
        model = self.table.selectionModel()
        with QSignalBlocker(model):
            model.select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.table.viewport().update()
        trials = self.item_model.trials
        shown: Trial | None = trials[rows[-1]] if rows else trials[0] if trials else None
        self.detail.setVisible(shown is not None)
        if shown is not None:
            compared = [trials[row].number for row in rows]
            self.detail.show_trial(study, shown, self._saved.of_trial(shown.number), compared)

    def _save(self, count: int) -> None:
        """Ask for the first `count` of the ranking; by number where the engine would choose others."""
        if self.chooser.rule is Rule.BEST_SCORE and self.chooser.constraints == Constraints():
            self.action_requested.emit(f"save_models:{count}")
            return
        numbers = ",".join(str(trial.number) for trial in self.ranking.trials[:count])
        self.action_requested.emit(f"save_trials:{numbers}")
