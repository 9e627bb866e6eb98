"""Between database rows and records."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Mapping

from tunerstudio.study.trials import Epoch, Execution, Trial, TrialState

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
)


def trial_row(trial: Trial) -> tuple[object, ...]:
    """Cells in the order of `TRIAL_COLUMNS`."""
    cells = {name: getattr(trial, name) for name in TRIAL_COLUMNS}
    cells["state"] = trial.state.value
    cells["values"] = json.dumps(trial.values)
    cells["tags"] = json.dumps(trial.tags)
    return tuple(cells.values())


def trial_from(row: sqlite3.Row, executions: Iterable[Execution]) -> Trial:
    """The record of a row."""
    cells = {name: row[name] for name in TRIAL_COLUMNS}
    cells["state"] = TrialState(row["state"])
    cells["values"] = json.loads(row["values"])
    cells["tags"] = json.loads(row["tags"])
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
