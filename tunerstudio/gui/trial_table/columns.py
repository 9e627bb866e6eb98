"""The columns of the trials table: heading, what a cell says, and by what it is sorted."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from tunerstudio.gui.formats import format_count, format_duration, format_number, format_score
from tunerstudio.study.hyperparameters import Scalar
from tunerstudio.study.measures import MEASURES, measure
from tunerstudio.study.trials import Trial, TrialState

SortKey = tuple[int, float | str]
"""(0, number) before (1, text)."""


@dataclass(frozen=True)
class TrialColumn:
    """One column.

    Attributes:
        key: Stable name; hyperparameters are `value:<name>`.
        title: Heading.
        text: What a cell says.
        sort_key: By what rows are ordered; None goes last in either order.
        help: Tool-tip of the heading.
        is_number: Whether cells are right-aligned, with figures of equal width.
    """

    key: str
    title: str
    text: Callable[[Trial], str]
    sort_key: Callable[[Trial], SortKey | None]
    help: str = ""
    is_number: bool = True


def number_key(value: float | None) -> SortKey | None:
    """Key of a number; None where there is none."""
    return None if value is None or math.isnan(value) else (0, float(value))


def value_key(value: Scalar | None) -> SortKey | None:
    """Key of a hyperparameter's value: numbers by size before text by letter."""
    if value is None:
        return None
    return (1, value.lower()) if isinstance(value, str) else (0, float(value))


def score_text(trial: Trial) -> str:
    """`0.9662 ± 0.0041 (3)`; empty without a score."""
    if trial.score is None:
        return ""
    scored = sum(execution.score is not None for execution in trial.executions)
    return format_score(trial.score, trial.standard_error, scored or None)


def message_text(trial: Trial) -> str:
    """What is to be said of a trial: why it ended as it did, and the user's note."""
    return " · ".join(part for part in (trial.message, trial.note) if part)


def is_interrupted(trial: Trial) -> bool:
    """Whether it was at work when its search ended; the next run starts it again."""
    return trial.state is TrialState.QUEUED and trial.started_at is not None


def value_column(name: str, is_number: bool = True) -> TrialColumn:
    """The column of hyperparameter `name`; `is_number` if its values are."""

    def text(trial: Trial) -> str:
        return format_number(trial.values[name]) if name in trial.values else ""

    def sort_key(trial: Trial) -> SortKey | None:
        return value_key(trial.values.get(name))

    tip = _tr("Hyperparameter {name}").format(name=name)
    return TrialColumn(f"value:{name}", name, text, sort_key, help=tip, is_number=is_number)


def measured_column(name: str) -> TrialColumn:
    """The column of a further objective."""

    def text(trial: Trial) -> str:
        value = measure(trial, name)
        return "" if value is None else format_number(value)

    tip = _tr("Further objective: {about}").format(about=MEASURES.get(name, name))
    return TrialColumn(f"also:{name}", name, text, lambda t: number_key(measure(t, name)), help=tip)


def trial_columns(
    names: Sequence[str],
    texts: Collection[str],
    state_word: Callable[[TrialState], str],
    objective: str,
    also: Sequence[str] = (),
) -> list[TrialColumn]:
    """All columns.

    Args:
        names: Hyperparameters, in order.
        texts: Those of them whose values are words.
        state_word: Translated word of a state.
        objective: Name of the objective, for the tool-tip of the score.
        also: Names of further objectives; the number of parameters has its column anyhow.
    """
    states = list(TrialState)
    head = [
        TrialColumn(
            "state",
            _tr("State"),
            lambda t: _tr("interrupted") if is_interrupted(t) else state_word(t.state),
            lambda t: (0, states.index(t.state)),
            is_number=False,
        ),
        TrialColumn("number", _tr("Trial"), lambda t: str(t.number), lambda t: (0, t.number)),
        TrialColumn(
            "score",
            _tr("Score"),
            score_text,
            lambda t: number_key(t.score),
            help=_tr("{objective}: mean ± standard error (executions)").format(objective=objective),
        ),
    ]
    tail = [
        TrialColumn(
            "epochs",
            _tr("Epochs"),
            lambda t: str(t.epochs) if t.epochs else "",
            lambda t: (0, t.epochs),
            help=_tr("Epochs trained, over all executions"),
        ),
        TrialColumn(
            "time",
            _tr("Time"),
            lambda t: format_duration(t.duration_s) if t.duration_s else "",
            lambda t: number_key(t.duration_s),
            help=_tr("Time of training"),
        ),
        TrialColumn(
            "parameters",
            _tr("Parameters"),
            lambda t: "" if t.parameters is None else format_count(t.parameters),
            lambda t: number_key(t.parameters),
            help=_tr("Number of weights of the network"),
        ),
        TrialColumn("device", _tr("Where"), lambda t: t.device, lambda t: value_key(t.device or None), is_number=False),
        TrialColumn(
            "why",
            _tr("Why tried"),
            lambda t: t.reason,
            lambda t: value_key(t.reason or None),
            help=_tr("What proposed these values, and why, where it can say"),
            is_number=False,
        ),
        TrialColumn(
            "message",
            _tr("Message"),
            message_text,
            lambda t: value_key(message_text(t) or None),
            help=_tr("Why a trial failed or ended early, and your note on it"),
            is_number=False,
        ),
    ]
    measured = (measured_column(name) for name in also if name != "parameters")
    return [*head, *measured, *(value_column(name, name not in texts) for name in names), *tail]


def _tr(text: str) -> str:
    return QCoreApplication.translate("TrialColumn", text)
