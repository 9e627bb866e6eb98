"""The plain road: Keras's own `fit` with one callback. It can do everything, at Keras's speed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tunerstudio.study.errors import ModelError
from tunerstudio.worker.checkpoint import Checkpointer
from tunerstudio.worker.fused_data import weights_by_class
from tunerstudio.worker.fused_gradients import gradients_forgotten
from tunerstudio.worker.fused_support import works_per_batch
from tunerstudio.worker.hypermodels import FitFunction
from tunerstudio.worker.row_order import OrderedRows, OrderOfEpoch, in_order
from tunerstudio.worker.rows_on_disk import fills_memory
from tunerstudio.worker.steps_per_call import measure_steps_per_call
from tunerstudio.worker.training import FitPlan, FitResult, OnEpoch, StopRequest, TrainingArrays
from tunerstudio.worker.watch import EpochWatch


class _StoppedNow(Exception):  # not an error
    """Leaves `fit` in the middle of an epoch."""


class _Reporter(keras.callbacks.Callback):  # type: ignore[misc]  # Keras is untyped
    """Reports epochs, keeps the best weights in memory, obeys stop requests, writes checkpoints."""

    def __init__(
        self,
        plan: FitPlan,
        watch: EpochWatch,
        on_epoch: OnEpoch,
        stop: StopRequest,
        checkpointer: Checkpointer | None,
        best_weights: list[np.ndarray],
        own_fit: bool,
    ) -> None:
        super().__init__()
        self._own_fit = own_fit
        self.unjudged: dict[str, float] = {}
        self._plan, self._watch, self._on_epoch, self._stop = plan, watch, on_epoch, stop
        self._checkpointer = checkpointer
        self.best_weights = best_weights
        self.stopped = False

    def on_train_begin(self, logs: Any = None) -> None:
        """The other callbacks, which began before this one, remember what they did."""
        if self._checkpointer is not None:
            self._checkpointer.resume_callbacks(self._plan.callbacks)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Leave at once if asked to."""
        if self._stop.now:
            self.model.stop_training = True
            raise _StoppedNow

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Likewise: a validation may be long."""
        self.on_train_batch_end(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Judge and report the epoch."""
        metrics = as_floats(logs or {})
        if self._own_fit and self._plan.objective.name not in metrics:
            # A fit of the user's own may return the objective when it is done.
            self.unjudged = metrics
            self.model.stop_training = self.model.stop_training or self._stop.after_epoch
            return
        if self._watch.epoch_ended(epoch + 1, metrics):
            self.best_weights = self.model.get_weights()
        self._on_epoch(epoch + 1, metrics)
        if self.model.stop_training:  # another callback has decided
            return
        if self._watch.out_of_patience:
            self.model.stop_training = True
            return
        self._watch.lower_rate(self.model)
        if self._checkpointer is not None:
            watch, callbacks = self._watch, self._plan.callbacks
            self._checkpointer.epoch_ended(
                epoch + 1, self._stop, self.model, watch, callbacks, lambda: self.best_weights
            )
        if self._stop.after_epoch and epoch + 1 < self._plan.epochs:
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
    checkpointer: Checkpointer | None = None,
    fit: FitFunction | None = None,
) -> FitResult:
    """Train with `fit` (None: the model's own); a `Trainer`.

    Raises:
        NotFiniteError: As soon as an epoch ends with a loss or objective that is NaN or infinite.
        ModelError: If the objective is not among the logged metrics, in the first epoch.
        OSError: If a checkpoint cannot be written.
    """
    watch = EpochWatch(plan)
    build_optimizer(model)
    best = None if checkpointer is None else checkpointer.resume(model, watch)
    reporter = _Reporter(plan, watch, on_epoch, stop, checkpointer, best or [], fit is not None)
    resumed = None if checkpointer is None else checkpointer.resumed
    rows, arguments = _fit_arguments(model, arrays, plan, is_keras_fit=fit is None)
    arguments["callbacks"].append(reporter)
    arguments["initial_epoch"] = plan.initial_epoch if resumed is None else resumed
    returned: Any = None
    tf.random.set_seed(plan.seed)  # for what the user's code draws, and for a fit that shuffles by itself
    try:
        with gradients_forgotten():
            returned = (fit or model.fit)(*rows, **arguments)
    except _StoppedNow:
        reporter.stopped = True
    if not watch.epochs and not reporter.stopped:
        _take_returned(returned, plan, watch, on_epoch, reporter.unjudged)
    if reporter.best_weights:
        model.set_weights(reporter.best_weights)
    best = reporter.best_weights or model.get_weights()
    return FitResult(reporter.stopped, watch.best_epoch, watch.score, watch.metrics, watch.epochs, best)


def _fit_arguments(
    model: Any, arrays: TrainingArrays, plan: FitPlan, is_keras_fit: bool
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What `fit` takes: rows in an order that follows from seed and epoch; a fit of the user's own gets the arrays."""
    validation: tuple[Any, ...] = (arrays.x_validation, arrays.y_validation)
    if arrays.weights_validation is not None:
        validation = (*validation, arrays.weights_validation)
    arguments: dict[str, Any] = {
        "validation_data": validation,
        "epochs": plan.epochs,
        "callbacks": list(plan.callbacks),
        "verbose": 0,
        **plan.fit_arguments,
    }
    weights, class_weight = combined_weights(arrays, plan)
    if is_keras_fit and not plan.fit_arguments and type(model).fit is keras.Model.fit:
        if class_weight is not None:
            weights = weights_by_class(arrays.y_train, class_weight)
        parts = (arrays.x_train, arrays.y_train) if weights is None else (arrays.x_train, arrays.y_train, weights)
        in_place = fills_memory(*validation, *parts)
        rows = OrderedRows(parts, plan.batch_size, plan.seed, in_place=in_place)
        if in_place and not any(works_per_batch(callback) for callback in plan.callbacks):
            with gradients_forgotten():
                measure_steps_per_call(model, rows.dataset)
        arguments["callbacks"].insert(0, OrderOfEpoch(rows))
        if in_place and len(arrays.x_validation):
            ordered = OrderedRows(validation, plan.batch_size, plan.seed, in_order, in_place)
            return (rows.dataset,), {**arguments, "shuffle": False, "validation_data": ordered.dataset}
        return (rows.dataset,), {**arguments, "shuffle": False, "validation_batch_size": plan.batch_size}
    arguments["batch_size"] = plan.batch_size
    if weights is not None:
        arguments["sample_weight"] = weights
    if class_weight is not None:
        arguments["class_weight"] = class_weight
    return (np.asarray(arrays.x_train), arrays.y_train), arguments


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


def _take_returned(
    returned: Any, plan: FitPlan, watch: EpochWatch, on_epoch: OnEpoch, logged: dict[str, float]
) -> None:
    """Take what a `HyperModel.fit` returned that did not log the objective: a History, a dictionary or a number.

    `logged` is what its last epoch logged, if it passed our callback on.
    """
    history = getattr(returned, "history", None)
    if isinstance(history, dict) and history:
        rows = [dict(zip(history, row, strict=True)) for row in zip(*history.values(), strict=True)]
    elif isinstance(returned, dict):
        rows = [{**logged, **returned}]
    elif isinstance(returned, int | float | np.floating):
        rows = [{**logged, plan.objective.name: float(returned)}]
    elif logged:
        rows = [logged]  # says which metrics there are
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
