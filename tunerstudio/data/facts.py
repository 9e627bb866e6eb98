"""What a column turns out to be: its kind, its nature, and the numbers that describe it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunerstudio.data.sampling import Sample
from tunerstudio.data.tables import Table
from tunerstudio.data.values import (
    STRONG_MARKERS,
    WEAK_MARKERS,
    Numbers,
    is_boolean,
    is_nested,
    is_text,
    number_text,
    to_numbers,
    to_text,
    trimmed,
    value_counts,
)
from tunerstudio.study.data import ColumnKind

Nature = Literal["plain", "id", "date", "time", "free_text", "constant", "empty", "nested"]

MAX_CATEGORIES = 100
"""Categories that a column keeps; rarer ones count as unknown."""

_ODD_SHARE = 0.2
_ODD_WORDS = 5
_ID_NAME = re.compile(
    r"(.*[_ .\-])?(id|ids|uuid|guid|identifier|index|idx|instant|rowid|row|number|key|code|serial)([_ .\-]?\d+)?|"
    r".*[a-z]ID|.*Id|unnamed.*",
)
_DATE = r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp][Mm])?(Z|[+-]\d{2}:?\d{2})?)?$"
_TIME = r"^\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp]\.?[Mm]\.?)?$"


@dataclass(frozen=True)
class ColumnFacts:
    """One column of a sample, understood.

    Attributes:
        name: Its name.
        kind: Numbers or text.
        nature: What role it can play.
        rows: Rows in the sample.
        missing: Cells without a usable value, odd and infinite ones included for numbers.
        distinct: Different values, missing ones not counted.
        numbers: The column read as numbers; None for text.
        text: The column as text, "" for missing; a `pyarrow.Array`. None for numbers.
    """

    name: str
    kind: ColumnKind
    nature: Nature
    rows: int
    missing: int
    distinct: int
    numbers: Numbers | None
    text: Any

    @property
    def values(self) -> np.ndarray:
        """The finite numbers of a numeric column."""
        if self.numbers is None:
            return np.empty(0)
        told: np.ndarray = self.numbers.values[~np.isnan(self.numbers.values)]
        return told

    @cached_property
    def whole_numbers(self) -> bool:
        """Whether it is numeric and all its values are integers."""
        values = self.values
        return len(values) > 0 and bool(np.all(values == np.floor(values)))

    @cached_property
    def counts(self) -> list[tuple[str, int]]:
        """Distinct values as text with counts, most frequent first."""
        if self.numbers is None:
            return value_counts(self.text)
        values, counts = np.unique(self.values, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return [(number_text(values[i]), int(counts[i])) for i in order]

    @cached_property
    def codes(self) -> np.ndarray:
        """The values numbered from 0, -1 for missing; int64, (rows,)."""
        if self.numbers is not None:
            codes = np.full(self.rows, -1, dtype=np.int64)
            told = ~np.isnan(self.numbers.values)
            codes[told] = np.unique(self.numbers.values[told], return_inverse=True)[1]
            return codes
        encoded = pc.dictionary_encode(self.text)
        empty = pc.index(encoded.dictionary, "").as_py()
        numbers: np.ndarray = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        numbers[numbers == empty] = -1
        return numbers


def found_markers(table: Table, sample: Sample) -> tuple[str, ...]:
    """The missing markers that the cells of a text source hold, in the order of the lists of known ones.

    Markers hold for the whole file, so a weak one that is a category somewhere is none.
    """
    found: set[str] = set()
    weak: set[str] = set()
    categories: set[str] = set()
    for name in table.names:
        cells = sample.column(name)
        if not is_text(cells):
            continue
        present = _present(cells, (*STRONG_MARKERS, *WEAK_MARKERS))
        found |= present & set(STRONG_MARKERS)
        maybe = present & set(WEAK_MARKERS)
        if maybe:
            numeric = _mostly_numbers(to_numbers(cells, present, table.format.decimal or "."))
            (weak if numeric else categories).update(maybe)
    found |= weak - categories
    return tuple(marker for marker in (*STRONG_MARKERS, *WEAK_MARKERS) if marker in found)


def _present(cells: Any, markers: Iterable[str]) -> set[str]:
    wanted = pa.array(list(markers), pa.string())
    text = trimmed(cells)
    return set(pc.unique(text.filter(pc.is_in(text, value_set=wanted))).to_pylist())


def _mostly_numbers(numbers: Numbers) -> bool:
    """All numbers, or a few words among many numbers (`Ip` for a trace of rain)."""
    odd = len(numbers.odd)
    if odd == 0:
        return numbers.told > 0
    return odd <= _ODD_SHARE * numbers.told and len(pc.unique(numbers.odd)) <= _ODD_WORDS


def column_facts(
    name: str, cells: Any, markers: Iterable[str], decimal: str, wanted: ColumnKind | None = None
) -> ColumnFacts:
    """Understand one column of a sample.

    Args:
        name: Its name.
        cells: Its cells.
        markers: Cells that mean "missing".
        decimal: The decimal mark of text.
        wanted: The kind that the user has decided on.
    """
    markers = set(markers)
    rows = len(cells)
    numbers = to_numbers(cells, markers, decimal)
    numeric = wanted == "numeric" or (wanted is None and _mostly_numbers(numbers) and not is_boolean(cells))
    if numeric:
        told = numbers.values[~np.isnan(numbers.values)]
        distinct = len(np.unique(told))
        nature = _numeric_nature(name, told, rows, distinct)
        return ColumnFacts(name, "numeric", nature, rows, rows - len(told), distinct, numbers, None)
    text = to_text(cells, markers)
    present = text.filter(pc.not_equal(text, ""))
    distinct = len(pc.unique(present))
    nature = "nested" if is_nested(cells) else _text_nature(name, cells.type, present, distinct)
    return ColumnFacts(name, "categorical", nature, rows, rows - len(present), distinct, None, text)


def _numeric_nature(name: str, told: np.ndarray, rows: int, distinct: int) -> Nature:
    if distinct == 0:
        return "empty"
    if distinct == 1:
        return "constant" if rows > 1 else "plain"
    if distinct < 5 or not np.all(told == np.floor(told)):
        return "plain"
    steps = np.diff(told)
    counts_up = len(told) >= 10 and bool(np.all(steps == steps[0])) and abs(steps[0]) == 1
    named = _ID_NAME.fullmatch(name.strip()) is not None or _ID_NAME.fullmatch(name.strip().lower()) is not None
    if counts_up or (named and distinct > 0.9 * len(told)):
        return "id"
    # Without a name: long numbers in the first place that hardly ever repeat are keys. Prices are long, too, but are
    # not put first.
    keys = name == "column_1" and len(told) >= 50 and distinct > 0.9 * len(told) and told.min() >= 0
    return "id" if keys and float(np.median(told)) >= 10_000 else "plain"


def _text_nature(name: str, kind: Any, present: Any, distinct: int) -> Nature:
    count = len(present)
    if distinct == 0:
        return "empty"
    if distinct == 1 and count > 1:
        return "constant"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "date"
    if pa.types.is_time(kind):
        return "time"
    if _share(present, _DATE) > 0.9:
        return "date"
    if _share(present, _TIME) > 0.7:
        return "time"
    if distinct > 0.5 * count and count >= 20:
        wordy = float(pc.mean(pc.cast(pc.greater(pc.count_substring(present, " "), 0), pa.float64())).as_py()) > 0.3
        return "free_text" if wordy or distinct < 0.95 * count else "id"
    long = float(pc.mean(pc.utf8_length(present)).as_py()) > 60
    return "free_text" if long and distinct > 20 else "plain"


def _share(present: Any, pattern: str) -> float:
    matches = pc.match_substring_regex(present, pattern)
    return float(pc.mean(pc.cast(matches, pa.float64())).as_py() or 0.0)
