"""What must be put right before anything can be learned from the data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tunerstudio.data.edits import as_series, in_order, with_kind, with_roles, with_target, with_task
from tunerstudio.data.facts import ColumnFacts, Nature
from tunerstudio.data.sentences import LISTED, error, quoted
from tunerstudio.data.split import part_sizes
from tunerstudio.data.survey import Survey
from tunerstudio.data.targets import can_be_target, too_many_classes
from tunerstudio.data.windows import window_count
from tunerstudio.protocol.preview import Finding, Repair
from tunerstudio.study.data import Task
from tunerstudio.study.errors import DataError, suggest

_REASONS: dict[Nature, str] = {
    "plain": "usable",
    "id": "identifies rows",
    "date": "dates",
    "time": "times",
    "free_text": "free text",
    "constant": "always the same",
    "empty": "no values",
    "nested": "lists or bytes",
}


def obstacles(survey: Survey) -> list[Finding]:
    """Everything that stops `survey.data` from being prepared, as findings of severity error."""
    return [
        *_no_target(survey),
        *_target(survey),
        *_features(survey),
        *_weights(survey),
        *_reconstruction(survey),
        *_window(survey),
        *_rows(survey),
    ]


def _no_target(survey: Survey) -> Iterator[Finding]:
    for column in survey.gone:
        if column.role == "target":
            hint = suggest(column.name, survey.facts) or " Choose another column to predict."
            yield error("target_gone", f"{survey.table.title} has no column {column.name!r} to predict.{hint}")
            return
    if survey.targets or survey.data.reconstruct:
        return
    able = [facts for facts in survey.detected.values() if can_be_target(facts)]
    repairs = [
        Repair(label=f'Predict "{facts.name}"', data=with_target(survey.data, facts.name)) for facts in able[-3:]
    ]
    hint = "Choose the column to predict." if able else "No column varies enough to be predicted."
    yield error("no_target", f"Nothing says what is to be predicted. {hint}", None, *reversed(repairs))


def _target(survey: Survey) -> Iterator[Finding]:
    task = survey.data.task
    for name in survey.targets:
        if name not in survey.facts:
            yield error("target_array", f'"{name}" is an array and cannot be predicted: choose a column.', name)
            continue
        facts = survey.facts[name]
        if facts.distinct == 0:
            yield error("target_empty", f'"{name}" has no values: there is nothing to learn. Predict another.', name)
        elif facts.distinct == 1:
            value = facts.counts[0][0]
            yield error(
                "single_class",
                f'"{name}" has one value only ({value}): there is nothing to tell apart. Predict another column.',
                name,
            )
        elif task == "regression":
            yield from _regression(survey, facts)
        else:
            yield from _classes(survey, facts)
    if len(survey.targets) > 1 and task != "regression":
        listed = quoted(survey.targets)
        yield error("several_targets", f"Classes are predicted for one column only, not for {listed}: choose one.")


def _regression(survey: Survey, facts: ColumnFacts) -> Iterator[Finding]:
    if facts.kind == "categorical":
        task: Task = "binary" if facts.distinct == 2 else "multiclass"
        repair = Repair(label="Predict classes", data=with_task(survey.data, task))
        example = facts.counts[0][0]
        message = f'"{facts.name}" holds text such as {example!r}, which cannot be predicted as a number.'
        yield error("task_mismatch", message, facts.name, repair)


def _classes(survey: Survey, facts: ColumnFacts) -> Iterator[Finding]:
    if too_many_classes(facts):
        repairs = []
        if facts.kind == "numeric":
            repairs.append(Repair(label="Predict a number", data=with_task(survey.data, "regression")))
        told = facts.rows - facts.missing
        message = f'"{facts.name}" has {facts.distinct} different values in {told} rows: too many to be classes. ' + (
            "Predict it as a number." if repairs else "Predict another column."
        )
        yield error("too_many_classes", message, facts.name, *repairs)
    elif survey.data.task == "binary" and facts.distinct != 2:
        repair = Repair(label=f"Tell {facts.distinct} classes apart", data=with_task(survey.data, "multiclass"))
        message = f'"{facts.name}" has {facts.distinct} classes, but the task is to tell two apart.'
        yield error("task_mismatch", message, facts.name, repair)


def _features(survey: Survey) -> Iterator[Finding]:
    features, window = survey.features, survey.data.window
    if not features and window is not None and window.knows_target:
        return
    if not features:
        ignored = [column.name for column in survey.data.columns if column.role == "ignore"]
        reasons = [f"{name} ({_reason(survey, name)})" for name in ignored[:LISTED]]
        why = f" Ignored: {', '.join(reasons)}. Use one of them, or choose another file." if ignored else ""
        repair = [
            Repair(label=f'Use "{name}"', data=with_roles(survey.data, [name], "feature"))
            for name in ignored[:3]
            if name in survey.detected and survey.detected[name].nature in {"plain", "id"}
        ]
        if any(facts.nature == "date" for facts in survey.detected.values()) and survey.targets:
            repair.append(Repair(label="Predict it from its own past", data=as_series(survey.data)))
        yield error("no_features", f"No usable column is left to learn from.{why}", None, *repair)
        return
    for name in features:
        facts = survey.facts.get(name)
        if facts is not None and facts.numbers is not None and facts.distinct == 0 and len(facts.numbers.odd):
            repair = [Repair(label="Read it as categories", data=with_kind(survey.data, name, "categorical"))]
            message = f'"{name}" is set to numbers but holds text only, such as {facts.numbers.odd[0].as_py()!r}.'
            yield error("not_numbers", message, name, *repair)
    usable = [survey.facts[name] for name in features if name in survey.facts]
    if survey.table.array is None and all(facts.distinct == 0 for facts in usable):
        yield error("no_features", "All columns to learn from are empty: choose another file or other columns.")
    yield from _image(survey, usable)


def _reason(survey: Survey, name: str) -> str:
    facts = survey.detected.get(name)
    return _REASONS[facts.nature] if facts is not None else "an array"


def _image(survey: Survey, usable: list[ColumnFacts]) -> Iterator[Finding]:
    image = survey.data.image
    if image is None:
        return
    off = Repair(label="Not a picture", data=survey.data.model_copy(update={"image": None}))
    pixels = image.height * image.width * image.channels
    if pixels != len(survey.features):
        shape = f"{image.height} x {image.width} x {image.channels}"
        message = f"A picture of {shape} has {pixels} pixels, but {len(survey.features)} columns are features."
        yield error("image_mismatch", message, None, off)
    text = next((facts.name for facts in usable if facts.kind == "categorical"), None)
    if text is not None:
        yield error("image_mismatch", f'"{text}" holds text and cannot be a pixel: ignore it.', text, off)


def _weights(survey: Survey) -> Iterator[Finding]:
    names = survey.data.named_with_role("sample_weight")
    if len(names) > 1:
        yield error("several_weights", f"Only one column can weigh the rows, not {len(names)}: choose one.")
    for name in names:
        facts = survey.facts[name]
        if facts.numbers is None or facts.distinct == 0:
            yield error("weight_text", f'"{name}" weighs the rows, so it must hold numbers.', name)
        elif facts.values.min() < 0 or facts.values.max() <= 0:
            yield error("weight_negative", f'"{name}" weighs the rows, so it must hold positive numbers.', name)


def _reconstruction(survey: Survey) -> Iterator[Finding]:
    """Why the features cannot be predicted themselves."""
    data = survey.data
    if not data.reconstruct:
        return
    off = Repair(label="Predict a column", data=data.model_copy(update={"reconstruct": False, "task": None}))
    if data.window is not None or survey.table.array is not None:
        yield error("reconstruct_series", "Windows and arrays cannot be given back: predict a column.", None, off)
    for column in data.columns:
        if column.role == "feature" and column.kind != "numeric":
            ignore = Repair(label=f'Ignore "{column.name}"', data=with_roles(data, [column.name], "ignore"))
            message = f'Only numbers and pictures can be given back: ignore "{column.name}".'
            yield error("reconstruct_words", message, column.name, ignore, off)


def _window(survey: Survey) -> Iterator[Finding]:
    """Why rows cannot be taken as steps in time."""
    data, window = survey.data, survey.data.window
    if window is None:
        return
    off = Repair(label="Every row for itself", data=data.model_copy(update={"window": None}))
    if data.image is not None or survey.table.array is not None:
        yield error(
            "window_of_arrays", "Pictures and arrays cannot be steps of a series: take every row alone.", None, off
        )
    for column in data.columns:
        if column.role == "feature" and column.kind == "text":
            ignore = Repair(label=f'Ignore "{column.name}"', data=with_roles(data, [column.name], "ignore"))
            yield error("window_of_text", f'Text cannot be a step of a series: ignore "{column.name}".', None, ignore)
    if data.split.method != "ordered":
        message = "Rows that follow each other in time must be divided in their order."
        yield error("window_shuffled", message, None, Repair(label="Divide in order", data=in_order(data)))
    rows = survey.sample.rows
    if window_count(rows, window) < 10:
        shorter = window.model_copy(update={"past": max(2, rows // 10), "horizon": min(window.horizon, 1)})
        repair = Repair(label="Make them shorter", data=data.model_copy(update={"window": shorter}))
        message = f"{rows} rows are too few for windows of {window.past} rows that look {window.horizon} ahead."
        yield error("window_too_long", message, None, repair)


def _rows(survey: Survey) -> Iterator[Finding]:
    if not survey.targets or any(name not in survey.facts for name in survey.targets):
        return
    usable = int(np.sum(survey.usable()))
    if usable == 0:
        if all(survey.facts[name].distinct for name in survey.targets):
            yield error("no_rows", "No row has all that is needed: every row lacks a value to predict or its weight.")
        return
    try:
        part_sizes(usable, survey.data.split)
    except DataError as few:
        yield error("too_few_rows", str(few))
