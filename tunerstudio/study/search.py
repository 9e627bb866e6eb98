"""How the search runs: objective, algorithm, budget and training."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

from tunerstudio.study.tunable import TunableInt, check_at_least

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

    id: str = Field(default="random", min_length=1)
    options: dict[str, JsonValue] = Field(default_factory=dict)


class Budget(_Model):
    """When the search ends."""

    trials: int = Field(default=20, ge=1, description="Completed, failed and pruned trials together.")
    time_limit_s: float | None = Field(default=None, gt=0, description="Training time over all sessions, in seconds.")


class EarlyStopping(_Model):
    """End an execution whose objective has not improved for `patience` epochs."""

    patience: int = Field(default=5, ge=1)
    min_delta: float = Field(default=0.0, ge=0)


class Training(_Model):
    """How one trial is trained."""

    epochs: int = Field(default=20, ge=1, le=100_000)
    batch_size: TunableInt = 32
    executions: int = Field(default=1, ge=1, le=100, description="Fits per trial, each with its own seed.")
    early_stopping: EarlyStopping | None = None
    class_weight: Literal["none", "balanced"] = "none"
    road: Literal["auto", "fit"] = Field(default="auto", description="fit: always train with Keras's own fit.")

    @field_validator("batch_size")
    @classmethod
    def _has_rows(cls, batch_size: TunableInt) -> TunableInt:
        return check_at_least(1, batch_size)


class Search(_Model):
    """How the search runs."""

    objective: Objective = Objective()
    algorithm: AlgorithmChoice = AlgorithmChoice()
    seed: int = Field(default=0, ge=0, description="0 is a seed like any other.")
    budget: Budget = Budget()
    workers: int = Field(default=1, ge=1, le=64, description="Trials trained side by side, each in its own process.")
    retries: int = Field(default=0, ge=0, le=10, description="How often a failed trial is tried again.")
    max_consecutive_failures: int | None = Field(
        default=10, ge=1, description="Pause the search after so many failures in a row; null: never."
    )
