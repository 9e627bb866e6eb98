"""Folders on their way between machines: read, described, written whole or not at all, watched for changes."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import psutil

CHUNK_BYTES = 64 * 2**20
"""Large files travel in pieces of this size."""


@dataclass(frozen=True)
class Changes:
    """What happened in a folder.

    Attributes:
        files: Content of new and changed files by their path inside the folder.
        removed: Paths of files that are gone.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inventory:
    """What a folder holds.

    Attributes:
        key: SHA-256 of all names and contents.
        names: Paths inside the folder, in order.
    """

    key: str
    names: tuple[str, ...]


def file_names(folder: Path) -> list[str]:
    """Paths of all files in `folder`, in order; hidden ones, which are being written, left out."""
    found = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return sorted(name for name in found if not any(part.startswith(".") for part in name.split("/")))


def take_inventory(folder: Path) -> Inventory:
    """Read all of `folder` once."""
    digest = hashlib.sha256()
    names = file_names(folder)
    for name in names:
        digest.update(f"{name}\n{(folder / name).stat().st_size}\n".encode())
        for piece in pieces(folder / name):
            digest.update(piece)
    return Inventory(digest.hexdigest(), tuple(names))


def pieces(path: Path) -> Iterator[bytes]:
    """The content of a file, at most `CHUNK_BYTES` at a time."""
    with path.open("rb") as handle:
        while piece := handle.read(CHUNK_BYTES):
            yield piece


def read_files(folder: Path, suffix: str = "") -> dict[str, bytes]:
    """Content of the files in `folder` whose names end with `suffix`; empty if there is no such folder."""
    return {name: (folder / name).read_bytes() for name in file_names(folder) if name.endswith(suffix)}


def write_files(folder: Path, files: Mapping[str, bytes | Iterable[bytes]], removed: Iterable[str] = ()) -> None:
    """Write `files` (content, or its pieces) into `folder`, each whole or not at all, and remove others.

    Raises:
        ValueError: If a name leads out of the folder.
        OSError: If something cannot be written.
    """
    for name, content in files.items():
        path = _inside(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with temporary.open("wb") as handle:
                for piece in [content] if isinstance(content, bytes) else content:
                    handle.write(piece)
                handle.flush()
                os.fsync(handle.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    for name in removed:
        _inside(folder, name).unlink(missing_ok=True)


def _inside(folder: Path, name: str) -> Path:
    """The path of `name`, which another machine chose."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in name:
        raise ValueError(f"{name!r} is no file name inside a folder")
    return folder.joinpath(*path.parts)


def own_folder(prefix: str) -> Path:
    """A new temporary folder whose name tells this process, after those of processes that are gone were removed."""
    for path in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        process = path.name.removeprefix(prefix).split("-")[0]
        if process.isdigit() and not psutil.pid_exists(int(process)):
            shutil.rmtree(path, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-"))


class Watch:
    """Tells what has changed in a folder since it was last asked."""

    def __init__(self, folder: Path) -> None:
        """What is in `folder` now counts as known."""
        self._folder = folder
        self._known = self._look()

    def changes(self) -> Changes:
        """New, changed and removed files since the last call."""
        now = self._look()
        files: dict[str, bytes] = {}
        for name, stamp in now.items():
            if self._known.get(name) != stamp:
                try:
                    files[name] = (self._folder / name).read_bytes()
                except FileNotFoundError:
                    continue  # removed in this moment: the next call tells
        removed = tuple(sorted(set(self._known) - set(now)))
        self._known = now
        return Changes(files, removed)

    def _look(self) -> dict[str, tuple[int, int, int]]:
        found = {}
        for name in file_names(self._folder):
            try:
                stat = (self._folder / name).stat()
            except FileNotFoundError:
                continue
            found[name] = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
        return found
