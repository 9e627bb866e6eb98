"""Learning curves: a metric by epoch, for each execution of a trial and as their mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tunerstudio.study.trials import Epoch

VALIDATION_PREFIX = "val_"


@dataclass(frozen=True)
class Curve:
    """One metric by epoch.

    Attributes:
        epochs: 1-based epochs, rising (float64).
        values: Same length (float64); NaN where the metric was not finite.
    """

    epochs: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class TrialCurves:
    """One metric of one trial.

    Attributes:
        trial: Number of the trial.
        metric: Name as Keras logs it.
        mean: Over the executions that reached each epoch.
        executions: One curve each, in order.
    """

    trial: int
    metric: str
    mean: Curve
    executions: tuple[Curve, ...]


def base_metric(name: str) -> str:
    """`val_accuracy` -> `accuracy`: what a chooser lists once for training and validation."""
    return name.removeprefix(VALIDATION_PREFIX)


def metric_names(epochs: Iterable[Epoch]) -> list[str]:
    """Names of all metrics of `epochs` without their `val_` prefix, in order of appearance."""
    return list(dict.fromkeys(base_metric(name) for epoch in epochs for name in epoch.metrics))


def execution_curve(epochs: Sequence[Epoch], metric: str) -> Curve:
    """`metric` over one execution. An epoch that was trained again after a restart counts as trained last."""
    found = {epoch.epoch: epoch.metrics[metric] for epoch in epochs if metric in epoch.metrics}
    numbers = sorted(found)
    values = np.array([found[number] for number in numbers], dtype=np.float64)
    return Curve(np.array(numbers, dtype=np.float64), np.where(np.isfinite(values), values, np.nan))


def mean_curve(curves: Sequence[Curve]) -> Curve:
    """Mean over `curves` at each epoch that any of them reached; NaN where none has a finite value."""
    if not curves:
        return Curve(np.empty(0), np.empty(0))
    epochs = np.unique(np.concatenate([curve.epochs for curve in curves]))
    total, count = np.zeros(len(epochs)), np.zeros(len(epochs))
    for curve in curves:
        places = np.searchsorted(epochs, curve.epochs)
        finite = np.isfinite(curve.values)
        total[places[finite]] += curve.values[finite]
        count[places[finite]] += 1
    values = np.divide(total, count, out=np.full(len(epochs), np.nan), where=count > 0)
    return Curve(epochs, values)


def trial_curves(epochs: Mapping[tuple[int, int], Sequence[Epoch]], trial: int, metric: str) -> TrialCurves:
    """The curves of `metric` for one trial.

    Args:
        epochs: By (trial, execution).
        trial: Number of the trial.
        metric: Name as Keras logs it, such as `val_loss`.
    """
    executions = []
    index = 0
    while (trial, index) in epochs:
        curve = execution_curve(epochs[trial, index], metric)
        if curve.epochs.size:
            executions.append(curve)
        index += 1
    return TrialCurves(trial, metric, mean_curve(executions), tuple(executions))


def joined(curves: Sequence[Curve]) -> Curve:
    """All curves behind one another with a NaN between, so that one plot item draws them as separate lines."""
    if not curves:
        return Curve(np.empty(0), np.empty(0))
    gap = np.array([np.nan])
    epochs = np.concatenate([part for curve in curves for part in (curve.epochs, gap)])
    values = np.concatenate([part for curve in curves for part in (curve.values, gap)])
    return Curve(epochs[:-1], values[:-1])
