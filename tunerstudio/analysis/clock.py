"""How long a search has trained, by the clock."""

from __future__ import annotations

from collections.abc import Iterable

from tunerstudio.study.trials import Attempt, Trial


def trained_s(attempts: Iterable[Attempt], trials: Iterable[Trial], now: float) -> float:
    """Seconds during which at least one trial trained, over all sessions; pauses do not count.

    Args:
        attempts: All attempts of the study.
        trials: All trials; what they took together is the most that it can be, even if the clock was set in between.
        now: Seconds since the epoch; attempts that run last until now.
    """
    trials, attempts = list(trials), list(attempts)
    spans = sorted((attempt.started_at, _end(attempt, now)) for attempt in attempts)
    total, reached, is_running = 0.0, float("-inf"), False
    for attempt_start, attempt_end in spans:
        total += max(attempt_end - max(attempt_start, reached), 0.0)
        reached = max(reached, attempt_end)
        is_running = is_running or attempt_end == now
    known = {attempt.trial for attempt in attempts}
    most = sum(trial.duration_s for trial in trials if trial.number in known)
    # Studies of older versions have trials of which only this much is known.
    others = sum(trial.duration_s for trial in trials if trial.number not in known)
    return others + (total if is_running else min(total, most))


def _end(attempt: Attempt, now: float) -> float:
    return now if attempt.ended_at is None else attempt.ended_at
