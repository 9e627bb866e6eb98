"""What is measured of a built or trained network: memory before it trains, size and latency afterwards."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Collection, Iterator
from typing import Any, Final

import numpy as np

_WARM_UP: Final = 3
_CALLS: Final = 25
_BYTES: Final = 4
"""Of a float32; activations are not smaller than that in our networks."""


def measured_values(model: Any, rows: np.ndarray, wanted: Collection[str]) -> dict[str, float]:
    """The wanted ones of latency_ms, size_bytes and parameters of a trained Keras model.

    Args:
        model: Built.
        rows: Preprocessed inputs, shape (rows, ...); the first is predicted.
        wanted: Names; others are left out. Latency takes a tenth of a second or more, so it is measured on demand.
    """
    found: dict[str, float] = {}
    if "parameters" in wanted:
        found["parameters"] = float(model.count_params())
    if "size_bytes" in wanted:
        found["size_bytes"] = float(_variable_bytes(model.weights))
    if "latency_ms" in wanted and len(rows):
        found["latency_ms"] = latency_ms(model, rows[:1])
    return found


def latency_ms(model: Any, row: np.ndarray) -> float:
    """Median milliseconds of predicting one row, compiled, after a few calls to warm up."""
    times = []
    for call in range(_WARM_UP + _CALLS):
        start = time.perf_counter()
        model.predict_on_batch(row)
        if call >= _WARM_UP:
            times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def memory_mb(model: Any, batch_size: int) -> float:
    """Estimated memory of training a built Keras model, in 10^6 bytes.

    Weights, their gradients, what the optimizer keeps for each weight (two values where it is not built yet), and
    the outputs of all layers for one batch with their gradients. What TensorFlow itself needs is not in it.
    """
    trainable = _variable_bytes(model.trainable_weights)
    optimizer = getattr(model, "optimizer", None)
    slots = 2 * trainable
    if optimizer is not None and optimizer.built:
        slots = _variable_bytes(optimizer.variables)
    outputs = sum(_output_elements(model)) * batch_size * _BYTES
    return (_variable_bytes(model.weights) + trainable + slots + 2 * outputs) / 1e6


def _variable_bytes(variables: Any) -> int:
    return sum(math.prod(variable.shape) * np.dtype(variable.dtype).itemsize for variable in variables)


def _output_elements(model: Any) -> Iterator[int]:
    """Numbers in the output of each layer for one row; dimensions that are not known count as 1."""
    for layer in getattr(model, "layers", []):
        try:
            outputs = layer.output
        except (AttributeError, ValueError):
            continue  # called never or several times: it has no one output
        for output in outputs if isinstance(outputs, list | tuple) else [outputs]:
            yield math.prod(size or 1 for size in output.shape[1:])
