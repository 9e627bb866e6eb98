"""How a text table is laid out: delimiter, quoting, decimal mark, header. What the user says wins."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice

from tunerstudio.data.tables import unique_names
from tunerstudio.study.data import FileFormat
from tunerstudio.study.errors import DataError

_DELIMITERS = ("\t", ";", "|", ",", " ")
_LINES = 400
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
_DOT = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?(\d*|\d{1,3}(\.\d{3})+),\d+([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?|\d{1,2}:\d{2}(:\d{2})?")
_MISSING_WORDS = {"", "?", "na", "n/a", "nan", "null", "none", "-"}


@dataclass(frozen=True)
class Layout:
    """How the cells of a text lie.

    Attributes:
        delimiter: One character; a space stands for any run of blanks.
        quoting: Whether "..." groups text.
        decimal: The decimal mark.
        header: Whether the first row holds the names.
        skip_lines: Lines before the table: comments, blank ones, `sep=;`.
        names: Unique column names.
    """

    delimiter: str
    quoting: bool
    decimal: str
    header: bool
    skip_lines: int
    names: tuple[str, ...]


def detect_layout(text: str, wanted: FileFormat, title: str) -> Layout:
    """The layout of the table that starts with `text`.

    Args:
        text: The start of the file, whole lines.
        wanted: What the user has decided; other fields are detected.
        title: The file's name, for messages.

    Raises:
        DataError: If there is no table.
    """
    lines = text.splitlines()
    skip = _lines_before_table(lines)
    lines = lines[skip:]
    if not any(line.strip() for line in lines):
        raise DataError(f"{title} holds no data: it is blank. Choose a file with rows.")
    delimiter = wanted.delimiter if wanted.delimiter is not None else _delimiter(lines, wanted)
    if len(delimiter) != 1:
        raise DataError(f"The delimiter must be one character, such as a comma, not {delimiter!r}.")
    quoting = wanted.quoting if wanted.quoting is not None else _quoting(lines, delimiter)
    rows = [row for row in _rows(lines[:_LINES], delimiter, quoting) if row]
    decimal = wanted.decimal or _decimal(rows, delimiter)
    header = wanted.header if wanted.header is not None else has_header(rows)
    return Layout(delimiter, quoting, decimal, header, skip, _names(rows, header))


def _lines_before_table(lines: list[str]) -> int:
    """Blank lines, `sep=;` and comments; a line of # that has as many cells as the next is a header."""
    skip = 0
    for index, line in enumerate(lines[:200]):
        stripped = line.strip()
        comment = stripped.startswith("#") and not _like_next(lines, index)
        if not stripped or comment or re.fullmatch(r"sep=.", stripped, re.IGNORECASE):
            skip = index + 1
        else:
            break
    return skip


def _like_next(lines: list[str], index: int) -> bool:
    following = next((line for line in lines[index + 1 :] if line.strip() and not line.startswith("#")), "")
    return any(lines[index].count(mark) == following.count(mark) > 0 for mark in "\t;|,")


def _rows(lines: list[str], delimiter: str, quoting: bool) -> list[list[str]]:
    """Cells of the lines; blank lines are empty lists."""
    if delimiter == " ":
        lines = [line.strip() for line in lines]
    reader = csv.reader(
        (line + "\n" for line in lines),
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quoting else csv.QUOTE_NONE,
        skipinitialspace=delimiter == " ",
    )
    rows: list[list[str]] = []
    try:
        rows.extend([cell.strip() for cell in row] for row in reader)
    except csv.Error:
        # A field longer than csv allows: what came before it is enough to tell the layout.
        return rows
    return rows


def _width(rows: list[list[str]]) -> tuple[int, float]:
    """The most frequent number of cells, and the share of rows that have it."""
    counts = Counter(len(row) for row in rows if row)
    if not counts:
        return 0, 0.0
    width, count = counts.most_common(1)[0]
    return width, count / counts.total()


