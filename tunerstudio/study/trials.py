"""Trials as plain records: what algorithms learn from, the store keeps and the views show."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from tunerstudio.study.hyperparameters import Scalar


class TrialState(StrEnum):
    """Where a trial stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    PRUNED = "PRUNED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_finished(self) -> bool:
        """Whether it never changes again."""
        return self in _FINISHED


_FINISHED = frozenset({TrialState.COMPLETED, TrialState.PRUNED, TrialState.FAILED, TrialState.CANCELLED})


@dataclass(frozen=True)
class Execution:
    """One fit of a trial with one seed (for an estimator: one fold).

    Attributes:
        index: 0-based place in the trial.
        state: COMPLETED once it has a score.
        seed: Seed of weights, shuffling and dropout.
        score: The objective at its best epoch; None until then.
        best_epoch: 1-based epoch of the score; None until then.
        epochs: Epochs trained.
        metrics: Every logged metric at the best epoch.
    """

    index: int
    state: TrialState
    seed: int
    score: float | None = None
    best_epoch: int | None = None
    epochs: int = 0
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """One set of values and what came of it.

    Attributes:
        number: 1-based, in order of proposal; never used twice.
        score: Mean of the executions' scores; None unless COMPLETED or PRUNED.
        standard_error: Of that mean; None with fewer than two executions.
        tags: What the algorithm noted for itself (bracket, rung, …); JSON scalars.
        epochs_planned: Epochs per execution that this trial may train up to.
        initial_epoch: Epochs that its parent had already trained; 0 without a parent.
        parent: Number of the trial whose weights it goes on from; None for a fresh start.
        reason: Why these values, in a sentence; "" if the algorithm does not say.
        message: Why it failed or ended early, in a sentence; "" otherwise.
        details: Traceback or log excerpt behind `message`.
        road: "fused" or "fit": which trainer ran it; "" if not yet known.
        parameters: Number of weights of the network; None for estimators or until built.
        device: Where it ran, such as "CPU" or "GPU 0".
        attempts: How often it was started.
        created_at, started_at, ended_at: Seconds since the epoch (UTC).
        duration_s: Seconds of training over all its sessions.
        note: The user's own words.
        document: Key of the study document that it was trained by (`StudyReader.document`); "" if not started.
        measures: Values of further objectives and what constraints ask for, by name (parameters, latency_ms, …).
        origin: "" (the algorithm), "user" (enqueued), "retry" or "warm start".
    """

    number: int
    state: TrialState
    values: dict[str, Scalar]
    score: float | None = None
    standard_error: float | None = None
    executions: tuple[Execution, ...] = ()
    tags: dict[str, Scalar] = field(default_factory=dict)
    epochs_planned: int = 0
    initial_epoch: int = 0
    parent: int | None = None
    reason: str = ""
    message: str = ""
    details: str = ""
    road: str = ""
    parameters: int | None = None
    device: str = ""
    attempts: int = 0
    created_at: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None
    duration_s: float = 0.0
    note: str = ""
    document: str = ""
    measures: dict[str, float] = field(default_factory=dict)
    origin: str = ""

    @property
    def epochs(self) -> int:
        """Epochs trained, over all executions."""
        return sum(execution.epochs for execution in self.executions)


@dataclass(frozen=True)
class Epoch:
    """All metrics of one finished epoch.

    Attributes:
        trial: Number of the trial.
        execution: 0-based.
        epoch: 1-based.
        metrics: As Keras logs them.
        at: Seconds since the epoch (UTC).
    """

    trial: int
    execution: int
    epoch: int
    metrics: dict[str, float]
    at: float


def ranked(trials: list[Trial], direction: str) -> list[Trial]:
    """Completed trials best first (ties: fewer parameters, then earlier); then all others by number."""
    sign = -1.0 if direction == "max" else 1.0
    completed = [t for t in trials if t.state is TrialState.COMPLETED and t.score is not None]
    completed.sort(key=lambda t: (sign * (t.score or 0.0), t.parameters or 0, t.number))
    rest = [t for t in trials if t.state is not TrialState.COMPLETED or t.score is None]
    return [*completed, *sorted(rest, key=lambda t: t.number)]


class SessionState(StrEnum):
    """Where a session of the engine stands."""

    STARTING = "starting"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"
    ENDED = "ended"


@dataclass(frozen=True)
class SessionRecord:
    """One session of the engine over a study.

    Attributes:
        number: 1-based.
        state: As the engine last wrote it; a session whose engine was killed never says ENDED (see `StudyReader`).
        reason: Why it ended or paused (budget, exhausted, time, plateau, target, failures, plugin, disk, stopped, …).
        message: The same in a sentence.
        pid, machine: Of the engine process.
        workers: Slots in use.
        executor: local or ray.
        started_at, ended_at: Seconds since the epoch (UTC).
    """

    number: int
    state: SessionState
    started_at: float
    pid: int
    machine: str
    workers: int
    executor: str = "local"
    reason: str = ""
    message: str = ""
    ended_at: float | None = None


@dataclass(frozen=True)
class Attempt:
    """One start of a trial: what ran where.

    Attributes:
        worker: Number of the worker, 1-based.
        node: Machine.
        device: Such as "CPU (2 cores)" or "GPU 0: NVIDIA H100".
        outcome: completed, failed, stopped, pruned, …; "" while it runs.
    """

    trial: int
    attempt: int
    worker: int
    node: str
    device: str
    started_at: float
    ended_at: float | None = None
    outcome: str = ""


@dataclass(frozen=True)
class ResourceUse:
    """What a worker used at one moment.

    Attributes:
        row: Grows; ask for what is newer.
        worker: Number of the worker; 0: the engine.
        trial: What it trained; None: nothing.
        cpu_percent: 100: one core busy.
    """

    row: int
    at: float
    worker: int
    trial: int | None
    rss_bytes: int
    cpu_percent: float
    gpu_percent: float | None = None
    gpu_bytes: int | None = None
