"""Metrics by the names people use, made right for the task.

Classes are numbers here (not one-hot), and a regression's target is standardised, while its metrics are reported in
the user's own units; Keras's metrics know neither, so some are wrapped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from tunerstudio.study.data import Task
from tunerstudio.study.errors import ModelError, suggest
from tunerstudio.study.model import Metric
from tunerstudio.study.network import resolve_arguments, snake_case
from tunerstudio.study.preprocessing import TargetPlan
from tunerstudio.worker.objects import make_class

DEFAULT_METRICS: dict[Task, tuple[str, ...]] = {
    "binary": ("accuracy",),
    "multiclass": ("accuracy",),
    "regression": ("mae",),
}
"""What is logged beside the loss when the document names no metrics."""

_ALIASES = {
    "acc": "accuracy",
    "mean_absolute_error": "mae",
    "mean_squared_error": "mse",
    "root_mean_squared_error": "rmse",
    "mean_absolute_percentage_error": "mape",
    "r2": "r2_score",
    "f1": "f1_score",
}


_registered = keras.saving.register_keras_serializable(package="tunerstudio")
"""Lets Keras find these classes again by the names that stand in a serialized model."""


@_registered
class ClassMetric(keras.metrics.Metric):  # type: ignore[misc]  # Keras is untyped
    """Precision, recall or F1 from class numbers: of class 1 for two classes, else the mean over the classes seen."""

    def __init__(self, kind: str, classes: int, name: str | None = None, dtype: Any = None) -> None:
        """`kind` is precision, recall or f1_score; `classes` how many there are (2 for a single sigmoid)."""
        super().__init__(name=name or kind, dtype=dtype)
        self.kind, self.classes = kind, classes
        self.matrix = self.add_weight(shape=(classes, classes), initializer="zeros", name="matrix")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch; `y_true` class numbers, `y_pred` probabilities (rows, 1) or (rows, classes)."""
        if self.classes == 2 and y_pred.shape[-1] == 1:
            predicted = ops.cast(ops.reshape(y_pred, (-1,)) > 0.5, "int32")
        else:
            predicted = ops.argmax(y_pred, axis=-1)
        truth = ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), self.classes, dtype=self.dtype)
        guess = ops.one_hot(predicted, self.classes, dtype=self.dtype)
        if sample_weight is not None:
            truth = truth * ops.reshape(ops.cast(sample_weight, self.dtype), (-1, 1))
        self.matrix.assign_add(ops.matmul(ops.transpose(truth), guess))

    def result(self) -> Any:
        """The metric over all batches since the last reset."""
        hits = ops.diagonal(self.matrix)
        in_truth, in_guess = ops.sum(self.matrix, axis=1), ops.sum(self.matrix, axis=0)
        if self.kind == "f1_score":
            per_class = _share(2.0 * hits, in_truth + in_guess)
        else:
            per_class = _share(hits, in_guess if self.kind == "precision" else in_truth)
        if self.classes == 2:
            return per_class[1]
        seen = ops.cast(in_truth + in_guess > 0, self.dtype)
        return _share(ops.sum(per_class * seen), ops.sum(seen))

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal metric."""
        return {**super().get_config(), "kind": self.kind, "classes": self.classes}


@_registered
class OneHotTarget(keras.metrics.Metric):  # type: ignore[misc]  # Keras is untyped
    """A metric that wants one-hot targets, fed with class numbers."""

    def __init__(self, metric: Any, classes: int, name: str | None = None, dtype: Any = None) -> None:
        """Wrap `metric`."""
        super().__init__(name=name or metric.name, dtype=dtype)
        self.metric, self.classes = _restored(metric), classes

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Pass a batch on."""
        numbers = ops.cast(ops.reshape(y_true, (-1,)), "int32")
        self.metric.update_state(ops.one_hot(numbers, self.classes), y_pred, sample_weight)

    def result(self) -> Any:
        """The wrapped metric's."""
        return self.metric.result()

    def reset_state(self) -> None:
        """Reset the wrapped metric."""
        self.metric.reset_state()

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal metric."""
        inner = keras.saving.serialize_keras_object(self.metric)
        return {**super().get_config(), "metric": inner, "classes": self.classes}


@_registered
class UserUnits(keras.metrics.Metric):  # type: ignore[misc]  # Keras is untyped
    """A metric of a standardised target, reported in the user's units: y * scale + offset before it is measured."""

    def __init__(
        self, metric: Any, offset: Sequence[float], scale: Sequence[float], name: str | None = None, dtype: Any = None
    ) -> None:
        """Wrap `metric`; `offset` and `scale` hold one number per target column."""
        super().__init__(name=name or metric.name, dtype=dtype)
        self.metric, self.offset, self.scale = _restored(metric), list(offset), list(scale)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Pass a batch on."""
        offset = ops.convert_to_tensor(self.offset, dtype="float32")
        scale = ops.convert_to_tensor(self.scale, dtype="float32")
        truth = ops.cast(y_true, "float32") * scale + offset
        self.metric.update_state(truth, ops.cast(y_pred, "float32") * scale + offset, sample_weight)

    def result(self) -> Any:
        """The wrapped metric's."""
        return self.metric.result()

    def reset_state(self) -> None:
        """Reset the wrapped metric."""
        self.metric.reset_state()

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal metric."""
        inner = keras.saving.serialize_keras_object(self.metric)
        return {**super().get_config(), "metric": inner, "offset": self.offset, "scale": self.scale}


@_registered
class Brier(keras.metrics.Mean):  # type: ignore[misc]  # Keras is untyped
    """Brier score: squared distance of the probabilities from what happened; lower is better."""

    def __init__(self, name: str = "brier", dtype: Any = None) -> None:
        """For one sigmoid, or for a softmax over classes (then summed over them)."""
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch; `y_true` class numbers."""
        numbers = ops.reshape(y_true, (-1,))
        if y_pred.shape[-1] == 1:
            distance = ops.square(ops.cast(numbers, y_pred.dtype) - y_pred[:, 0])
        else:
            truth = ops.one_hot(ops.cast(numbers, "int32"), y_pred.shape[-1])
            distance = ops.sum(ops.square(truth - y_pred), axis=-1)
        super().update_state(distance, sample_weight)


