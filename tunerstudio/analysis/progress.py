"""How far a search is, and when it may end: a range from what was measured."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tunerstudio.study.document import StudyDocument
from tunerstudio.study.model import EstimatorModel
from tunerstudio.study.search import Budget, Training
from tunerstudio.study.trials import Epoch, Trial, TrialState

COUNTED = frozenset({TrialState.COMPLETED, TrialState.PRUNED, TrialState.FAILED})
"""States that use up the budget of trials."""

_RECENT = 50
"""Finished trials that an estimate looks back on: the search drifts, and old trials tell little."""

_SESSION_PAUSE_S = 30.0
"""A longer pause between two trials means that the search stood still."""

_QUANTILE = 1.645
"""Normal quantile of a range that holds 9 times out of 10."""


@dataclass(frozen=True)
class RunningTrial:
    """Where a running trial stands.

    Attributes:
        number: Of the trial.
        execution: 1-based execution that trains now.
        executions: Planned.
        epoch: Epochs of that execution that are done.
        epochs: Planned per execution.
        fraction: Of the whole trial, 0 to 1.
    """

    number: int
    execution: int
    executions: int
    epoch: int
    epochs: int
    fraction: float


@dataclass(frozen=True)
class Progress:
    """How far a search is.

    Attributes:
        done: Trials that count towards the budget.
        planned: Trials that the budget allows; never less than `done` and running together.
        running: Trials at work, by number.
        fraction: Of the whole search, 0 to 1.
        eta_s: (low, high) seconds until the end; None before anything was measured or when nothing is left.
    """

    done: int
    planned: int
    running: tuple[RunningTrial, ...]
    fraction: float
    eta_s: tuple[float, float] | None


def running_trial(trial: Trial, epochs: Mapping[tuple[int, int], Sequence[Epoch]], training: Training) -> RunningTrial:
    """Where a running `trial` stands, from the epochs reported so far."""
    planned = max(trial.epochs_planned or training.epochs, 1)
    executions = max(training.executions, len(trial.executions), 1)
    finished = sum(execution.state.is_finished for execution in trial.executions)
    current = max((index for index in range(executions) if epochs.get((trial.number, index))), default=0)
    current = min(max(current, finished), executions - 1)
    reports = epochs.get((trial.number, current), ())
    epoch = min(reports[-1].epoch, planned) if reports else 0
    fraction = min((current + epoch / planned) / executions, 1.0)
    return RunningTrial(trial.number, current + 1, executions, epoch, planned, fraction)


def training_of(document: StudyDocument) -> Training:
    """Epochs and executions per trial; for an estimator, whose executions are folds, one epoch each."""
    if isinstance(document.model, EstimatorModel):
        return document.training.model_copy(update={"epochs": 1, "executions": document.model.folds})
    return document.training


def progress(
    trials: Iterable[Trial],
    epochs: Mapping[tuple[int, int], Sequence[Epoch]],
    budget: Budget,
    training: Training,
    slots: int = 1,
    time_left_s: float | None = None,
    spent_s: float = 0.0,
) -> Progress:
    """Progress of a search.

    Args:
        trials: All trials of the study.
        epochs: By (trial, execution).
        budget: When the search ends.
        training: Epochs and executions per trial.
        slots: Trials that train side by side.
        time_left_s: Seconds until the time at which the search shall have ended; None: no such time.
        spent_s: Seconds for which the search has trained, for a budget with a time limit; see `clock.trained_s`.
    """
    everything = list(trials)
    done = [t for t in everything if t.state in COUNTED]
    running = tuple(
        running_trial(t, epochs, training)
        for t in sorted(everything, key=lambda t: t.number)
        if t.state is TrialState.RUNNING
    )
    planned = max(budget.trials, len(done) + len(running))
    worked = len(done) + sum(r.fraction for r in running)
    left = max(planned - worked, 0.0)
    fraction = min(worked / planned, 1.0)
    if budget.time_limit_s is not None:
        fraction = max(fraction, min(spent_s / budget.time_limit_s, 1.0))
    if left == 0:
        return Progress(len(done), planned, running, 1.0, None)
    estimate = _remaining_s(done, running, epochs, left, max(slots, 1))
    if estimate is not None and budget.time_limit_s is not None:
        limit = max(budget.time_limit_s - spent_s, 0.0)
        estimate = (min(estimate[0], limit), min(estimate[1], limit))
    if estimate is not None and time_left_s is not None:
        limit = max(time_left_s, 0.0)
        estimate = (min(estimate[0], limit), min(estimate[1], limit))
    return Progress(len(done), planned, running, fraction, estimate)


def _remaining_s(
    done: Sequence[Trial],
    running: Sequence[RunningTrial],
    epochs: Mapping[tuple[int, int], Sequence[Epoch]],
    left: float,
    slots: int,
) -> tuple[float, float] | None:
    costs = trial_costs_s(done)
    if costs.size:
        return forecast_s(costs, left, slots)
    rate = _seconds_per_epoch(running, epochs)
    if rate is None:
        return None
    per_trial = rate * running[0].epochs * running[0].executions
    # One unfinished trial says little: other values may train twice as fast or slow.
    return left * per_trial / slots * 0.5, left * per_trial / slots * 2.0


def trial_costs_s(done: Iterable[Trial]) -> np.ndarray:
    """Seconds that each of the last finished trials took, the pause before the next one included (float64)."""
    timed = sorted((t for t in done if t.duration_s > 0 and t.ended_at is not None), key=lambda t: t.ended_at or 0.0)
    recent = timed[-_RECENT:]
    pauses = np.array([(b.started_at or 0.0) - (a.ended_at or 0.0) for a, b in itertools.pairwise(recent)])
    pauses = np.clip(pauses[pauses < _SESSION_PAUSE_S], 0.0, None)
    pause = float(np.median(pauses)) if pauses.size else 0.0
    return np.array([t.duration_s + pause for t in recent], dtype=np.float64)


def forecast_s(costs: np.ndarray, left: float, slots: int) -> tuple[float, float]:
    """Range for the time of `left` more trials whose costs are like `costs`; holds about 9 times out of 10.

    Args:
        costs: Seconds of the trials measured so far; at least one.
        left: Trials still to do; a fraction for what is left of a running one.
        slots: Trials that train side by side.
    """
    mean = float(costs.mean())
    # With one trial measured nothing is known of the spread: half the mean is assumed.
    spread = float(costs.std(ddof=1)) if costs.size > 1 else mean / 2
    # A spread of few measurements is itself uncertain; this follows Student's t closely enough.
    reach = _QUANTILE * (1 + 1.5 / (costs.size - 1)) if costs.size > 1 else _QUANTILE
    error = reach * math.sqrt(left * spread**2 + left**2 * spread**2 / costs.size)
    low, high = left * mean - error, left * mean + error
    return max(low, left * float(costs.min()) / 2, 0.0) / slots, high / slots


def _seconds_per_epoch(
    running: Sequence[RunningTrial], epochs: Mapping[tuple[int, int], Sequence[Epoch]]
) -> float | None:
    steps = []
    for trial in running:
        for index in range(trial.executions):
            reports = epochs.get((trial.number, index), ())
            steps += [b.at - a.at for a, b in itertools.pairwise(reports) if b.at > a.at]
    return float(np.mean(steps)) if steps else None
