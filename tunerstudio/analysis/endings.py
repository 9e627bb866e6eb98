"""What else than the budget of trials may end a search, and how near it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tunerstudio.study.search import Budget, Objective
from tunerstudio.study.trials import Trial, TrialState


@dataclass(frozen=True)
class Endings:
    """What may end a search before its trials are used up.

    Attributes:
        finish_at: Seconds since the epoch (UTC); None: no such time.
        plateau: Finished trials without an improvement that end it; None: never.
        since_best: Finished trials since the last improvement.
        target: A score that ends it; None: none.
    """

    finish_at: float | None = None
    plateau: int | None = None
    since_best: int = 0
    target: float | None = None


_GRACE_S = 60.0
"""A search ends so soon after its time to finish by: until then that moment is told, not the one a day later."""


def endings(budget: Budget, objective: Objective, trials: Iterable[Trial], started_at: float, now: float) -> Endings:
    """What may end the search whose session began at `started_at`; both times in seconds since the epoch, UTC.

    A search that still goes on has got its time of day to finish by after that has passed: the next one counts.
    """
    plateau = budget.plateau
    after = max(started_at, now - _GRACE_S)
    return Endings(
        finish_at=None if budget.finish_by is None else finish_time(budget.finish_by, after),
        plateau=None if plateau is None else plateau.trials,
        since_best=0 if plateau is None else since_best(trials, objective, plateau.min_delta),
        target=budget.target,
    )


def finish_time(finish_by: str, started_at: float) -> float:
    """Seconds since the epoch of `Budget.finish_by`: the next such time of day after the start, or that very moment."""
    if len(finish_by) > len("07:00"):
        return datetime.fromisoformat(finish_by).timestamp()
    began = datetime.fromtimestamp(started_at)
    hour, minute = (int(part) for part in finish_by.split(":"))
    moment = began.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if moment <= began:
        moment += timedelta(days=1)
    return moment.timestamp()


def since_best(trials: Iterable[Trial], objective: Objective, min_delta: float) -> int:
    """Finished trials since the one that last improved the best score by more than `min_delta`; 0 before a score."""
    finished = [t for t in trials if t.state in (TrialState.COMPLETED, TrialState.PRUNED, TrialState.FAILED)]
    finished.sort(key=lambda trial: (trial.ended_at or 0.0, trial.number))
    sign = 1.0 if objective.direction == "max" else -1.0
    best: float | None = None
    since = 0
    for trial in finished:
        score = trial.score if trial.state is TrialState.COMPLETED else None
        if score is not None and (best is None or sign * (score - best) > min_delta):
            best, since = score, 0
        elif best is not None:
            since += 1
    return since
