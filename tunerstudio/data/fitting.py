"""Numbers that are learned from the training part alone: fills, offsets, scales, vocabularies, classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunerstudio.data.facts import MAX_CATEGORIES
from tunerstudio.data.values import number_text, to_numbers

Fill = Literal["median", "mean", "zero"]
Scaling = Literal["standard", "minmax", "none"]

_BLOCK_BYTES = 1 << 26
_SMALLEST_SPREAD = 1e-12


@dataclass(frozen=True)
class Fitted:
    """What numeric columns are filled, shifted and divided by; float64, (columns,) each.

    Attributes:
        fill: Replaces missing values.
        offset: Is subtracted.
        scale: Divides; never 0.
        missing: Missing values in all rows, int64.
        untold: Whether no training row has a value.
    """

    fill: np.ndarray
    offset: np.ndarray
    scale: np.ndarray
    missing: np.ndarray
    untold: np.ndarray


def fit_numbers(numeric: np.ndarray, training: np.ndarray, fill: Fill, scaling: Scaling) -> Fitted:
    """Fit on the training rows, some columns at a time.

    Args:
        numeric: float32, (rows, columns), NaN for missing; may be a memory map.
        training: Numbers of the training rows.
        fill: What replaces missing values.
        scaling: How values are shifted and divided.
    """
    columns = numeric.shape[1]
    at_once = max(1, _BLOCK_BYTES // (8 * max(1, len(training))))
    blocks = [
        _fit_block(numeric[:, start : start + at_once], training, fill, scaling) for start in range(0, columns, at_once)
    ]
    return Fitted(*(np.concatenate([getattr(block, name) for block in blocks]) for name in Fitted.__dataclass_fields__))


def _fit_block(block: np.ndarray, training: np.ndarray, fill: Fill, scaling: Scaling) -> Fitted:
    missing = np.isnan(block).sum(axis=0)
    values = block[training].astype(np.float64)
    untold = np.isnan(values).all(axis=0)
    values[:, untold] = 0.0
    if fill == "median":
        fills = np.nanmedian(values, axis=0)
    else:
        fills = np.nanmean(values, axis=0) if fill == "mean" else np.zeros(values.shape[1])
    values = np.where(np.isnan(values), fills, values)
    offset, scale = _shift(values, scaling)
    return Fitted(fills, offset, scale, missing, untold)


def _shift(values: np.ndarray, scaling: Scaling) -> tuple[np.ndarray, np.ndarray]:
    """Offsets and scales of filled columns; a column without spread is only shifted."""
    count = values.shape[1]
    if scaling == "none":
        return np.zeros(count), np.ones(count)
    if scaling == "minmax":
        offset = values.min(axis=0)
        scale = values.max(axis=0) - offset
    else:
        offset, scale = values.mean(axis=0), values.std(axis=0)
    flat = scale <= _SMALLEST_SPREAD * np.maximum(1.0, np.abs(offset))
    return offset, np.where(flat, 1.0, scale)


def fit_array(values: np.ndarray, training: np.ndarray, scaling: Scaling) -> tuple[float, float]:
    """One offset and one scale for an array of any shape, float32, (rows, ...)."""
    if scaling == "none":
        return 0.0, 1.0
    at_once = max(1, _BLOCK_BYTES // (8 * max(1, int(np.prod(values.shape[1:])))))
    count, total, squares = 0, 0.0, 0.0
    lowest, highest = np.inf, -np.inf
    for start in range(0, len(training), at_once):
        block = values[training[start : start + at_once]].astype(np.float64)
        block = block[np.isfinite(block)]
        if not len(block):
            continue
        count += block.size
        total += float(block.sum())
        squares += float(np.square(block).sum())
        lowest, highest = min(lowest, float(block.min())), max(highest, float(block.max()))
    if count == 0:
        return 0.0, 1.0
    if scaling == "minmax":
        return lowest, (highest - lowest) or 1.0
    mean = total / count
    spread = float(np.sqrt(max(0.0, squares / count - mean * mean)))
    return mean, spread if spread > _SMALLEST_SPREAD * max(1.0, abs(mean)) else 1.0


def fit_vocabulary(codes: np.ndarray, words: Sequence[str], training: np.ndarray) -> tuple[str, ...]:
    """The most frequent words of the training rows, at most `MAX_CATEGORIES`, in alphabetical order.

    Args:
        codes: Index into `words` of each row.
        words: Distinct values; "" means missing and is no word.
        training: Numbers of the training rows.
    """
    counts = np.bincount(codes[training], minlength=len(words))
    told = [(int(-counts[i]), word) for i, word in enumerate(words) if counts[i] and word]
    return tuple(sorted(word for _, word in sorted(told)[:MAX_CATEGORIES]))


def class_numbers(text: Any) -> tuple[np.ndarray, tuple[str, ...]]:
    """Class numbers (int64) and class names of a target without missing values.

    Names that are all numbers are put in numeric order and written alike (`2`, not `2.0`); others in alphabetical
    order.

    Args:
        text: A `pyarrow.Array` of text.
    """
    encoded = pc.dictionary_encode(text)
    words = encoded.dictionary.to_pylist()
    numbers = to_numbers(pa.array(words, pa.string()), ())
    if len(numbers.odd) == 0 and not np.isnan(numbers.values).any():
        values, places = np.unique(numbers.values, return_inverse=True)
        names = tuple(number_text(value) for value in values)
    else:
        names = tuple(sorted(words))
        order = {word: number for number, word in enumerate(names)}
        places = np.array([order[word] for word in words], dtype=np.int64)
    indices = encoded.indices.to_numpy(zero_copy_only=False)
    return places.astype(np.int64)[indices], names
