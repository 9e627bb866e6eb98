"""One trial in depth: curves, values, executions, and its saved model."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.formats import format_count, format_duration, format_number, format_score
from tunerstudio.gui.models_view.facts_table import FactsTable
from tunerstudio.gui.plots.curves import CurvesPlot
from tunerstudio.gui.theme import SPACE_S, SPACE_XS, Theme
from tunerstudio.gui.trial_table.columns import score_text
from tunerstudio.gui.widgets.basics import heading_label, link_button, muted_label
from tunerstudio.registry.card import ModelCard
from tunerstudio.registry.saved import SavedModel
from tunerstudio.study.trials import Trial


class DetailPanel(QFrame):
    """What is known of one trial.

    Signals:
        open_requested: (str) open this file or folder with the desktop's own program.
    """

    open_requested = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Nothing is chosen yet."""
        super().__init__(parent)
        self._saved: SavedModel | None = None
        self.setProperty("look", "card")
        self._title = heading_label(theme)
        self._facts = muted_label()
        self.curves = CurvesPlot(theme, self)
        self.curves.setProperty("look", "plain")
        self.curves.title_label.hide()
        self.values = FactsTable(theme, self.tr("Values"), (self.tr("Hyperparameter"), self.tr("Value")), self)
        self.executions = FactsTable(
            theme,
            self.tr("Executions"),
            (self.tr("Execution"), self.tr("Score"), self.tr("Best epoch"), self.tr("Epochs"), self.tr("Seed")),
            self,
        )
        self.metrics = FactsTable(
            theme, self.tr("Metrics"), (self.tr("Metric"), self.tr("Validation"), self.tr("Test")), self
        )
        self._saved_note = muted_label()
        self.open_card_button = link_button(self.tr("Open card"), self._open_card)
        self.open_card_button.setToolTip(self.tr("Shows all that is known of the saved model in the web browser"))
        self.open_folder_button = link_button(self.tr("Open folder"), self._open_folder)
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.curves, self.tr("Curves"))
        self.tabs.addTab(self.values, self.tr("Values"))
        self.tabs.addTab(self.executions, self.tr("Executions"))
        self.tabs.addTab(self._saved_tab(), self.tr("Saved model"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_S, SPACE_S, SPACE_S, SPACE_S)
        layout.setSpacing(SPACE_XS)
        layout.addWidget(self._title)
        layout.addWidget(self._facts)
        layout.addWidget(self.tabs, 1)

    def show_trial(
        self, study: StudyContext, trial: Trial, saved: SavedModel | None, compared: Sequence[int] = ()
    ) -> None:
        """Show `trial` and its saved model, if there is one; the curves of the trials `compared` are drawn too."""
        self._title.setText(self.tr("Trial {number}").format(number=trial.number))
        size = "–" if trial.parameters is None else format_count(trial.parameters)
        facts = self.tr("{score} · {size} parameters · {epochs} epochs in {time}").format(
            score=score_text(trial), size=size, epochs=trial.epochs, time=format_duration(trial.duration_s)
        )
        self._facts.setText(f"{facts}\n{trial.reason}" if trial.reason else facts)
        self.curves.set_epochs(study.epochs)
        last = study.epochs.get((trial.number, 0), ())
        if last:
            self.curves.add_metrics(list(last[-1].metrics), study.document.search.objective.name)
        self.curves.set_trials([trial.number, *(number for number in compared if number != trial.number)])
        self.values.set_rows([(name, format_number(value)) for name, value in trial.values.items()])
        self.executions.set_rows(
            [
                (
                    str(e.index + 1),
                    format_score(e.score),
                    format_number(e.best_epoch),
                    str(e.epochs),
                    str(e.seed),
                )
                for e in trial.executions
            ]
        )
        self._show_saved(saved)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _saved_tab(self) -> QWidget:
        tab = QWidget(self)
        buttons = QHBoxLayout()
        buttons.addWidget(self.open_card_button)
        buttons.addWidget(self.open_folder_button)
        buttons.addStretch(1)
        layout = QVBoxLayout(tab)
        layout.setContentsMargins(SPACE_XS, SPACE_S, SPACE_XS, 0)
        layout.addWidget(self._saved_note)
        layout.addWidget(self.metrics, 1)
        layout.addLayout(buttons)
        layout.addStretch(0)
        return tab

    def _show_saved(self, saved: SavedModel | None) -> None:
        self._saved = saved
        card = saved.card if saved is not None else None
        self.open_card_button.setVisible(saved is not None and saved.page is not None)
        self.open_folder_button.setVisible(saved is not None)
        self.metrics.setVisible(card is not None)
        if saved is None:
            self._saved_note.setText(
                self.tr("Not saved yet. Saving writes the model with its card and evaluates it on the test part.")
            )
        elif card is None or saved.problem:
            self._saved_note.setText(saved.problem)
        else:
            self._saved_note.setText(self._about(card))
        if card is not None:
            names = sorted({*card.validation, *card.test})
            self.metrics.set_rows(
                [(name, format_score(card.validation.get(name)), format_score(card.test.get(name))) for name in names]
            )

    def _about(self, card: ModelCard) -> str:
        checked = (
            self.tr("Loaded again from the file alone, it gave its score again.")
            if card.verified
            else self.tr("Loaded again from the file alone, it did NOT give its score again.")
        )
        test = "" if card.test else " " + self.tr("There was no test part.")
        return (
            self.tr("{file}, saved {when} UTC.").format(file=card.file, when=card.saved_at[:16].replace("T", " "))
            + f" {checked}{test}"
        )

    def _open_card(self) -> None:
        if self._saved is not None and self._saved.page is not None:
            self.open_requested.emit(str(self._saved.page))

    def _open_folder(self) -> None:
        if self._saved is not None:
            self.open_requested.emit(str(self._saved.folder))
