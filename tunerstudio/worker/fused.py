"""The fused road: train a model with one compiled call per epoch, with the meaning of Keras's fit."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tunerstudio.study.errors import ModelError, suggest
from tunerstudio.worker.fused_cache import ProgramCache
from tunerstudio.worker.fused_data import DataOnDevice, DeviceData
from tunerstudio.worker.fused_program import Logs, Program, build_state
from tunerstudio.worker.training import (
    FitPlan,
    FitResult,
    NotFiniteError,
    OnEpoch,
    StopRequest,
    TrainingArrays,
)

RowOrder = Callable[[int, int, int], np.ndarray]
"""(rows, seed, 0-based epoch) -> the order in which an epoch sees its rows, int64."""

CALL_S = 0.15
"""How long one compiled call should take, in seconds: a request to stop is seen between calls."""


def shuffled(rows: int, seed: int, epoch: int) -> np.ndarray:
    """The order of an epoch's rows, different in each epoch and the same for the same seed."""
    return np.random.default_rng([seed, epoch]).permutation(rows)


class FusedTrainer:
    """A `Trainer` whose programs and device data live on from one execution to the next.

    Attributes:
        cache: The programs; belongs to the worker process.
    """

    def __init__(self, cache: ProgramCache, order: RowOrder = shuffled) -> None:
        """Keep programs in `cache`; `order` gives each epoch's order of rows."""
        self.cache = cache
        self._order = order
        self._data = DataOnDevice()

    def __call__(
        self, model: keras.Model, arrays: TrainingArrays, plan: FitPlan, on_epoch: OnEpoch, stop: StopRequest
    ) -> FitResult:
        """Train `model`; see `Trainer`. Ask `unsupported_reason` before."""
        data = self._data.get(arrays, plan)
        program = self._program(model, data, plan)
        program.load(model)
        execution = _Execution(program, data, plan, self._order, stop)
        try:
            stopped = execution.train(on_epoch)
        finally:
            program.unload(model)
        return execution.result(model, stopped)

    def _program(self, model: keras.Model, data: DeviceData, plan: FitPlan) -> Program:
        if not model.built or not all(layer.built for layer in model._flatten_layers()):
            build_state(model, data.train)
        # A callback of the user's may hold the model or change it for good: such a model keeps its own program.
        if all(type(callback).__module__.startswith("keras.src.") for callback in plan.callbacks):
            return self.cache.program_for(model, data.train, data.validation)
        return self.cache.bound_program(model, data.train, data.validation)


def fused_road(
    model: keras.Model, arrays: TrainingArrays, plan: FitPlan, on_epoch: OnEpoch, stop: StopRequest
) -> FitResult:
    """Train `model` with a program that is used once; see `Trainer`."""
    return FusedTrainer(ProgramCache(limit=0))(model, arrays, plan, on_epoch, stop)


