"""Checkpoints on disk: arrays and a JSON header in one `.npz`, without pickle; written whole or not at all."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_HEADER = "header"
_COUNTS = "counts"
_TYPES = "types"

Groups = Mapping[str, Sequence[np.ndarray]]
"""Arrays in order, by the name of their group."""


class UnreadableCheckpointError(Exception):
    """A file that is no checkpoint, or a damaged one; the text says what is wrong."""


def checkpoint_path(folder: Path, execution: int) -> Path:
    """The file from which an execution of the trial in `folder` can go on."""
    return folder / f"execution_{execution}.checkpoint"


def write_checkpoint(path: Path, header: Mapping[str, Any], groups: Groups) -> None:
    """Replace `path`: temporary file, fsync, rename, fsync of the folder.

    Args:
        path: Where to; its folder is made if it is missing.
        header: JSON values; NaN and infinity are kept.
        groups: Arrays of numbers, also of types that NumPy does not know by itself, such as bfloat16.

    Raises:
        OSError: If it cannot be written; a full disk, for example. What was there before is still there then.
    """
    arrays = {f"{group}/{index}": array for group, members in groups.items() for index, array in enumerate(members)}
    described = {
        **header,
        _COUNTS: {group: len(members) for group, members in groups.items()},
        _TYPES: {name: array.dtype.name for name, array in arrays.items() if array.dtype.kind == "V"},
    }
    plain: dict[str, Any] = {name: _as_numbers(array) for name, array in arrays.items()}
    plain[_HEADER] = np.frombuffer(json.dumps(described).encode(), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.stem}.{os.getpid()}.checkpoint"
    try:
        with temporary.open("wb") as handle:
            np.savez(handle, allow_pickle=False, **plain)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def read_checkpoint(path: Path) -> tuple[dict[str, Any], dict[str, list[np.ndarray]]]:
    """The header and the groups of a file.

    Raises:
        UnreadableCheckpointError: If it is missing, damaged or something else.
    """
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as content:
            header = json.loads(content[_HEADER].tobytes())
            groups = {
                group: [_read(content, f"{group}/{index}", header[_TYPES]) for index in range(count)]
                for group, count in header[_COUNTS].items()
            }
    except (
        OSError,
        EOFError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise UnreadableCheckpointError(f"{type(error).__name__}: {error}") from error
    return header, groups


def remove_leftovers(folder: Path) -> None:
    """Remove what a worker that was killed while it wrote has left in a trial's folder.

    A trial is trained by one worker at a time: nobody else writes there now.
    """
    for pattern in (".*.checkpoint", ".*.weights.h5"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)


def _as_numbers(array: np.ndarray) -> np.ndarray:
    """The same bits as a type that can be stored without pickle."""
    if array.dtype.kind != "V":
        return array
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}")


def _read(content: Mapping[str, np.ndarray], name: str, types: Mapping[str, str]) -> np.ndarray:
    array = content[name]
    return array.view(_dtype(types[name])) if name in types else array


def _dtype(name: str) -> np.dtype[Any]:
    import ml_dtypes  # TensorFlow's own number types; it brings the package

    found: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
    return found


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut, where a folder can be opened for that."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
