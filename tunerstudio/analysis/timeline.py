"""When each trial ran, and what ran beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tunerstudio.study.trials import Attempt, Trial, TrialState

_TOUCHING_S = 1e-6
"""Overlap that is none: clocks are not exact."""


@dataclass(frozen=True)
class Timeline:
    """Bars, by start time; every array has one item per trial that was started.

    Attributes:
        numbers: Trial numbers (int64).
        starts, ends: Seconds since the epoch (float64); a running trial ends now.
        lanes: 0-based row of each bar, so that no two overlap (int64).
        states: State of each trial, in the same order; of an attempt: what it ended as.
        rows: Name of each row, such as `worker 1`; empty if rows mean nothing.
        places: Where each bar ran; empty if it is not known.
    """

    numbers: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    lanes: np.ndarray
    states: tuple[TrialState, ...]
    rows: tuple[str, ...] = ()
    places: tuple[str, ...] = ()


_OUTCOMES = {
    "completed": TrialState.COMPLETED,
    "failed": TrialState.FAILED,
    "pruned": TrialState.PRUNED,
    "paused": TrialState.PAUSED,
    "cancelled": TrialState.CANCELLED,
}
"""What an attempt is shown as; any other outcome left the trial waiting."""


def attempts_timeline(attempts: Sequence[Attempt], now: float, is_live: bool = True) -> Timeline:
    """A bar for every start of a trial, a row for every worker (and its machine, if there are several).

    Args:
        attempts: What ran where.
        now: Seconds since the epoch.
        is_live: Whether somebody runs the search: if not, what has no end was cut off when its engine died.
    """
    ordered = sorted(attempts, key=lambda attempt: (attempt.started_at, attempt.trial))
    workers = sorted({(attempt.node, attempt.worker) for attempt in ordered})
    lanes = {worker: lane for lane, worker in enumerate(workers)}
    several = len({node for node, _ in workers}) > 1
    names = tuple(f"{node} {number}" if several else str(number) for node, number in workers)
    latest = max((attempt.ended_at or attempt.started_at for attempt in ordered), default=now)
    open_end = now if is_live else latest
    ends = [max(open_end if attempt.ended_at is None else attempt.ended_at, attempt.started_at) for attempt in ordered]
    running = TrialState.RUNNING if is_live else TrialState.QUEUED
    states = {**_OUTCOMES, "": running}
    return Timeline(
        np.array([attempt.trial for attempt in ordered], dtype=np.int64),
        np.array([attempt.started_at for attempt in ordered], dtype=np.float64),
        np.array(ends, dtype=np.float64),
        np.array([lanes[(attempt.node, attempt.worker)] for attempt in ordered], dtype=np.int64),
        tuple(states.get(attempt.outcome, TrialState.QUEUED) for attempt in ordered),
        names,
        tuple(f"{attempt.node}, {attempt.device}" for attempt in ordered),
    )


def timeline(trials: Iterable[Trial], now: float) -> Timeline:
    """Bars for all trials that were started; `now` in seconds since the epoch."""
    started = sorted((t for t in trials if t.started_at is not None), key=lambda t: (t.started_at or 0.0, t.number))
    starts = np.array([t.started_at for t in started], dtype=np.float64)
    ends = np.array([_end(t, now) for t in started], dtype=np.float64)
    numbers = np.array([t.number for t in started], dtype=np.int64)
    return Timeline(numbers, starts, ends, _lanes(starts, ends), tuple(t.state for t in started))


def _lanes(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """For each bar the first row that is free when it starts."""
    lanes = np.zeros(len(starts), dtype=np.int64)
    if (starts[1:] + _TOUCHING_S >= np.maximum.accumulate(ends)[:-1]).all():
        return lanes
    free: list[float] = []
    for index, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        lane = next((place for place, until in enumerate(free) if until <= start + _TOUCHING_S), len(free))
        if lane == len(free):
            free.append(end)
        free[lane] = end
        lanes[index] = lane
    return lanes


def _end(trial: Trial, now: float) -> float:
    start = trial.started_at or 0.0
    if trial.ended_at is not None:
        return max(trial.ended_at, start)
    if trial.state is TrialState.RUNNING:
        return max(now, start)
    return start + trial.duration_s


def last_session_start(line: Timeline, gap_s: float = 600.0) -> float | None:
    """Start of the last stretch of trials without a pause longer than `gap_s`; None without trials."""
    if not line.starts.size:
        return None
    latest_end = np.maximum.accumulate(line.ends)
    pauses = np.flatnonzero(line.starts[1:] - latest_end[:-1] > gap_s)
    return float(line.starts[pauses[-1] + 1] if pauses.size else line.starts[0])
