"""The engine as its users see it: check, run and save a study. The service, the command line and tests share it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tunerstudio.engine.control import SessionControl
from tunerstudio.engine.executors.local import WorkerPool
from tunerstudio.engine.preparation import PreparedStudy, prepare_study, probe_key, read_study
from tunerstudio.engine.saving import Progress, SavedModel, save_top
from tunerstudio.engine.session import Session, SessionListener, SessionResult
from tunerstudio.locations import log_folder
from tunerstudio.protocol.worker import WorkerReady
from tunerstudio.store.writer import StudyWriter
from tunerstudio.study.errors import Problem, StudyError
from tunerstudio.study.files import plain
from tunerstudio.study.hyperparameters import SearchSpace
from tunerstudio.study.machine import workers_for
from tunerstudio.study.trials import TrialState

Say = Callable[[str], None]

PROBED = "probed"
BASIS = "basis"


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

    def __init__(self, threads: int | None = None) -> None:
        """Give each worker `threads` threads; None: TensorFlow's choice."""
        self.pool = WorkerPool(log_folder(), threads)

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

    def space(self, folder: Path) -> SearchSpace:
        """The search space of a study, what `build(hp)` of a code model declares included."""
        return self._prepare(folder, lambda text: None, probe=False).space

    def run(
        self,
        folder: Path,
        control: SessionControl,
        listener: SessionListener,
        target: int | None = None,
        say: Say = lambda text: None,
    ) -> SessionResult:
        """Run the study in `folder` until its budget is used or `target` trials are completed; resumes what is there.

        Raises:
            TunerStudioError: If the study cannot run; no trial was changed then, but for those that an interrupted
                session left running: they wait again.
        """
        if target is not None and target < 1:
            raise StudyError([Problem("trials", f"1 or more completed trials can be wanted, not {target}")])
        self.pool.warm_up(workers_for(read_study(folder).search))
        with StudyWriter(folder) as writer:
            requeued = writer.requeue_interrupted()
            if requeued:
                writer.log(f"trials that an earlier session left unfinished start again: {requeued}")
            study = self._probed(folder, writer, say)
            _check_basis(writer, study)
            for text in study.warnings:
                writer.log(text, "warning")
                listener.on_log("warning", text)
            writer.set_meta(PROBED, probe_key(study))
            return Session(study, writer, self.pool, control, listener, target).run()

    def _probed(self, folder: Path, writer: StudyWriter, say: Say) -> PreparedStudy:
        """The study, with one batch trained unless that was done for just this model and data before."""
        known = writer.meta(PROBED)
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
        with self.pool.lease() as lease:
            return prepare_study(folder, lease.worker, say, probe)


def _check_basis(writer: StudyWriter, study: PreparedStudy) -> None:
    """Refuse to mix scores that cannot be compared: all trials of a study have the same objective, data and target."""
    basis = {
        "objective": plain(study.document.search.objective),
        "data": study.data.fingerprint,
        "split": plain(study.document.data.split),
        "target": [study.data.target.task, *study.data.target.columns],
    }
    stored = writer.meta(BASIS)
    with writer.reader() as reader:
        scored = sum(1 for trial in reader.trials() if trial.state is TrialState.COMPLETED)
    if stored is None or scored == 0:
        writer.set_meta(BASIS, json.dumps(basis))
        return
    before = json.loads(stored)
    fields = {"objective": "search.objective", "data": "data.source", "split": "data.split", "target": "data.columns"}
    problems = [
        Problem(
            fields[name],
            f"this differs from what the {scored} completed trials were scored with, so new scores could not be "
            "compared with theirs: change it back, or make a new study for it",
        )
        for name in fields
        if name in before and before[name] != basis[name]
    ]
    if problems:
        raise StudyError(problems)
