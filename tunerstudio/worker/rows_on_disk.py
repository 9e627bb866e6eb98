"""Rows that stay on disk: what stands for an array of features that does not fit into memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import psutil


class RowsOnDisk:
    """Some rows of a memory-mapped array. A slice or a selection of them is read when it is asked for.

    Attributes:
        shape: Of all rows.
        dtype: Of their elements.
        nbytes: What all rows would take in memory.
    """

    def __init__(self, source: np.ndarray, numbers: np.ndarray) -> None:
        """The rows `numbers` of `source`, in that order."""
        self._source, self._numbers = source, numbers
        self.shape: tuple[int, ...] = (len(numbers), *source.shape[1:])
        self.dtype: np.dtype[Any] = source.dtype
        self.nbytes = int(np.prod(self.shape, dtype=np.int64)) * source.dtype.itemsize

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        """How many rows."""
        return len(self._numbers)

    def __getitem__(self, key: slice | np.ndarray) -> np.ndarray:
        """Rows, in memory; read in the order in which they lie on disk."""
        chosen = self._numbers[key]
        order = np.argsort(chosen, kind="stable")
        rows = np.empty((len(chosen), *self.shape[1:]), self.dtype)
        rows[order] = self._source[chosen[order]]
        return rows

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """All rows in memory, for code that knows nothing else."""
        return np.asarray(self[:], dtype=dtype)


def rows_of(source: np.ndarray, numbers: np.ndarray) -> Any:
    """The rows `numbers` of a memory-mapped array: in memory if they take less than half of what is free there."""
    rows = RowsOnDisk(source, numbers)
    return rows if fills_memory(rows) else source[numbers]


def fills_memory(*parts: Any) -> bool:
    """Whether a copy of these arrays would take more than half of the free memory; rows on disk are never copied."""
    free: int = psutil.virtual_memory().available
    wanted: int = sum(part.nbytes for part in parts)
    return wanted > free // 2
