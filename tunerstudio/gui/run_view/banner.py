"""The strip on top of the Run page: where the search stands, how long it takes, the best so far, and what to do."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QToolButton, QVBoxLayout, QWidget

from tunerstudio.analysis.progress import Progress
from tunerstudio.gui.formats import format_score
from tunerstudio.gui.run_view.search_phase import SearchPhase, format_eta, phase_look, phase_word
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_M, SPACE_S, SPACE_XS, Theme
from tunerstudio.gui.widgets.basics import link_button, muted_label, primary_button, set_look

MORE_TRIALS = 10
"""Trials that one click adds to a search whose budget is used up."""

_SCALE = 1000
"""Steps of a progress bar."""


class RunBanner(QFrame):
    """One row of figures with a caption each, and the verbs.

    Signals:
        action_requested: (str) "run", "run:<trials>", "pause", "go_on", "stop:epoch", "stop:now" or "go:search".
        trial_clicked: (int) show the best trial.
        limits_requested: () budget and workers are to be changed.
    """

    action_requested = Signal(str)
    trial_clicked = Signal(int)
    limits_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Nothing is known yet."""
        super().__init__(parent)
        self._theme = theme
        self._phase = SearchPhase.NEW
        self._best: int | None = None
        self._completed = 0
        self.setProperty("look", "card")
        self._icon = QLabel(self)
        self._word = QLabel(self)
        self._word.setFont(theme.heading_font())
        self.trials_bar, self.trials_text = _bar(self.tr("Progress over all trials")), QLabel(self)
        self.epochs_bar, self.epochs_text = _bar(self.tr("Progress of the running trial")), QLabel(self)
        self.eta_text, self.best_button = QLabel(self), link_button("", self._show_best)
        self.best_button.setToolTip(self.tr("Select this trial in all views"))
        self._eta_caption = self._caption(self.tr("Time left"))
        self._best_caption = self._caption(self.tr("Best so far"))
        self.run_button = primary_button(self.tr("Run"))
        self.run_button.clicked.connect(lambda: self.action_requested.emit("go_on" if self._phase.is_open else "run"))
        self.more_button = primary_button(self.tr("Run {count} more").format(count=MORE_TRIALS))
        self.more_button.clicked.connect(lambda: self.action_requested.emit(f"run:{self._completed + MORE_TRIALS}"))
        self.pause_button = self._stop_button(self.tr("Pause"), "pause", "ph.pause-circle")
        self.stop_epoch_button = self._stop_button(self.tr("Stop after this epoch"), "stop:epoch", "ph.stop-circle")
        self.stop_now_button = self._stop_button(self.tr("Stop now"), "stop:now", "ph.x-circle")
        self.limits_button = QToolButton(self)
        self.limits_button.setIcon(theme.icon("ph.sliders-horizontal"))
        self.limits_button.setMinimumSize(MINIMUM_TARGET, MINIMUM_TARGET)
        self.limits_button.setAutoRaise(True)
        self.limits_button.setAccessibleName(self.tr("Budget and workers"))
        self.limits_button.clicked.connect(self.limits_requested)
        self.line = muted_label()
        self.choose_button = link_button(self.tr("Choose another…"), lambda: self.action_requested.emit("go:search"))
        self.choose_button.setToolTip(
            self.tr("Shows the Search page: take another algorithm or pruning method there, then press Resume.")
        )
        self._set_tool_tips()
        self._arrange()
        theme.theme_changed.connect(self._restyle)
        self.show_phase(SearchPhase.NEW)

    def show_phase(self, phase: SearchPhase) -> None:
        """Say where the search stands and offer what can be done."""
        self._phase = phase
        stops = (self.pause_button, self.stop_epoch_button, self.stop_now_button)
        had_focus = any(button.hasFocus() for button in (*stops, self.run_button))
        self._word.setText(phase_word(phase))
        self._restyle()
        rests = phase in (SearchPhase.PAUSING, SearchPhase.PAUSED)
        self.run_button.setVisible(rests or not (phase.is_active or phase is SearchPhase.FINISHED))
        self.run_button.setText(self.tr("Run") if phase is SearchPhase.NEW else self.tr("Resume"))
        self.more_button.setVisible(phase is SearchPhase.FINISHED)
        self.pause_button.setVisible(phase.is_active and not rests)
        self.pause_button.setEnabled(phase is SearchPhase.RUNNING)
        self.stop_epoch_button.setVisible(phase.is_active)
        self.stop_epoch_button.setEnabled(phase is not SearchPhase.STOPPING)
        self.stop_now_button.setVisible(phase.is_open)
        self.stop_now_button.setText(self.tr("Stop") if phase is SearchPhase.PAUSED else self.tr("Stop now"))
        if had_focus and not any(button.hasFocus() for button in stops if button.isVisibleTo(self)):
            self._focus_a_verb()
        self._epochs_panel.setVisible(phase.is_active)
        self._eta_panel.setVisible(phase.is_active)

    def show_line(self, text: str, is_plugin: bool = False) -> None:
        """More about the session, under the figures; "" for nothing.

        With `is_plugin` it says that a plugin does not work, in red, and another one can be chosen.
        """
        self.line.setText(text)
        self.line.setVisible(bool(text))
        set_look(self.line, "look", "bad_text" if is_plugin else "muted")
        self.choose_button.setVisible(bool(text) and is_plugin)

    def show_progress(self, progress: Progress, completed: int) -> None:
        """Show how far the search is; `completed` trials have a score."""
        self._completed = completed
        self.trials_bar.setValue(round(progress.fraction * _SCALE))
        self.trials_text.setText(self._trials_words(progress))
        self.eta_text.setText(format_eta(progress.eta_s))
        running = progress.running
        self.epochs_bar.setValue(round(running[0].fraction * _SCALE) if running else 0)
        if not running:
            self.epochs_text.setText(self.tr("Preparing the next trial…") if self._phase.is_active else "")
            return
        first = running[0]
        text = self.tr("Epoch {epoch} of {epochs}").format(epoch=first.epoch, epochs=first.epochs)
        if first.executions > 1:
            text += self.tr(" · execution {k} of {n}").format(k=first.execution, n=first.executions)
        self.epochs_text.setText(text)

    def show_best(self, score: float | None, number: int | None) -> None:
        """Show the best score and its trial; None while there is none."""
        self._best = number
        self._best_panel.setVisible(number is not None)
        self.best_button.setText(self.tr("{score} (trial {number})").format(score=format_score(score), number=number))

    # --- inside -----------------------------------------------------------------------------------------------------

    def _focus_a_verb(self) -> None:
        """The button that had the keyboard is gone: give it to the one that goes on with the work."""
        for button in (self.run_button, self.more_button, self.pause_button, self.stop_now_button):
            if button.isVisibleTo(self) and button.isEnabled():
                button.setFocus()
                return

    def _trials_words(self, progress: Progress) -> str:
        if self._phase.is_active and progress.running:
            now = min(progress.done + len(progress.running), progress.planned)
            return self.tr("Trial {k} of {n}").format(k=now, n=progress.planned)
        return self.tr("{k} of {n} trials").format(k=progress.done, n=progress.planned)

    def _show_best(self) -> None:
        if self._best is not None:
            self.trial_clicked.emit(self._best)

    def _caption(self, text: str) -> QLabel:
        label = QLabel(text, self)
        label.setProperty("look", "muted")
        label.setFont(self._theme.small_font())
        return label

    def _stop_button(self, text: str, command: str, icon: str) -> QPushButton:
        button = QPushButton(self._theme.icon(icon), text, self)
        button.setMinimumHeight(MINIMUM_TARGET)
        button.clicked.connect(lambda: self.action_requested.emit(command))
        return button

    def _set_tool_tips(self) -> None:
        self.run_button.setToolTip(
            self.tr("Starts the search, or goes on where it stopped. Nothing that is done is lost.")
        )
        self.more_button.setToolTip(self.tr("All trials of the budget are done. This goes on with the same search."))
        self.pause_button.setToolTip(
            self.tr("Rests after the running epochs and frees processor, memory and GPU. Resume goes on from there.")
        )
        self.stop_epoch_button.setToolTip(
            self.tr("Ends the search when the present epoch is done. Resume goes on from the last checkpoint.")
        )
        self.stop_now_button.setToolTip(
            self.tr("Ends the search at once. Resume goes on from the last checkpoint; nothing completed is lost.")
        )
        self.limits_button.setToolTip(self.tr("Change budget and workers, also while the search runs"))

    def _arrange(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(SPACE_M, SPACE_S, SPACE_M, SPACE_S)
        outer.setSpacing(SPACE_XS)
        row = QHBoxLayout()
        row.setSpacing(SPACE_M)
        outer.addLayout(row)
        said = QHBoxLayout()
        said.addWidget(self.line, 1)
        said.addWidget(self.choose_button, 0, Qt.AlignmentFlag.AlignTop)
        outer.addLayout(said)
        self.line.hide()
        self.choose_button.hide()
        state = QHBoxLayout()
        state.setSpacing(SPACE_S)
        state.addWidget(self._icon)
        state.addWidget(self._word)
        row.addLayout(state)
        row.addWidget(_stacked(self.trials_text, self.trials_bar), 3)
        self._epochs_panel = _stacked(self.epochs_text, self.epochs_bar)
        self._eta_panel = _stacked(self._eta_caption, self.eta_text, spacing=0)
        self._best_panel = _stacked(self._best_caption, self.best_button, spacing=0)
        self.eta_text.setMinimumHeight(MINIMUM_TARGET)
        # As far to the right as the text of the button below it.
        self._best_caption.setContentsMargins(SPACE_XS + 1, 0, 0, 0)
        row.addWidget(self._epochs_panel, 3)
        row.addWidget(self._eta_panel)
        row.addWidget(self._best_panel)
        row.addStretch(1)
        verbs = QHBoxLayout()
        verbs.setSpacing(SPACE_S)
        verbs.addWidget(self.limits_button)
        for button in (
            self.pause_button,
            self.stop_epoch_button,
            self.stop_now_button,
            self.more_button,
            self.run_button,
        ):
            verbs.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addLayout(verbs)

    def _restyle(self) -> None:
        state = phase_look(self._phase)
        color = self._theme.state(state).color
        size = round(self._word.fontMetrics().height())
        pixmap = self._theme.state_icon(state).pixmap(QSize(size, size), self.devicePixelRatioF())
        self._icon.setPixmap(pixmap)
        palette = self._word.palette()
        palette.setColor(self._word.foregroundRole(), color)
        self._word.setPalette(palette)


def _bar(name: str) -> QProgressBar:
    bar = QProgressBar()
    bar.setRange(0, _SCALE)
    bar.setTextVisible(False)
    bar.setAccessibleName(name)
    bar.setFixedHeight(SPACE_S)
    bar.setMinimumWidth(90)
    return bar


def _stacked(top: QWidget, bottom: QWidget, spacing: int = SPACE_XS) -> QWidget:
    panel = QWidget()
    layout = QVBoxLayout(panel)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    layout.addStretch(1)
    layout.addWidget(top)
    layout.addWidget(bottom)
    layout.addStretch(1)
    return panel
