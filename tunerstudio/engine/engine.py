"""The engine as its users see it: check, run and save a study. The service, the command line and tests share it."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.engine.background import Errand
from tunerstudio.engine.basis import check_basis
from tunerstudio.engine.control import SessionControl
from tunerstudio.engine.crew import Recycling
from tunerstudio.engine.edits import Carried, carry_out
from tunerstudio.engine.executors.choose import TrialPool, trial_pool
from tunerstudio.engine.executors.local import WorkerPool, wait_for_any
from tunerstudio.engine.foresight import first_values
from tunerstudio.engine.journal import Journal, open_session
from tunerstudio.engine.letters import Letterbox
from tunerstudio.engine.preparation import PreparedStudy, prepare_study, probe_key, read_study
from tunerstudio.engine.results import SessionListener, SessionResult
from tunerstudio.engine.saving import Progress, SavedModel, save_top
from tunerstudio.engine.scheduling import make_host
from tunerstudio.engine.session import TICK_S, Session, SessionParts
from tunerstudio.engine.space import OnReport, check_space, declared_space, describe_network
from tunerstudio.engine.turns import Turns
from tunerstudio.locations import log_folder
from tunerstudio.protocol.control import ControlCommand
from tunerstudio.protocol.space import NetworkDescription, SpaceReport
from tunerstudio.protocol.worker import ProbeModel, WorkerReady
from tunerstudio.store.schema import StoreError
from tunerstudio.store.writer import StudyWriter
from tunerstudio.study.errors import Problem, StudyError, TunerStudioError
from tunerstudio.study.hyperparameters import Scalar, SearchSpace
from tunerstudio.study.machine import workers_for
from tunerstudio.study.model import EstimatorModel
from tunerstudio.study.trials import SessionState, TrialState

Say = Callable[[str], None]

PROBED = "probed"

STOPPED = "stopped; run it again to go on where it was"

Prepared = TypeVar("Prepared")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CheckReport:
    """What a check found out about a study that can run.

    Attributes:
        space: All hyperparameters.
        size: Number of configurations; infinite for continuous spaces.
        metrics: What each epoch will log.
        parameters: Weights of the network at the default values; None for estimators.
        road: "fused" or "fit".
        device: Where trials will run.
        device_reason: Why not on a GPU, in a sentence; empty if on one.
        summary: The network at the default values, as text.
        warnings: Sentences on what is legal but perhaps not meant.
    """

    space: SearchSpace
    size: float
    metrics: tuple[str, ...]
    parameters: int | None
    road: str
    device: str
    device_reason: str
    summary: str
    warnings: list[str] = field(default_factory=list)


class Engine:
    """Runs studies with workers of its own. Close it when done; also a context manager."""

    def __init__(self, threads: int | None = None, recycling: Recycling | None = None) -> None:
        """Make workers when they are needed.

        Args:
            threads: For each worker; None: the cores are shared out among the workers of a search.
            recycling: When workers are replaced; None: as usual.
        """
        self.pool = WorkerPool(log_folder(), threads)
        self.recycling = recycling or Recycling()
        self._turns = Turns()
        self._ready: PreparedStudy | None = None

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all workers."""
        self.pool.close()

    def device(self) -> WorkerReady:
        """What a worker says of the machine; waits for its imports."""
        with self.pool.lease() as lease:
            return lease.worker().wait_ready()

    def check(self, folder: Path, say: Say = lambda text: None) -> CheckReport:
        """Find everything that would stop a search, before trial 1; raises as `prepare_study` does."""
        study = self._prepare(folder, say, probe=True)
        greeting = self.device()
        assert study.probe is not None
        return CheckReport(
            space=study.space,
            size=study.space.count(),
            metrics=study.probe.metrics,
            parameters=study.probe.parameters,
            road=study.probe.road,
            device=greeting.device,
            device_reason=greeting.device_reason,
            summary=study.probe.summary,
            warnings=study.warnings,
        )

    def get_ready(self, folder: Path) -> None:
        """Do beforehand what `run` would do before its first trial, as long as nobody asks for it.

        A worker has the study open then, and has trained one batch of it: of the network at its default values, and of
        the one that the first trial will train, whose program is compiled then.

        Raises:
            TunerStudioError: As `prepare_study` does.
        """
        search = read_study(folder).search
        if search.executor.kind != "local":
            return
        workers = workers_for(search, len(self.pool.gpus))
        self.pool.share_cores(workers)
        self.pool.warm_up(workers)
        with self._turns.take():
            study = self._prepare(folder, lambda text: None, probe=True)
            if not isinstance(study.document.model, EstimatorModel):
                self._rehearse(study, workers)

    def _rehearse(self, study: PreparedStudy, workers: int) -> None:
        """Let a worker that has `study` open train one batch of its first trial."""
        values = first_values(study, workers)
        if values is None:
            return
        with self.pool.lease() as lease, self._turns.using(lease.worker) as leased:
            worker = leased()
            if worker.study_key != study.key:
                return
            try:
                worker.ask(ProbeModel(values=values))
            except TunerStudioError as error:
                _log.info("the first trial cannot be rehearsed: %s", error)  # it will fail, and say so

    def space(self, folder: Path) -> SearchSpace:
        """The search space of a study, what `build(hp)` of a code model declares included."""
        return self._prepare(folder, lambda text: None, probe=False).space

    def declared_space(self, folder: Path) -> SearchSpace:
        """What the code of a code model declares, without the ranges that the study sets."""
        with self.pool.lease() as lease:
            return declared_space(folder, lease.worker)

    def check_space(
        self,
        folder: Path,
        say: Say = lambda text: None,
        on_report: OnReport = lambda report: None,
        cancel: threading.Event | None = None,
        count: int = 200,
    ) -> SpaceReport:
        """What can be said of the whole search space without training it; see `space.check_space`."""
        with self.pool.lease() as lease:
            return check_space(folder, lease.worker, say, on_report, cancel or threading.Event(), count)

    def describe(self, folder: Path, values: Mapping[str, Scalar] | None = None) -> NetworkDescription:
        """The layers of the network at `values` (None: defaults) with shapes and sizes, without building it."""
        with self.pool.lease() as lease:
            return describe_network(folder, lease.worker, values)

    def run(
        self,
        folder: Path,
        control: SessionControl,
        listener: SessionListener,
        target: int | None = None,
        say: Say = lambda text: None,
        is_interactive: bool = False,
    ) -> SessionResult:
        """Run the study in `folder` until its budget is used or `target` trials are completed; resumes what is there.

        Args:
            folder: The study folder.
            control: For stop requests from other threads.
            listener: Told what happens.
            target: Completed trials wanted; None: the budget decides.
            say: Told what is going on before the first trial.
            is_interactive: Whether somebody can resume the search if it pauses itself; otherwise it ends then.

        Raises:
            TunerStudioError: If the study cannot run; no trial was changed then, but for those that an interrupted
                session left running: they wait again.
        """
        if target is not None and target < 1:
            raise StudyError([Problem("trials", f"1 or more completed trials can be wanted, not {target}")])
        search, started_at = read_study(folder).search, time.time()
        workers = workers_for(search, len(self.pool.gpus))
        self.pool.share_cores(workers)
        self.pool.warm_up(workers if search.executor.kind == "local" else 1)
        with StudyWriter(folder) as writer, trial_pool(search.executor, self.pool) as trial_workers:
            requeued = writer.requeue_interrupted()
            journal = Journal(writer, listener, open_session(writer, workers, search.executor.kind))
            if requeued:
                writer.log(f"trials that an earlier session left unfinished go on: {requeued}")
            letters = Letterbox(folder, journal, control, started_at)
            try:
                result = self._run(
                    folder, journal, letters, control, target, say, started_at, is_interactive, trial_workers
                )
            except KeyboardInterrupt:
                letters.close()
                _end_session(journal, "stopped", STOPPED)
                raise
            except BaseException as error:
                letters.close()
                _end_session(journal, "failed", str(error))
                raise
            letters.close()
            _end_session(journal, result.reason, result.message)
            return result

    def _run(
        self,
        folder: Path,
        journal: Journal,
        letters: Letterbox,
        control: SessionControl,
        target: int | None,
        say: Say,
        started_at: float,
        is_interactive: bool,
        trial_workers: TrialPool,
    ) -> SessionResult:
        """Prepare beside the loop that listens for a stop, then run."""
        writer = journal.writer
        known, state, trials = writer.meta(PROBED), journal.algorithm_state(), journal.in_order()

        def prepare(tell: Say) -> tuple[PreparedStudy, AlgorithmHost]:
            study = self._probed(folder, known, tell)
            trial_workers.wait_open(lambda: control.stop is not None)
            most = max(study.document.search.budget.trials, target or 0)
            with self._turns.take():  # a plugin's module cannot be imported twice at once
                return study, make_host(study, most, state, trials)

        prepared = prepare_beside(prepare, control, letters, say)
        if prepared is None:
            return SessionResult("stopped", STOPPED, journal.count(TrialState.COMPLETED))
        study, host = prepared
        check_basis(writer, study)
        for text in study.warnings:
            journal.log("warning", text)
        writer.set_meta(PROBED, probe_key(study))
        parts = SessionParts(
            study,
            host,
            journal,
            trial_workers.pool,
            control,
            letters,
            read_again=lambda: self._probed(folder, probe_key(study), lambda text: None),
            started_at=started_at,
            target=target,
            is_interactive=is_interactive,
            recycling=self.recycling,
        )
        return Session(parts).run()

    def command(self, folder: Path, command: ControlCommand) -> Carried:
        """Carry out `command` on a study that nobody runs, or post it to the session that does; see `edits`."""
        return carry_out(folder, command)

    def _probed(self, folder: Path, known: str | None, say: Say) -> PreparedStudy:
        """The study, with one batch trained unless that was done for just this model and data before.

        `known` is the key of the last probe.
        """
        with self._turns.take(say):  # `get_ready` may be at it just now
            study = self._prepare(folder, say, probe=known is None)
            if study.probe is None and known != probe_key(study):
                study = self._prepare(folder, say, probe=True)
        return study

    def save(
        self, folder: Path, top: int, to: Path | None, progress: Progress, numbers: list[int] | None = None
    ) -> list[SavedModel]:
        """Save the `top` best models (or those of the trials `numbers`); see `saving.save_top`."""
        return save_top(folder, numbers, top, to, self.pool, progress)

    def _prepare(self, folder: Path, say: Say, probe: bool) -> PreparedStudy:
        with self.pool.lease() as lease, self._turns.using(lease.worker) as worker:
            study = prepare_study(folder, worker, say, probe, self._ready)
        self._ready = study
        return study


def prepare_beside(
    prepare: Callable[[Say], Prepared], control: SessionControl, letters: Letterbox, say: Say
) -> Prepared | None:
    """What `prepare` gives, computed in another thread; None if a stop was asked for meanwhile.

    Args:
        prepare: Gets a function that tells what is going on.
        control: Where stops arrive.
        letters: The mailbox, looked into all the while.
        say: Told in the thread of the caller.
    """
    told: queue.SimpleQueue[str] = queue.SimpleQueue()

    def tell(text: str) -> None:
        told.put(text)
        control.ring()

    def work() -> Prepared:
        return prepare(lambda text: None if errand_is_over.is_set() else tell(text))

    errand_is_over = threading.Event()
    errand = Errand("prepare the study", work, control.ring)
    try:
        while not errand.is_done:
            letters.look()
            if control.stop is not None:
                return None
            wait_for_any([control.wake_up], TICK_S)
            control.drain()
            while not told.empty():
                say(told.get())
        return errand.result()
    finally:
        errand_is_over.set()
        errand.abandon()


def _end_session(journal: Journal, reason: str, message: str) -> None:
    try:
        journal.session(SessionState.ENDED, reason, message)
    except StoreError as error:
        _log.warning("the end of the session could not be written down: %s", error)
