"""What is remembered of the epochs of one execution: the best one, early stopping, NaN. Shared by the roads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from keras.optimizers.schedules import LearningRateSchedule

from tunerstudio.study.errors import ModelError, suggest
from tunerstudio.study.tunable import TunableInt
from tunerstudio.worker.training import FitPlan, NotFiniteError


class _Patience:
    """Counts the epochs without an improvement of at least `min_delta`, as Keras's callbacks do.

    Attributes:
        waited: So many.
    """

    def __init__(self, plan: FitPlan, patience: TunableInt, min_delta: float) -> None:
        assert isinstance(patience, int), "a plan has plain numbers"
        self._objective, self._patience, self._reference = plan.objective, patience, math.nan
        self._delta = -min_delta if plan.objective.direction == "max" else min_delta
        self.waited = 0

    def epoch_ended(self, score: float) -> None:
        if math.isnan(self._reference) or self._objective.better(score + self._delta, self._reference):
            self._reference, self.waited = score, 0
        else:
            self.waited += 1

    @property
    def is_over(self) -> bool:
        return self.waited >= self._patience

    def state(self) -> list[float | None]:
        return [None if math.isnan(self._reference) else self._reference, self.waited]

    def restore(self, state: Sequence[float | None]) -> None:
        reference, waited = state
        self._reference = math.nan if reference is None else float(reference)
        self.waited = int(waited or 0)


class EpochWatch:
    """Follows the epochs of one execution.

    It also says when the learning rate is to be lowered, as Keras's ReduceLROnPlateau does without a cooldown.

    Attributes:
        best_epoch: 1-based; 0 before the first epoch ended.
        score: The objective at the best epoch.
        metrics: All metrics at the best epoch.
        epochs: Epochs that ended.
    """

    def __init__(self, plan: FitPlan) -> None:
        """Follow an execution of `plan`."""
        self._plan = plan
        early, reduce = plan.early_stopping, plan.reduce_rate
        delta = 0.0 if early is None else early.min_delta
        self._until_stop = None if early is None else _Patience(plan, early.patience, delta)
        self._until_lower = None if reduce is None else _Patience(plan, reduce.patience, 0.0)
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
        for patience in (self._until_stop, self._until_lower):
            if patience is not None:
                patience.epoch_ended(score)
        if self.best_epoch and not objective.better(score, self.score):
            return False
        self.best_epoch, self.score, self.metrics = epoch, score, dict(metrics)
        return True

    @property
    def out_of_patience(self) -> bool:
        """Whether early stopping ends the execution now."""
        return self._until_stop is not None and self._until_stop.is_over

    def lower_rate(self, model: Any) -> None:
        """Lower the learning rate of `model`, if it is time for it; one that follows a schedule stays."""
        patience, reduce = self._until_lower, self._plan.reduce_rate
        if patience is None or reduce is None or not patience.is_over:
            return
        patience.waited = 0
        optimizer = model.optimizer
        if not isinstance(getattr(optimizer, "_learning_rate", None), LearningRateSchedule):
            optimizer.learning_rate = float(optimizer.learning_rate) * float(str(reduce.factor))

    def state(self) -> dict[str, Any]:
        """All that it remembers, as JSON values; `restore` takes it."""
        return {
            "until_stop": None if self._until_stop is None else self._until_stop.state(),
            "until_lower": None if self._until_lower is None else self._until_lower.state(),
            "best_epoch": self.best_epoch,
            "score": None if math.isnan(self.score) else self.score,
            "metrics": self.metrics,
            "epochs": self.epochs,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Remember what another watch of the same plan did when it gave `state`."""
        for patience, kept in ((self._until_stop, state["until_stop"]), (self._until_lower, state["until_lower"])):
            if patience is not None and kept is not None:
                patience.restore(kept)
        self.epochs, self.best_epoch = int(state["epochs"]), int(state["best_epoch"])
        self.metrics = dict(state["metrics"])
        self.score = math.nan if state["score"] is None else float(state["score"])
