"""One compiled program that trains and validates a Keras model over data that stays on the device.

Keras's `fit` pays for a dataset iterator per epoch and a call from Python per step. Here the steps of an epoch are one
`tf.while_loop` around the model's own `train_step`, followed by one around its `test_step`. Everything that may
differ from one execution to the next without another graph goes in as a value: data, order of the rows, batch size,
weights, learning rate, states of the random generators and of the optimizer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from keras import Model

from tunerstudio.worker.fused_gradients import gradients_forgotten
from tunerstudio.worker.fused_numbers import OpenNumber, numbers_at, open_numbers, places_of
from tunerstudio.worker.fused_particulars import Particulars
from tunerstudio.worker.fused_sizes import open_sizes

Rows = tuple[tf.Tensor, ...]
"""Features, targets and, if there are any, sample weights; rows first."""

Logs = dict[str, Any]
"""Metrics by name, as tensors."""

_COUNT = tf.TensorSpec((), tf.int64)
_ORDER = tf.TensorSpec((None,), tf.int64)


class Program:
    """A model and the compiled function that trains it.

    Attributes:
        model: Built and compiled; its state is overwritten by `load`.
        rows_per_call: How many rows one call should handle; see `learn_pace`.
    """

    def __init__(self, model: Model, train: Rows, validation: Rows, serves: Particulars | None = None) -> None:
        """Build what is not yet built, and trace.

        Args:
            model: A compiled Keras model that belongs to this program from now on.
            train: Training rows, for their shapes and types.
            validation: Validation rows, possibly none at all.
            serves: What the models to come may differ in; None: in nothing.
        """
        self.model = model
        self.rows_per_call = 1
        self._is_traced = False
        build_state(model, train)
        self._open_numbers: list[tuple[int, OpenNumber]] = []
        if serves is not None and serves.is_open:
            open_sizes(model, serves.sizes)
            self._open_numbers = open_numbers(places_of(model), serves.numbers)
        with gradients_forgotten():
            self._train_step = _LoggingStep(model, "train_step", train)
            self._test_step = _LoggingStep(model, "test_step", validation)
            self._span = self._trace(train, validation)
        self._variables = state_of(model)
        self._optimizer_variables = optimizer_state_of(model)

    def _trace(self, train: Rows, validation: Rows) -> Callable[..., tuple[Logs, Logs]]:
        # A concrete function: the call of a tf.function looks the signature up each time, and may trace twice.
        function = tf.function(self._train_and_validate, autograph=False)
        signature = [_specs(train), _specs(validation), _ORDER, *[_COUNT] * 5]
        traced: Callable[..., tuple[Logs, Logs]] = function.get_concrete_function(*signature)
        return traced

    def load(self, model: Model) -> None:
        """Take over the state of another model of the same architecture, and forget the last execution.

        Weights, statistics and random generators come from `model`, and so do learning rate and state of the
        optimizer, which is built if it is not yet: then it starts afresh.
        """
        if model is self.model:
            return
        for own, given in zip(self._variables, state_of(model), strict=True):
            own.value.assign(given.value)
        if self._open_numbers:
            given_numbers = numbers_at(places_of(model))
            for index, number in self._open_numbers:
                number.assign(given_numbers[index])
        if model.optimizer is not None:
            if not model.optimizer.built:
                model.optimizer.build(model.trainable_variables)
            for own, given in zip(self._optimizer_variables, optimizer_state_of(model), strict=True):
                own.value.assign(given.value)

    def unload(self, model: Model) -> None:
        """Give the state back to the caller's `model`, and to its optimizer."""
        if model is self.model:
            return
        own = [*self._variables, *self._optimizer_variables]
        for given, variable in zip([*state_of(model), *optimizer_state_of(model)], own, strict=True):
            given.value.assign(variable.value)

    def learn_pace(self, rows: int, seconds: float, wanted_s: float) -> None:
        """Learn from a call over `rows` how many rows the next ones should handle to take `wanted_s`."""
        if not self._is_traced:
            self._is_traced = True  # the first call's time is that of tracing
            return
        self.rows_per_call = max(1, min(100 * rows, int(rows * wanted_s / seconds)))

    def call(
        self,
        train: Rows,
        validation: Rows,
        order: tf.Tensor,
        batch_size: tf.Tensor,
        steps: tuple[int, int],
        validation_steps: tuple[int, int],
    ) -> tuple[Logs, Logs]:
        """Do the training steps from `steps[0]` up to `steps[1]`, then the validation steps likewise.

        Metrics are reset before training step 0 and before validation step 0. The first dictionary is that of the
        training metrics, meaningful once the epoch's last training step is done and before any validation step of an
        earlier call; the second that of the validation metrics.
        """
        bounds = [tf.constant(bound, tf.int64) for bound in (*steps, *validation_steps)]
        return self._span(train, validation, order, batch_size, *bounds)

    def _train_and_validate(
        self,
        train: Rows,
        validation: Rows,
        order: tf.Tensor,
        batch_size: tf.Tensor,
        first: tf.Tensor,
        last: tf.Tensor,
        first_validation: tf.Tensor,
        last_validation: tf.Tensor,
    ) -> tuple[Logs, Logs]:
        rows = tf.shape(order, out_type=tf.int64)[0]

        def shuffled_batch(step: tf.Tensor) -> Rows:
            chosen = order[step * batch_size : tf.minimum((step + 1) * batch_size, rows)]
            return tuple(tf.gather(part, chosen) for part in train)

        self._reset_if(first < last, first)
        train_logs = self._loop(self._train_step, shuffled_batch, first, last)
        if not validation:
            return train_logs, {}
        validation_rows = tf.shape(validation[0], out_type=tf.int64)[0]

        def batch(step: tf.Tensor) -> Rows:
            end = tf.minimum((step + 1) * batch_size, validation_rows)
            return tuple(part[step * batch_size : end] for part in validation)

        self._reset_if(first_validation < last_validation, first_validation)
        return train_logs, self._loop(self._test_step, batch, first_validation, last_validation)

    def _reset_if(self, begins: tf.Tensor, first: tf.Tensor) -> None:
        def reset() -> tf.Tensor:
            self.model.reset_metrics()
            return tf.constant(True)

        tf.cond(tf.logical_and(begins, tf.equal(first, 0)), reset, lambda: tf.constant(False))

    def _loop(self, step: _LoggingStep, batch: Callable[[tf.Tensor], Rows], first: tf.Tensor, last: tf.Tensor) -> Logs:
        """Run `step` over the batches and return what `fit` would log."""

        def body(index: tf.Tensor, _: Logs) -> tuple[tf.Tensor, Logs]:
            return index + 1, step(batch(index))

        begin = (first, step.empty_logs())
        _, logs = tf.while_loop(lambda index, _: index < last, body, begin, parallel_iterations=1)
        results = flatten_logs(self.model.get_metrics_result())
        # Keras logs the metrics unless the model's own step returns something else; then its last step's values.
        return logs if step.is_own and set(results) != set(logs) else results


