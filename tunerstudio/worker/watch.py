"""What is remembered of the epochs of one execution: the best one, early stopping, NaN. Shared by the roads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tunerstudio.study.errors import ModelError, suggest
from tunerstudio.worker.training import FitPlan, NotFiniteError


class EpochWatch:
    """Follows the epochs of one execution.

    Attributes:
        best_epoch: 1-based; 0 before the first epoch ended.
        score: The objective at the best epoch.
        metrics: All metrics at the best epoch.
        epochs: Epochs that ended.
    """

    def __init__(self, plan: FitPlan) -> None:
        """Follow an execution of `plan`."""
        self._plan = plan
        self._reference = math.nan
        self._waited = 0
        self.best_epoch, self.score, self.epochs = 0, math.nan, 0
        self.metrics: dict[str, float] = {}

    def epoch_ended(self, epoch: int, metrics: Mapping[str, float]) -> bool:
        """Take the metrics of one epoch (1-based); whether it is the best so far.

        Raises:
            ModelError: If the objective is not among them.
            NotFiniteError: If the loss or the objective is NaN or infinite.
        """
        objective = self._plan.objective
        if objective.name not in metrics:
            known = ", ".join(metrics)
            raise ModelError(
                f"the objective {objective.name!r} is not logged by this model, which logs {known}."
                f"{suggest(objective.name, metrics)}"
            )
        for name in ("loss", objective.name):
            if not math.isfinite(metrics.get(name, 0.0)):
                raise NotFiniteError(name, epoch, metrics[name])
        self.epochs += 1
        score = metrics[objective.name]
        self._wait(score)
        if self.best_epoch and not objective.better(score, self.score):
            return False
        self.best_epoch, self.score, self.metrics = epoch, score, dict(metrics)
        return True

    def _wait(self, score: float) -> None:
        """Count the epochs without an improvement of at least `min_delta`, as Keras's EarlyStopping does."""
        early = self._plan.early_stopping
        if early is None:
            return
        delta = -early.min_delta if self._plan.objective.direction == "max" else early.min_delta
        if math.isnan(self._reference) or self._plan.objective.better(score + delta, self._reference):
            self._reference, self._waited = score, 0
        else:
            self._waited += 1

    @property
    def out_of_patience(self) -> bool:
        """Whether early stopping ends the execution now."""
        early = self._plan.early_stopping
        return early is not None and self._waited >= early.patience

    def state(self) -> dict[str, Any]:
        """All that it remembers, as JSON values; `restore` takes it."""
        return {
            "reference": None if math.isnan(self._reference) else self._reference,
            "waited": self._waited,
            "best_epoch": self.best_epoch,
            "score": None if math.isnan(self.score) else self.score,
            "metrics": self.metrics,
            "epochs": self.epochs,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Remember what another watch of the same plan did when it gave `state`."""
        self._reference = math.nan if state["reference"] is None else float(state["reference"])
        self._waited, self.epochs = int(state["waited"]), int(state["epochs"])
        self.best_epoch, self.metrics = int(state["best_epoch"]), dict(state["metrics"])
        self.score = math.nan if state["score"] is None else float(state["score"])
