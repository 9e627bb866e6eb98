"""Trials on workers: started, listened to, stopped, and written down when they end."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from dataclasses import replace
from multiprocessing.connection import Connection

from tunerstudio.engine.control import When
from tunerstudio.engine.crew import Crew
from tunerstudio.engine.disk import says_disk_full
from tunerstudio.engine.executors.local import WorkerDiedError, wait_for_any
from tunerstudio.engine.journal import Journal
from tunerstudio.engine.judging import Judge
from tunerstudio.engine.kept_files import KeptFiles, needed, trial_folder
from tunerstudio.engine.limits import LimitWatch
from tunerstudio.engine.preparation import PreparedStudy
from tunerstudio.engine.scores import ended_early, scored, told
from tunerstudio.engine.seeds import execution_seed
from tunerstudio.engine.slots import WISHES, Job, Slot, Wish
from tunerstudio.protocol import worker as messages
from tunerstudio.store.schema import StoreError
from tunerstudio.study.measures import measure
from tunerstudio.study.model import EstimatorModel
from tunerstudio.study.trials import Attempt, Epoch, Execution, ResourceUse, Trial, TrialState

_log = logging.getLogger(__name__)

STOP_GRACE_S = 10.0
"""How long a worker may take to stop `now` before it is killed."""

MOST_LOST = 5
"""How often a trial is tried again for a cause that is not its own, such as a lost machine, before it counts."""


class Trainer:
    """Trains trials on the workers of a crew.

    Attributes:
        study: What is trained; may be replaced between trials.
        document_key: Key of its document in the store.
        judge: Ends trials early, and refuses networks.
        failures_in_a_row: Trials that failed since one was completed, or ended early with a score.
        refused_in_a_row: Networks that broke a constraint since one was trained.
        disk_trouble: What a worker said that could not write; "" if none.
    """

    def __init__(self, study: PreparedStudy, document_key: str, journal: Journal, crew: Crew, judge: Judge) -> None:
        """Train `study`."""
        self._journal, self._crew, self.judge = journal, crew, judge
        self._files = KeptFiles(study.folder)
        self._limits = LimitWatch(study.document.search.limits)
        self.failures_in_a_row = self.refused_in_a_row = 0
        self.disk_trouble = ""
        self._lost: dict[int, int] = {}
        self._trained_s = journal.trained_s
        self._busy_since: float | None = None
        self._released: Collection[int] | None = None
        self.adopt(study, document_key)

    def adopt(self, study: PreparedStudy, document_key: str) -> None:
        """Train the next trials by another document."""
        self.study, self.document_key = study, document_key
        self._limits.limits = study.document.search.limits

    def trained_s(self) -> float:
        """Seconds during which at least one trial trained, over all sessions."""
        return self._trained_s + (0.0 if self._busy_since is None else time.monotonic() - self._busy_since)

    def _free(self, slot: Slot, keep_worker: bool) -> None:
        self._crew.trial_ended(slot, keep_worker)
        if self._busy_since is not None and not self._crew.busy:
            self._trained_s += time.monotonic() - self._busy_since
            self._busy_since = None

    # -- starting -------------------------------------------------------------------------------------------------

    def start(self, slot: Slot, trial: Trial, algorithm_state: str | None = None) -> None:
        """Train `trial` on the worker of an idle slot."""
        worker = slot.worker
        assert worker is not None
        assert worker.ready is not None
        now = time.time()
        trial = replace(
            trial,
            state=TrialState.RUNNING,
            attempts=trial.attempts + 1,
            started_at=trial.started_at or now,
            device=worker.ready.device,
            document=self.document_key,
            message="",
            details="",
        )
        leftovers = self._journal.writer.unfinished_executions(trial.number) if trial.attempts > 1 else []
        attempt = Attempt(trial.number, trial.attempts, worker.number, worker.node, worker.ready.device, now)
        slot.job = Job(trial.number, attempt, leftovers=set(leftovers))
        self._busy_since = self._busy_since or time.monotonic()
        self._journal.put(trial, algorithm_state, attempt)
        self._send(slot, self._run_trial(trial))

    def _run_trial(self, trial: Trial) -> messages.RunTrial:
        count, search = self._executions_per_trial(), self.study.document.search
        done = {execution.index for execution in trial.executions if execution.state is TrialState.COMPLETED}
        parent = None if trial.parent is None else str(trial_folder(self.study.folder, trial.parent))
        return messages.RunTrial(
            trial=trial.number,
            values=trial.values,
            epochs=trial.epochs_planned,
            initial_epoch=trial.initial_epoch,
            executions=tuple(index for index in range(count) if index not in done),
            seeds=tuple(execution_seed(search.seed, trial.number, index) for index in range(count)),
            folder=str(self._files.make(trial.number)),
            parent_folder=parent,
            checkpoint_every_s=search.checkpoints.every_s,
        )

    def _executions_per_trial(self) -> int:
        model = self.study.document.model
        return model.folds if isinstance(model, EstimatorModel) else self.study.document.training.executions

    # -- listening ------------------------------------------------------------------------------------------------

    def listen(self, wake_up: Connection, timeout_s: float) -> None:
        """Wait for news of the workers, or for the bell; at most `timeout_s` seconds."""
        by_connection = {slot.worker.connection: slot for slot in self._crew.busy if slot.worker is not None}
        for connection in wait_for_any([*by_connection, wake_up], timeout_s):
            slot = by_connection.get(connection)
            if slot is None or slot.job is None or slot.worker is None:
                continue
            try:
                report = slot.worker.receive()
            except WorkerDiedError as death:
                self._worker_died(slot, death)
            else:
                self._take(slot, slot.job, report)

    def _take(self, slot: Slot, job: Job, report: messages.Report) -> None:
        if isinstance(report, messages.EpochEnded):
            self._epoch_ended(slot, job, report)
        elif isinstance(report, messages.ResourcesUsed):
            self._resources_used(slot, job, report)
        elif isinstance(report, messages.TrialBuilt):
            self._built(slot, job, report)
        elif isinstance(report, messages.ExecutionResumed):
            self._execution_resumed(slot, job, report)
        elif isinstance(report, messages.ExecutionEnded):
            self._execution_ended(job, report)
        elif isinstance(report, messages.TrialEnded):
            self._conclude(slot, report.outcome, report.message, report.details)
        elif isinstance(report, messages.Checkpointed):
            job.moved()
        else:
            self._journal.log("warning", f"a worker sent {report.type} while training")

    def _built(self, slot: Slot, job: Job, report: messages.TrialBuilt) -> None:
        job.moved()
        trial = self._journal.trials[job.trial]
        memory = {} if report.memory_mb is None else {"memory_mb": report.memory_mb}
        trial = replace(trial, parameters=report.parameters, road=report.road, measures={**trial.measures, **memory})
        self._journal.put(trial)
        refusal = self.judge.built(trial)
        self.refused_in_a_row = 0 if refusal is None else self.refused_in_a_row + 1
        if refusal is not None:
            self._end_judged(slot, job, "skip", refusal)

    def _end_judged(self, slot: Slot, job: Job, wish: Wish, why: str) -> None:
        """End a trial for good; what a person or a pause wanted of it gives way."""
        job.judged, job.wish, job.why = True, wish, why
        self.stop(slot, "now" if wish == "skip" else "epoch", wish, why)

    def _epoch_ended(self, slot: Slot, job: Job, report: messages.EpochEnded) -> None:
        job.moved()
        if job.judged:
            return
        if report.execution in job.leftovers:
            # It began anew, without a checkpoint: what an earlier attempt reported never happened.
            job.leftovers.discard(report.execution)
            self._journal.keep_epochs(job.trial, report.execution, [])
            self.judge.begins_again(job.trial, report.execution)
        epoch = job.numbered(report)
        self._journal.add_epoch(epoch)
        self._judge_epochs(slot, job, [epoch])

    def _judge_epochs(self, slot: Slot, job: Job, epochs: list[Epoch]) -> None:
        verdict = self.judge.epochs(epochs)
        if verdict is not None and job.wish != "skip":
            self._end_judged(slot, job, "prune", verdict)

    def _resources_used(self, slot: Slot, job: Job, report: messages.ResourcesUsed) -> None:
        job.take_use(report)
        assert slot.worker is not None
        use = ResourceUse(
            row=0,
            at=report.at,
            worker=slot.worker.number,
            trial=report.trial,
            rss_bytes=report.rss_bytes,
            cpu_percent=report.cpu_percent,
            gpu_percent=report.gpu_percent,
            gpu_bytes=report.gpu_bytes,
        )
        self._journal.note_use(use)

    def _execution_resumed(self, slot: Slot, job: Job, report: messages.ExecutionResumed) -> None:
        job.moved()
        if job.judged:
            return
        history = [Epoch(job.trial, report.execution, e.epoch, e.metrics, e.at) for e in report.history]
        self._journal.keep_epochs(job.trial, report.execution, history)
        job.leftovers.discard(report.execution)
        job.last_epochs[report.execution] = report.epoch
        where = f"execution {report.execution + 1} from its checkpoint of epoch {report.epoch}"
        self._journal.log("info", f"trial {job.trial} goes on with {where}")
        self.judge.begins_again(job.trial, report.execution)
        self._judge_epochs(slot, job, history)

    def _execution_ended(self, job: Job, report: messages.ExecutionEnded) -> None:
        job.moved()
        if job.judged:
            return
        execution = Execution(
            index=report.execution,
            state=TrialState.COMPLETED,
            seed=execution_seed(self.study.document.search.seed, report.trial, report.execution),
            score=report.score,
            best_epoch=report.best_epoch,
            epochs=report.epochs,
            metrics=report.metrics,
        )
        trial = self._journal.trials[job.trial]
        others = tuple(e for e in trial.executions if e.index != execution.index)
        executions = tuple(sorted((*others, execution), key=lambda e: e.index))
        trial = replace(trial, executions=executions, measures={**trial.measures, **report.measures})
        if len(executions) < self._executions_per_trial():
            self._journal.put(trial)
        else:
            self._journal.trials[job.trial] = trial  # it is written with the end of the trial, which comes at once

    def _worker_died(self, slot: Slot, death: WorkerDiedError) -> None:
        assert slot.worker is not None
        assert slot.job is not None
        details, job = slot.worker.log_tail(), slot.job
        lost = self._lost.get(job.trial, 0)
        if job.stop_sent == "now":
            self._conclude(slot, "stopped", keep_worker=False)
        elif death.is_blameless and lost < MOST_LOST:
            self._lost[job.trial] = lost + 1
            self._journal.log("warning", f"trial {job.trial} starts again elsewhere: {death}")
            job.wish = job.wish or "requeue"
            self._conclude(slot, "lost", keep_worker=False)
        else:
            self._conclude(slot, "failed", str(death), details, keep_worker=False)

    # -- stopping -------------------------------------------------------------------------------------------------

    def stop(self, slot: Slot, when: When, wish: Wish, why: str = "") -> None:
        """Stop the trial of a busy slot after its epoch, or now; the strongest wish for what becomes of it holds."""
        job = slot.job
        assert job is not None
        if job.wish is None or WISHES.index(wish) > WISHES.index(job.wish):
            job.wish, job.why = wish, why
        if job.stop_sent == when or job.stop_sent == "now":
            return
        job.stop_sent, job.stop_sent_at = when, time.monotonic()
        self._send(slot, messages.StopTrial(trial=job.trial, when=when))

    def check(self) -> None:
        """End what does not stop, and what goes beyond the study's limits."""
        now = time.monotonic()
        for slot in self._crew.busy:
            job = slot.job
            if job is not None and job.stop_sent == "now" and now - job.stop_sent_at > STOP_GRACE_S:
                text = f"trial {job.trial} did not stop in {STOP_GRACE_S:g} s and was ended"
                self._journal.log("warning", text)
                self._conclude(slot, "stopped", keep_worker=False)
        for slot, reason in self._limits.broken(self._crew.busy):
            assert slot.worker is not None
            self._conclude(slot, "failed", reason, slot.worker.log_tail(), keep_worker=False)

    def abandon(self) -> None:
        """Something is very wrong, such as a full disk: end the workers, and queue their trials again if possible."""
        for slot in self._crew.busy:
            assert slot.job is not None
            job = slot.job
            job.wish = "requeue"
            if job.trial not in self._journal.trials:  # its start could not be written: it never was
                self._free(slot, keep_worker=False)
                continue
            try:
                self._conclude(slot, "stopped", keep_worker=False)
            except StoreError as error:
                # Nothing can be written any more; the next session queues what it finds running.
                _log.warning("trial %d stays as it is: %s", job.trial, error)

    def _send(self, slot: Slot, command: messages.Command) -> None:
        assert slot.worker is not None
        try:
            slot.worker.send(command)
        except WorkerDiedError as death:
            self._worker_died(slot, death)

    # -- ending ---------------------------------------------------------------------------------------------------

    def _conclude(
        self, slot: Slot, outcome: str, message: str = "", details: str = "", keep_worker: bool = True
    ) -> None:
        job = slot.job
        assert job is not None
        trial = self._journal.trials[job.trial]
        trial = replace(trial, duration_s=trial.duration_s + time.monotonic() - job.began)
        self._free(slot, keep_worker)
        if job.judged:
            self._stopped(trial, job, outcome)
        elif outcome == "completed":
            self._finish(scored(trial), job)
        elif outcome == "failed" and job.wish not in ("skip", "prune"):  # who ended it wants no second try
            self._failed(trial, job, message, details)
        else:
            self._stopped(trial, job, outcome)

    def _failed(self, trial: Trial, job: Job, message: str, details: str) -> None:
        if says_disk_full(message):
            self.disk_trouble = message
            self._put_back(trial, job, TrialState.QUEUED, "disk full")
            return
        self._journal.failures[trial.number] += 1
        if self._journal.failures[trial.number] <= self.study.document.search.retries:
            self._journal.log("warning", f"trial {trial.number} failed and is tried again: {message}")
            self._put_back(trial, job, TrialState.PAUSED if job.wish == "pause" else TrialState.QUEUED, "failed")
        else:
            self._finish(replace(trial, state=TrialState.FAILED, message=message, details=details), job)

    def _stopped(self, trial: Trial, job: Job, outcome: str) -> None:
        if job.wish == "pause":
            self._put_back(trial, job, TrialState.PAUSED, "paused")
        elif job.wish == "prune":
            epochs = self._journal.epochs_of(trial.number)
            self._finish(ended_early(trial, epochs, self.study.document.search, job.why), job)
        elif job.wish == "skip":
            self._finish(replace(trial, state=TrialState.CANCELLED, message=job.why), job)
        else:
            self._put_back(trial, job, TrialState.QUEUED, outcome)

    def _finish(self, trial: Trial, job: Job) -> None:
        if trial.state is TrialState.FAILED:
            self.failures_in_a_row += 1
        elif trial.state in (TrialState.COMPLETED, TrialState.PRUNED):
            self.failures_in_a_row = 0
        trial = replace(trial, ended_at=time.time())
        also = {second.name: measure(trial, second.name) for second in self.study.document.search.also}
        known = {name: value for name, value in also.items() if value is not None}
        trial = replace(trial, measures={**trial.measures, **known})
        self._journal.put(trial, attempt=self._ended(job, trial.state.value.lower()), log=told(trial))
        self.tidy(may_promote=True)

    def _put_back(self, trial: Trial, job: Job, state: TrialState, outcome: str) -> None:
        """Let a trial wait with what it has; it goes on from its checkpoint."""
        executions = tuple(e for e in trial.executions if e.state is TrialState.COMPLETED)
        trial = replace(trial, state=state, executions=executions)
        self._journal.put(trial, attempt=self._ended(job, outcome))

    def _ended(self, job: Job, outcome: str) -> Attempt:
        return replace(job.attempt, ended_at=time.time(), outcome=outcome)

    def tidy_released(self) -> None:
        """Tidy if the algorithm has said since the last time that it needs the weights of fewer trials."""
        if self.judge.released != self._released:
            self.tidy(may_promote=True)

    def tidy(self, may_promote: bool) -> None:
        """Remove the files of trials that nobody needs; `may_promote`: the algorithm may go on from finished ones."""
        document = self.study.document
        promotes = may_promote and "uses_epochs" in self.study.manifest.capabilities
        keep_top, epochs = document.search.checkpoints.keep_top, document.training.epochs
        trials = self._journal.trials.values()
        self._released = released = self.judge.released
        self._files.keep_only(needed(trials, document.search.objective, keep_top, epochs, promotes, released))
