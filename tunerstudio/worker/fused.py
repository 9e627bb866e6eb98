"""The fused road: train a model with one compiled call per epoch, with the meaning of Keras's fit."""

from __future__ import annotations

import time
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tunerstudio.worker.checkpoint import Checkpointer
from tunerstudio.worker.fit_road import as_floats
from tunerstudio.worker.fused_cache import ProgramCache
from tunerstudio.worker.fused_data import DataOnDevice, DeviceData
from tunerstudio.worker.fused_program import Logs, Program, build_state
from tunerstudio.worker.fused_relatives import Relatives
from tunerstudio.worker.row_order import RowOrder, shuffled
from tunerstudio.worker.training import (
    FitPlan,
    FitResult,
    OnEpoch,
    StopRequest,
    TrainingArrays,
)
from tunerstudio.worker.watch import EpochWatch

CALL_S = 0.15
"""How long one compiled call should take, in seconds: a request to stop is seen between calls."""


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
        self,
        model: keras.Model,
        arrays: TrainingArrays,
        plan: FitPlan,
        on_epoch: OnEpoch,
        stop: StopRequest,
        checkpointer: Checkpointer | None = None,
        relatives: Relatives | None = None,
    ) -> FitResult:
        """Train `model`; see `Trainer`. Ask `unsupported_reason` before.

        `relatives` are other models of the same search; see `ProgramCache.program_for`.
        """
        data = self._data.get(arrays, plan)
        program = self._program(model, data, plan, relatives)
        program.load(model)
        execution = _Execution(program, data, plan, self._order, stop)
        try:
            stopped = execution.train(on_epoch, checkpointer)
        finally:
            program.unload(model)
        return execution.result(model, stopped)

    def _program(self, model: keras.Model, data: DeviceData, plan: FitPlan, relatives: Relatives | None) -> Program:
        if not model.built or not all(layer.built for layer in model._flatten_layers()):
            build_state(model, data.train)
        # A callback may hold the model, save it or change it for good: then the model keeps a program of its own.
        if not plan.callbacks:
            return self.cache.program_for(model, data.train, data.validation, relatives)
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
        self._watch = EpochWatch(plan)
        self._best_weights: list[tf.Tensor] = []

    def train(self, on_epoch: OnEpoch, checkpointer: Checkpointer | None) -> bool:
        """Train all epochs; whether a stop request ended it before its time."""
        plan, model = self._plan, self._program.model
        first_epoch = self._resume(checkpointer)
        seen = _LogsSeen()
        callbacks = keras.callbacks.CallbackList([*plan.callbacks, seen], model=model, epochs=plan.epochs)
        model.stop_training = False
        callbacks.on_train_begin()
        if checkpointer is not None:
            checkpointer.resume_callbacks(plan.callbacks)
        stopped = False
        for epoch in range(first_epoch, plan.epochs):
            callbacks.on_epoch_begin(epoch)
            results = self._epoch(epoch)
            if results is None:
                stopped = True
                break
            callbacks.on_epoch_end(epoch, results)
            metrics = as_floats(seen.logs)
            if self._watch.epoch_ended(epoch + 1, metrics):
                self._best_weights = [variable.value.read_value() for variable in model.weights]
            on_epoch(epoch + 1, metrics)
            if model.stop_training or self._watch.out_of_patience:
                break
            self._watch.lower_rate(model)
            if checkpointer is not None:
                checkpointer.epoch_ended(epoch + 1, self._stop, model, self._watch, plan.callbacks, self._best_arrays)
            if self._stop.after_epoch and epoch + 1 < plan.epochs:
                stopped = True
                break
        callbacks.on_train_end(seen.logs)
        return stopped

    def _resume(self, checkpointer: Checkpointer | None) -> int:
        """The 0-based epoch to begin with, after what an interrupted execution has left."""
        best = None if checkpointer is None else checkpointer.resume(self._program.model, self._watch)
        if checkpointer is None or checkpointer.resumed is None:
            return self._plan.initial_epoch
        self._best_weights = [tf.constant(array) for array in best or ()]
        return checkpointer.resumed

    def _best_arrays(self) -> list[np.ndarray]:
        return [tensor.numpy() for tensor in self._best_weights]

    def result(self, model: keras.Model, stopped: bool) -> FitResult:
        """Hand the best weights to the caller's model, and say how it went."""
        for variable, best in zip(model.weights, self._best_weights, strict=bool(self._best_weights)):
            variable.value.assign(best)
        watch = self._watch
        return FitResult(stopped, watch.best_epoch, watch.score, dict(watch.metrics), watch.epochs, model.get_weights())

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


class _LogsSeen(keras.callbacks.Callback):  # type: ignore[misc]  # Keras is untyped
    """The last callback: sees an epoch's logs with what the others added, such as the learning rate."""

    def __init__(self) -> None:
        super().__init__()
        self.logs: dict[str, Any] = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep them."""
        self.logs = dict(logs or {})


def _wait(logs: Logs) -> None:
    """A GPU works behind Python's back: wait until it is done."""
    for value in logs.values():
        value.numpy()
        return
