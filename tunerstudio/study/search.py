"""How the search runs: objective, algorithm, budget and training."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, field_validator

from tunerstudio.study.constraints import parse_constraint
from tunerstudio.study.tunable import TunableFloat, TunableInt, TunableName, check_at_least, check_between

Direction = Literal["max", "min"]

KNOWN_DIRECTIONS: dict[str, Direction] = {
    "accuracy": "max",
    "auc": "max",
    "precision": "max",
    "recall": "max",
    "f1_score": "max",
    "r2_score": "max",
    "top_k": "max",
    "loss": "min",
    "mae": "min",
    "mse": "min",
    "rmse": "min",
    "mape": "min",
    "brier": "min",
}
"""Directions of the metrics we offer, without their `val_` prefix. Keras Tuner guesses several of them wrong."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Objective(_Model):
    """What is to be made best. The direction is never guessed."""

    name: str = Field(default="val_loss", min_length=1, description="A metric as Keras logs it, such as val_accuracy.")
    direction: Direction = "min"

    def better(self, left: float, right: float) -> bool:
        """Whether the score `left` is better than `right`."""
        return left > right if self.direction == "max" else left < right


class AlgorithmChoice(_Model):
    """Which search algorithm, with its own options (checked against its manifest)."""

    id: str = Field(default="auto", min_length=1)
    options: dict[str, JsonValue] = Field(default_factory=dict)


class Plateau(_Model):
    """End the search when its best score has not improved for so many finished trials."""

    trials: int = Field(default=20, ge=1)
    min_delta: float = Field(default=0.0, ge=0, description="Least improvement that counts.")


_MOMENT = r"^([01]\d|2[0-3]):[0-5]\d$|^\d{4}-\d\d-\d\d[T ]([01]\d|2[0-3]):[0-5]\d$"
_MINUTES_PER_DAY = 24 * 60


class Budget(_Model):
    """When the search ends: at whichever comes first."""

    trials: int = Field(default=20, ge=1, description="Completed, failed and pruned trials together.")
    time_limit_s: float | None = Field(
        default=None, gt=0, description="Seconds for which trials train, over all sessions; pauses do not count."
    )
    finish_by: str | None = Field(
        default=None,
        pattern=_MOMENT,
        description="Local time: 07:00 (the next one after the session's start) or 2026-05-30 07:00.",
    )
    plateau: Plateau | None = None
    target: float | None = Field(default=None, description="End when a trial's score is this good.")

    @field_validator("finish_by", mode="before")
    @classmethod
    def _is_a_moment(cls, moment: object) -> object:
        if isinstance(moment, int) and not isinstance(moment, bool) and 0 <= moment < _MINUTES_PER_DAY:
            return f"{moment // 60:02}:{moment % 60:02}"  # what YAML makes of 22:30 without quotation marks
        if moment is not None and not (isinstance(moment, str) and _names_a_moment(moment)):
            raise ValueError(f"a time such as 07:00 or 2026-05-30 07:00 is needed, not {moment!r}")
        return moment


def _names_a_moment(text: str) -> bool:
    if re.match(_MOMENT, text) is None:
        return False
    try:
        datetime.fromisoformat(text if len(text) > len("07:00") else f"2000-01-01 {text}")
    except ValueError:
        return False  # such as 30 February
    return True


class EarlyStopping(_Model):
    """End an execution whose objective has not improved for `patience` epochs."""

    patience: TunableInt = Field(default=5, description="Epochs; may be tunable (hyperparameter patience).")
    min_delta: float = Field(default=0.0, ge=0)

    @field_validator("patience")
    @classmethod
    def _waits(cls, patience: TunableInt) -> TunableInt:
        return check_at_least(1, patience)


class RateReduction(_Model):
    """Multiply the learning rate by `factor` when the objective has not improved for `patience` epochs.

    A learning rate that follows a schedule is left to it.
    """

    patience: TunableInt = Field(default=3, description="Epochs; may be tunable (hyperparameter rate_patience).")
    factor: TunableFloat = Field(default=0.5, description="May be tunable (hyperparameter rate_factor).")

    @field_validator("patience")
    @classmethod
    def _waits(cls, patience: TunableInt) -> TunableInt:
        return check_at_least(1, patience)

    @field_validator("factor")
    @classmethod
    def _lowers(cls, factor: TunableFloat) -> TunableFloat:
        return check_between(0, 1, factor)


CLASS_WEIGHTS = ("none", "balanced")
"""balanced: each class weighs as much as any other, however rare it is."""


