"""A sample that stands for the whole source, however long, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tunerstudio.data.sources import Report
from tunerstudio.data.tables import Batch, Table
from tunerstudio.data.text import TextTable, WrongEncodingError
from tunerstudio.study.errors import DataError

MAX_ROWS = 200_000
_MAX_CELLS = 10_000_000


@dataclass(frozen=True)
class Sample:
    """Every `stride`-th row of a source.

    Attributes:
        rows: Rows of the source, exact.
        stride: 1 if the sample is the whole source.
        batch: The sampled rows, all columns.
        source_rows: Number of each sampled row in the source, int64.
    """

    rows: int
    stride: int
    batch: Batch
    source_rows: np.ndarray

    def column(self, name: str) -> Any:
        """One column of the sample."""
        return self.batch.column(name)

    @property
    def whole(self) -> bool:
        """Whether nothing was left out."""
        return self.stride == 1


def take_sample(table: Table, report: Report, max_rows: int = MAX_ROWS) -> Sample:
    """Read all of `table` once and keep evenly spaced rows, at most about 2 x `max_rows`.

    Raises:
        DataError: If the source has no rows or cannot be read to its end.
    """
    try:
        return _read(table, report, max_rows)
    except WrongEncodingError:
        if not (isinstance(table, TextTable) and table.correct_encoding()):
            raise
        return _read(table, report, max_rows)


def _read(table: Table, report: Report, max_rows: int) -> Sample:
    names = table.names
    limit = max(1000, min(max_rows, _MAX_CELLS // max(1, len(names))))
    kept = _Thinned(limit)
    for batch in table.batches(names, report):
        kept.add(batch)
    if kept.rows == 0:
        raise DataError(_no_rows(table))
    return kept.sample()


def _no_rows(table: Table) -> str:
    names = ", ".join(table.names[:8])
    if table.format.header:
        return f"{table.title} has a header ({names}) but no rows below it: choose a file that holds data."
    return f"{table.title} has no rows: choose a file that holds data."


class _Thinned:
    """Keeps every stride-th row; the stride doubles whenever too much has been kept."""

    def __init__(self, limit: int) -> None:
        self.rows = 0
        self._limit = limit
        self._stride = 1
        self._kept: list[Any] = []
        self._numbers: list[np.ndarray] = []

    def add(self, batch: Batch) -> None:
        first = -self.rows % self._stride
        numbers = np.arange(self.rows + first, self.rows + batch.num_rows, self._stride)
        self._kept.append(batch if self._stride == 1 else batch.take(pa.array(numbers - self.rows)))
        self._numbers.append(numbers)
        self.rows += batch.num_rows
        while sum(map(len, self._numbers)) > 2 * self._limit:
            self._halve()

    def _halve(self) -> None:
        numbers = np.concatenate(self._numbers)
        keep = np.flatnonzero(numbers % (2 * self._stride) == 0)
        table = pa.Table.from_batches(self._kept).take(pa.array(keep))
        self._kept = table.combine_chunks().to_batches()
        self._numbers = [numbers[keep]]
        self._stride *= 2

    def sample(self) -> Sample:
        table = pa.Table.from_batches(self._kept).combine_chunks()
        batches = table.to_batches()
        return Sample(self.rows, self._stride, batches[0], np.concatenate(self._numbers))
