"""What a trial can be judged by beside its score: measured values and logged metrics, by name."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Final

from tunerstudio.study.search import KNOWN_DIRECTIONS, Direction, Objective, SecondObjective
from tunerstudio.study.trials import Trial

MEASURES: Final[Mapping[str, str]] = {
    "parameters": "number of weights of the network",
    "training_s": "seconds of training, over all executions",
    "latency_ms": "milliseconds to predict one row, median",
    "size_bytes": "bytes of the weights",
}
"""What the program measures of every trial where the study asks for it; less is better for all."""


def measure(trial: Trial, name: str) -> float | None:
    """The value of `name` for a trial; None if it is not known.

    Measured values and the trial's own figures come first, then a logged metric: its mean over the executions, each
    at its best epoch.
    """
    if name in trial.measures:
        return trial.measures[name]
    if name == "parameters":
        return None if trial.parameters is None else float(trial.parameters)
    if name == "training_s":
        return trial.duration_s if trial.state.is_finished else None
    found = [execution.metrics[name] for execution in trial.executions if name in execution.metrics]
    return statistics.fmean(found) if found else None


def objective_vector(trial: Trial, objective: Objective, also: Sequence[SecondObjective]) -> tuple[float, ...] | None:
    """Score and further objectives as losses (less is better); None if one of them is not known or not finite."""
    if trial.score is None:
        return None
    vector = [-trial.score if objective.direction == "max" else trial.score]
    for second in also:
        value = measure(trial, second.name)
        if value is None:
            return None
        vector.append(-value if second.direction == "max" else value)
    return tuple(vector) if all(map(math.isfinite, vector)) else None


def usual_second_direction(name: str) -> Direction | None:
    """The direction that makes sense for a further objective; None if it is not known."""
    return "min" if name in MEASURES else KNOWN_DIRECTIONS.get(name.removeprefix("val_"))
