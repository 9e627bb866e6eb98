"""The plain road: Keras's own `fit` with one callback. It can do everything, at Keras's speed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tunerstudio.study.errors import ModelError, suggest
from tunerstudio.worker.fused_gradients import gradients_forgotten
from tunerstudio.worker.hypermodels import FitFunction
from tunerstudio.worker.training import FitPlan, FitResult, NotFiniteError, OnEpoch, StopRequest, TrainingArrays


class _StoppedNow(Exception):  # not an error
    """Leaves `fit` in the middle of an epoch."""


class EpochWatch:
    """Follows the epochs of one execution: the best one, early stopping, NaN. Shared by the roads.

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


class _Reporter(keras.callbacks.Callback):  # type: ignore[misc]  # Keras is untyped
    """Reports epochs, keeps the best weights in memory, obeys stop requests."""

    def __init__(self, plan: FitPlan, watch: EpochWatch, on_epoch: OnEpoch, stop: StopRequest) -> None:
        super().__init__()
        self._plan, self._watch, self._on_epoch, self._stop = plan, watch, on_epoch, stop
        self.best_weights: list[np.ndarray] = []
        self.stopped = False

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Leave at once if asked to."""
        if self._stop.now:
            self.model.stop_training = True
            raise _StoppedNow

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Judge and report the epoch."""
        metrics = as_floats(logs or {})
        if self._watch.epoch_ended(epoch + 1, metrics):
            self.best_weights = self.model.get_weights()
        self._on_epoch(epoch + 1, metrics)
        if self._watch.out_of_patience:
            self.model.stop_training = True
        elif self._stop.after_epoch and epoch + 1 < self._plan.epochs:
            self.stopped = True
            self.model.stop_training = True


def as_floats(logs: Mapping[str, Any]) -> dict[str, float]:
    """Logged metrics as Python floats; those that are no single number (per-class results) are left out."""
    arrays = {name: np.asarray(value) for name, value in logs.items()}
    return {name: float(array.reshape(())) for name, array in arrays.items() if array.size == 1}


def train(
    model: Any,
    arrays: TrainingArrays,
    plan: FitPlan,
    on_epoch: OnEpoch,
    stop: StopRequest,
    fit: FitFunction | None = None,
) -> FitResult:
    """Train with `fit` (None: the model's own); a `Trainer`.

    Raises:
        NotFiniteError: As soon as an epoch ends with a loss or objective that is NaN or infinite.
        ModelError: If the objective is not among the logged metrics, in the first epoch.
    """
    watch = EpochWatch(plan)
    reporter = _Reporter(plan, watch, on_epoch, stop)
    validation: tuple[Any, ...] = (arrays.x_validation, arrays.y_validation)
    if arrays.weights_validation is not None:
        validation = (*validation, arrays.weights_validation)
    weights, class_weight = combined_weights(arrays, plan)
    arguments: dict[str, Any] = {
        "validation_data": validation,
        "epochs": plan.epochs,
        "initial_epoch": plan.initial_epoch,
        "batch_size": plan.batch_size,
        "callbacks": [*plan.callbacks, reporter],
        "verbose": 0,
        **plan.fit_arguments,
    }
    if weights is not None:
        arguments["sample_weight"] = weights
    if class_weight is not None:
        arguments["class_weight"] = class_weight
    returned: Any = None
    build_optimizer(model)
    tf.random.set_seed(plan.seed)  # decides the order of rows
    try:
        with gradients_forgotten():
            returned = (fit or model.fit)(arrays.x_train, arrays.y_train, **arguments)
    except _StoppedNow:
        reporter.stopped = True
    if not watch.epochs and not reporter.stopped:
        _take_returned(returned, plan, watch, on_epoch)
    if reporter.best_weights:
        model.set_weights(reporter.best_weights)
    best = reporter.best_weights or model.get_weights()
    return FitResult(reporter.stopped, watch.best_epoch, watch.score, watch.metrics, watch.epochs, best)


def build_optimizer(model: Any) -> None:
    """Create the optimizer's variables ahead of `fit`.

    When `fit` creates them while it compiles, TensorFlow never frees the compiled functions: 4 MB a trial.
    """
    if model.built and model.optimizer is not None and not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


def combined_weights(arrays: TrainingArrays, plan: FitPlan) -> tuple[np.ndarray | None, dict[int, float] | None]:
    """Sample weights and class weights for `fit`, which does not take both: then they are multiplied."""
    if arrays.weights_train is None or plan.class_weight is None:
        return arrays.weights_train, plan.class_weight
    numbers = arrays.y_train.reshape(-1).astype("int64")
    by_class = np.array([plan.class_weight.get(number, 1.0) for number in range(int(numbers.max()) + 1)], "float32")
    return arrays.weights_train * by_class[numbers], None


def _take_returned(returned: Any, plan: FitPlan, watch: EpochWatch, on_epoch: OnEpoch) -> None:
    """A `HyperModel.fit` that did not pass our callback on: take the History, dictionary or number it returned."""
    history = getattr(returned, "history", None)
    if isinstance(history, dict) and history:
        rows = [dict(zip(history, row, strict=True)) for row in zip(*history.values(), strict=True)]
    elif isinstance(returned, dict):
        rows = [returned]
    elif isinstance(returned, int | float | np.floating):
        rows = [{plan.objective.name: float(returned)}]
    else:
        raise ModelError(
            "fit(hp, model, ...) ended without a result: pass its callbacks on to model.fit, "
            "or return the History, a dictionary of metrics, or the objective as a number."
        )
    for offset, row in enumerate(rows):
        metrics = as_floats(row)
        epoch = plan.initial_epoch + offset + 1
        watch.epoch_ended(epoch, metrics)
        on_epoch(epoch, metrics)
