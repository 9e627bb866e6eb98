"""Parquet files as tables, read some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
from pyarrow import parquet

from tunerstudio.data.sources import DataFile, Report
from tunerstudio.data.tables import Batch, LeftOut, Table, unique_names
from tunerstudio.study.data import FileFormat
from tunerstudio.study.errors import DataError

_ROWS = 65_536


class ParquetTable(Table):
    """A Parquet file; see `Table`. Columns keep their types."""

    def __init__(self, file: DataFile, wanted: FileFormat) -> None:
        """Read the names.

        Raises:
            DataError: If the file is damaged.
        """
        self.title = file.path.name
        self.left_out = LeftOut()
        self.facts = ("Parquet",)
        self.format = FileFormat(missing=wanted.missing)
        self._path = file.path
        with self._explained(), parquet.ParquetFile(self._path) as opened:
            schema = opened.schema_arrow
            self._rows = opened.metadata.num_rows
        self._repeated = len(set(schema.names)) < len(schema.names)
        self.names = unique_names(schema.names)
        self._own = dict(zip(self.names, schema.names, strict=True))
        if not self.names:
            raise DataError(f"{self.title} has no columns: choose a file that holds data.")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            reason = str(error).splitlines()[0].rstrip(".")
            message = f"{self.title} is a damaged Parquet file ({reason}): write or fetch it again."
            raise DataError(message) from error

    def batches(self, columns: Sequence[str], report: Report) -> Iterator[Batch]:
        """Cells in their own types; dictionaries as their values."""
        places = [self.names.index(name) for name in columns]
        wanted = None if self._repeated else [self._own[name] for name in columns]
        done = 0
        with self._explained(), parquet.ParquetFile(self._path) as opened:
            for batch in opened.iter_batches(batch_size=_ROWS, columns=wanted, use_threads=False):
                done += batch.num_rows
                report(min(1.0, done / max(1, self._rows)), "Reading")
                found = places if self._repeated else [batch.schema.get_field_index(name) for name in wanted or ()]
                arrays = [_decoded(batch.column(place)) for place in found]
                yield pa.RecordBatch.from_arrays(arrays, names=list(columns))


def _decoded(cells: Batch) -> Batch:
    return cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells
