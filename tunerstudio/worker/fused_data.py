"""Training and validation rows on the device, placed there once for all executions."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from tunerstudio.worker.fused_program import Rows
from tunerstudio.worker.training import FitPlan, TrainingArrays


@dataclass(frozen=True)
class DeviceData:
    """Rows as tensors.

    Attributes:
        train: Features, targets and, with sample or class weights, weights.
        validation: Likewise, without class weights as in Keras's fit; empty if there are no validation rows.
    """

    train: Rows
    validation: Rows

    @property
    def train_rows(self) -> int:
        """Rows to train on."""
        return int(self.train[0].shape[0])

    @property
    def validation_rows(self) -> int:
        """Rows to validate on."""
        return int(self.validation[0].shape[0]) if self.validation else 0


def place(arrays: TrainingArrays, class_weight: dict[int, float] | None) -> DeviceData:
    """Copy the arrays to the device; sample and class weights are multiplied."""
    weights = arrays.weights_train
    if class_weight is not None:
        by_class = weights_by_class(arrays.y_train, class_weight)
        weights = by_class if weights is None else weights * by_class
    validation: Rows = ()
    if len(arrays.x_validation):
        validation = _tensors(arrays.x_validation, arrays.y_validation, arrays.weights_validation)
    return DeviceData(_tensors(arrays.x_train, arrays.y_train, weights), validation)


def weights_by_class(targets: np.ndarray, class_weight: dict[int, float]) -> np.ndarray:
    """Weight of each row; classes without a weight count 1. Shape (rows,), float32.

    Args:
        targets: Class numbers, shape (rows,) or (rows, 1), or one-hot (rows, classes).
        class_weight: Weight by class number.
    """
    if targets.ndim > 1 and targets.shape[-1] != 1:
        targets = targets.argmax(axis=-1)
    classes, places = np.unique(np.round(targets).astype(np.int64).ravel(), return_inverse=True)
    by_place = np.array([class_weight.get(int(number), 1.0) for number in classes], np.float32)
    return np.asarray(by_place[places])


class DataOnDevice:
    """Keeps the last study's rows placed."""

    def __init__(self) -> None:
        """Nothing is placed yet."""
        self._arrays: TrainingArrays | None = None
        self._class_weight: dict[int, float] | None = None
        self._placed: DeviceData | None = None

    def get(self, arrays: TrainingArrays, plan: FitPlan) -> DeviceData:
        """The rows of `arrays`; they are never written to, so that the same object means the same rows."""
        if self._placed is None or arrays is not self._arrays or plan.class_weight != self._class_weight:
            self._placed = None
            self._placed = place(arrays, plan.class_weight)
            self._arrays, self._class_weight = arrays, plan.class_weight
        return self._placed


def _tensors(*parts: np.ndarray | None) -> Rows:
    floats = keras.config.floatx()
    return tuple(
        tf.constant(part, floats if np.issubdtype(part.dtype, np.floating) else None)
        for part in parts
        if part is not None
    )
