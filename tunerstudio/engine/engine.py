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
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import Problem, StudyError
from tunerstudio.study.files import plain
from tunerstudio.study.hyperparameters import SearchSpace
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
        worker = self.pool.acquire()
        try:
            return worker.wait_ready()
        finally:
            self.pool.release(worker)

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
            TunerStudioError: If the study cannot run; nothing was changed then.
        """
        self.pool.warm_up(read_study(folder).search.workers)
        with StudyWriter(folder) as writer:
            known_probe = writer.meta(PROBED)
            study = self._prepare(folder, say, probe=known_probe is None)
            key = probe_key(study.document, study.data)
            if study.probe is None and known_probe != key:
                study = self._prepare(folder, say, probe=True)
            _check_basis(writer, study.document, study.data.fingerprint)
            for text in study.warnings:
                writer.log(text, "warning")
                listener.on_log("warning", text)
            requeued = writer.requeue_interrupted()
            writer.set_meta(PROBED, key)
            if requeued:
                writer.log(f"trials that an earlier session left unfinished start again: {requeued}")
            return Session(study, writer, self.pool, control, listener, target).run()

    def save(
        self, folder: Path, top: int, to: Path | None, progress: Progress, numbers: list[int] | None = None
    ) -> list[SavedModel]:
        """Save the `top` best models (or those of the trials `numbers`); see `saving.save_top`."""
        return save_top(folder, numbers, top, to, self.pool, progress)

    def _prepare(self, folder: Path, say: Say, probe: bool) -> PreparedStudy:
        worker = self.pool.acquire()
        try:
            return prepare_study(folder, worker, say, probe)
        finally:
            self.pool.release(worker)


def _check_basis(writer: StudyWriter, document: StudyDocument, fingerprint: str) -> None:
    """Refuse to mix scores that cannot be compared: same objective and same data for all trials of a study."""
    objective = document.search.objective
    basis = {"objective": plain(objective), "data": fingerprint, "split": plain(document.data.split)}
    stored = writer.meta(BASIS)
    with writer.reader() as reader:
        scored = sum(1 for trial in reader.trials() if trial.state is TrialState.COMPLETED)
    if stored is None or scored == 0:
        writer.set_meta(BASIS, json.dumps(basis))
        return
    before = json.loads(stored)
    fields = {"objective": "search.objective", "data": "data.source", "split": "data.split"}
    problems = [
        Problem(
            fields[name],
            f"this differs from what the {scored} completed trials were scored with, so new scores could not be "
            "compared with theirs: change it back, or make a new study for it",
        )
        for name in fields
        if before.get(name) != basis[name]
    ]
    if problems:
        raise StudyError(problems)