def _delimiter(lines: list[str], wanted: FileFormat) -> str:
    """The mark that gives all rows the same number of cells, and the header too."""
    best, best_score = ",", 0.0
    for mark in _DELIMITERS:
        for quoting in (True, False) if wanted.quoting is None else (wanted.quoting,):
            score = _score(_rows(lines[:_LINES], mark, quoting), mark)
            if score > best_score + 1e-9:
                best, best_score = mark, score
    return best


def _score(rows: list[list[str]], mark: str) -> float:
    """How much `rows` look like a table; 0 for a single column."""
    width, share = _width(rows)
    if width < 2:
        return 0.0
    first = next((row for row in rows if row), [])
    agrees = abs(len(first) - width) <= 1
    if mark == " " and share < 0.98:
        return 0.0
    return share * (1.0 if agrees else 0.5) * (0.6 if mark == " " else 1.0)


def _quoting(lines: list[str], delimiter: str) -> bool:
    """False if quotes are stray: every line is a row by itself, but quotes would glue some together."""
    if not any('"' in line for line in lines):
        return True
    plain = [row for row in _rows(lines, delimiter, quoting=False) if row]
    quoted = [row for row in _rows(lines, delimiter, quoting=True) if row]
    width, share = _width(plain)
    return not (share > 0.995 and width > 1 and len(quoted) < len(plain))


def _decimal(rows: list[list[str]], delimiter: str) -> str:
    dots = commas = thousands = 0
    for row in rows:
        for cell in row:
            dots += _DOT.fullmatch(cell) is not None
            commas += _COMMA.fullmatch(cell) is not None
            thousands += _THOUSANDS.fullmatch(cell) is not None
    if delimiter == "," and commas == thousands:
        return "."  # quoted "1,234" are thousands
    return "," if commas > dots else "."


def is_number(cell: str) -> bool:
    """Whether a cell reads as a number, with either decimal mark."""
    return _NUMBER.fullmatch(cell) is not None


def has_header(rows: list[list[str]]) -> bool:
    """Whether the first row holds names: text above numbers, and nothing that looks like a value."""
    first, body = rows[0], rows[1:]
    if any(_DATE.fullmatch(cell) for cell in first):
        return False
    numbers = [cell for cell in first if is_number(cell)]
    if numbers:
        return _counts_up(numbers, body)
    if not body:
        return True
    if sum(not cell for cell in first) > max(1, len(first) // 4):
        return False
    above_numbers = any(_mostly_numbers([row[i] for row in body if i < len(row)]) for i in range(len(first)))
    return above_numbers or _unlike_values(first, body)


def _counts_up(numbers: list[str], body: list[list[str]]) -> bool:
    """Names 0, 1, 2, ... as data frames without names write them; not a row of data such as 0, 1."""
    sequence = [str(number) for number in range(len(numbers))]
    if len(numbers) < 4 or numbers != sequence:
        return False
    return not any([cell for cell in row if is_number(cell)] == sequence for row in body)


def _mostly_numbers(cells: list[str]) -> bool:
    told = [cell for cell in cells if cell.lower() not in _MISSING_WORDS]
    return bool(told) and sum(map(is_number, told)) >= 0.8 * len(told)


def _unlike_values(first: list[str], body: list[list[str]]) -> bool:
    """All cells are text: names are short, differ from each other and do not return as values."""
    if len(set(first)) < len(first) or any(len(cell) > 40 or cell.count(" ") > 3 for cell in first):
        return False
    returns = any(
        first[i] in {row[i] for row in islice(body, _LINES) if i < len(row)} for i in range(len(first)) if first[i]
    )
    return not returns


def _names(rows: list[list[str]], header: bool) -> tuple[str, ...]:
    """Unique names, as many as most rows have cells."""
    body = rows[1:] if header else rows
    width, _ = _width(body) if body else (len(rows[0]), 1.0)
    if not header:
        return unique_names([""] * width)
    names = list(rows[0])
    if width == len(names) + 1:
        # Either every row ends with a delimiter, or the names lack one for the row labels (R writes so).
        ends_empty = all(not row[-1] for row in body if len(row) == width)
        names = [*names, ""] if ends_empty else ["row", *names]
    return unique_names(names)
