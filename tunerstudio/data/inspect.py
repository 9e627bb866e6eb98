"""Looking at a data source: the completed data section, a profile of each column, and what is worth knowing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from tunerstudio.data.facts import ColumnFacts
from tunerstudio.data.findings import findings
from tunerstudio.data.fitting import class_numbers
from tunerstudio.data.obstacles import obstacles
from tunerstudio.data.open import source_fingerprint
from tunerstudio.data.sentences import warning
from tunerstudio.data.sources import Report
from tunerstudio.data.split import assign_parts
from tunerstudio.data.survey import Survey, survey
from tunerstudio.data.targets import too_many_classes
from tunerstudio.data.values import to_text
from tunerstudio.data.windows import window_count
from tunerstudio.protocol.preview import ColumnProfile, Preview
from tunerstudio.study.data import Column, Data
from tunerstudio.study.errors import DataError
from tunerstudio.study.preprocessing import TEST, TRAIN, VALIDATION

_BINS = 20
_SAMPLE_CELLS = 20_000
_SAMPLE_ROWS = 50
_CELL_LENGTH = 200

_ANEW = warning("columns_anew", "The columns are called otherwise than in the study: all were looked at anew.")


def inspect(data: Data, folder: Path, progress: Report | None = None) -> Preview:
    """All that is known about the source of `data`.

    Args:
        data: The data section as it stands; what it decides is kept, what it leaves open is proposed.
        folder: The study folder, where relative paths start.
        progress: Told (fraction or None, text) during long reads.

    Raises:
        DataError: If the source cannot be read as a table. A table that cannot be learned from is no error here: its
            obstacles are findings of severity error.
    """
    report = progress if progress is not None else _silent
    seen = survey(data, folder, report)
    anew = len(seen.gone) == len(data.columns) > 1
    if anew:
        seen = survey(data.model_copy(update={"columns": (), "task": None, "image": None}), folder, report)
    wrong = obstacles(seen)
    return Preview(
        data=seen.data,
        title=seen.table.title,
        summary=_summary(seen),
        rows=seen.sample.rows,
        columns=tuple(_profile(seen, column) for column in seen.data.columns),
        sample=_rows(seen),
        classes=_classes(seen),
        parts=(0, 0, 0) if wrong else _parts(seen),
        findings=(*wrong, *([_ANEW] if anew else []), *findings(seen)),
        fingerprint=source_fingerprint(data, folder, report),
    )


def _silent(fraction: float | None, text: str) -> None:
    """Nobody wants to know."""


def _summary(seen: Survey) -> str:
    columns = len(seen.data.columns)
    size = f"{seen.sample.rows} row{'s' if seen.sample.rows != 1 else ''} x {columns} columns"
    facts = list(seen.table.facts)
    if seen.data.format.missing:
        facts.append(f"missing {' '.join(seen.data.format.missing)}")
    return f"{size}; {', '.join(facts)}" if facts else size


def _profile(seen: Survey, column: Column) -> ColumnProfile:
    if column.name not in seen.facts:
        return _array_profile(seen, column)
    facts = seen.facts[column.name]
    values = facts.values
    scale = seen.sample.rows / facts.rows
    profile = ColumnProfile(
        name=column.name,
        kind=seen.detected[column.name].kind,
        role=column.role,
        distinct=facts.distinct,
        missing=round(facts.missing * scale),
        top=_top(facts, scale),
    )
    if not len(values):
        return profile
    return profile.model_copy(update=_numbers(values, facts.distinct))


def _numbers(values: np.ndarray, distinct: int) -> dict[str, object]:
    lowest, highest = float(values.min()), float(values.max())
    counts, _ = np.histogram(values / 2, bins=min(_BINS, max(1, distinct)))  # halved: the range may not overflow
    return {
        "minimum": lowest,
        "maximum": highest,
        "mean": float(np.mean(values / len(values)) * len(values)) if np.isfinite(values.sum()) else None,
        "histogram": tuple(int(count) for count in counts),
    }


def _top(facts: ColumnFacts, scale: float) -> tuple[tuple[str, int], ...]:
    """Frequent values of text, and of numbers that have few."""
    if facts.kind == "numeric" and facts.distinct > _BINS:
        return ()
    return tuple((value[:_CELL_LENGTH], round(count * scale)) for value, count in facts.counts[:_BINS])


def _array_profile(seen: Survey, column: Column) -> ColumnProfile:
    array = seen.table.array
    if array is None:
        raise DataError(f"{seen.table.title} has no column {column.name!r}.")
    rows = np.linspace(0, len(array.values) - 1, num=min(len(array.values), 200)).astype(np.int64)
    values = array.values[rows].astype(np.float64).ravel()
    told = values[np.isfinite(values)]
    distinct = len(np.unique(told))
    profile = ColumnProfile(
        name=column.name, kind="numeric", role=column.role, distinct=distinct, missing=len(values) - len(told)
    )
    return profile.model_copy(update=_numbers(told, distinct)) if len(told) else profile


def _rows(seen: Survey) -> tuple[tuple[str, ...], ...]:
    """The first rows as text; an array as its shape."""
    names = [column.name for column in seen.data.columns]
    count = min(seen.sample.batch.num_rows, _SAMPLE_ROWS, max(5, _SAMPLE_CELLS // max(1, len(names))))
    columns = []
    for name in names:
        if seen.table.array is not None and name == seen.table.array.name:
            shape = " x ".join(str(size) for size in seen.table.array.values.shape[1:])
            columns.append([shape] * count)
        else:
            cells = to_text(seen.sample.column(name).slice(0, count), ())
            columns.append([cell[:_CELL_LENGTH] for cell in cells.to_pylist()])
    return tuple(zip(*columns, strict=True))


def _target(seen: Survey) -> ColumnFacts | None:
    """The one target that is classes."""
    targets = seen.targets
    if len(targets) != 1 or targets[0] not in seen.facts or seen.data.task == "regression":
        return None
    facts = seen.facts[targets[0]]
    return None if too_many_classes(facts) else facts


def _classes(seen: Survey) -> tuple[tuple[str, int], ...]:
    """The classes of the target in order of their numbers, with their rows."""
    facts = _target(seen)
    if facts is None:
        return ()
    scale = seen.sample.rows / facts.rows
    counted = {name: round(count * scale) for name, count in facts.counts}
    _, names = class_numbers(pa.array(list(counted), pa.string()))
    return tuple((name, counted[name]) for name in names if name in counted)


def _parts(seen: Survey) -> tuple[int, int, int]:
    usable = np.flatnonzero(seen.usable())
    facts = _target(seen)
    given = seen.table.given_parts
    given = None if given is None else given[seen.sample.source_rows[usable]]
    classes = None if facts is None else np.unique(facts.codes[usable], return_inverse=True)[1]
    if seen.data.window is not None:
        split = seen.data.split.model_copy(update={"method": "ordered"})
        parts = assign_parts(window_count(seen.sample.rows, seen.data.window), split, None)
        return int(np.sum(parts == TRAIN)), int(np.sum(parts == VALIDATION)), int(np.sum(parts == TEST))
    if seen.sample.whole:
        parts = assign_parts(len(usable), seen.data.split, classes, given)
        return int(np.sum(parts == TRAIN)), int(np.sum(parts == VALIDATION)), int(np.sum(parts == TEST))
    rows = round(len(usable) * seen.sample.rows / seen.sample.batch.num_rows)
    parts = assign_parts(rows, seen.data.split.model_copy(update={"stratified": False}), None)
    return int(np.sum(parts == TRAIN)), int(np.sum(parts == VALIDATION)), int(np.sum(parts == TEST))
