"""Reading the needed columns, dividing the rows, fitting on the training part, writing the arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.lib.format import open_memmap

from tunerstudio.data.collect import Collected, Needed, collect
from tunerstudio.data.fitting import class_numbers, fit_array, fit_numbers, fit_vocabulary
from tunerstudio.data.reconstruction import write_reconstruction
from tunerstudio.data.sentences import quoted
from tunerstudio.data.sources import Report
from tunerstudio.data.split import assign_parts
from tunerstudio.data.survey import Survey
from tunerstudio.data.texts import text_inputs
from tunerstudio.data.windows import Windows, make_windows
from tunerstudio.study.data import ColumnKind, Data
from tunerstudio.study.errors import DataError
from tunerstudio.study.preprocessing import (
    TEST,
    TRAIN,
    VALIDATION,
    ArrayInput,
    CategoricalInput,
    ImageInput,
    InputPlan,
    NumericInput,
    PreparedData,
    TargetPlan,
)

_KINDS: tuple[ColumnKind, ...] = ("numeric", "categorical", "text")

SINGLE_INPUTS = 64
"""Feature columns up to which each numeric one is an input of its own."""

_COPY_ROWS = 65_536


def make_plan(survey: Survey, fingerprint: str, to: Path, report: Report) -> PreparedData:
    """Write all arrays into the folder `to` and describe them.

    Raises:
        DataError: If nothing can be learned from the rows.
    """
    data, table = survey.data, survey.table
    needed = _needed(survey)
    rows = collect(table, data, needed, report)
    if rows.rows == 0:
        raise DataError("No row has all that is needed: every row lacks a value to predict or its weight.")
    report(None, "Preparing")
    source_rows = np.concatenate(rows.source_rows)
    notes = list(_row_notes(rows, needed, survey))
    windows = None if data.window is None else make_windows(np.concatenate(rows.usable), data.window, data.split)
    targets, names = _target_values(rows, needed, windows)
    given = None if table.given_parts is None else table.given_parts[source_rows]
    parts = assign_parts(len(targets), data.split, targets if names else None, given) if not windows else windows.parts
    training = np.flatnonzero(parts == TRAIN)
    seen = training if windows is None else np.arange(windows.ends[training].max() + 1)
    inputs: list[InputPlan] = []
    numeric = _written_numbers(rows, needed, to)
    if needed.numeric:
        inputs += _numeric_inputs(numeric, needed, data, seen, notes)
    if needed.categorical:
        inputs += _categorical_inputs(rows, needed, seen, to, notes)
    if needed.texts:
        inputs += text_inputs(rows.texts, data.text, data.look == "text", training, to, notes)
    if not inputs and table.array is None:
        raise DataError("No column to learn from has values in the training part: choose other columns.")
    if table.array is not None and table.array.name in survey.features:
        inputs.insert(0, _array_input(table.array.name, table.array.values[source_rows], data, training, to))
    if data.reconstruct:
        target = write_reconstruction(numeric, inputs, to / "target.npy")
    else:
        target = _target_plan(targets, names, needed, data, training)
        _write_targets(to / "target.npy", targets, target)
    np.save(to / "parts.npy", parts)
    if windows is not None:
        np.save(to / "ends.npy", windows.ends)
        source_rows = source_rows[windows.targets]
    np.save(to / "source_rows.npy", source_rows.astype(np.int64))
    if rows.weights:
        weights = np.concatenate(rows.weights)
        _write_weights(to / "weights.npy", weights if windows is None else weights[windows.targets], needed.weight)
    return PreparedData(
        inputs=tuple(inputs),
        target=target,
        rows=len(source_rows),
        past=0 if data.window is None else data.window.past,
        parts=(len(training), int(np.sum(parts == VALIDATION)), int(np.sum(parts == TEST))),
        fingerprint=fingerprint,
        source=table.title,
        notes=tuple(notes),
    )


def _needed(survey: Survey) -> Needed:
    array = survey.table.array.name if survey.table.array is not None else None
    features = [column for column in survey.data.columns if column.role == "feature" and column.name != array]
    names = {kind: [column.name for column in features if column.kind == kind] for kind in _KINDS}
    classes, window = survey.data.task != "regression", survey.data.window
    if window is not None and window.knows_target:
        names["categorical" if classes else "numeric"] += survey.targets
    return Needed(
        numeric=tuple(names["numeric"]),
        categorical=tuple(names["categorical"]),
        texts=tuple(names["text"]),
        targets=tuple(survey.targets),
        classes=classes,
        every_row=window is not None,
        weight=next(iter(survey.data.named_with_role("sample_weight")), ""),
    )


def _row_notes(rows: Collected, needed: Needed, survey: Survey) -> list[str]:
    notes = list(survey.table.notes)
    if survey.added:
        notes.append(f"Columns that the study does not list got the roles that were proposed: {quoted(survey.added)}.")
    left_out = survey.table.left_out
    if left_out.rows:
        notes.append(f"{left_out.rows} rows with another number of cells were left out ({left_out.first}).")
    if rows.dropped:
        what = f'"{needed.targets[0]}"' if len(needed.targets) == 1 else "every target"
        what += f' or "{needed.weight}"' if needed.weight else ""
        end = "are not predicted" if needed.every_row else "were dropped"
        notes.append(f"{rows.dropped} of {rows.read} rows without {what} {end}.")
    for name, count in rows.odd.items():
        notes.append(f'{count} cells of "{name}" are no finite numbers and count as missing.')
    return notes


def _target_values(rows: Collected, needed: Needed, windows: Windows | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """Class numbers and names, or numbers of shape (rows, targets) and no names; of windows what they predict."""
    if not needed.classes:
        values = np.concatenate(rows.target)
        return values if windows is None else values[windows.targets], ()
    cells = pa.concat_arrays(rows.target)
    numbers, names = class_numbers(cells if windows is None else cells.take(pa.array(windows.targets)))
    if len(names) < 2:
        raise DataError(f'"{needed.targets[0]}" has one class only ({names[0]}): there is nothing to tell apart.')
    return numbers, names


def _target_plan(
    targets: np.ndarray, names: tuple[str, ...], needed: Needed, data: Data, training: np.ndarray
) -> TargetPlan:
    task = data.task or "regression"
    if names:
        if task == "binary" and len(names) != 2:
            raise DataError(f'"{needed.targets[0]}" has {len(names)} classes, but the task is to tell two apart.')
        return TargetPlan(columns=needed.targets, task=task, classes=names)
    values = targets[training]
    scale = values.std(axis=0)
    for name, spread in zip(needed.targets, scale, strict=True):
        if not spread > 0:
            raise DataError(f'"{name}" has the same value in all training rows: there is nothing to learn.')
    offset = tuple(float(value) for value in values.mean(axis=0))
    return TargetPlan(columns=needed.targets, task=task, offset=offset, scale=tuple(float(value) for value in scale))


def _write_targets(path: Path, targets: np.ndarray, plan: TargetPlan) -> None:
    if plan.classes:
        np.save(path, targets.astype(np.int64))
    else:
        np.save(path, ((targets - np.asarray(plan.offset)) / np.asarray(plan.scale)).astype(np.float32))


def _written_numbers(rows: Collected, needed: Needed, to: Path) -> np.ndarray:
    """`numeric.npy`, filled block by block; each block is freed as it is written."""
    shape = (rows.rows, len(needed.numeric))
    numeric: np.ndarray = open_memmap(to / "numeric.npy", mode="w+", dtype=np.float32, shape=shape)
    start = 0
    while rows.numeric:
        block = rows.numeric.pop(0)
        numeric[start : start + len(block)] = block
        start += len(block)
    return numeric


def _numeric_inputs(
    numeric: np.ndarray, needed: Needed, data: Data, training: np.ndarray, notes: list[str]
) -> list[InputPlan]:
    if data.image is not None:
        missing = int(np.isnan(numeric).sum())
        if missing:
            notes.append(f"{missing} missing pixels are black.")
        return [ImageInput(name=_free_name("pixels", needed), columns=needed.numeric, shape=data.image)]
    fitted = fit_numbers(numeric, training, data.missing, data.scaling)
    for index, name in enumerate(needed.numeric):
        if fitted.untold[index]:
            notes.append(f'"{name}" has no value in the training part: it is filled with 0.')
        elif fitted.missing[index]:
            fill = f"{float(fitted.fill[index]):.4g}"
            how = "0" if data.missing == "zero" else f"the {data.missing} {fill}"
            notes.append(f'{int(fitted.missing[index])} missing values of "{name}" are filled with {how}.')
    rows = list(zip(needed.numeric, fitted.fill.tolist(), fitted.offset.tolist(), fitted.scale.tolist(), strict=True))
    if len(needed.numeric) + len(needed.categorical) <= SINGLE_INPUTS:
        return [NumericInput(name=n, columns=(n,), fill=(f,), offset=(o,), scale=(s,)) for n, f, o, s in rows]
    names, fills, offsets, scales = zip(*rows, strict=True)
    return [NumericInput(name=_free_name("features", needed), columns=names, fill=fills, offset=offsets, scale=scales)]


def _free_name(name: str, needed: Needed) -> str:
    """`name`, or `name_2` where a column of names or text is called so already."""
    number, free = 2, name
    while free in (*needed.categorical, *needed.texts):
        free, number = f"{name}_{number}", number + 1
    return free


def _categorical_inputs(
    rows: Collected, needed: Needed, training: np.ndarray, to: Path, notes: list[str]
) -> list[InputPlan]:
    inputs: list[InputPlan] = []
    columns = []
    for name in needed.categorical:
        encoded = pa.chunked_array(rows.categorical.pop(name)).unify_dictionaries().combine_chunks()
        encoded = encoded.chunk(0) if isinstance(encoded, pa.ChunkedArray) else encoded
        words = encoded.dictionary.to_pylist()
        codes = encoded.indices.to_numpy(zero_copy_only=False)
        vocabulary = fit_vocabulary(codes, words, training)
        if not vocabulary:
            notes.append(f'"{name}" has no value in the training part and is left out.')
            continue
        known = {*vocabulary, ""}
        rare = sum(word not in known for word in words)
        if rare:
            notes.append(f'{rare} rare or late values of "{name}" count as unknown.')
        inputs.append(CategoricalInput(name=name, columns=(name,), vocabulary=vocabulary))
        # One more letter than any known word has: a cut word can never be taken for a known one.
        longest = max(map(len, vocabulary)) + 1
        columns.append((codes, np.array(words, dtype=f"<U{longest}")))
    if inputs:
        width = max(words.dtype.itemsize for _, words in columns) // 4
        text = np.empty((rows.rows, len(columns)), dtype=f"<U{width}")
        for index, (codes, words) in enumerate(columns):
            text[:, index] = words[codes]
        np.save(to / "categorical.npy", text)
    return inputs


def _array_input(name: str, values: np.ndarray, data: Data, training: np.ndarray, to: Path) -> ArrayInput:
    array: np.ndarray = open_memmap(to / "array.npy", mode="w+", dtype=np.float32, shape=values.shape)
    for start in range(0, len(values), _COPY_ROWS):
        array[start : start + _COPY_ROWS] = values[start : start + _COPY_ROWS]
    array[np.isinf(array)] = np.nan
    offset, scale = fit_array(array, training, data.scaling)
    return ArrayInput(name=name, shape=tuple(int(n) for n in values.shape[1:]), offset=offset, scale=scale)


def _write_weights(path: Path, weights: np.ndarray, name: str) -> None:
    if weights.min() < 0 or weights.max() <= 0:
        raise DataError(f'"{name}" weighs the rows, so it must hold positive numbers.')
    np.save(path, weights.astype(np.float32))
