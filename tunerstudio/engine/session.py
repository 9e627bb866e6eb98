"""One run of the engine over a study: propose, hand out, listen, obey, write down.

The session is the only writer of `study.db` while it runs, and runs in one thread that never waits for longer than
`TICK_S`: what takes time (workers that start, proposals, reading the study again) is done by errands.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from tunerstudio.algorithms.errors import AlgorithmError
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.engine import commands
from tunerstudio.engine.background import Errand
from tunerstudio.engine.basis import check_basis
from tunerstudio.engine.budgets import Budgets
from tunerstudio.engine.control import SessionControl, When
from tunerstudio.engine.crew import Crew, Recycling
from tunerstudio.engine.disk import DiskWatch
from tunerstudio.engine.edits import SPACE, write_budget
from tunerstudio.engine.executors.base import Pool, TrialWorker
from tunerstudio.engine.executors.choose import workers_wanted
from tunerstudio.engine.journal import FLUSH_INTERVAL_S, Journal
from tunerstudio.engine.judging import Judge
from tunerstudio.engine.letters import Letterbox
from tunerstudio.engine.preparation import PreparedStudy, code_text, data_folder, open_in_worker
from tunerstudio.engine.results import Reason, SessionListener, SessionResult
from tunerstudio.engine.scheduling import Scheduler, make_host, usual_epochs
from tunerstudio.engine.slots import Slot, Wish
from tunerstudio.engine.trainer import Trainer
from tunerstudio.engine.trial_edits import OWN, RefusedError, TrialEdits
from tunerstudio.protocol.control import StopSearch
from tunerstudio.store.mailbox import Letter
from tunerstudio.store.schema import DiskFullError, StoreError
from tunerstudio.study.errors import TunerStudioError
from tunerstudio.study.files import document_text
from tunerstudio.study.search import Budget
from tunerstudio.study.trials import SessionState, Trial, TrialState

__all__ = ["Reason", "Session", "SessionListener", "SessionParts", "SessionResult"]

TICK_S = 0.1
"""The session looks into its mailbox, at clocks and limits at least this often."""

MOST_INTERRUPTIONS = 10
"""A trial whose engine was killed so often in a row, while it trained, is taken for the cause."""

MOST_REFUSED = 100
"""The search pauses when so many networks in a row broke a constraint once they were built."""

MOST_FAILED_HIRES = 3
"""So many workers in a row that cannot be had are more than bad luck."""


@dataclass(frozen=True)
class SessionParts:
    """What a session is made of.

    Attributes:
        study: Checked before.
        host: Its algorithm, restored.
        journal: Of its open store.
        pool: Gives workers.
        control: For stop requests from other threads.
        letters: The study's mailbox.
        read_again: Prepares the study as it is on disk now; called in another thread.
        started_at: Seconds since the epoch.
        target: Run until this many trials are COMPLETED, past the budget if need be; None: the budget decides.
        is_interactive: Whether somebody can resume the search if it pauses itself; otherwise it ends then.
        recycling: When workers are replaced.
    """

    study: PreparedStudy
    host: AlgorithmHost
    journal: Journal
    pool: Pool
    control: SessionControl
    letters: Letterbox
    read_again: Callable[[], PreparedStudy]
    started_at: float
    target: int | None = None
    is_interactive: bool = False
    recycling: Recycling = field(default_factory=Recycling)


@dataclass(frozen=True)
class _Pause:
    """Why the search pauses, and whether running trials are stopped for it."""

    cause: SessionResult
    stops: bool


@dataclass(frozen=True)
class _Renewal:
    """A new algorithm host on its way.

    Attributes:
        letters: That wait for it.
        running: Trials that trained when it was sent for: it does not know how they went on.
        reads: Whether the document is read again, too.
    """

    errand: Errand[tuple[PreparedStudy, AlgorithmHost]]
    letters: list[Letter]
    running: frozenset[int]
    reads: bool


class Session:
    """Runs trials until the budget is used, the user stops it, or nothing is left to try."""

    def __init__(self, parts: SessionParts) -> None:
        """Prepare to run."""
        self._parts = parts
        self._study = parts.study
        self._journal, self._control, self._letters = parts.journal, parts.control, parts.letters
        self._slots_wanted = workers_wanted(self._study.document.search, parts.pool)
        self._workers_read = self._study.document.search.workers
        self._crew = Crew(parts.pool, self._control.ring, self._open_study, parts.recycling)
        parts.host.slots = self._slots_wanted
        key = self._put_document()
        self._trainer = Trainer(self._study, key, self._journal, self._crew, Judge(parts.host))
        self._scheduler = Scheduler(self._study, parts.host, self._journal, self._control.ring)
        self._budgets = Budgets(self._study.document.search, self._journal, parts.target, parts.started_at)
        self._disk = DiskWatch(self._study.folder)
        self._pause: _Pause | None = None
        self._renewal: _Renewal | None = None
        self._reloads: list[Letter] = []
        self._failed_hires = 0
        self._lost_touch = False

    def run(self) -> SessionResult:
        """Run to the end; the store is complete and no worker of this session is busy when it returns."""
        try:
            self._begin()
            while True:
                try:
                    result = self._step()
                except DiskFullError as error:
                    result = self._disk_is_full(str(error))
                if result is not None:
                    self._letters.put_back([*(self._renewal.letters if self._renewal else ()), *self._reloads])
                    self._journal.flush(force=True)
                    self._journal.write_uses()  # a session of a second shows what it used, too
                    return result
        except BaseException:
            self._journal.silence()  # whoever listens may be what is broken
            self._trainer.abandon()
            raise
        finally:
            self._scheduler.abandon()
            if self._renewal is not None:
                self._renewal.errand.abandon()
            self._crew.close()

    def _begin(self) -> None:
        self._crew.resize(self._slots_wanted)
        self._journal.session(SessionState.RUNNING, workers=self._slots_wanted)
        self._cancel_outdated()
        self._compare_with_plan()

    def _step(self) -> SessionResult | None:
        """Do what can be done at once, then wait for news; how the session ends, if it does."""
        self._obey_letters()
        self._collect()
        self._watch_disk()
        if self._control.stop is not None:
            result = self._stopping()
        elif self._pause is not None:
            result = self._pausing(self._pause)
        else:
            result = self._advance()
        if result is None:
            self._wait()
        return result

    def _wait(self) -> None:
        self._trainer.listen(self._control.wake_up, FLUSH_INTERVAL_S if self._journal.has_news else TICK_S)
        self._control.drain()
        self._trainer.check()
        for level, text in self._parts.pool.tend():
            self._journal.log(level, text)
        self._tell_what_is_waited_for()
        self._journal.flush()

    def _tell_what_is_waited_for(self) -> None:
        record, text = self._journal.record, self._scheduler.waited_for
        if record is None or record.state is not SessionState.RUNNING or record.message == text:
            return
        self._journal.session(SessionState.RUNNING, message=text)
        if text:
            self._journal.log("warning", text)

    def _result(self, reason: Reason, message: str) -> SessionResult:
        return SessionResult(reason, message, self._journal.count(TrialState.COMPLETED))

    # -- going on -------------------------------------------------------------------------------------------------

    def _advance(self) -> SessionResult | None:
        """Start what can start. How the search ends, if nothing runs and nothing will."""
        self._crew.resize(self._slots_wanted)  # a surplus worker has perhaps just ended its trial
        is_over = self._budgets.time_up(self._trainer.trained_s)
        if is_over is not None:
            if is_over.reason == "finish_by":
                self._stop_all("epoch")
            return None if self._crew.busy else self._with_paused(is_over)
        if self._broken():
            return None
        self._start_waiting()
        self._start_proposed()
        waiting = self._startable()
        self._crew.hire(self._study.key, self._hands_wanted(len(waiting)))
        return self._ask_or_end(waiting)

    @property
    def _broken_plugin(self) -> AlgorithmError | None:
        """What is wrong with the algorithm or the pruner, so that the search cannot go on."""
        return self._scheduler.broken or self._trainer.judge.broken

    def _broken(self) -> bool:
        """Whether something keeps the search from going on; it pauses then."""
        limit = self._study.document.search.max_consecutive_failures
        plugin = self._broken_plugin
        if plugin is not None and self._renewal is None:
            cure = "; choose another algorithm or mend this one, then resume" if self._parts.is_interactive else ""
            self._halt("plugin", f"paused: {plugin}{cure}")
        elif limit is not None and self._trainer.failures_in_a_row >= limit:
            last = max(self._journal.in_state(TrialState.FAILED), key=lambda trial: trial.ended_at or 0.0)
            self._halt("failures", f"paused after {limit} failed trials in a row; the last one: {last.message}")
        elif self._trainer.refused_in_a_row >= MOST_REFUSED:
            refused = max(self._journal.in_state(TrialState.CANCELLED), key=lambda trial: trial.ended_at or 0.0)
            text = f"paused, for {MOST_REFUSED} networks in a row were not trained; the last one {refused.message}"
            self._halt("failures", text)
        elif self._trainer.disk_trouble:
            self._halt("disk", f"paused, for a worker could not write: {self._trainer.disk_trouble}", stops=True)
            self._trainer.disk_trouble = ""
        return self._pause is not None

    def _startable(self) -> list[Trial]:
        """Trials that wait and may run: the user's own in any case, others as far as the budget goes."""
        found: list[Trial] = []
        for trial in self._scheduler.waiting():
            if trial.origin in OWN or self._budgets.used(len(self._crew.busy) + len(found)) is None:
                found.append(trial)
        return found

    def _start_waiting(self) -> None:
        for trial in self._scheduler.waiting():
            self._give_up(trial)
        for slot in self._crew.idle(self._study.key):
            startable = self._startable()
            if not startable:
                return
            self._trainer.start(slot, startable[0])

    def _start_proposed(self) -> None:
        new = self._scheduler.take()
        if new is None:
            return
        idle = self._crew.idle(self._study.key)
        if idle:
            self._trainer.start(idle[0], new.trial, new.algorithm_state)
        else:
            self._journal.put(new.trial, new.algorithm_state)

    def _give_up(self, trial: Trial) -> None:
        """Let `trial` fail if it seems to kill the engine each time."""
        times = self._journal.interruptions[trial.number]
        if times < max(MOST_INTERRUPTIONS, self._study.document.search.retries + 1):
            return
        message = f"the program ended {times} times in a row while this trial trained"
        log = ("warning", f"trial {trial.number} failed: {message}")
        self._journal.put(replace(trial, state=TrialState.FAILED, message=message, ended_at=time.time()), log=log)

    def _hands_wanted(self, waiting: int) -> int:
        """Workers that should be at hand for what may start next."""
        busy = len(self._crew.busy)
        free = max(self._slots_wanted - busy, 0)
        wanted = waiting
        if self._scheduler.nothing is None:
            while wanted < free and self._budgets.used(busy + wanted) is None:
                wanted += 1
        return min(wanted, free)

    def _ask_or_end(self, waiting: list[Trial]) -> SessionResult | None:
        scheduler, busy = self._scheduler, len(self._crew.busy)
        if self._renewal is not None:
            return None
        pending = busy + len(waiting) + (1 if scheduler.is_asking else 0)
        ahead = scheduler.ahead if self._slots_wanted > 1 else 0
        used = self._budgets.used(pending)
        if used is None and pending < self._slots_wanted + ahead:
            scheduler.ask()
        if busy or waiting or scheduler.is_asking or scheduler.broken is not None:
            return None
        if used is not None:
            return self._with_paused(used)
        nothing = scheduler.nothing
        return None if nothing is None else self._with_paused(self._result("exhausted", nothing))

    def _with_paused(self, result: SessionResult) -> SessionResult:
        paused = self._journal.count(TrialState.PAUSED)
        if not paused:
            return result
        text = f"{paused} paused trial{'s remain' if paused > 1 else ' remains'}"
        return replace(result, message=f"{result.message}; {text}")

    def _collect(self) -> None:
        """Take what errands have brought."""
        self._scheduler.collect()
        self._trainer.tidy_released()
        for error in self._crew.collect():
            if error is None:
                self._failed_hires = 0
                continue
            self._failed_hires += 1
            if not isinstance(error, TunerStudioError | OSError):
                raise error
            self._journal.log("warning", f"a worker could not be made ready: {error}")
            if self._failed_hires >= MOST_FAILED_HIRES and self._pause is None:
                self._halt("failures", f"paused, for no worker could be made ready: {error}")
        self._collect_renewal()

    # -- stopping and pausing -------------------------------------------------------------------------------------

    def _stop_all(self, when: When) -> None:
        for slot in self._crew.busy:
            self._trainer.stop(slot, when, "requeue")

    def _stopping(self) -> SessionResult | None:
        when = self._control.stop
        assert when is not None
        if not self._crew.busy:
            return self._result("stopped", "stopped; run it again to go on where it was")
        message = "stopping after this epoch" if when == "epoch" else "stopping now"
        if self._journal.record is not None and self._journal.record.message != message:
            self._journal.session(SessionState.STOPPING, "stopped", message)
            self._journal.log("info", message)
        self._stop_all(when)
        return None

    def _halt(self, reason: Reason, message: str, stops: bool = False) -> None:
        """Pause for a cause of the search's own; without somebody to resume it, that is its end."""
        self._pause = _Pause(self._result(reason, message), stops)

    def _pausing(self, pause: _Pause) -> SessionResult | None:
        cause, record = pause.cause, self._journal.record
        if self._crew.busy:
            self._journal.session(SessionState.PAUSING, cause.reason, cause.message)
            if pause.stops:
                self._stop_all("epoch")
            return None
        if cause.reason != "paused" and not self._parts.is_interactive:
            return cause
        if record is not None and record.state is not SessionState.PAUSED:
            self._crew.give_back(free_devices=True)
            self._journal.session(SessionState.PAUSED, cause.reason, cause.message)
            self._journal.log("info" if cause.reason == "paused" else "warning", cause.message)
        return None

    def _watch_disk(self) -> None:
        if self._pause is None and (trouble := self._disk.trouble()) is not None:
            self._halt("disk", f"paused: {trouble}", stops=True)

    def _disk_is_full(self, message: str) -> SessionResult | None:
        """Nothing can be written: trials go back to their checkpoints, and what the store has is what happened."""
        self._lost_touch = True
        self._trainer.abandon()
        self._halt("disk", f"paused: {message}", stops=True)
        assert self._pause is not None
        if self._control.stop is not None:
            return self._stopping()
        if not self._parts.is_interactive:
            return self._pause.cause
        self._crew.give_back(free_devices=True)
        with suppress(StoreError):  # the listener was told
            self._journal.session(SessionState.PAUSED, "disk", self._pause.cause.message)
        self._trainer.listen(self._control.wake_up, TICK_S)
        self._control.drain()
        return None

    # -- what others ask for --------------------------------------------------------------------------------------

    def _obey_letters(self) -> None:
        letters = self._letters.take()
        try:
            while letters:
                self._obey(letters.pop(0))
        finally:
            self._letters.put_back(letters)

    def _obey(self, letter: Letter) -> None:
        assert letter.command is not None
        try:
            self._letters.begin(letter)
        except DiskFullError:
            self._letters.put_back([letter])  # nothing has been done: it waits until there is space
            raise
        outcome = commands.carry_out(self, letter.command)
        if outcome is None:
            self._reloads.append(letter)
        else:
            self._letters.answer(letter, outcome)

    @property
    def edits(self) -> TrialEdits:
        """For trials that do not run."""
        study, scheduler = self._study, self._scheduler
        return TrialEdits(
            self._journal, study.document.search, lambda: study.space, usual_epochs(study), lambda: scheduler.reserved
        )

    def slot_of(self, trial: int) -> Slot | None:
        """Where a trial trains."""
        return next((slot for slot in self._crew.busy if slot.job is not None and slot.job.trial == trial), None)

    def stop_trial(self, slot: Slot, wish: Wish, why: str) -> None:
        """Stop the trial of a slot: at once if it shall be skipped, otherwise after its epoch."""
        self._trainer.stop(slot, "now" if wish == "skip" else "epoch", wish, why)

    def request_stop(self, command: StopSearch) -> None:
        """End the session."""
        self._control.request_stop(command.when)

    def pause(self) -> None:
        """Pause after the running epochs."""
        if self._pause is not None:
            raise RefusedError("the search is paused already")
        self._pause = _Pause(self._result("paused", "paused; resume it to go on"), stops=True)

    def resume(self) -> None:
        """Go on after a pause."""
        if self._pause is None:
            raise RefusedError("the search is not paused")
        trouble = self._disk.trouble(at_once=True)
        if trouble is not None:
            raise RefusedError(trouble)
        was_broken = self._broken_plugin is not None
        must_renew = self._lost_touch or was_broken
        if self._lost_touch:
            self._journal.writer.requeue_interrupted()
            self._journal.reload()
            self._lost_touch = False
        self._pause = None
        self._trainer.failures_in_a_row = self._trainer.refused_in_a_row = self._failed_hires = 0
        self._journal.session(SessionState.RUNNING)
        if must_renew:  # in place of a broken plugin the document may name another one
            self._renew(self._parts.read_again if was_broken else None, [])

    def set_workers(self, workers: int) -> None:
        """Train so many trials side by side from now on."""
        self._have_workers(workers)
        self._use_search(workers=workers)

    def _have_workers(self, workers: int) -> None:
        self._slots_wanted = self._scheduler.host.slots = workers
        share = getattr(self._parts.pool, "share_cores", None)
        if share is not None:
            share(workers)
        self._crew.resize(workers)
        record = self._journal.record
        if record is not None:
            self._journal.session(record.state, record.reason, record.message, workers)

    def set_budget(self, budget: Budget) -> None:
        """Replace the budget, in `study.yaml` too."""
        write_budget(self._study.folder, budget)
        self._use_search(budget=budget)
        self._renew(None, [])

    def request_reload(self) -> None:
        """Read the study again; the letter that asked for it is kept until that is done."""

    def _use_search(self, **changes: object) -> None:
        """Go on with other settings of the search, which neither space nor workers depend on."""
        document = self._study.document
        search = document.search.model_copy(update=changes)
        self._study = replace(self._study, document=document.model_copy(update={"search": search}))
        self._trainer.adopt(self._study, self._put_document())
        self._budgets.replace(search)

    # -- another document while the search runs -------------------------------------------------------------------

    def _renew(self, read: Callable[[], PreparedStudy] | None, letters: list[Letter]) -> None:
        """Go on with a new algorithm host as soon as it is there; nothing is proposed until then.

        Args:
            read: Gives another document; None: it stays as it is.
            letters: That asked for another document.
        """
        if self._renewal is not None:
            self._renewal.errand.abandon()
            self._reloads = [*self._renewal.letters, *self._reloads]  # they are still to be done
        self._scheduler.abandon()
        now = self._study
        state, trials, most = self._journal.algorithm_state(), self._journal.in_order(), self._budgets.most_trials

        def prepare() -> tuple[PreparedStudy, AlgorithmHost]:
            prepared = now if read is None else read()
            return prepared, make_host(prepared, max(most, prepared.document.search.budget.trials), state, trials)

        running = frozenset(slot.job.trial for slot in self._crew.busy if slot.job is not None)
        errand = Errand("renew the study", prepare, self._control.ring)
        self._renewal = _Renewal(errand, letters, running, read is not None)

    def _collect_renewal(self) -> None:
        if self._renewal is not None and self._renewal.errand.is_done:
            renewal, self._renewal = self._renewal, None
            outcome = ""
            try:
                study, host = renewal.errand.result()
                self._adopt(study if renewal.reads else None, host, renewal.running)
            except (TunerStudioError, OSError) as error:
                outcome = str(error)
                self._journal.log("warning", f"the search goes on as before: {error}")
                if renewal.reads:
                    # An algorithm remembers a proposal that was abandoned: it begins again where the store is.
                    self._renew(None, [])
            for letter in renewal.letters:
                self._letters.answer(letter, outcome)
        if self._renewal is None and self._reloads:
            letters, self._reloads = self._reloads, []
            self._renew(self._parts.read_again, letters)

    def _adopt(self, read: PreparedStudy | None, host: AlgorithmHost, began: frozenset[int]) -> None:
        """Go on with `host`, and with the document that was read for it, if it was.

        Args:
            read: The document.
            host: Knows the trials of when it was made.
            began: Trials that ran then; some have ended since.
        """
        study = self._study
        if read is not None:
            check_basis(self._journal.writer, read)
            study = self._with_workers(read)
        self._study = study
        host.slots = self._slots_wanted
        self._trainer.adopt(study, self._put_document())
        self._scheduler.adopt(study, host)
        self._trainer.judge = Judge(host)
        running = {slot.job.trial for slot in self._crew.busy if slot.job is not None}
        for trial in sorted(began | running):
            self._trainer.judge.catch_up(trial, self._journal.epochs_of(trial))
        self._budgets.replace(study.document.search)
        self._cancel_outdated()

    def _with_workers(self, read: PreparedStudy) -> PreparedStudy:
        """`read` with as many workers as were asked for last: by the document, if it says something new."""
        document = read.document
        if document.search.workers != self._workers_read:
            self._workers_read = document.search.workers
            self._have_workers(workers_wanted(document.search, self._parts.pool))
            return read
        search = document.search.model_copy(update={"workers": self._study.document.search.workers})
        return replace(read, document=document.model_copy(update={"search": search}))

    def _put_document(self) -> str:
        study, writer = self._study, self._journal.writer
        writer.set_meta(SPACE, json.dumps(study.space.model_dump(mode="json")))
        return writer.put_document(document_text(study.document), code_text(study.folder, study.document))

    def _open_study(self, worker: TrialWorker) -> None:
        """Runs in the thread of an errand."""
        study = self._study
        if worker.study_key != study.key:
            open_in_worker(worker, study.folder, study.document, data_folder(study.folder), study.key)

    def _cancel_outdated(self) -> None:
        """Cancel waiting trials whose values the space of today does not allow."""
        for trial in self._journal.in_order():
            if trial.state not in (TrialState.QUEUED, TrialState.PAUSED):
                continue
            problems = self._study.space.problems(trial.values)
            if problems:
                message = f"the search space has changed: {problems[0]}"
                cancelled = replace(trial, state=TrialState.CANCELLED, message=message, ended_at=time.time())
                self._journal.put(cancelled)

    def _compare_with_plan(self) -> None:
        """Say so when the budget ends a search before the algorithm would."""
        planned, limit = self._scheduler.host.total_trials(), self._parts.target or self._budgets.most_trials
        if planned is not None and planned > limit and "uses_epochs" in self._study.manifest.capabilities:
            name = self._study.manifest.name
            self._journal.log("warning", f"{name} runs {planned} trials in all; the budget of {limit} ends it before")
