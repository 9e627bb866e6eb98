"""Text tables (CSV and its kin): decoded and tidied on the fly, cut into columns by Arrow, all cells kept as text."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import csv

from tunerstudio.data.detect import Layout, detect_layout
from tunerstudio.data.encodings import (
    decode_head,
    detect_encoding,
    encoding_title,
    not_in_encoding,
    single_byte_encoding,
)
from tunerstudio.data.sources import HEAD, DataFile, Report
from tunerstudio.data.tables import Batch, LeftOut, Table
from tunerstudio.study.data import FileFormat
from tunerstudio.study.errors import DataError

MAX_COLUMNS = 20_000
_BLOCK = 8 << 20
_READ = 1 << 20
_DELIMITER_WORDS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blanks"}
_BLANKS = re.compile(r'("[^"\n]*")|[ \t]+')
_TOLERATED_SHARE = 0.1


class TextTable(Table):
    """A CSV-like file; see `Table`."""

    def __init__(self, file: DataFile, wanted: FileFormat) -> None:
        """Detect what `wanted` leaves open.

        Raises:
            DataError: If the file holds no table.
        """
        self.title = file.path.name
        self.left_out = LeftOut()
        self._file = file
        self._encoding_wanted = wanted.encoding is not None
        head = file.head()
        encoding = wanted.encoding or detect_encoding(head)
        text = decode_head(head, encoding, self.title)
        if len(head) == HEAD:
            text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text  # the last line is cut
        layout = detect_layout(text, wanted, self.title)
        if len(layout.names) > MAX_COLUMNS:
            raise DataError(
                f"{self.title} has {len(layout.names)} columns; at most {MAX_COLUMNS} can be used. "
                "For pictures or signals save the arrays x and y in an .npz file instead."
            )
        self.layout = layout
        self.names = layout.names
        self.format = FileFormat(
            encoding=encoding,
            delimiter=layout.delimiter,
            decimal="," if layout.decimal == "," else ".",
            header=layout.header,
            quoting=layout.quoting,
            missing=wanted.missing,
        )

    @property
    def facts(self) -> tuple[str, ...]:  # type: ignore[override]  # follows the encoding, which reading may correct
        """Words for the summary."""
        mark = self.layout.delimiter
        words = [encoding_title(self.format.encoding or ""), _DELIMITER_WORDS.get(mark, repr(mark))]
        if self.layout.decimal == ",":
            words.append("decimal comma")
        if not self.layout.header:
            words.append("no header")
        if not self.layout.quoting:
            words.append("no quoting")
        return tuple(words)

    def batches(self, columns: Sequence[str], report: Report) -> Iterator[Batch]:
        """Text cells, as written."""
        self.left_out.rows, self.left_out.first = 0, ""
        first: list[Any] = []
        rows = 0
        with self._stream() as (stream, fraction), self._explained():
            reader = csv.open_csv(
                pa.PythonFile(stream, mode="r"),
                read_options=self._read_options(),
                parse_options=self._parse_options(first),
                convert_options=csv.ConvertOptions(
                    column_types={name: pa.string() for name in self.names},
                    include_columns=list(columns),
                    null_values=[],
                    strings_can_be_null=False,
                    quoted_strings_can_be_null=False,
                ),
            )
            for batch in reader:
                rows += batch.num_rows
                report(fraction(), "Reading")
                yield batch
        self._judge_left_out(first, rows)

    def _read_options(self) -> Any:
        return csv.ReadOptions(
            use_threads=False,
            block_size=_BLOCK,
            column_names=list(self.names),
            skip_rows_after_names=1 if self.layout.header else 0,
        )

    def _parse_options(self, first: list[Any]) -> Any:
        def leave_out(row: Any) -> str:
            if not first:
                first.append(row)
            self.left_out.rows += 1
            return "skip"

        return csv.ParseOptions(
            delimiter=self.layout.delimiter,
            quote_char='"' if self.layout.quoting else False,
            newlines_in_values=self.layout.quoting,
            invalid_row_handler=leave_out,
        )

    @contextmanager
    def _stream(self) -> Iterator[tuple[io.BufferedReader, Callable[[], float]]]:
        with self._file.open() as (raw, fraction):
            stream = Utf8Stream(raw, self.format.encoding or "utf-8", self.layout, self.title)
            yield io.BufferedReader(stream, _READ), fraction  # gives blocks as large as Arrow asks for

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn Arrow's complaints into sentences."""
        try:
            yield
        except pa.ArrowInvalid as error:
            reason = str(error).splitlines()[0]
            if "straddling" in reason:
                quotes = " Are there stray quotes? Switch quoting off." if self.layout.quoting else ""
                reason = f"one row is longer than {_BLOCK >> 20} MB.{quotes}"
            raise DataError(f"{self.title} cannot be read as a table: {reason}") from error

    def correct_encoding(self) -> bool:
        """Take the single-byte encoding after all, if UTF-8 was only detected; False if there is no other way."""
        if self._encoding_wanted or self.format.encoding != "utf-8":
            return False
        with self._file.open() as (raw, _):
            used = {byte for block in iter(lambda: raw.read(_READ), b"") for byte in set(block)}
        self.format = self.format.model_copy(update={"encoding": single_byte_encoding(bytes(used))})
        return True

    def _judge_left_out(self, first: list[Any], rows: int) -> None:
        """A few odd rows are left out and told; many mean that the layout is wrong."""
        if not first:
            return
        row = first[0]
        line = self._line_of(row)
        cells = f"{row.actual_columns} cell{'s' if row.actual_columns != 1 else ''} instead of {row.expected_columns}"
        self.left_out.first = f"line {line} has {cells}"
        if self.left_out.rows <= _TOLERATED_SHARE * (rows + self.left_out.rows):
            return
        if len(self.names) == 1:
            raise DataError(f"{self.title} is no table: no delimiter divides its lines into the same columns.")
        raise DataError(
            f"{self.title}: {self.left_out.rows} of {rows + self.left_out.rows} rows have another number of cells "
            f"than the table; {self.left_out.first}. Correct the file, or choose another delimiter or quoting."
        )

    def _line_of(self, row: Any) -> int:
        """The line number of a row, counted in the file; Arrow counts neither blank lines nor lines within quotes."""
        wanted = row.text.splitlines()[0] if row.text else ""
        with self._stream() as (stream, _):
            text = io.TextIOWrapper(stream, encoding="utf-8", newline=None)
            for number, line in enumerate(text, 1 + self.layout.skip_lines):
                if line.rstrip("\n") == wanted:
                    return number
        return int(row.number or 0)