def _restored(metric: Any) -> Any:
    return keras.saving.deserialize_keras_object(metric) if isinstance(metric, dict) else metric


def _share(part: Any, whole: Any) -> Any:
    return ops.where(whole > 0, part / ops.maximum(whole, 1e-12), 0.0)


def _binary() -> dict[str, Callable[[str], Any]]:
    known = keras.metrics
    return {
        "accuracy": lambda name: known.BinaryAccuracy(name=name),
        "auc": lambda name: known.AUC(name=name),
        "precision": lambda name: ClassMetric("precision", 2, name=name),
        "recall": lambda name: ClassMetric("recall", 2, name=name),
        "f1_score": lambda name: ClassMetric("f1_score", 2, name=name),
        "brier": lambda name: Brier(name=name),
    }


def _multiclass(classes: int) -> dict[str, Callable[[str], Any]]:
    known = keras.metrics
    top = max(1, min(5, classes - 1))
    return {
        "accuracy": lambda name: known.SparseCategoricalAccuracy(name=name),
        "auc": lambda name: OneHotTarget(known.AUC(multi_label=True, num_labels=classes), classes, name=name),
        "precision": lambda name: ClassMetric("precision", classes, name=name),
        "recall": lambda name: ClassMetric("recall", classes, name=name),
        "f1_score": lambda name: ClassMetric("f1_score", classes, name=name),
        "top_k": lambda name: known.SparseTopKCategoricalAccuracy(k=top, name=name),
        "brier": lambda name: Brier(name=name),
    }


def _regression(target: TargetPlan) -> dict[str, Callable[[str], Any]]:
    known = keras.metrics

    def in_units(make: Callable[[], Any]) -> Callable[[str], Any]:
        return lambda name: UserUnits(make(), target.offset, target.scale, name=name)

    return {
        "mae": in_units(known.MeanAbsoluteError),
        "mse": in_units(known.MeanSquaredError),
        "rmse": in_units(known.RootMeanSquaredError),
        "mape": in_units(known.MeanAbsolutePercentageError),
        # The same in any units, and better conditioned on the standardised target.
        "r2_score": lambda name: known.R2Score(name=name),
    }


def known_metrics(target: TargetPlan) -> dict[str, Callable[[str], Any]]:
    """Makers of the metrics that we offer for a task, by name; a maker takes the name to log."""
    if target.task == "regression":
        return _regression(target)
    return _binary() if target.task == "binary" else _multiclass(len(target.classes))


def make_metrics(names: Sequence[Metric], objective: str, target: TargetPlan) -> list[Any]:
    """Keras metrics for `compile`.

    Args:
        names: As the document lists them, some with arguments; empty for the task's default.
        objective: Name of the objective; a metric that we know is added when it is not listed.
        target: What is predicted.

    Raises:
        ModelError: If a name is unknown or does not fit the task.
    """
    wanted: list[Metric] = list(names) or list(DEFAULT_METRICS[target.task])
    known = known_metrics(target)
    measured = objective.removeprefix("val_")
    if measured not in wanted and _ALIASES.get(measured, measured) in known:
        wanted.append(measured)
    return [_make_any(name, known, target) for name in wanted if name != "loss"]


def _make_any(metric: Metric, known: dict[str, Callable[[str], Any]], target: TargetPlan) -> Any:
    if isinstance(metric, str):
        return _make(metric, known, target)
    given = resolve_arguments(metric.arguments, {})
    name = str(given.pop("name", None) or snake_case(str(metric.name)))
    made = make_class(keras.metrics, str(metric.name), {**given, "name": name}, "metric", "model.metrics")
    return UserUnits(made, target.offset, target.scale, name=name) if target.task == "regression" else made


def _make(name: str, known: dict[str, Callable[[str], Any]], target: TargetPlan) -> Any:
    plain = _ALIASES.get(name, name)
    if plain in known:
        return known[plain](name)
    offered = ", ".join(sorted(known))
    if plain in {*_binary(), *_multiclass(3), *_regression(target)}:
        raise ModelError(f"model.metrics: {name!r} does not fit a {target.task} task; use one of {offered}.")
    try:
        metric = keras.metrics.get(name)
    except ValueError as error:
        raise ModelError(
            f"model.metrics: there is no metric {name!r}.{suggest(name, known)} For this task: {offered}, "
            "or a class of keras.metrics."
        ) from error
    if not isinstance(metric, keras.metrics.Metric):
        metric = keras.metrics.MeanMetricWrapper(metric, name=name)
    return UserUnits(metric, target.offset, target.scale, name=name) if target.task == "regression" else metric
