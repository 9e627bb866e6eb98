"""Excel workbooks as tables: one sheet, cells as text exactly as Python writes their values."""

from __future__ import annotations

import datetime
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
import pyarrow as pa
from openpyxl.utils.exceptions import InvalidFileException

from tunerstudio.data.detect import has_header
from tunerstudio.data.sources import DataFile
from tunerstudio.data.tables import MemoryTable, unique_names
from tunerstudio.data.values import number_text
from tunerstudio.study.data import FileFormat
from tunerstudio.study.errors import DataError

_HEADER_ROWS = 400
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
    ParseError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    OSError,
    EOFError,
)
"""What openpyxl raises on workbooks that are not whole."""


def excel_table(file: DataFile, wanted: FileFormat) -> MemoryTable:
    """The sheet that `wanted` names, else the first one that holds something.

    Raises:
        DataError: If the workbook is damaged, or there is no such sheet or nothing in it.
    """
    title = file.path.name
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # styles and extensions that do not matter here
            sheets, sheet, rows = _read(file, wanted.sheet, title)
    except _DAMAGE as error:
        raise DataError(f"{title} is a damaged Excel workbook ({error}): open it and save it anew.") from error
    rows = _trimmed(rows)
    if not rows:
        raise DataError(f'{title} holds no data in the sheet "{sheet}": choose another sheet or file.')
    header = wanted.header if wanted.header is not None else has_header(rows[:_HEADER_ROWS])
    width = len(rows[0])
    names = unique_names(rows[0] if header else [""] * width)
    body = rows[1:] if header else rows
    columns = [pa.array([row[index] for row in body], pa.string()) for index in range(width)]
    facts = ["Excel", f'sheet "{sheet}"'] if len(sheets) > 1 else ["Excel"]
    return MemoryTable(
        title=title,
        names=names,
        format=FileFormat(header=header, sheet=sheet, missing=wanted.missing),
        batch=pa.RecordBatch.from_arrays(columns, names=list(names)),
        facts=tuple(facts if header else [*facts, "no header"]),
        sheets=sheets,
    )


def _read(file: DataFile, wanted: str | None, title: str) -> tuple[tuple[str, ...], str, list[list[str]]]:
    """Names of all sheets, the chosen one, and its rows."""
    with file.path.open("rb") as handle:
        workbook = openpyxl.load_workbook(handle, read_only=True, data_only=True)
        try:
            sheets = tuple(sheet.title for sheet in workbook.worksheets)
            if wanted is not None and wanted not in sheets:
                raise DataError(f'{title} has no sheet "{wanted}": choose one of {", ".join(sheets)}.')
            for sheet in workbook.worksheets:
                if wanted in (None, sheet.title):
                    rows = _rows(sheet.iter_rows(values_only=True))
                    if rows or wanted is not None:
                        return sheets, sheet.title, rows
        finally:
            workbook.close()
    return sheets, sheets[0] if sheets else "", []


def _rows(rows: Iterable[Sequence[Any]]) -> list[list[str]]:
    texts = ([_text(cell) for cell in row] for row in rows)
    return [row for row in texts if any(row)]


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, int | float):
        return number_text(float(cell)) if isinstance(cell, float) else str(cell)
    if isinstance(cell, datetime.datetime):
        midnight = cell.time() == datetime.time()
        return cell.date().isoformat() if midnight else cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    return str(cell).strip()


def _trimmed(rows: list[list[str]]) -> list[list[str]]:
    """All rows of one width, without columns that are empty throughout, names included."""
    width = max(map(len, rows), default=0)
    padded = [row + [""] * (width - len(row)) for row in rows]
    kept = [index for index in range(width) if any(row[index] for row in padded)]
    return [[row[index] for index in kept] for row in padded]
