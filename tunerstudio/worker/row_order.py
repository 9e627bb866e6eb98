"""The order in which an epoch sees its rows, and rows for Keras's fit in that order.

Keras's own `fit` draws the order from TensorFlow's generator: with a seed set, every epoch of arrays gets the same
one, and without a seed no run can be repeated. Here the order follows from the seed and the epoch's number, so that
both roads see the same rows, and an execution that goes on from a checkpoint sees what it would have seen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

RowOrder = Callable[[int, int, int], np.ndarray]
"""(rows, seed, 0-based epoch) -> the order in which an epoch sees its rows, int64."""


def shuffled(rows: int, seed: int, epoch: int) -> np.ndarray:
    """The order of an epoch's rows, different in each epoch and the same for the same seed."""
    return np.random.default_rng([seed, epoch]).permutation(rows)


class OrderedRows:
    """Rows as a dataset whose every pass goes by the order of the epoch that was last chosen.

    Attributes:
        dataset: Batches of features, targets and, if given, sample weights; for Keras's `fit`.
    """

    def __init__(self, parts: tuple[np.ndarray, ...], batch_size: int, seed: int, order: RowOrder = shuffled) -> None:
        """Of `parts`, rows first: features, targets and perhaps sample weights."""
        self._rows, self._seed, self._order = len(parts[0]), seed, order
        with tf.device("CPU:0"):  # where tf.data works; a constant would be placed on a GPU otherwise
            self._chosen = tf.Variable(order(self._rows, seed, 0), dtype=tf.int64, trainable=False)
            self.dataset = self._dataset(tuple(_tensor(part) for part in parts), batch_size)

    def choose(self, epoch: int) -> None:
        """From now on, give the rows in the order of the 0-based `epoch`."""
        self._chosen.assign(self._order(self._rows, self._seed, epoch))

    def _dataset(self, parts: tuple[tf.Tensor, ...], batch_size: int) -> Any:
        """Built as Keras builds its own for arrays: a whole order, cut into batches, whose rows are gathered."""
        rows, whole = self._rows, self._rows - self._rows % batch_size

        def batches(order: tf.Tensor) -> Any:
            full = tf.data.Dataset.from_tensor_slices(tf.reshape(order[:whole], (whole // batch_size, batch_size)))
            return full.concatenate(tf.data.Dataset.from_tensors(order[whole:])) if whole < rows else full

        def gathered(chosen: tf.Tensor, everything: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, ...]:
            return tuple(tf.gather(part, chosen) for part in everything)

        def ordered(_: tf.Tensor) -> tf.Tensor:
            order: tf.Tensor = self._chosen.read_value()
            return order

        orders = tf.data.Dataset.range(1).map(ordered)
        dataset = tf.data.Dataset.zip((orders.flat_map(batches), tf.data.Dataset.from_tensors(parts).repeat()))
        dataset = dataset.map(gathered, num_parallel_calls=tf.data.AUTOTUNE)
        options = tf.data.Options()
        options.experimental_optimization.apply_default_optimizations = False
        dataset = dataset.with_options(options)
        return dataset.apply(tf.data.experimental.assert_cardinality(-(-rows // batch_size))).prefetch(tf.data.AUTOTUNE)


class OrderOfEpoch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras is untyped
    """Chooses the order of each epoch before it begins."""

    def __init__(self, rows: OrderedRows) -> None:
        """Of `rows`."""
        super().__init__()
        self._rows = rows

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Choose."""
        self._rows.choose(epoch)


def _tensor(part: np.ndarray) -> tf.Tensor:
    return tf.constant(part, keras.config.floatx() if np.issubdtype(part.dtype, np.floating) else None)