class _Execution:
    """One fit: the epochs, the callbacks, the best weights."""

    def __init__(self, program: Program, data: DeviceData, plan: FitPlan, order: RowOrder, stop: StopRequest) -> None:
        self._program = program
        self._data = data
        self._plan = plan
        self._order = order
        self._stop = stop
        self._batch_size = tf.constant(plan.batch_size, tf.int64)
        self._epochs = 0
        self._best_epoch = 0
        self._best_metrics: dict[str, float] = {}
        self._best_weights: list[tf.Tensor] = []
        self._patience = _Patience(plan)

    def train(self, on_epoch: OnEpoch) -> bool:
        """Train all epochs; whether a stop request ended it before its time."""
        plan, model = self._plan, self._program.model
        callbacks = keras.callbacks.CallbackList(
            list(plan.callbacks), add_history=bool(plan.callbacks), model=model, epochs=plan.epochs
        )
        model.stop_training = False
        callbacks.on_train_begin()
        stopped = False
        logs: dict[str, Any] = {}
        for epoch in range(plan.initial_epoch, plan.epochs):
            if epoch > plan.initial_epoch and self._stop.after_epoch:
                stopped = True
                break
            callbacks.on_epoch_begin(epoch)
            results = self._epoch(epoch)
            if results is None:
                stopped = True
                break
            logs = _plain(results)
            metrics = self._keep(epoch + 1, logs)
            callbacks.on_epoch_end(epoch, logs)
            on_epoch(epoch + 1, metrics)
            if model.stop_training or self._patience.is_over(metrics[plan.objective.name]):
                break
        callbacks.on_train_end(logs)
        return stopped

    def result(self, model: keras.Model, stopped: bool) -> FitResult:
        """Hand the best weights to the caller's model, and say how it went."""
        if self._best_epoch:
            for variable, best in zip(model.weights, self._best_weights, strict=True):
                variable.value.assign(best)
        score = self._best_metrics[self._plan.objective.name] if self._best_epoch else float("nan")
        return FitResult(stopped, self._best_epoch, score, self._best_metrics, self._epochs, model.get_weights())

    def _epoch(self, epoch: int) -> Logs | None:
        """One epoch in as many calls as it needs; None if a stop request came in between."""
        program, data, batch_size = self._program, self._data, self._plan.batch_size
        order = tf.constant(self._order(data.train_rows, self._plan.seed, epoch), tf.int64)
        steps, validation_steps = -(-data.train_rows // batch_size), -(-data.validation_rows // batch_size)
        step = validation_step = 0
        train_logs: Logs = {}
        validation_logs: Logs = {}
        while step < steps or validation_step < validation_steps:
            if self._stop.now:
                return None
            room = max(1, program.rows_per_call // batch_size)
            last = min(steps, step + room)
            room -= last - step
            last_validation = min(validation_steps, validation_step + room) if last == steps else 0
            begin = time.perf_counter()
            current, validation_logs = program.call(
                data.train, data.validation, order, self._batch_size, (step, last), (validation_step, last_validation)
            )
            if step < last:
                train_logs = current
            _wait(current)
            done = last - step + last_validation - validation_step
            program.learn_pace(done * batch_size, time.perf_counter() - begin, CALL_S)
            step, validation_step = last, last_validation
        return train_logs | {f"val_{name}": value for name, value in validation_logs.items()}

    def _keep(self, epoch: int, logs: dict[str, Any]) -> dict[str, float]:
        """Check an epoch's metrics and keep the weights if they are the best; the metrics that are plain numbers."""
        self._epochs += 1
        metrics = {name: value for name, value in logs.items() if isinstance(value, float)}
        objective = self._plan.objective
        if objective.name not in metrics:
            known = ", ".join(sorted(metrics))
            raise ModelError(
                f"The objective {objective.name!r} is not among the metrics that the model logs ({known})."
                + suggest(objective.name, metrics)
            )
        for name in ("loss", objective.name):
            if not np.isfinite(metrics.get(name, 0.0)):
                raise NotFiniteError(name, epoch, metrics[name])
        best = self._best_metrics.get(objective.name)
        if best is None or objective.better(metrics[objective.name], best):
            self._best_epoch, self._best_metrics = epoch, metrics
            self._best_weights = [variable.value.read_value() for variable in self._program.model.weights]
        return metrics


class _Patience:
    """Early stopping on the objective, counted as Keras's EarlyStopping does."""

    def __init__(self, plan: FitPlan) -> None:
        self._rule = plan.early_stopping
        self._objective = plan.objective
        self._best: float | None = None
        self._waited = 0

    def is_over(self, score: float) -> bool:
        """Whether the last `patience` epochs brought nothing; call once per epoch."""
        if self._rule is None:
            return False
        margin = self._rule.min_delta if self._objective.direction == "max" else -self._rule.min_delta
        if self._best is None or self._objective.better(score - margin, self._best):
            self._best, self._waited = score, 0
        else:
            self._waited += 1
        return self._waited >= self._rule.patience


def _plain(logs: Logs) -> dict[str, Any]:
    """Scalars as Python floats, others as arrays."""
    arrays = {name: value.numpy() for name, value in logs.items()}
    return {name: float(array) if array.ndim == 0 else array for name, array in arrays.items()}


def _wait(logs: Logs) -> None:
    """A GPU works behind Python's back: wait until it is done."""
    for value in logs.values():
        value.numpy()
        return
