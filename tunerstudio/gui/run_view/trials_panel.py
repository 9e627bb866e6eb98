"""The table of trials with its filter box, and what is worth saying about the selected trial."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

from PySide6.QtCore import QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from tunerstudio.analysis.filters import parse_filter
from tunerstudio.analysis.progress import running_trial
from tunerstudio.analysis.table import value_names
from tunerstudio.gui import dialogs
from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.formats import format_number, format_score
from tunerstudio.gui.run_view.enqueue_form import EnqueueForm
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_S, SPACE_XS, Theme
from tunerstudio.gui.trial_table.columns import message_text
from tunerstudio.gui.trial_table.item_model import TrialsItemModel
from tunerstudio.gui.trial_table.verbs import EDIT, trial_verbs
from tunerstudio.gui.trial_table.view import TrialsView
from tunerstudio.gui.widgets.basics import Banner, link_button
from tunerstudio.protocol.control import EnqueueTrial, SetNote
from tunerstudio.study.hyperparameters import SearchSpace, Values
from tunerstudio.study.trials import Epoch, Trial, TrialState

_FILTER_DELAY_MS = 150
"""Pause in typing after which the filter is applied."""


class TrialsPanel(QFrame):
    """All trials of the study as a table.

    Signals:
        space_needed: () the form for a trial's values was asked for; `set_space` opens it.
    """

    space_needed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """No study yet."""
        super().__init__(parent)
        self._theme = theme
        self._study: StudyContext | None = None
        self._names: list[str] = []
        self._also: list[str] = []
        self._wanted_start: Trial | None = None
        self.form: EnqueueForm | None = None
        self.setProperty("look", "card")
        self.item_model = TrialsItemModel(theme, self)
        self.view = TrialsView(theme, self.item_model, self)
        self.view.setFrameShape(QFrame.Shape.NoFrame)
        self.view.numbers_selected.connect(self._select)
        self.view.folder_requested.connect(self._open_folder)
        self.view.details_requested.connect(self._show_details)
        self.view.verb_requested.connect(self._do)
        self.add_button = link_button(self.tr("Add a trial…"), lambda: self._open_form(None))
        self.add_button.setIcon(theme.icon("ph.plus-circle", "accent"))
        self.add_button.setToolTip(self.tr("Queue a trial of your own values; it comes before new proposals."))
        self.filter_box = QLineEdit(self)
        self.filter_box.setPlaceholderText(self.tr("Filter: failed, units>=12, activation=relu"))
        self.filter_box.setAccessibleName(self.tr("Filter of the trials"))
        self.filter_box.setToolTip(
            self.tr("Words, or comparisons such as score>0.9, state=failed, units<=64; all must hold (Ctrl+F)")
        )
        self.filter_box.setClearButtonEnabled(True)
        self.filter_box.setMinimumHeight(MINIMUM_TARGET)
        self.count_label = QLabel(self)
        self.count_label.setProperty("look", "muted")
        self.message = Banner(theme, self)
        self._filter_soon = QTimer(self)
        self._filter_soon.setSingleShot(True)
        self._filter_soon.timeout.connect(self._apply_filter)
        self.filter_box.textChanged.connect(lambda _: self._filter_soon.start(_FILTER_DELAY_MS))
        QShortcut(QKeySequence.StandardKey.Find, self, self.filter_box.setFocus)
        self._arrange()

    def set_study(self, study: StudyContext | None) -> None:
        """Show the trials of `study`."""
        self._study = study
        self._names = []
        self.message.clear()
        self.reset()

    def reset(self) -> None:
        """Read everything anew."""
        trials = self._study.trials.values() if self._study is not None else ()
        self.item_model.reset(trials)
        self.update_columns()
        self._tell_count()
        if self._study is not None:
            self.view.show_selection(self._study.selection)

    def update_columns(self) -> None:
        """Have a column for each hyperparameter."""
        if self._study is None:
            return
        names = list(dict.fromkeys([*self._names, *value_names(self._study.trials.values())]))
        search = self._study.document.search
        also = [one.name for one in search.also]
        if (names, also) != (self._names, self._also) or not self.item_model.columns:
            self._names, self._also = names, also
            texts = {n for t in self._study.trials.values() for n, v in t.values.items() if isinstance(v, str | bool)}
            self.item_model.set_value_names(names, search.objective.name, texts, also)

    def update_trials(self, trials: list[Trial]) -> None:
        """Take in new and changed trials."""
        if any(name not in self._names for trial in trials for name in trial.values):
            self.update_columns()
        self.item_model.update_trials(trials)
        for trial in trials:
            if trial.state is TrialState.RUNNING:
                self._show_progress(trial)
        self._tell_count()
        picked = self._study.selection if self._study is not None else []
        if self.message.isVisibleTo(self) and picked and any(trial.number == picked[-1] for trial in trials):
            self._tell_about(picked)  # its state is another one now

    def update_epochs(self, epochs: list[Epoch]) -> None:
        """Show how far the running trials are."""
        if self._study is None:
            return
        for number in {epoch.trial for epoch in epochs}:
            trial = self._study.trials.get(number)
            if trial is not None and trial.state is TrialState.RUNNING:
                self._show_progress(trial)

    def show_form(self, space: SearchSpace) -> None:
        """Ask for the values of a trial, after `space_needed`."""
        start = self._wanted_start
        title = (
            self.tr("A trial of your own values")
            if start is None
            else self.tr("A trial like trial {number}").format(number=start.number)
        )
        self.form = EnqueueForm(self._theme, space, {} if start is None else start.values, title, self.window())
        self.form.enqueued.connect(self._enqueue)
        self.form.destroyed.connect(self._forget_form)
        self.form.open()

    def show_selection(self, numbers: list[int]) -> None:
        """Select these trials."""
        self._tell_about(numbers)
        if numbers != self.view.picked:
            self.view.show_selection(numbers)
        if numbers:
            # A message below takes room from the table: scroll when that has happened.
            QTimer.singleShot(0, self.view, lambda: self.view.reveal(numbers[-1]))

    # --- inside -----------------------------------------------------------------------------------------------------

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(SPACE_S, 0, SPACE_S, 0)
        head.setSpacing(SPACE_S)
        title = QLabel(self.tr("Trials"), self)
        title.setFont(self._theme.bold_font())
        head.addWidget(title)
        head.addWidget(self.filter_box, 1)
        head.addWidget(self.count_label)
        head.addWidget(self.add_button)
        body = QVBoxLayout(self)
        body.setContentsMargins(1, SPACE_S, 1, 1)
        body.setSpacing(SPACE_XS)
        body.addLayout(head)
        body.addWidget(self.view, 1)
        body.addWidget(self.message)

    def _select(self, numbers: list[int]) -> None:
        if self._study is not None:
            self._study.select(numbers)

    def _apply_filter(self) -> None:
        self._filter_soon.stop()
        self.item_model.set_filter(parse_filter(self.filter_box.text()))
        self._tell_count()

    def _tell_count(self) -> None:
        shown, total = self.item_model.rowCount(), self.item_model.total
        self.count_label.setText(
            str(total) if shown == total else self.tr("{shown} of {total}").format(shown=shown, total=total)
        )

    def _show_progress(self, trial: Trial) -> None:
        assert self._study is not None
        document, epochs = self._study.document, self._study.epochs
        where = running_trial(trial, epochs, document.training)
        text = f"{where.epoch}/{where.epochs}"
        if where.executions > 1:
            text += self.tr(" ({k} of {n})").format(k=where.execution, n=where.executions)
        reports = epochs.get((trial.number, where.execution - 1), ())
        value = reports[-1].metrics.get(document.search.objective.name) if reports else None
        self.item_model.set_progress(trial.number, text, "" if value is None else format_score(value) + " …")

    def _do(self, verb_id: str, numbers: list[int]) -> None:
        study = self._study
        if study is None:
            return
        verb = next(verb for verb in trial_verbs() if verb.id == verb_id)
        if verb.command is not None:
            for number in numbers:
                study.request(verb.command(number))
        elif verb.id == EDIT:
            self._open_form(study.trials.get(numbers[-1]))
        else:
            self._ask_note(study, numbers[-1])

    def _open_form(self, start: Trial | None) -> None:
        if self._study is not None and self.form is None:
            self._wanted_start = start
            self.space_needed.emit()

    def _forget_form(self) -> None:
        self.form = None

    def _enqueue(self, values: Values, note: str) -> None:
        if self._study is not None:
            self._study.request(EnqueueTrial(values=values, note=note))

    def _ask_note(self, study: StudyContext, number: int) -> None:
        note = dialogs.ask_note(self.window(), number, study.trials[number].note)
        if note is not None:
            study.request(SetNote(trial=number, note=note))

    def _open_folder(self, number: int) -> None:
        if self._study is None:
            return
        folder = self._study.folder / "trials" / f"{number:04d}"
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder if folder.is_dir() else self._study.folder)))

    def _tell_about(self, numbers: list[int]) -> None:
        """A trial says as soon as it is selected why it failed or was tried."""
        trial = self._study.trials.get(numbers[-1]) if self._study is not None and numbers else None
        text = "" if trial is None else message_text(trial) or trial.reason
        if trial is None or not (text or trial.state is TrialState.PAUSED):
            self.message.clear()
            return
        severity = {TrialState.FAILED: "bad", TrialState.COMPLETED: "info", TrialState.PAUSED: "info"}
        text = text or self.tr("it rests with a checkpoint, and goes on when you resume it")
        verbs = () if trial.state is TrialState.COMPLETED else self._verb_buttons(trial, {"resume", "retry"})
        look = severity.get(trial.state, "warning") if message_text(trial) else "info"
        self.message.tell(look, self._sentence(trial, text), trial.details, verbs)

    def _show_details(self, number: int) -> None:
        trial = self._study.trials.get(number) if self._study is not None else None
        if trial is None:
            return
        values = ", ".join(f"{name} {format_number(value)}" for name, value in trial.values.items())
        text = " · ".join(part for part in (trial.reason, message_text(trial)) if part) or values
        severity = "bad" if trial.state is TrialState.FAILED else "info"
        self.message.tell(severity, self._sentence(trial, text), trial.details, self._verb_buttons(trial))

    def _verb_buttons(
        self, trial: Trial, wanted: Collection[str] | None = None
    ) -> tuple[tuple[str, Callable[[], object]], ...]:
        """Buttons for what applies to `trial`, or for those of the `wanted` verbs that do."""
        return tuple(
            (verb.text, partial(self._do, verb.id, [trial.number]))
            for verb in trial_verbs()
            if verb.applies(trial) and (wanted is None or verb.id in wanted)
        )

    def _sentence(self, trial: Trial, text: str) -> str:
        return self.tr("Trial {number} ({state}): {text}").format(
            number=trial.number, state=self._theme.state(trial.state).word, text=text
        )
