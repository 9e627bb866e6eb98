"""A first look at a source under a document: all that was left open is proposed, all that was decided is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tunerstudio.data.facts import ColumnFacts, column_facts, found_markers
from tunerstudio.data.images import propose_image
from tunerstudio.data.open import open_table
from tunerstudio.data.sampling import Sample, take_sample
from tunerstudio.data.sources import Report
from tunerstudio.data.tables import Table
from tunerstudio.data.targets import numbers_are_names, propose_target, propose_task
from tunerstudio.study.data import Column, ColumnKind, Data, ImageShape, Task
from tunerstudio.study.errors import DataError


@dataclass(frozen=True)
class Survey:
    """What was seen, and the completed document.

    Attributes:
        table: The opened source.
        sample: Its rows, or evenly spaced ones.
        facts: By column name; the array of an NPZ file has none.
        detected: The kinds that the columns would have if nobody had decided.
        data: The completed data section.
        proposed_image: Whether `data.image` is a proposal of this survey.
        gone: Columns of the document that the source does not have.
        added: Columns of the source that the document, which lists others, does not have.
    """

    table: Table
    sample: Sample
    facts: dict[str, ColumnFacts]
    detected: dict[str, ColumnFacts]
    data: Data
    proposed_image: bool
    gone: tuple[Column, ...]
    added: tuple[str, ...]

    @property
    def targets(self) -> list[str]:
        """The target columns; none for an autoencoder."""
        return [] if self.data.reconstruct else self.data.named_with_role("target")

    @property
    def features(self) -> list[str]:
        """The feature columns, the array included."""
        return self.data.named_with_role("feature")

    def usable(self) -> np.ndarray:
        """Which rows of the sample have every target and a sample weight."""
        usable = np.ones(self.sample.batch.num_rows, dtype=bool)
        for name in self.targets:
            usable &= self.facts[name].codes >= 0
        for name in self.data.named_with_role("sample_weight"):
            usable &= self.facts[name].codes >= 0
        return usable


def survey(data: Data, folder: Path, report: Report, max_rows: int | None = None) -> Survey:
    """Look at the source of `data` and complete what the document leaves open.

    Args:
        data: The data section as it stands.
        folder: The study folder.
        report: Told how far reading is.
        max_rows: Rows to look at closely; the default holds for all but tests.

    Raises:
        DataError: If the source cannot be read, or has one column only.
    """
    table = open_table(data, folder)
    sample = take_sample(table, report) if max_rows is None else take_sample(table, report, max_rows)
    report(None, "Looking at the columns")
    if len(table.names) + (table.array is not None) < (2 if data.window is None else 1):
        raise DataError(
            f"{table.title} has only one column ({table.names[0]!r}): at least one column to learn from and one to "
            "predict are needed. If it has more, choose its delimiter."
        )
    markers = data.format.missing if data.format.missing is not None else found_markers(table, sample)
    form = table.format.model_copy(update={"missing": markers})
    decided = {column.name: column for column in data.columns}
    decimal = form.decimal or "."
    detected = {name: column_facts(name, sample.column(name), markers, decimal) for name in table.names}
    columns, image, proposed = _columns(data, table, detected)
    facts = dict(detected)
    for column in columns:
        if column.name in decided and column.role != "target" and column.name in detected:
            wanted: ColumnKind = "numeric" if column.kind == "numeric" else "categorical"
            if detected[column.name].kind != wanted:
                cells = sample.column(column.name)
                facts[column.name] = column_facts(column.name, cells, markers, decimal, wanted)
    for column in columns:
        if column.role == "target" and column.name in detected:
            facts[column.name] = _target_facts(sample.column(column.name), detected[column.name], markers)
    columns = tuple(_with_target_kind(column, facts, decided) for column in columns)
    task = "regression" if data.reconstruct else data.task or _task(columns, facts)
    known = set(table.names) | ({table.array.name} if table.array else set())
    return Survey(
        table=table,
        sample=sample,
        facts=facts,
        detected=detected,
        data=data.model_copy(update={"format": form, "columns": columns, "task": task, "image": image}),
        proposed_image=proposed,
        gone=tuple(column for column in data.columns if column.name not in known),
        added=tuple(column.name for column in columns if data.columns and column.name not in decided),
    )


def _target_facts(cells: object, found: ColumnFacts, markers: Sequence[str]) -> ColumnFacts:
    """A target of few numbers and some words (`0`, `1`, `other`) is text: no class may get lost."""
    if found.numbers is not None and len(found.numbers.odd) and found.distinct <= 20:
        return column_facts(found.name, cells, markers, ".", "categorical")
    return found


def _with_target_kind(column: Column, facts: dict[str, ColumnFacts], decided: dict[str, Column]) -> Column:
    """A target is what its values are; only "numbers are names" is for the user to say."""
    if column.role != "target" or column.name not in facts:
        return column
    wanted = decided.get(column.name)
    names = wanted is not None and wanted.kind == "categorical" and wanted.role == "target"
    return column.model_copy(update={"kind": "categorical" if names else facts[column.name].kind})


def _columns(
    data: Data, table: Table, detected: dict[str, ColumnFacts]
) -> tuple[tuple[Column, ...], ImageShape | None, bool]:
    """Every column with its role and kind; the image; whether the image is a proposal."""
    decided = {column.name: column for column in data.columns}
    free = [facts for name, facts in detected.items() if name not in decided]
    has_target = data.reconstruct or any(column.role == "target" for column in data.columns)
    targets = () if has_target else _propose_targets(table, free)
    image, proposed = data.image, False
    if image is None and not data.columns:
        image = propose_image([facts for facts in free if facts.name not in targets])
        proposed = image is not None
    columns = [_column(facts, decided, targets, image is not None) for facts in detected.values()]
    if not data.columns and not any(column.role == "feature" for column in columns) and table.array is None:
        columns = [_as_text(column, detected[column.name]) for column in columns]
    if table.array is not None:
        columns.insert(0, decided.get(table.array.name, Column(name=table.array.name)))
    return tuple(columns), image, proposed


def _column(facts: ColumnFacts, decided: dict[str, Column], targets: Sequence[str], pixels: bool) -> Column:
    if facts.name in decided:
        return decided[facts.name]
    if facts.name in targets:
        return Column(name=facts.name, role="target", kind=facts.kind)
    usable = facts.nature == "plain" or (pixels and facts.kind == "numeric")
    kind: ColumnKind = "text" if facts.nature == "free_text" else facts.kind
    return Column(name=facts.name, role="feature" if usable else "ignore", kind=kind)


def _as_text(column: Column, facts: ColumnFacts) -> Column:
    """Running text is learned from where there is nothing else."""
    if column.role == "ignore" and facts.nature == "free_text":
        return Column(name=column.name, role="feature", kind="text")
    return column


def _propose_targets(table: Table, free: Sequence[ColumnFacts]) -> tuple[str, ...]:
    """The target among columns without a role; of pictures without names, the column that holds the classes."""
    told = tuple(facts.name for facts in free if facts.name in table.targets)
    if told:
        return told
    if not table.format.header and len(free) > 64:
        for candidate in (free[-1], free[0]):
            others = [facts for facts in free if facts is not candidate]
            if numbers_are_names(candidate) and candidate.nature == "plain" and propose_image(others):
                return (candidate.name,)
    proposed = propose_target(free)
    return (proposed,) if proposed is not None else ()


def _task(columns: Sequence[Column], facts: dict[str, ColumnFacts]) -> Task | None:
    targets = [column for column in columns if column.role == "target" and column.name in facts]
    if not targets:
        return None
    if len(targets) > 1:
        return "regression"
    return propose_task(facts[targets[0].name], wanted_classes=targets[0].kind == "categorical")
