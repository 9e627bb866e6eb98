"""Finding a data file and telling what it is, by its content and not by its name."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from tunerstudio.study.data import FileSource
from tunerstudio.study.errors import DataError

Report = Callable[[float | None, str], None]
"""Called with (fraction 0 to 1 or None, text) while something long goes on."""

FileKind = Literal["text", "parquet", "excel", "npz"]
Wrapping = Literal["", "gzip", "zip"]

HEAD = 1 << 20
"""Bytes that detection looks at."""

_HASH_BLOCK = 1 << 22

# First bytes of what people drop by mistake, and the sentence about it.
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls): save it as .xlsx or CSV"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file: save its arrays as .npz with numpy.savez, or as CSV"),
    (b"SQLite format 3\x00", "an SQLite database: export the table as CSV"),
    (b"\x93NUMPY", "a single NumPy array (.npy): save x and y together with numpy.savez"),
    (b"ARROW1", "an Arrow/Feather file: save it as Parquet or CSV"),
    (b"%PDF", "a PDF document: copy its table into a spreadsheet and save that as CSV"),
    (b"\x89PNG", "a picture (PNG): a table with one row per example is needed"),
    (b"\xff\xd8\xff", "a picture (JPEG): a table with one row per example is needed"),
    (b"GIF8", "a picture (GIF): a table with one row per example is needed"),
    (b"BZh", "packed with bzip2: unpack it first"),
    (b"\xfd7zXZ\x00", "packed with xz: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "packed with Zstandard: unpack it first"),
    (b"Rar!", "a RAR archive: unpack it first"),
    (b"\x7fELF", "a program, not data"),
    (b"MZ\x90\x00", "a program, not data"),
    (b"\x80\x04\x95", "a Python pickle, which could run code: save the data as CSV, Parquet or .npz"),
    (b"\x80\x05\x95", "a Python pickle, which could run code: save the data as CSV, Parquet or .npz"),
)
_FOREIGN_TEXT: tuple[tuple[bytes, str], ...] = (
    (b"<!doctype html", "a web page, perhaps the page of a download instead of the file: download it again"),
    (b"<html", "a web page, perhaps the page of a download instead of the file: download it again"),
    (b"<?xml", "an XML file: export the table as CSV"),
    (b"%!ps", "a PostScript document, not data"),
    (b"@relation", "an ARFF file: save it as CSV"),
    (b"version https://git-lfs", "only a Git LFS pointer: fetch the file itself (git lfs pull)"),
)
_DATA_SUFFIXES = (".csv", ".tsv", ".txt", ".data", ".tab", ".dat")
_PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff")


@dataclass(frozen=True)
class DataFile:
    """A readable data file.

    Attributes:
        path: Where it is.
        kind: What it holds.
        wrapping: How it is packed.
        member: Name of the packed file inside a zip archive.
        size: Bytes on disk.
        modified_ns: Time of the last change, in nanoseconds.
    """

    path: Path
    kind: FileKind
    wrapping: Wrapping
    member: str
    size: int
    modified_ns: int

    @contextmanager
    def open(self) -> Iterator[tuple[BinaryIO, Callable[[], float]]]:
        """The unpacked bytes, and a function that says how far reading is (0 to 1).

        Raises:
            DataError: Also from within the block, if the file cannot be read or unpacked.
        """
        with _readable(self.path), self.path.open("rb") as raw:
            yield self._unpacked(raw), lambda: min(1.0, raw.tell() / self.size)

    def _unpacked(self, raw: BinaryIO) -> BinaryIO:
        if self.wrapping == "gzip":
            return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]  # a BinaryIO in all but name
        if self.wrapping == "zip":
            return zipfile.ZipFile(raw).open(self.member)  # type: ignore[return-value]
        return raw

    def head(self, length: int = HEAD) -> bytes:
        """The first bytes, unpacked."""
        with self.open() as (stream, _):
            return stream.read(length)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what goes wrong while reading `path` into a sentence."""
    name = path.name
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(f"There is no file {path}. Was it moved or renamed? Choose it again.") from error
    except IsADirectoryError as error:
        raise DataError(_FOLDER.format(name=name)) from error
    except PermissionError as error:
        raise DataError(f"You may not read {path}: ask its owner for permission, or copy it.") from error
    except (gzip.BadGzipFile, zlib.error, EOFError, lzma.LZMAError) as error:
        raise DataError(f"{name} is damaged or cut short and cannot be unpacked ({error}): get it again.") from error
    except zipfile.BadZipFile as error:
        raise DataError(f"{name} is a damaged zip archive ({error}): get it again.") from error
    except RuntimeError as error:
        if "password" not in str(error) and "encrypted" not in str(error):
            raise
        raise DataError(f"{name} is protected by a password: unpack it first.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error


_FOLDER = "{name} is a folder, not a file: choose the data file inside it."


def find_file(source: FileSource, folder: Path) -> DataFile:
    """The file that `source` names; relative paths start at `folder`.

    Raises:
        DataError: If it is missing, unreadable, empty or nothing that can be read as a table.
    """
    path = Path(source.path).expanduser()
    path = path if path.is_absolute() else folder / path
    with _readable(path):
        facts = path.stat()
        if path.is_dir():
            raise DataError(_FOLDER.format(name=path.name))
        if not path.is_file():
            raise DataError(f"{path} is not an ordinary file.")
        if facts.st_size == 0:
            raise DataError(f"{path.name} is empty (0 bytes): choose a file that holds data.")
        with path.open("rb") as handle:
            start = handle.read(64)
    kind, wrapping, member = _tell(path, start)
    return DataFile(path, kind, wrapping, member, facts.st_size, facts.st_mtime_ns)


def _tell(path: Path, start: bytes) -> tuple[FileKind, Wrapping, str]:
    for magic, sentence in _FOREIGN:
        if start.startswith(magic):
            raise DataError(f"{path.name} is {sentence}.")
    if start[4:8] == b"ftyp" or start.startswith(b"RIFF"):
        raise DataError(f"{path.name} is a sound, picture or video file: a table with one row per example is needed.")
    if start.startswith(b"PAR1"):
        return "parquet", "", ""
    if start.startswith(b"\x1f\x8b"):
        return "text", "gzip", ""
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _tell_zip(path)
    words = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for opening, sentence in _FOREIGN_TEXT:
        if words.startswith(opening):
            raise DataError(f"{path.name} is {sentence}.")
    return "text", "", ""


def _tell_zip(path: Path) -> tuple[FileKind, Wrapping, str]:
    with _readable(path), zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    names = [entry.filename for entry in entries if not entry.is_dir() and not entry.filename.startswith("__MACOSX/")]
    if "[Content_Types].xml" in names:
        if any(name.startswith("xl/") for name in names):
            return "excel", "", ""
        raise DataError(f"{path.name} is an Office document without a sheet: save the table as .xlsx or CSV.")
    if "mimetype" in names:
        raise DataError(f"{path.name} is an OpenDocument file: save the sheet as .xlsx or CSV.")
    if not names:
        raise DataError(f"{path.name} is a zip archive with nothing in it.")
    if all(name.endswith(".npy") for name in names):
        return "npz", "", ""
    return "text", "zip", _only_member(path, names)


def _only_member(path: Path, names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    tables = [name for name in names if name.lower().endswith(_DATA_SUFFIXES)]
    if len(tables) == 1:
        return tables[0]
    if sum(name.lower().endswith(_PICTURES) for name in names) > len(names) / 2:
        raise DataError(
            f"{path.name} holds {len(names)} files, most of them pictures. Pictures are read from one .npz file with "
            "the arrays x (rows, height, width, channels) and y: make it with numpy.savez."
        )
    raise DataError(f"{path.name} holds {len(names)} files: unpack it and choose the one with the data.")


def fingerprint(file: DataFile, report: Report) -> str:
    """SHA-256 of the file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    done = 0
    with _readable(file.path), file.path.open("rb") as handle:
        while block := handle.read(_HASH_BLOCK):
            digest.update(block)
            done += len(block)
            report(min(1.0, done / file.size), "Taking the fingerprint")
    return digest.hexdigest()
