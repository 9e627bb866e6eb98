"""What every reader gives: named columns in batches, as they stand in the source."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tunerstudio.data.sources import Report
from tunerstudio.study.data import FileFormat

Batch = Any
"""A `pyarrow.RecordBatch`: text columns hold the cells as written, others their own types."""


@dataclass
class LeftOut:
    """Rows that could not be read as rows, counted while reading.

    Attributes:
        rows: How many.
        first: A sentence part about the first, such as `line 17 has 6 cells instead of 5`.
    """

    rows: int = 0
    first: str = ""


@dataclass(frozen=True)
class NamedArray:
    """An array with more than one number per row, which is no column.

    Attributes:
        name: Of the array, and of the model's input.
        values: Shape (rows, ...), a number type.
    """

    name: str
    values: np.ndarray


class Table(ABC):
    """A source that can be read again and again.

    Attributes:
        title: File name or bundled title.
        names: Unique column names, in order; the array's name is not among them.
        format: How it is read, complete.
        facts: Words for the summary, such as `UTF-8` and `comma`.
        array: The array of an NPZ file, if it is the features.
        given_parts: (rows,) int8, if the source itself says which rows are for validation and test.
        notes: Sentences on what the reader had to decide.
        sheets: All sheets of an Excel file.
        targets: Columns that the source itself says are to be predicted.
        left_out: Filled while reading.
    """

    title: str
    names: tuple[str, ...]
    format: FileFormat
    facts: tuple[str, ...] = ()
    array: NamedArray | None = None
    given_parts: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    left_out: LeftOut

    @abstractmethod
    def batches(self, columns: Sequence[str], report: Report) -> Iterator[Batch]:
        """Read once from the start.

        Args:
            columns: Names to read; at least one.
            report: Told how far reading is.

        Raises:
            DataError: If the source turns out to be unreadable on the way.
        """


@dataclass
class MemoryTable(Table):
    """A source that is in memory as a whole."""

    title: str
    names: tuple[str, ...]
    format: FileFormat
    batch: Batch
    facts: tuple[str, ...] = ()
    array: NamedArray | None = None
    given_parts: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    left_out: LeftOut = field(default_factory=LeftOut)

    def batches(self, columns: Sequence[str], report: Report) -> Iterator[Batch]:
        """All rows at once."""
        report(1.0, "Reading")
        yield self.batch.select(list(columns))


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Trimmed names; empty ones become `column_<n>`, repeated ones are numbered: `Hora`, `Hora.2`."""
    trimmed = [name.strip() or f"column_{index}" for index, name in enumerate(names, 1)]
    taken = set(trimmed)
    seen: set[str] = set()
    result = []
    for name in trimmed:
        unique, number = name, 2
        while unique in seen or (number > 2 and unique in taken):
            unique, number = f"{name}.{number}", number + 1
        seen.add(unique)
        result.append(unique)
    return tuple(result)
