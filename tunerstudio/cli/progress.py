"""Progress of a run in the terminal: bars on a terminal, a line per trial elsewhere."""

from __future__ import annotations

from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tunerstudio.cli.output import Output, duration_text, score_text
from tunerstudio.engine.scores import told
from tunerstudio.engine.session import SessionListener
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.model import EstimatorModel
from tunerstudio.study.trials import Epoch, Trial, TrialState


class RunProgress:
    """Shows trials and epochs on stderr while a session runs."""

    def __init__(self, document: StudyDocument, trials: list[Trial], target: int | None, output: Output) -> None:
        """Show progress towards `target` completed trials, or the study's budget, from the `trials` of earlier runs."""
        self._objective = document.search.objective
        model = document.model
        folds = model.folds if isinstance(model, EstimatorModel) else None
        self._executions = folds or document.training.executions
        self._is_estimator = folds is not None
        self._output = output
        self._target = target
        self._finished = {trial.number: trial for trial in trials if trial.state.is_finished}
        self._epochs_done = 0
        self._trial = 0
        self._shown: tuple[str, str] | None = None
        self._live = output.err.is_terminal and not output.json_wanted
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[best]}"),
        )
        self._bars = Progress(*columns, console=output.err, transient=False, disable=not self._live)
        total = target or document.search.budget.trials
        self._trials_bar = self._bars.add_task("trials", total=total, completed=self.finished, best="")
        self._epochs_bar = self._bars.add_task("epochs", total=None, best="")

    def __enter__(self) -> RunProgress:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def listener(self) -> SessionListener:
        """What to hand to the session."""
        return SessionListener(on_trial=self._on_trial, on_epochs=self._on_epochs, on_log=self._on_log)

    @property
    def has_begun(self) -> bool:
        """Whether a trial has started."""
        return self._trial > 0

    @property
    def finished(self) -> int:
        """Trials that count: completed ones towards a target, every finished one towards the budget."""
        if self._target is None:
            return len(self._finished)
        return sum(1 for trial in self._finished.values() if trial.state is TrialState.COMPLETED)

    def say(self, text: str) -> None:
        """What is going on before the first trial."""
        if self._live:
            self._bars.update(self._trials_bar, best=text)
        else:
            self._output.note(text)

    def _on_log(self, level: str, text: str) -> None:
        if (level, text) == self._shown:
            return  # the line of the trial said it, with its spread and the best so far
        self._output.warn(text) if level != "info" else self._output.note(text)

    def _on_trial(self, trial: Trial) -> None:
        if trial.state is TrialState.RUNNING and trial.number != self._trial:
            self._trial = trial.number
            self._epochs_done = 0
            per_execution = trial.epochs_planned - trial.initial_epoch
            total = self._executions if self._is_estimator else per_execution * self._executions
            self._bars.update(self._epochs_bar, completed=0, total=total, description=f"trial {trial.number}")
        if not trial.state.is_finished:
            return
        self._finished[trial.number] = trial
        self._bars.update(self._trials_bar, completed=self.finished, best=self._best_text())
        if not self._live and trial.state is TrialState.COMPLETED:
            self._output.note(self._line(trial))
            self._shown = told(trial)

    def _on_epochs(self, epochs: list[Epoch]) -> None:
        self._epochs_done += sum(1 for epoch in epochs if epoch.trial == self._trial)
        self._bars.update(self._epochs_bar, completed=self._epochs_done)

    def _best(self) -> Trial | None:
        best: Trial | None = None
        for trial in self._finished.values():
            if trial.score is None or trial.state is not TrialState.COMPLETED:
                continue
            if best is None or best.score is None or self._objective.better(trial.score, best.score):
                best = trial
        return best

    def _best_text(self) -> str:
        best = self._best()
        return "" if best is None else f"best {self._objective.name} {best.score:.4g} (trial {best.number})"

    def _line(self, trial: Trial) -> str:
        score = score_text(trial.score, trial.standard_error, len(trial.executions))
        return f"trial {trial.number}: {score}  {duration_text(trial.duration_s)}  {self._best_text()}"
