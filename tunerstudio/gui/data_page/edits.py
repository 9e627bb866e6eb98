"""Edits of the data section as plain functions: a document in, a document out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunerstudio.study.data import BundledName, BundledSource, Column, ColumnKind, ColumnRole, Data, FileSource
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.model import BlocksModel
from tunerstudio.study.objectives import objective_problem, usual_objective
from tunerstudio.study.templates import new_document


def with_data(document: StudyDocument, **changes: Any) -> StudyDocument:
    """The document with fields of its data section replaced; checked as when loaded.

    Raises:
        ValidationError: Of pydantic, if the new values do not go together.
    """
    data = Data.model_validate({**_shallow(document.data), **changes})
    return document.model_copy(update={"data": data})


def with_split(document: StudyDocument, **changes: Any) -> StudyDocument:
    """The document with fields of its split replaced; raises as `with_data`."""
    return with_data(document, split={**_shallow(document.data.split), **changes})


def with_role(document: StudyDocument, name: str, role: ColumnRole) -> StudyDocument:
    """The document with another role for one column.

    There is one target: the column that was it becomes a feature. A study without a target keeps its task.
    """
    if role == "target":
        return with_target(document, name)
    was_target = name in document.data.named_with_role("target")
    columns = tuple(_with(column, role=role) if column.name == name else column for column in document.data.columns)
    return _with_columns(document, columns, target_changed=was_target)


def with_target(document: StudyDocument, name: str) -> StudyDocument:
    """The document predicting the column `name`; task, loss and metrics follow from it anew."""
    columns = tuple(_as_target(column, name) for column in document.data.columns)
    return _with_columns(document, columns, target_changed=columns != document.data.columns)


def with_reconstruction(document: StudyDocument) -> StudyDocument:
    """The document as an autoencoder: its features are predicted themselves."""
    changed = document.model_copy(update={"data": document.data.to_reconstruct()})
    return with_fitting_objective(_with_free_loss(changed))


def with_kind(document: StudyDocument, name: str, kind: ColumnKind) -> StudyDocument:
    """The document with another kind for one column."""
    columns = tuple(_with(column, kind=kind) if column.name == name else column for column in document.data.columns)
    is_target = name in document.data.named_with_role("target")
    return _with_columns(document, columns, target_changed=is_target and columns != document.data.columns)


def with_fitting_template(before: StudyDocument, after: StudyDocument) -> StudyDocument:
    """`after`, with the template of its look, if the data look otherwise than `before` and nobody changed the model."""
    data = before.data
    if data.look == after.data.look:
        return after
    first = new_document(before.name, data)
    if (first.model, first.training) != (before.model, before.training):
        return after
    fresh = new_document(after.name, after.data)
    return after.model_copy(update={"model": fresh.model, "training": fresh.training})


def with_fitting_objective(document: StudyDocument) -> StudyDocument:
    """The document with the usual objective of its task, if its present one cannot go with the task."""
    search = document.search
    if not objective_problem(search.objective, document.data.task, document.model):
        return document
    objective = usual_objective(document.data.task)
    return document.model_copy(update={"search": search.model_copy(update={"objective": objective})})


def with_file(document: StudyDocument, path: Path) -> StudyDocument:
    """The document reading another file; format, columns and task are detected anew."""
    return _with_source(document, FileSource(path=str(path)))


def with_bundled(document: StudyDocument, name: BundledName) -> StudyDocument:
    """The document reading a bundled data set; columns and task are detected anew."""
    return _with_source(document, BundledSource(name=name))


def with_roles(document: StudyDocument, roles: Mapping[str, ColumnRole]) -> StudyDocument:
    """The document with earlier roles given back by name; unchanged if the target's column no longer exists."""
    targets = {name for name, role in roles.items() if role == "target"}
    names = {column.name for column in document.data.columns}
    if not targets or not targets <= names:
        return document
    columns = tuple(_with(column, role=roles.get(column.name, column.role)) for column in document.data.columns)
    return _with_columns(document, columns, target_changed=columns != document.data.columns)


def _with_source(document: StudyDocument, source: FileSource | BundledSource) -> StudyDocument:
    data = Data(source=source, missing=document.data.missing, scaling=document.data.scaling, split=document.data.split)
    return _with_free_loss(document.model_copy(update={"data": data}))


def _with_columns(document: StudyDocument, columns: tuple[Column, ...], target_changed: bool) -> StudyDocument:
    update: dict[str, Any] = {"columns": columns}
    if target_changed:
        update["task"] = None
        update["reconstruct"] = False
    changed = document.model_copy(update={"data": document.data.model_copy(update=update)})
    return _with_free_loss(changed) if target_changed else changed


def _with_free_loss(document: StudyDocument) -> StudyDocument:
    """A loss that was named for another target would be wrong for this one."""
    model = document.model
    if not isinstance(model, BlocksModel) or (model.loss == "auto" and not model.metrics):
        return document
    return document.model_copy(update={"model": model.model_copy(update={"loss": "auto", "metrics": ()})})


def _as_target(column: Column, name: str) -> Column:
    if column.name == name:
        return _with(column, role="target")
    return _with(column, role="feature") if column.role == "target" else column


def _with(column: Column, **changes: Any) -> Column:
    return column.model_copy(update=changes)


def _shallow(model: Any) -> dict[str, Any]:
    return {name: getattr(model, name) for name in type(model).model_fields}
