"""Reading all usable rows of the needed columns, as compactly as they can be kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunerstudio.data.sources import Report
from tunerstudio.data.tables import Batch, Table
from tunerstudio.data.values import to_numbers, to_text
from tunerstudio.study.data import Data

_AT_ONCE = 64


@dataclass(frozen=True)
class Needed:
    """Which columns are read as what.

    Attributes:
        numeric: Feature columns read as numbers.
        categorical: Feature columns read as names.
        texts: Feature columns read as running text.
        targets: Target columns.
        classes: Whether the target is read as names of classes.
        weight: The sample-weight column, or "".
        every_row: Whether rows without a target or weight are kept, since others look back at them.
    """

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    targets: tuple[str, ...]
    classes: bool
    weight: str
    texts: tuple[str, ...] = ()
    every_row: bool = False

    def all(self) -> list[str]:
        """Every column to read; a target whose past is known is a feature, too."""
        weight = [self.weight] if self.weight else []
        return list(dict.fromkeys([*self.numeric, *self.categorical, *self.texts, *self.targets, *weight]))


@dataclass
class Collected:
    """The usable rows, or every row.

    Attributes:
        numeric: Blocks of float32, (some rows, columns), NaN for missing.
        categorical: Per column, dictionary-encoded blocks of text, "" for missing.
        texts: Per column, blocks of text, "" for missing.
        target: Blocks of text, or of float64 (some rows, targets).
        weights: Blocks of float64.
        source_rows: Blocks of row numbers of the source.
        usable: Blocks of bool, (some rows,): whether a row has every target and its weight.
        read: Rows read, unusable ones included.
        dropped: Rows without a target or weight.
        odd: Cells per numeric column that are no finite numbers.
    """

    numeric: list[np.ndarray] = field(default_factory=list)
    categorical: dict[str, list[Any]] = field(default_factory=dict)
    texts: dict[str, list[Any]] = field(default_factory=dict)
    target: list[Any] = field(default_factory=list)
    weights: list[np.ndarray] = field(default_factory=list)
    source_rows: list[np.ndarray] = field(default_factory=list)
    usable: list[np.ndarray] = field(default_factory=list)
    read: int = 0
    dropped: int = 0
    odd: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows that were kept."""
        return sum(map(len, self.source_rows))


def collect(table: Table, data: Data, needed: Needed, report: Report) -> Collected:
    """Read `table` once and keep the usable rows.

    Raises:
        DataError: If the source cannot be read to its end.
    """
    reading = _Reading(data, needed)
    for batch in table.batches(needed.all(), report):
        reading.add(batch)
    return reading.collected


class _Reading:
    def __init__(self, data: Data, needed: Needed) -> None:
        self.collected = Collected(
            categorical={name: [] for name in needed.categorical}, texts={name: [] for name in needed.texts}
        )
        self._markers = data.format.missing or ()
        self._decimal = data.format.decimal or "."
        self._needed = needed

    def add(self, batch: Batch) -> None:
        needed, kept = self._needed, self.collected
        usable = np.ones(batch.num_rows, dtype=bool)
        target = self._text_target(batch, usable) if needed.classes else self._number_target(batch, usable)
        weight = self._numbers(batch, needed.weight, count=False) if needed.weight else None
        if weight is not None:
            usable &= ~np.isnan(weight)
        rows = np.arange(batch.num_rows) if needed.every_row else np.flatnonzero(usable)
        if len(rows):
            kept.numeric.append(self._numeric(batch, needed.numeric)[rows])
            for name in needed.categorical:
                text = to_text(batch.column(name), self._markers)
                kept.categorical[name].append(pc.dictionary_encode(text.take(pa.array(rows))))
            for name in needed.texts:
                kept.texts[name].append(to_text(batch.column(name), self._markers).take(pa.array(rows)))
            kept.target.append(target.take(pa.array(rows)) if needed.classes else target[rows])
            if weight is not None:
                kept.weights.append(weight[rows])
            kept.source_rows.append(rows + kept.read)
            kept.usable.append(usable[rows])
        kept.read += batch.num_rows
        kept.dropped += batch.num_rows - int(usable.sum())

    def _text_target(self, batch: Batch, usable: np.ndarray) -> Any:
        text = to_text(batch.column(self._needed.targets[0]), self._markers)
        usable &= pc.not_equal(text, "").to_numpy(zero_copy_only=False)
        return text

    def _number_target(self, batch: Batch, usable: np.ndarray) -> np.ndarray:
        if not self._needed.targets:
            return np.empty((batch.num_rows, 0))
        columns = [self._numbers(batch, name, count=False) for name in self._needed.targets]
        target = np.stack(columns, axis=1)
        usable &= ~np.isnan(target).any(axis=1)
        return target

    def _numeric(self, batch: Batch, names: Sequence[str]) -> np.ndarray:
        block = np.empty((batch.num_rows, len(names)), dtype=np.float32)
        with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, and then missing
            for start in range(0, len(names), _AT_ONCE):
                some = names[start : start + _AT_ONCE]
                block[:, start : start + len(some)] = self._some(batch, some)
        block[np.isinf(block)] = np.nan
        return block

    def _some(self, batch: Batch, names: Sequence[str]) -> np.ndarray:
        """Some columns as (rows, columns); as one long column, which is much faster for short ones, if all is plain."""
        columns = [batch.column(name) for name in names]
        if len(names) > 1 and all(column.type == columns[0].type for column in columns):
            parsed = to_numbers(pa.concat_arrays(columns), self._markers, self._decimal)
            if not parsed.infinite and not len(parsed.odd):
                return parsed.values.reshape(len(names), batch.num_rows).T
        return np.stack([self._numbers(batch, name) for name in names], axis=1)

    def _numbers(self, batch: Batch, name: str, count: bool = True) -> np.ndarray:
        parsed = to_numbers(batch.column(name), self._markers, self._decimal)
        odd = parsed.infinite + len(parsed.odd)
        if count and odd:
            self.collected.odd[name] = self.collected.odd.get(name, 0) + odd
        return parsed.values