class _LoggingStep:
    """A model's `train_step` or `test_step`, and what it returns.

    Attributes:
        is_own: Whether the model's class replaces it, so that it may log anything; Keras's logs the metrics.
    """

    def __init__(self, model: Model, name: str, rows: Rows) -> None:
        self._step: Callable[[Rows], Any] = getattr(model, name)
        self.is_own = bool(rows) and _replaces(model, name, "compute_metrics")
        self._specs: dict[str, tf.TensorSpec] = {}
        if self.is_own:
            # Creates what the step creates at its first call, as `fit` does, and shows the logs' shapes.
            traced = tf.function(lambda data: flatten_logs(self._step(data)), autograph=False)
            self._specs = traced.get_concrete_function(_specs(rows)).structured_outputs

    def empty_logs(self) -> Logs:
        return {name: tf.zeros(spec.shape, spec.dtype) for name, spec in self._specs.items()}

    def __call__(self, batch: Rows) -> Logs:
        logs = self._step(batch)
        return flatten_logs(logs) if self.is_own else {}


def has_own_steps(model: Model) -> bool:
    """Whether the model's class brings its own way to train or to be compiled."""
    return _replaces(model, "train_step", "test_step", "compute_metrics", "compile")


def build_state(model: Model, train: Rows) -> None:
    """Create all weights, metric states and optimizer slots of a compiled model, as `fit` does at its beginning."""
    if has_own_steps(model):
        return  # such a model is built when its steps are traced
    features, targets, *weights = (part[:2].numpy() for part in train)
    model._symbolic_build(data_batch=(features, targets, weights[0] if weights else None))


def state_of(model: Model) -> list[Any]:
    """Weights, statistics and the states of random generators, in an order that the architecture alone decides."""
    return list(model.variables)


def optimizer_state_of(model: Model) -> list[Any]:
    """Slots, iterations and learning rate; empty for a model without an optimizer."""
    return [] if model.optimizer is None else list(model.optimizer.variables)


def flatten_logs(logs: Any) -> Logs:
    """Nested metric dictionaries as one, as Keras logs them."""
    flat: Logs = {}
    for name, value in logs.items():
        if isinstance(value, dict):
            flat.update(flatten_logs(value))
        else:
            flat[name] = tf.convert_to_tensor(value)
    return flat


def _replaces(model: Model, *methods: str) -> bool:
    return any(getattr(type(model), method) is not getattr(Model, method) for method in methods)


def _specs(rows: Sequence[tf.Tensor]) -> tuple[tf.TensorSpec, ...]:
    return tuple(tf.TensorSpec((None, *part.shape[1:]), part.dtype) for part in rows)