class Training(_Model):
    """How one trial is trained."""

    epochs: int = Field(default=20, ge=1, le=100_000)
    batch_size: TunableInt = 32
    executions: int = Field(default=1, ge=1, le=100, description="Fits per trial, each with its own seed.")
    early_stopping: EarlyStopping | None = None
    reduce_rate: RateReduction | None = Field(default=None, description="null: the learning rate stays as it is.")
    class_weight: TunableName = Field(default="none", description="none or balanced, or a tunable choice of them.")
    road: Literal["auto", "fit"] = Field(default="auto", description="fit: always train with Keras's own fit.")

    @field_validator("class_weight")
    @classmethod
    def _known(cls, weight: TunableName) -> TunableName:
        names = [weight] if isinstance(weight, str) else list(weight.choices)
        wrong = [name for name in names if name not in CLASS_WEIGHTS]
        if wrong:
            raise ValueError(f"class weights are none or balanced, not {wrong[0]!r}")
        return weight

    @field_validator("batch_size")
    @classmethod
    def _has_rows(cls, batch_size: TunableInt) -> TunableInt:
        return check_at_least(1, batch_size)


class TrialLimits(_Model):
    """What one trial may use; beyond it, it is FAILED with that cause."""

    memory_gb: float | None = Field(default=None, gt=0, description="Resident memory of its worker, in 10^9 bytes.")
    time_limit_s: float | None = Field(default=None, gt=0, description="Seconds of training in one attempt.")
    no_progress_s: float | None = Field(default=None, gt=0, description="Seconds without a finished epoch or batch.")


class Checkpoints(_Model):
    """What is kept on disk of running and finished trials."""

    every_s: float = Field(
        default=30.0, ge=0, description="Least seconds of training between two checkpoints of a running trial."
    )
    keep_top: int = Field(default=10, ge=1, description="Weights are kept for so many best trials.")


class Executor(_Model):
    """Where trials run."""

    kind: Literal["local", "ray"] = "local"
    address: str | None = Field(default=None, description="Ray: address of a cluster; null: one on this machine.")
    cpus_per_trial: float = Field(default=1.0, gt=0, description="Ray: num_cpus of a trial.")
    gpus_per_trial: float = Field(default=0.0, ge=0, description="Ray: num_gpus of a trial.")


class Pruning(_Model):
    """Ends trials that do badly compared with others at the same epoch (state PRUNED)."""

    method: str = Field(default="none", min_length=1, description="none, or the id of a pruning plugin.")
    options: dict[str, JsonValue] = Field(default_factory=dict)


class SecondObjective(_Model):
    """A further value to be made best beside the objective, for the Pareto front."""

    name: str = Field(min_length=1, description="A logged metric, or parameters, training_s, latency_ms, size_bytes.")
    direction: Direction = "min"


def _readable(constraint: str) -> str:
    """A constraint that can be read; whether its names are known is checked with the search space."""
    parse_constraint(constraint)
    return constraint


class Search(_Model):
    """How the search runs."""

    objective: Objective = Objective()
    also: tuple[SecondObjective, ...] = Field(default=(), description="Further objectives; empty: one alone.")
    constraints: tuple[Annotated[str, AfterValidator(_readable)], ...] = Field(
        default=(), description='Conditions on hyperparameters, parameters or memory_mb: "units * layers <= 512".'
    )
    algorithm: AlgorithmChoice = AlgorithmChoice()
    pruning: Pruning = Pruning()
    warm_start: tuple[str, ...] = Field(
        default=(), description="Folders of earlier studies from whose comparable trials the algorithm learns."
    )
    seed: int = Field(default=0, ge=0, description="0 is a seed like any other.")
    budget: Budget = Budget()
    workers: Annotated[int, Field(ge=1, le=64)] | Literal["auto"] = Field(
        default="auto", description="Trials trained side by side, each in its own process; auto: by the machine."
    )
    executor: Executor = Executor()
    limits: TrialLimits = TrialLimits()
    checkpoints: Checkpoints = Checkpoints()
    retries: int = Field(default=0, ge=0, le=10, description="How often a failed trial is tried again.")
    max_consecutive_failures: int | None = Field(
        default=10, ge=1, description="Pause the search after so many failures in a row; null: never."
    )

    @field_validator("workers", mode="before")
    @classmethod
    def _are_some(cls, workers: object) -> object:
        wanted = int(workers) if isinstance(workers, str) and workers.isdecimal() else workers
        if wanted == "auto" or (isinstance(wanted, int) and not isinstance(wanted, bool) and 1 <= wanted <= 64):
            return wanted
        raise ValueError(f"a whole number from 1 to 64, or auto, is needed, not {workers!r}")
