"""NPZ files: x and y, or training and test parts of them, or columns of their own."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tunerstudio.data.sources import DataFile
from tunerstudio.data.tables import MemoryTable, NamedArray, unique_names
from tunerstudio.study.data import FileFormat
from tunerstudio.study.errors import DataError
from tunerstudio.study.preprocessing import TEST, TRAIN, VALIDATION

_X = ("x", "data", "features", "images", "inputs", "input", "samples")
_Y = ("y", "target", "targets", "labels", "label", "outputs", "output")
_PARTS = {
    "train": TRAIN,
    "training": TRAIN,
    "val": VALIDATION,
    "valid": VALIDATION,
    "validation": VALIDATION,
    "dev": VALIDATION,
    "test": TEST,
    "testing": TEST,
}
_MAX_COLUMNS = 20_000


def npz_table(file: DataFile, wanted: FileFormat) -> MemoryTable:
    """The arrays of an NPZ file.

    x with two dimensions becomes columns `x1`, `x2`, ...; with more it stays an array. y becomes one column, or
    several if it holds several numbers per row; one-hot rows become class numbers.

    Raises:
        DataError: If the file is damaged, holds Python objects, or its arrays do not fit together.
    """
    title = file.path.name
    arrays = _loaded(file)
    found = _in_parts(arrays, title) or _whole(arrays, title)
    x, y, extra = found.x, found.y, found.extra
    notes: list[str] = []
    columns: dict[str, np.ndarray] = {}
    array = None
    if x is not None and x.ndim > 2:
        array = NamedArray("x", x)
    elif x is not None:
        columns |= _columns("x", x.reshape(len(x), -1), title)
    columns |= extra
    targets = _targets(y, title, notes) if y is not None else {}
    columns |= targets
    names = unique_names(list(columns))
    shapes = ", ".join(f"{name} {' x '.join(map(str, value.shape))}" for name, value in arrays.items())
    return MemoryTable(
        title=title,
        names=names,
        format=FileFormat(missing=wanted.missing),
        batch=pa.RecordBatch.from_arrays([_cells(values) for values in columns.values()], names=list(names)),
        facts=("NPZ", shapes),
        array=array,
        given_parts=found.parts,
        notes=tuple(notes),
        targets=tuple(targets),
    )


@dataclass(frozen=True)
class _Found:
    """What the arrays of a file mean; all have the same number of rows."""

    x: np.ndarray | None
    y: np.ndarray | None
    extra: dict[str, np.ndarray]
    parts: np.ndarray | None = None


def _loaded(file: DataFile) -> dict[str, np.ndarray]:
    title = file.path.name
    try:
        with np.load(file.path, allow_pickle=False) as content:
            found = {name: content[name] for name in content.files}
    except ValueError as error:
        if "pickle" not in str(error) and "Object arrays" not in str(error):
            raise DataError(f"{title} is a damaged NPZ file ({error}): save it again.") from error
        raise DataError(
            f"{title} holds Python objects, which could run code when they are read: "
            "save plain numbers or text, such as x.astype('float32')."
        ) from error
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
        raise DataError(f"{title} is a damaged NPZ file ({error}): save it again.") from error
    if any(isinstance(values, bytes) for values in found.values()):
        raise DataError(f"{title} is a damaged NPZ file (a part of it is no array): save it again.")
    arrays = {name: np.asarray(values) for name, values in found.items()}
    if not arrays:
        raise DataError(f"{title} holds no arrays: save x and y with numpy.savez.")
    for name, values in arrays.items():
        if values.dtype.kind not in "biufUS":
            raise DataError(f'The array "{name}" in {title} holds {values.dtype}: save plain numbers or text.')
    return {name: _as_text(values) if values.dtype.kind == "S" else values for name, values in arrays.items()}


def _as_text(values: np.ndarray) -> np.ndarray:
    text: np.ndarray = np.char.decode(values, "utf-8", "replace")
    return text


def _in_parts(arrays: Mapping[str, np.ndarray], title: str) -> _Found | None:
    """x_train, y_train, x_test, ... put one below the other; None if the file is not made so."""
    xs: dict[int, np.ndarray] = {}
    ys: dict[int, np.ndarray] = {}
    for name, values in arrays.items():
        what, _, part = name.lower().partition("_")
        if part not in _PARTS:
            continue
        if what in _X:
            xs[_PARTS[part]] = values
        elif what in _Y:
            ys[_PARTS[part]] = values
    if TRAIN not in xs:
        return None
    if set(xs) != set(ys):
        raise DataError(f"{title} needs an x and a y for each part; it holds {', '.join(arrays)}.")
    order = sorted(xs)
    for number in order:
        if xs[number].ndim == 0 or ys[number].ndim == 0 or len(xs[number]) != len(ys[number]):
            raise DataError(f"An x and its y in {title} have different numbers of rows: {_shapes(arrays)}.")
    try:
        x, y = np.concatenate([xs[part] for part in order]), np.concatenate([ys[part] for part in order])
    except ValueError as error:
        raise DataError(f"The parts in {title} have different shapes: {_shapes(arrays)}.") from error
    parts = np.concatenate([np.full(len(xs[part]), part, dtype=np.int8) for part in order])
    return _Found(x, y, {}, parts if len(order) > 1 else None)


def _whole(arrays: Mapping[str, np.ndarray], title: str) -> _Found:
    """X and y by name; else every array is a column or a group of columns."""
    x = _named(arrays, _X)
    y = _named(arrays, _Y)
    if x is None and y is None and len(arrays) == 1:
        x = next(iter(arrays))
    lengths = {len(values) if values.ndim else 0 for values in arrays.values()}
    used = [arrays[name] for name in (x, y) if name is not None]
    rows = len(used[0]) if used and used[0].ndim else next(iter(lengths))
    if any(values.ndim == 0 or len(values) != rows for values in used) or rows == 0 or (not used and len(lengths) > 1):
        raise DataError(
            f"The arrays in {title} do not have the same number of rows: {_shapes(arrays)}. "
            "Save x (rows, ...) and y (rows,) with numpy.savez."
        )
    extra: dict[str, np.ndarray] = {}
    for name, values in arrays.items():
        if name not in (x, y) and values.ndim in (1, 2) and len(values) == rows:
            extra |= _columns(name, values.reshape(rows, -1), title)
    return _Found(arrays[x] if x else None, arrays[y] if y else None, extra)


def _named(arrays: Mapping[str, np.ndarray], names: tuple[str, ...]) -> str | None:
    by_name = {name.lower(): name for name in arrays}
    return next((by_name[name] for name in names if name in by_name), None)


def _shapes(arrays: Mapping[str, np.ndarray]) -> str:
    return ", ".join(f"{name} {values.shape}" for name, values in arrays.items())


def _columns(name: str, values: np.ndarray, title: str) -> dict[str, np.ndarray]:
    """One column under the array's own name, or numbered ones."""
    width = values.shape[1]
    if width > _MAX_COLUMNS:
        raise DataError(
            f'The array "{name}" in {title} has {width} columns; at most {_MAX_COLUMNS} can be used. '
            "Give it the shape (rows, height, width, channels), or (rows, steps, values)."
        )
    if width == 1:
        return {name: values[:, 0]}
    return {f"{name}{index + 1}": values[:, index] for index in range(width)}


def _targets(y: np.ndarray, title: str, notes: list[str]) -> dict[str, np.ndarray]:
    flat = y.reshape(len(y), -1)
    if flat.shape[1] > 1 and _one_hot(flat):
        notes.append("y holds one column per class: taken as class numbers from 0.")
        return {"y": flat.argmax(axis=1)}
    return _columns("y", flat, title)


def _one_hot(values: np.ndarray) -> bool:
    if values.dtype.kind not in "biuf":
        return False
    return bool(np.all((values == 0) | (values == 1)) and np.all(values.sum(axis=1) == 1))


def _cells(values: np.ndarray) -> object:
    """A column for Arrow; text as text."""
    if values.dtype.kind == "U":
        return pa.array(values.tolist(), pa.string())
    plain = values.astype(np.float64) if values.dtype.kind == "f" else values
    return pa.array(np.ascontiguousarray(plain))