class Utf8Stream(io.RawIOBase):
    """A text as UTF-8, without its first `skip_lines`, runs of blanks as one delimiter; zero bytes are refused."""

    def __init__(self, raw: BinaryIO, encoding: str, layout: Layout, title: str) -> None:
        """Decode `raw` from `encoding`."""
        self._raw = raw
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._encoding = encoding
        self._blanks = layout.delimiter == " "
        self._title = title
        self._rest = ""
        self._pending = b""
        self._lines = 0
        self._ended = False
        self._start = True
        self._skip = layout.skip_lines

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` with the next bytes; 0 at the end."""
        while not self._pending and not self._ended:
            self._pending = self._next().encode("utf-8", "surrogatepass")
        count = min(len(buffer), len(self._pending))
        buffer[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        return count

    def _next(self) -> str:
        block = self._raw.read(_READ)
        self._ended = not block
        try:
            text = self._decoder.decode(block, final=self._ended)
        except (UnicodeDecodeError, UnicodeError) as error:
            raise WrongEncodingError(self._title, self._encoding) from error
        if "\0" in text:
            line = self._lines + text[: text.index("\0")].count("\n") + 1
            raise DataError(
                f"{self._title} holds zero bytes (line {line}): it is damaged or not a text file. "
                "Export the table again, or remove them."
            )
        self._lines += text.count("\n")
        if self._start and text:
            text = text.removeprefix("\ufeff")
            self._start = False
        text = self._without_skipped(text)
        return self._single_blanks(text) if self._blanks else text

    def _without_skipped(self, text: str) -> str:
        while self._skip and text:
            end = text.find("\n")
            if end < 0:
                return ""
            text = text[end + 1 :]
            self._skip -= 1
        return text

    def _single_blanks(self, text: str) -> str:
        """Whole lines only, so that no run of blanks is cut."""
        text = self._rest + text
        end = len(text) if self._ended else text.rfind("\n") + 1
        text, self._rest = text[:end], text[end:]
        lines = (line.strip(" \t\r") for line in text.split("\n"))
        return "\n".join(_BLANKS.sub(lambda match: match.group(1) or " ", line) for line in lines)


class WrongEncodingError(DataError):
    """The bytes do not fit the encoding somewhere after the start."""

    def __init__(self, title: str, encoding: str) -> None:
        """Say so with the file's title."""
        super().__init__(str(not_in_encoding(title, encoding)))
