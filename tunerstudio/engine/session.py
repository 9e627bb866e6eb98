"""One run of the engine over a study: propose, hand out, listen, write down.

The session is the only writer of `study.db` while it runs, and runs in one thread. Whatever happens to a trial is
in the store before anybody is told.
"""

from __future__ import annotations

import logging
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from tunerstudio.algorithms.api import Finished, Proposal, Wait
from tunerstudio.algorithms.errors import AlgorithmError
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.engine.control import SessionControl, When
from tunerstudio.engine.executors.local import Worker, WorkerDiedError, WorkerPool, wait_for_any
from tunerstudio.engine.preparation import PreparedStudy, code_text, data_folder, open_in_worker
from tunerstudio.engine.seeds import execution_seed
from tunerstudio.protocol import worker as messages
from tunerstudio.store.schema import StoreError
from tunerstudio.store.writer import ALGORITHM_STATE, StudyWriter
from tunerstudio.study.files import document_text
from tunerstudio.study.machine import workers_for
from tunerstudio.study.model import EstimatorModel
from tunerstudio.study.trials import Epoch, Execution, Trial, TrialState

_log = logging.getLogger(__name__)

Reason = Literal["budget", "exhausted", "time", "failures", "stopped"]

FLUSH_INTERVAL_S = 0.1
"""Epochs are written in batches at most this old; a kill loses no more than that of a running execution."""

MOST_ATTEMPTS = 10
"""A search for a number of completed trials gives up after so many times as many, if nearly all of them fail."""

STOP_GRACE_S = 10.0
"""How long a worker may take to stop `now` before it is killed."""


@dataclass(frozen=True)
class SessionResult:
    """How a session ended.

    Attributes:
        reason: budget (done), exhausted (every configuration tried), time, failures (too many in a row), stopped.
        message: The same in a sentence.
        completed: Completed trials of the study, earlier sessions included.
    """

    reason: Reason
    message: str
    completed: int


@dataclass
class SessionListener:
    """Who wants to know; all are called in the session's thread, after the store has it."""

    on_trial: Callable[[Trial], None] = lambda trial: None
    on_epochs: Callable[[list[Epoch]], None] = lambda epochs: None
    on_log: Callable[[str, str], None] = lambda level, text: None


@dataclass
class _Slot:
    """A worker and the trial it trains."""

    worker: Worker
    trial: Trial
    began: float
    stop_sent_at: float | None = None
    last_epochs: dict[int, int] = field(default_factory=dict)

    def numbered(self, report: messages.EpochEnded) -> Epoch:
        """The epoch of a report. Code that fits twice counts from 1 again: its second epochs follow the first."""
        number = max(report.epoch, self.last_epochs.get(report.execution, 0) + 1)
        self.last_epochs[report.execution] = number
        return Epoch(report.trial, report.execution, number, report.metrics, report.at)


class Session:
    """Runs trials until the budget is used, the user stops it, or nothing is left to try."""

    def __init__(
        self,
        study: PreparedStudy,
        writer: StudyWriter,
        pool: WorkerPool,
        control: SessionControl,
        listener: SessionListener,
        target: int | None = None,
    ) -> None:
        """Prepare to run `study`.

        Args:
            study: Checked before.
            writer: Open, and of the same study.
            pool: Gives workers.
            control: For stop requests from other threads.
            listener: Told what happened.
            target: Run until this many trials are COMPLETED, past the budget if need be; None: the budget decides.
        """
        self._study = study
        self._search = study.document.search
        self._writer = writer
        self._pool = pool
        self._control = control
        self._listener = listener
        self._target = target
        self._slots_wanted = workers_for(self._search)
        self._slots: list[_Slot] = []
        code = code_text(study.folder, study.document)
        self._document_key = writer.put_document(document_text(study.document), code)
        self._pending_epochs: list[Epoch] = []
        self._flushed_at = time.monotonic()
        self._failures_in_a_row = 0
        self._stop_told: When | None = None
        self._algorithm_failure: SessionResult | None = None
        with writer.reader() as reader:
            self._trials = {trial.number: trial for trial in reader.trials()}
        self._host = AlgorithmHost(
            study.manifest,
            study.space,
            objective=self._search.objective,
            seed=self._search.seed,
            max_trials=max(self._search.budget.trials, target or 0),
            max_epochs=study.document.training.epochs,
            options=study.options,
        )
        self._host.restore(writer.meta(ALGORITHM_STATE), self._known_trials())

    def run(self) -> SessionResult:
        """Run to the end; the store is complete and no worker of this session is busy when it returns."""
        self._cancel_outdated()
        self._compare_with_plan()
        try:
            while True:
                ending = self._start_trials()
                if not self._slots:
                    assert ending is not None
                    self._flush(force=True)
                    return ending
                self._listen()
        except BaseException:
            self._abandon()
            raise

    def _abandon(self) -> None:
        """Something is very wrong, such as a full disk: end the workers, and queue their trials again if possible."""
        for slot in list(self._slots):
            self._end_slot(slot, keep_worker=False)
            try:
                self._put_back(slot)
            except StoreError as error:
                # Nothing can be written any more; the next session queues what it finds running.
                _log.warning("trial %d stays as it is: %s", slot.trial.number, error)

    def _cancel_outdated(self) -> None:
        """Cancel queued trials whose values the space of today does not allow."""
        for trial in list(self._trials.values()):
            problems = self._study.space.problems(trial.values)
            if trial.state is TrialState.QUEUED and problems:
                message = f"the search space has changed: {problems[0]}"
                self._put(replace(trial, state=TrialState.CANCELLED, message=message, ended_at=time.time()))

    def _compare_with_plan(self) -> None:
        """Say so when the budget ends a search before the algorithm would."""
        planned, limit = self._host.total_trials(), self._target or self._search.budget.trials
        if planned is not None and planned > limit and "uses_epochs" in self._study.manifest.capabilities:
            name = self._study.manifest.name
            self._log("warning", f"{name} runs {planned} trials in all; the budget of {limit} ends it before")

    # -- starting trials ------------------------------------------------------------------------------------------

    def _start_trials(self) -> SessionResult | None:
        """Fill the free slots. Why no further trial starts, or None if all slots are busy."""
        while len(self._slots) < self._slots_wanted:
            ending = self._ending()
            if ending is not None:
                return ending
            trial = self._next_trial()
            if isinstance(trial, SessionResult):
                return trial
            self._start(trial)
        return None

    def _ending(self) -> SessionResult | None:
        completed = self._count(TrialState.COMPLETED)
        used = (TrialState.COMPLETED, TrialState.PRUNED, TrialState.FAILED)
        finished = sum(1 for trial in self._trials.values() if trial.state in used)
        budget = self._search.budget
        limit = self._search.max_consecutive_failures
        if self._algorithm_failure:
            return self._algorithm_failure
        if self._control.stop:
            return SessionResult("stopped", "stopped; run it again to go on where it was", completed)
        if limit is not None and self._failures_in_a_row >= limit:
            last = max((t for t in self._trials.values() if t.message), key=lambda t: t.ended_at or 0.0)
            message = f"paused after {limit} failed trials in a row; the last one: {last.message}"
            return SessionResult("failures", message, completed)
        if budget.time_limit_s is not None and self._trained_s() >= budget.time_limit_s:
            return SessionResult("time", f"the time limit of {budget.time_limit_s:g} s is used up", completed)
        in_work = len(self._slots)
        if self._target is not None:
            if completed + in_work >= self._target:
                return SessionResult("budget", f"{completed} trials are completed", completed)
            if finished + in_work >= MOST_ATTEMPTS * max(self._target, budget.trials):
                message = f"{finished - completed} trials failed; gave up after {finished} trials"
                return SessionResult("failures", message, completed)
        elif finished + in_work >= budget.trials:
            return SessionResult("budget", f"the budget of {budget.trials} trials is used up", completed)
        return None

    def _next_trial(self) -> Trial | SessionResult:
        queued = [trial for trial in self._trials.values() if trial.state is TrialState.QUEUED]
        if queued:
            return min(queued, key=lambda trial: trial.number)
        number = max(self._trials, default=0) + 1
        completed = self._count(TrialState.COMPLETED)
        try:
            answer = self._host.next(self._known_trials(), number)
        except AlgorithmError as error:
            self._algorithm_failure = SessionResult("failures", f"paused: {error}", completed)
            return self._algorithm_failure
        for note in self._host.take_notes():
            self._log("info", note)
        if isinstance(answer, Finished):
            return SessionResult("exhausted", answer.reason, completed)
        if isinstance(answer, Wait):
            # Every slot that could bring news is busy, or the algorithm waits for nothing.
            return SessionResult("exhausted", "the search algorithm has nothing left to propose", completed)
        return self._trial_from(answer, number)

    def _trial_from(self, proposal: Proposal, number: int) -> Trial:
        parent = self._trials.get(proposal.parent) if proposal.parent is not None else None
        return Trial(
            number=number,
            state=TrialState.QUEUED,
            values=proposal.values,
            tags=proposal.tags,
            epochs_planned=proposal.epochs or self._usual_epochs(),
            initial_epoch=_trained_up_to(parent),
            parent=proposal.parent,
            reason=proposal.reason,
            created_at=time.time(),
        )

    def _start(self, trial: Trial) -> None:
        worker = self._acquire()
        greeting = worker.wait_ready()
        trial = replace(
            trial,
            state=TrialState.RUNNING,
            attempts=trial.attempts + 1,
            started_at=trial.started_at or time.time(),
            device=greeting.device,
            document=self._document_key,
            message="",
            details="",
        )
        slot = _Slot(worker, trial, time.monotonic())
        self._slots.append(slot)
        self._put(trial, algorithm_state=self._host.state())
        folder = self._trial_folder(trial.number)
        folder.mkdir(parents=True, exist_ok=True)
        count = self._executions_per_trial()
        done = {execution.index for execution in trial.executions if execution.state is TrialState.COMPLETED}
        command = messages.RunTrial(
            trial=trial.number,
            values=trial.values,
            epochs=trial.epochs_planned,
            initial_epoch=trial.initial_epoch,
            executions=tuple(index for index in range(count) if index not in done),
            seeds=tuple(execution_seed(self._search.seed, trial.number, index) for index in range(count)),
            folder=str(folder),
            parent_folder=None if trial.parent is None else str(self._trial_folder(trial.parent)),
        )
        self._send(slot, command)

    def _acquire(self) -> Worker:
        worker = self._pool.acquire()
        study = self._study
        if worker.study_key != study.key:
            open_in_worker(worker, study.folder, study.document, data_folder(study.folder), study.key)
        return worker

    # -- listening ------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """Wait for news, at most until epochs should be written or a stubborn worker must go."""
        by_connection = {slot.worker.connection: slot for slot in self._slots}
        timeout = FLUSH_INTERVAL_S if self._pending_epochs else 1.0
        for connection in wait_for_any([*by_connection, self._control.wake_up], timeout):
            if connection is self._control.wake_up:
                self._control.drain()
                continue
            slot = by_connection[connection]
            try:
                self._take(slot, slot.worker.receive())
            except WorkerDiedError as death:
                self._worker_died(slot, death)
        self._pass_on_stop()
        self._flush()

    def _take(self, slot: _Slot, report: messages.Report) -> None:
        if isinstance(report, messages.EpochEnded):
            self._pending_epochs.append(slot.numbered(report))
        elif isinstance(report, messages.TrialBuilt):
            slot.trial = replace(slot.trial, parameters=report.parameters, road=report.road)
            self._put(slot.trial)
        elif isinstance(report, messages.ExecutionEnded):
            self._execution_ended(slot, report)
        elif isinstance(report, messages.TrialEnded):
            self._trial_ended(slot, report.outcome, report.message, report.details)
        else:
            self._log("warning", f"a worker sent {report.type} while training")

    def _execution_ended(self, slot: _Slot, report: messages.ExecutionEnded) -> None:
        execution = Execution(
            index=report.execution,
            state=TrialState.COMPLETED,
            seed=execution_seed(self._search.seed, report.trial, report.execution),
            score=report.score,
            best_epoch=report.best_epoch,
            epochs=report.epochs,
            metrics=report.metrics,
        )
        others = tuple(e for e in slot.trial.executions if e.index != execution.index)
        executions = tuple(sorted((*others, execution), key=lambda e: e.index))
        slot.trial = replace(slot.trial, executions=executions)
        if len(executions) < self._executions_per_trial():
            self._put(slot.trial)

    def _worker_died(self, slot: _Slot, death: WorkerDiedError) -> None:
        details = slot.worker.log_tail()
        if self._control.stop == "now":
            self._end_slot(slot, keep_worker=False)
            self._requeue(slot)
        else:
            self._trial_ended(slot, "failed", str(death), details, keep_worker=False)

    def _trial_ended(self, slot: _Slot, outcome: str, message: str, details: str, keep_worker: bool = True) -> None:
        self._end_slot(slot, keep_worker)
        if outcome == "stopped":
            self._requeue(slot)
        elif outcome == "completed":
            self._failures_in_a_row = 0
            self._finish(slot, _scored(slot.trial))
        elif slot.trial.attempts <= self._search.retries:
            self._log("warning", f"trial {slot.trial.number} failed and is tried again: {message}")
            self._requeue(slot)
        else:
            self._failures_in_a_row += 1
            self._finish(slot, replace(slot.trial, state=TrialState.FAILED, message=message, details=details))

    def _end_slot(self, slot: _Slot, keep_worker: bool) -> None:
        self._slots.remove(slot)
        slot.trial = replace(slot.trial, duration_s=slot.trial.duration_s + time.monotonic() - slot.began)
        if keep_worker:
            self._pool.release(slot.worker)
        else:
            self._pool.discard(slot.worker)

    def _finish(self, slot: _Slot, trial: Trial) -> None:
        trial = replace(trial, ended_at=time.time())
        self._trials[trial.number] = trial
        epochs, self._pending_epochs = self._pending_epochs, []
        self._writer.put_trial(trial, epochs=epochs, log=_told(trial))
        self._tell(trial, epochs)

    def _requeue(self, slot: _Slot) -> None:
        self._flush(force=True)
        self._tell(self._put_back(slot), [])

    def _put_back(self, slot: _Slot) -> Trial:
        """Queue the trial of a slot again in the store, and give it as it is then."""
        self._writer.put_trial(replace(slot.trial, state=TrialState.RUNNING))
        self._writer.requeue(slot.trial.number)
        executions = tuple(e for e in slot.trial.executions if e.state is TrialState.COMPLETED)
        trial = replace(slot.trial, state=TrialState.QUEUED, executions=executions)
        self._trials[trial.number] = trial
        return trial

    def _pass_on_stop(self) -> None:
        when = self._control.stop
        if when is None:
            return
        if when != self._stop_told:
            self._stop_told = when
            self._log("info", "stopping after this epoch" if when == "epoch" else "stopping now")
        now = time.monotonic()
        for slot in list(self._slots):
            if slot.stop_sent_at is None or (when == "now" and slot.stop_sent_at < 0):
                # A negative time marks that only `epoch` was passed on so far: no deadline for that.
                slot.stop_sent_at = now if when == "now" else -1.0
                self._send(slot, messages.StopTrial(trial=slot.trial.number, when=when))
            elif when == "now" and now - slot.stop_sent_at > STOP_GRACE_S:
                self._log("warning", f"trial {slot.trial.number} did not stop in {STOP_GRACE_S:g} s and was ended")
                self._end_slot(slot, keep_worker=False)
                self._requeue(slot)

    def _send(self, slot: _Slot, command: messages.Command) -> None:
        try:
            slot.worker.send(command)
        except WorkerDiedError as death:
            self._worker_died(slot, death)

    # -- writing down ---------------------------------------------------------------------------------------------

    def _put(self, trial: Trial, algorithm_state: str | None = None) -> None:
        self._trials[trial.number] = trial
        epochs, self._pending_epochs = self._pending_epochs, []
        self._writer.put_trial(trial, algorithm_state, epochs)
        self._tell(trial, epochs)

    def _tell(self, trial: Trial, epochs: list[Epoch]) -> None:
        if epochs:
            self._listener.on_epochs(epochs)
        self._listener.on_trial(trial)

    def _flush(self, force: bool = False) -> None:
        now = time.monotonic()
        if self._pending_epochs and (force or now - self._flushed_at >= FLUSH_INTERVAL_S):
            epochs, self._pending_epochs = self._pending_epochs, []
            self._writer.add_epochs(epochs)
            self._flushed_at = now
            self._listener.on_epochs(epochs)

    def _log(self, level: str, text: str) -> None:
        self._writer.log(text, level)
        self._listener.on_log(level, text)

    # -- figures --------------------------------------------------------------------------------------------------

    def _known_trials(self) -> list[Trial]:
        """Trials in order, without those whose values the space of today does not allow."""
        ordered = sorted(self._trials.values(), key=lambda trial: trial.number)
        return [trial for trial in ordered if not self._study.space.problems(trial.values)]

    def _count(self, state: TrialState) -> int:
        return sum(1 for trial in self._trials.values() if trial.state is state)

    def _trained_s(self) -> float:
        now = time.monotonic()
        running = sum(now - slot.began for slot in self._slots)
        return running + sum(trial.duration_s for trial in self._trials.values())

    def _executions_per_trial(self) -> int:
        model = self._study.document.model
        return model.folds if isinstance(model, EstimatorModel) else self._study.document.training.executions

    def _usual_epochs(self) -> int:
        """A fold of an estimator is fitted once."""
        is_estimator = isinstance(self._study.document.model, EstimatorModel)
        return 1 if is_estimator else self._study.document.training.epochs

    def _trial_folder(self, number: int) -> Path:
        return self._study.folder.resolve() / "trials" / f"{number:04d}"


def _told(trial: Trial) -> tuple[str, str]:
    """Level and text of the log line of a trial that has finished."""
    if trial.state is not TrialState.COMPLETED:
        return "warning", f"trial {trial.number} {trial.state.value.lower()}: {trial.message}"
    return "info", f"trial {trial.number} completed in {trial.duration_s:.3g} s with score {trial.score:.6g}"


def _trained_up_to(parent: Trial | None) -> int:
    """Epochs that a parent's weights have seen: its best epoch is what is on disk, but its plan is what counts."""
    return 0 if parent is None else parent.epochs_planned


def _scored(trial: Trial) -> Trial:
    """The trial with mean and standard error of its executions' scores; FAILED if a score is not finite."""
    scores = [execution.score for execution in trial.executions if execution.score is not None]
    if not scores or not all(math.isfinite(score) for score in scores):
        return replace(trial, state=TrialState.FAILED, message="no finite score was reported")
    error = statistics.stdev(scores) / math.sqrt(len(scores)) if len(scores) > 1 else None
    return replace(trial, state=TrialState.COMPLETED, score=statistics.fmean(scores), standard_error=error)
