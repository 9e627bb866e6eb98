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

    def __init__(
        self,
        parts: tuple[np.ndarray, ...],
        batch_size: int,
        seed: int,
        order: RowOrder = shuffled,
        in_place: bool = False,
    ) -> None:
        """Of `parts`, rows first: features, targets and perhaps sample weights.

        Args:
            parts: Arrays, or `RowsOnDisk`.
            batch_size: Rows per batch.
            seed: Of the order.
            order: Gives the order of an epoch's rows.
            in_place: Read each batch out of `parts` where they are, ahead of need, instead of copying them all first.
        """
        self._rows, self._seed, self._order, self._in_place = len(parts[0]), seed, order, in_place
        with tf.device("CPU:0"):  # where tf.data works; a constant would be placed on a GPU otherwise
            self._chosen = tf.Variable(order(self._rows, seed, 0), dtype=tf.int64, trainable=False)
            self.dataset = self._dataset(parts, batch_size)

    def choose(self, epoch: int) -> None:
        """From now on, give the rows in the order of the 0-based `epoch`."""
        self._chosen.assign(self._order(self._rows, self._seed, epoch))

    def _dataset(self, parts: tuple[np.ndarray, ...], batch_size: int) -> Any:
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
        chosen = orders.flat_map(batches)
        if self._in_place:
            dataset = chosen.map(_reader(parts), num_parallel_calls=tf.data.AUTOTUNE)
        else:
            everything = tf.data.Dataset.from_tensors(tuple(_tensor(part) for part in parts)).repeat()
            dataset = tf.data.Dataset.zip((chosen, everything)).map(gathered, num_parallel_calls=tf.data.AUTOTUNE)
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


def in_order(rows: int, seed: int, epoch: int) -> np.ndarray:
    """The order of rows as they are; a `RowOrder`."""
    return np.arange(rows)


def _reader(parts: tuple[np.ndarray, ...]) -> Callable[[tf.Tensor], tuple[tf.Tensor, ...]]:
    """Reads chosen rows of all `parts`, outside of TensorFlow, which would copy the parts first."""
    kinds = [tf.as_dtype(_kind(part)) for part in parts]

    def rows(chosen: np.ndarray) -> list[np.ndarray]:
        return [part[chosen].astype(kind.as_numpy_dtype) for part, kind in zip(parts, kinds, strict=True)]

    def read(chosen: tf.Tensor) -> tuple[tf.Tensor, ...]:
        tensors = tf.numpy_function(rows, [chosen], kinds, stateful=False)
        return tuple(tf.ensure_shape(t, (None, *part.shape[1:])) for t, part in zip(tensors, parts, strict=True))

    return read


def _kind(part: np.ndarray) -> Any:
    return keras.config.floatx() if np.issubdtype(part.dtype, np.floating) else part.dtype


def _tensor(part: np.ndarray) -> tf.Tensor:
    return tf.constant(part, _kind(part))
