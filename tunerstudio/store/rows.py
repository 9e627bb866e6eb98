"""Between database rows and records."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Mapping

from tunerstudio.study.trials import (
    Attempt,
    Epoch,
    Execution,
    ResourceUse,
    SessionRecord,
    SessionState,
    Trial,
    TrialState,
)

TRIAL_COLUMNS = (
    "number",
    "state",
    "values",
    "score",
    "standard_error",
    "tags",
    "epochs_planned",
    "initial_epoch",
    "parent",
    "reason",
    "message",
    "details",
    "road",
    "parameters",
    "device",
    "attempts",
    "created_at",
    "started_at",
    "ended_at",
    "duration_s",
    "note",
    "document",
    "measures",
    "origin",
)


def trial_row(trial: Trial) -> tuple[object, ...]:
    """Cells in the order of `TRIAL_COLUMNS`."""
    cells = {name: getattr(trial, name) for name in TRIAL_COLUMNS}
    cells["state"] = trial.state.value
    cells["values"] = json.dumps(trial.values)
    cells["tags"] = json.dumps(trial.tags)
    cells["measures"] = json.dumps(trial.measures)
    return tuple(cells.values())


def trial_from(row: sqlite3.Row, executions: Iterable[Execution]) -> Trial:
    """The record of a row."""
    known = set(row.keys())  # a database of an older version, opened for reading only, lacks some
    cells = {name: row[name] for name in TRIAL_COLUMNS if name in known}
    cells["state"] = TrialState(row["state"])
    for name in ("values", "tags", "measures"):
        if name in known:
            cells[name] = json.loads(row[name])
    return Trial(**cells, executions=tuple(executions))


def execution_row(trial: int, execution: Execution) -> tuple[object, ...]:
    """Cells of one execution."""
    return (
        trial,
        execution.index,
        execution.state.value,
        execution.seed,
        execution.score,
        execution.best_epoch,
        execution.epochs,
        metrics_text(execution.metrics),
    )


def execution_from(row: sqlite3.Row) -> Execution:
    """The record of a row."""
    return Execution(
        index=row["idx"],
        state=TrialState(row["state"]),
        seed=row["seed"],
        score=row["score"],
        best_epoch=row["best_epoch"],
        epochs=row["epochs"],
        metrics=metrics_from(row["metrics"]),
    )


def epoch_from(row: sqlite3.Row) -> Epoch:
    """The record of a row."""
    return Epoch(row["trial"], row["execution"], row["epoch"], metrics_from(row["metrics"]), row["at"])


def metrics_text(metrics: Mapping[str, float]) -> str:
    """JSON that SQLite can read too: NaN and infinities become null."""
    return json.dumps({name: value if math.isfinite(value) else None for name, value in metrics.items()})


def metrics_from(text: str) -> dict[str, float]:
    """The inverse of `metrics_text`; null becomes NaN."""
    return {name: math.nan if value is None else float(value) for name, value in json.loads(text).items()}


def session_from(row: sqlite3.Row) -> SessionRecord:
    """The record of a row."""
    cells = {name: row[name] for name in row.keys()}  # noqa: SIM118  # iterating a row gives its values
    cells["state"] = SessionState(row["state"])
    return SessionRecord(**cells)


def attempt_from(row: sqlite3.Row) -> Attempt:
    """The record of a row."""
    return Attempt(**{name: row[name] for name in row.keys()})  # noqa: SIM118


def resource_from(row: sqlite3.Row) -> ResourceUse:
    """The record of a row."""
    return ResourceUse(**{name: row[name] for name in row.keys()})  # noqa: SIM118
