"""The target of an autoencoder: what the network sees, in the form in which it sees it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from tunerstudio.study.preprocessing import ImageInput, InputPlan, NumericInput, TargetPlan

_AT_ONCE = 16_384


def write_reconstruction(numeric: np.ndarray, inputs: Sequence[InputPlan], path: Path) -> TargetPlan:
    """Write the filled and scaled numbers of all rows as the target, and describe it.

    Args:
        numeric: float32 (rows, columns), NaN for missing: the columns of `inputs`, in order.
        inputs: Numbers or a picture.
        path: Of the target's file.
    """
    columns = tuple(column for spec in inputs if isinstance(spec, NumericInput | ImageInput) for column in spec.columns)
    numbers = [_numbers(spec) for spec in inputs]
    fill, offset, scale = (np.concatenate(parts).astype(np.float32) for parts in zip(*numbers, strict=True))
    target: np.ndarray = open_memmap(path, mode="w+", dtype=np.float32, shape=(len(numeric), len(columns)))
    for start in range(0, len(numeric), _AT_ONCE):
        block = numeric[start : start + _AT_ONCE]
        target[start : start + _AT_ONCE] = (np.where(np.isnan(block), fill, block) - offset) / scale
    return TargetPlan(
        columns=columns,
        task="regression",
        offset=(0.0,) * len(columns),
        scale=(1.0,) * len(columns),
        reconstructs=True,
    )


def _numbers(spec: InputPlan) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fill, offset and scale of the columns of one input."""
    if isinstance(spec, ImageInput):
        zeros = np.zeros(len(spec.columns))
        return zeros, zeros, zeros + spec.shape.maximum
    assert isinstance(spec, NumericInput), "obstacles let nothing else through"
    return np.asarray(spec.fill), np.asarray(spec.offset), np.asarray(spec.scale)
