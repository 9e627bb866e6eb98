"""Trials as rows: the names of the value columns, and text that a spreadsheet reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from tunerstudio.study.hyperparameters import Scalar, SearchSpace, same_value
from tunerstudio.study.trials import Trial

_HEAD = ("trial", "state", "score", "standard_error", "executions", "epochs", "duration_s", "parameters")


def value_names(trials: Iterable[Trial], space: SearchSpace | None = None) -> list[str]:
    """Names of all hyperparameters: those of the space in its order, then others in order of appearance."""
    known = space.names() if space is not None else []
    return list(dict.fromkeys([*known, *(name for trial in trials for name in trial.values)]))


def varying_names(trials: Sequence[Trial], names: Iterable[str]) -> list[str]:
    """Those of `names` that took more than one value (inactive counts as one)."""
    varying = []
    for name in names:
        first: Scalar | None = trials[0].values.get(name) if trials else None
        if any(not same_value(trial.values.get(name), first) for trial in trials):
            varying.append(name)
    return varying


def to_delimited(trials: Iterable[Trial], names: Sequence[str], delimiter: str = ",") -> str:
    """`trials` as CSV (`,`) or for pasting into a spreadsheet (tab): full precision, header first.

    Args:
        trials: Rows, in order.
        names: Hyperparameters, one column each; empty where inactive.
        delimiter: One character.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow([*_HEAD, *names, "why", "message"])
    for trial in trials:
        head = (
            trial.number,
            trial.state.value,
            _cell(trial.score),
            _cell(trial.standard_error),
            len(trial.executions),
            trial.epochs,
            f"{trial.duration_s:.3f}",
            _cell(trial.parameters),
        )
        writer.writerow([*head, *(_cell(trial.values.get(name)) for name in names), trial.reason, trial.message])
    return out.getvalue()


def _cell(value: Scalar | None) -> str:
    return "" if value is None else str(value)
