"""Edits of the data section that repairs offer."""

from __future__ import annotations

from collections.abc import Iterable

from tunerstudio.study.data import Column, ColumnKind, ColumnRole, Data, Task, Window


def with_roles(data: Data, names: Iterable[str], role: ColumnRole) -> Data:
    """The columns `names` get `role`."""
    chosen = set(names)
    return _with_columns(
        data, [column.model_copy(update={"role": role}) if column.name in chosen else column for column in data.columns]
    )


def with_kind(data: Data, name: str, kind: ColumnKind) -> Data:
    """The column `name` gets `kind`."""
    return _with_columns(
        data, [column.model_copy(update={"kind": kind}) if column.name == name else column for column in data.columns]
    )


def as_text(data: Data, name: str) -> Data:
    """The column `name` is learned from, word by word."""
    return with_kind(with_roles(data, [name], "feature"), name, "text")


def in_order(data: Data) -> Data:
    """Rows divided in their order."""
    return data.model_copy(update={"split": data.split.model_copy(update={"method": "ordered"})})


def as_series(data: Data) -> Data:
    """Each row predicted from the rows before it, as many as are usual."""
    return in_order(data.model_copy(update={"window": Window()}))


def with_target(data: Data, name: str) -> Data:
    """Predict `name` instead; the task is proposed anew."""
    columns = [
        column.model_copy(update={"role": "target"})
        if column.name == name
        else column.model_copy(update={"role": "feature"})
        if column.role == "target"
        else column
        for column in data.columns
    ]
    return _with_columns(data, columns).model_copy(update={"task": None})


def with_task(data: Data, task: Task) -> Data:
    """Another task."""
    return data.model_copy(update={"task": task})


def with_marker(data: Data, marker: str) -> Data:
    """`marker` means missing, too."""
    markers = (*(data.format.missing or ()), marker)
    return data.model_copy(update={"format": data.format.model_copy(update={"missing": markers})})


def _with_columns(data: Data, columns: Iterable[Column]) -> Data:
    return data.model_copy(update={"columns": tuple(columns)})
