"""From cells as they stand in the source to numbers and to text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Cells = Any
"""A `pyarrow.Array`."""

STRONG_MARKERS = ("?", "NA", "N/A", "n/a", "na", "#N/A", "NaN", "nan", "NAN", "NULL", "null", "Null", "<NA>", "#NV")
"""Mean "missing" wherever they stand alone in a cell."""

WEAK_MARKERS = ("-", "--", "---", ".", "..", "*", "**", "none", "None", "NONE", "missing", "unknown", "#DIV/0!")
"""Mean "missing" in a column of numbers; elsewhere they may be a category."""

_COMMA_THOUSANDS = r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$"
_DOT_THOUSANDS = r"^[+-]?\d{1,3}(\.\d{3})+(,\d+)?$"
_NUMBER = r"^[+-]?((\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[iI][nN][fF]([iI][nN][iI][tT][yY])?)$"


@dataclass(frozen=True)
class Numbers:
    """A column read as numbers.

    Attributes:
        values: float64, (rows,); NaN for all that is no finite number.
        missing: Cells that are empty or hold a missing marker.
        infinite: Cells that hold an infinite number.
        odd: Trimmed text of the cells that are no numbers, as a `pyarrow.Array`.
    """

    values: np.ndarray
    missing: int
    infinite: int
    odd: Cells

    @property
    def told(self) -> int:
        """Cells that hold something."""
        return len(self.values) - self.missing


def is_text(cells: Cells) -> bool:
    """Whether the cells are text, so that numbers must be read out of them."""
    kind = cells.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def is_nested(cells: Cells) -> bool:
    """Whether the cells hold lists, structures or bytes, which no column can use."""
    kind = cells.type
    return bool(pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def trimmed(cells: Cells) -> Cells:
    """Text cells without blanks around; null becomes ""."""
    return pc.fill_null(pc.utf8_trim_whitespace(pc.cast(cells, pa.string())), "")


def to_numbers(cells: Cells, markers: Iterable[str], decimal: str = ".") -> Numbers:
    """Read cells as numbers.

    Args:
        cells: Text, numbers, booleans or anything else that Arrow can hold.
        markers: Cells that mean "missing"; a marker that is a number counts by its value.
        decimal: The decimal mark of text.
    """
    markers = set(markers)
    if not is_text(cells):
        return _typed_numbers(cells, markers)
    text = trimmed(cells)
    empty = pc.is_in(text, value_set=pa.array([*markers, ""], pa.string()))
    told = pc.if_else(empty, pa.scalar(None, pa.string()), text)
    parsed, odd = _parse(told, decimal)
    values = parsed.to_numpy(zero_copy_only=False).astype(np.float64, copy=True)
    return _finished(values, odd, markers)


def _parse(told: Cells, decimal: str) -> tuple[Cells, Cells]:
    """Numbers with null for the rest, and the text that is no number."""
    none = pa.array([], pa.string())
    if decimal == ".":
        try:
            return pc.cast(told, pa.float64()), none
        except pa.ArrowInvalid:
            plain = pc.if_else(
                pc.match_substring_regex(told, _COMMA_THOUSANDS), pc.replace_substring(told, ",", ""), told
            )
    else:
        grouped = pc.match_substring_regex(told, _DOT_THOUSANDS)
        plain = pc.if_else(grouped, pc.replace_substring(told, ".", ""), told)
        plain = pc.replace_substring(plain, ",", ".")
    fits = pc.fill_null(pc.match_substring_regex(plain, _NUMBER), False)
    odd = told.filter(pc.and_(pc.invert(fits), pc.is_valid(told)))
    numbers = pc.if_else(fits, plain, pa.scalar(None, pa.string()))
    return pc.cast(numbers, pa.float64()), odd


def _typed_numbers(cells: Cells, markers: set[str]) -> Numbers:
    kind = cells.type
    if pa.types.is_null(kind):
        return _finished(np.full(len(cells), np.nan), pa.array([], pa.string()), markers)
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or is_boolean(cells) or pa.types.is_decimal(kind)):
        text = to_text(cells, markers)
        return _finished(np.full(len(cells), np.nan), text.filter(pc.not_equal(text, "")), markers)
    numbers = pc.cast(pc.cast(cells, pa.int8()) if is_boolean(cells) else cells, pa.float64(), safe=False)
    values = numbers.to_numpy(zero_copy_only=False).astype(np.float64, copy=True)
    return _finished(values, pa.array([], pa.string()), markers)


def _finished(values: np.ndarray, odd: Cells, markers: set[str]) -> Numbers:
    sentinels = [number for number in map(_as_number, markers) if number is not None]
    if sentinels:
        values[np.isin(values, sentinels)] = np.nan
    infinite = np.isinf(values)
    values[infinite] = np.nan
    missing = int(np.isnan(values).sum()) - int(infinite.sum()) - len(odd)
    return Numbers(values, missing, int(infinite.sum()), odd)


def _as_number(marker: str) -> float | None:
    try:
        number = float(marker)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def is_boolean(cells: Cells) -> bool:
    """Whether the cells are true/false values (not text)."""
    return bool(pa.types.is_boolean(cells.type))


def to_text(cells: Cells, markers: Iterable[str]) -> Cells:
    """Cells as trimmed text, "" for missing; whole numbers without a decimal part, truth values as True and False."""
    if is_text(cells):
        text = trimmed(cells)
    elif is_nested(cells) or pa.types.is_null(cells.type):
        text = pa.array([""] * len(cells), pa.string())
    elif is_boolean(cells):
        text = pc.fill_null(pc.if_else(cells, "True", "False"), "")
    elif pa.types.is_floating(cells.type) or pa.types.is_decimal(cells.type):
        values = pc.cast(cells, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        text = pa.array([number_text(value) for value in values], pa.string())
    else:
        text = pc.fill_null(pc.cast(cells, pa.string()), "")
    empty = pc.is_in(text, value_set=pa.array(list(markers), pa.string()))
    return pc.if_else(empty, "", text)


def number_text(value: float) -> str:
    """A number as people write it: `2`, `0.5`; "" for NaN."""
    if np.isnan(value):
        return ""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def value_counts(text: Cells) -> list[tuple[str, int]]:
    """Distinct values with counts, most frequent first, "" left out."""
    counted = pc.value_counts(text)
    pairs = zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)
    return sorted(((value, count) for value, count in pairs if value), key=lambda pair: (-pair[1], pair[0]))
