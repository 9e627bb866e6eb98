"""Opening any data source as a `Table`."""

from __future__ import annotations

from pathlib import Path

from tunerstudio.data.sources import Report, find_file, fingerprint
from tunerstudio.data.tables import Table
from tunerstudio.data.text import TextTable
from tunerstudio.study.data import BundledSource, Data


def open_table(data: Data, folder: Path) -> Table:
    """The table that `data.source` names, read as `data.format` says and detected where it says nothing.

    Raises:
        DataError: If there is no such source or it is no table.
    """
    if isinstance(data.source, BundledSource):
        from tunerstudio.data.bundled import bundled_table  # scikit-learn takes a second to import

        return bundled_table(data.source.name)
    file = find_file(data.source, folder)
    if file.kind == "parquet":
        from tunerstudio.data.parquet import ParquetTable  # only where needed

        return ParquetTable(file, data.format)
    if file.kind == "excel":
        from tunerstudio.data.excel import excel_table

        return excel_table(file, data.format)
    if file.kind == "npz":
        from tunerstudio.data.arrays import npz_table

        return npz_table(file, data.format)
    return TextTable(file, data.format)


def source_fingerprint(data: Data, folder: Path, report: Report) -> str:
    """SHA-256 of the source file's bytes; for a bundled set, of its name and version."""
    if isinstance(data.source, BundledSource):
        from tunerstudio.data.bundled import bundled_fingerprint

        return bundled_fingerprint(data.source.name)
    return fingerprint(find_file(data.source, folder), report)


def source_facts(data: Data, folder: Path) -> tuple[int, int]:
    """Size in bytes and time of change in nanoseconds of the source file; (0, 0) for a bundled set.

    Raises:
        DataError: If there is no such file or it is no data.
    """
    if isinstance(data.source, BundledSource):
        return 0, 0
    file = find_file(data.source, folder)
    return file.size, file.modified_ns
