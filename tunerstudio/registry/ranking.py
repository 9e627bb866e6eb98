"""Choosing the final model by more than one lucky number: rules and constraints."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tunerstudio.study.search import Direction
from tunerstudio.study.trials import Trial, TrialState, ranked


class Rule(StrEnum):
    """How completed trials are ordered.

    BEST_SCORE: by score alone.
    SMALLEST_WITHIN_ONE_STANDARD_ERROR: trials whose score is within one standard error of the best are as good as
        the best; of those the smallest network comes first. All others follow by score.
    """

    BEST_SCORE = "best_score"
    SMALLEST_WITHIN_ONE_STANDARD_ERROR = "smallest_within_one_standard_error"


@dataclass(frozen=True)
class Constraints:
    """What a model must keep to.

    Attributes:
        most_parameters: Largest number of weights; None: any. A trial of unknown size does not pass a limit.
    """

    most_parameters: int | None = None

    def allow(self, trial: Trial) -> bool:
        """Whether `trial` keeps to all of them."""
        if self.most_parameters is None:
            return True
        return trial.parameters is not None and trial.parameters <= self.most_parameters


@dataclass(frozen=True)
class Ranking:
    """Completed trials that keep to the constraints, the one to choose first.

    Attributes:
        trials: In order.
        as_good: Numbers of those that cannot be told from the best by their scores.
        threshold: Score from which a trial counts as such; None without trials.
        excluded: Completed trials that the constraints leave out.
    """

    trials: tuple[Trial, ...]
    as_good: frozenset[int]
    threshold: float | None
    excluded: int


def rank(
    trials: Iterable[Trial],
    direction: Direction,
    rule: Rule = Rule.BEST_SCORE,
    constraints: Constraints | None = None,
) -> Ranking:
    """Order the completed trials among `trials`; those without a finite score are left out."""
    by_score = [
        t
        for t in ranked(list(trials), direction)
        if t.state is TrialState.COMPLETED and t.score is not None and math.isfinite(t.score)
    ]
    allowed = [t for t in by_score if constraints is None or constraints.allow(t)]
    threshold = _threshold(allowed, direction)
    close = [t for t in allowed if _reaches(t, threshold, direction)]
    if rule is Rule.SMALLEST_WITHIN_ONE_STANDARD_ERROR:
        order = {t.number: place for place, t in enumerate(allowed)}
        close.sort(key=lambda t: (math.inf if t.parameters is None else t.parameters, order[t.number]))
        numbers = {t.number for t in close}
        allowed = [*close, *(t for t in allowed if t.number not in numbers)]
    return Ranking(tuple(allowed), frozenset(t.number for t in close), threshold, len(by_score) - len(allowed))


def _threshold(best_first: Sequence[Trial], direction: Direction) -> float | None:
    """The best score less one standard error; with one execution only the best score itself is known."""
    if not best_first:
        return None
    best = best_first[0]
    error = best.standard_error or 0.0
    score = best.score or 0.0
    return score - error if direction == "max" else score + error


def _reaches(trial: Trial, threshold: float | None, direction: Direction) -> bool:
    if threshold is None or trial.score is None:
        return False
    return trial.score >= threshold if direction == "max" else trial.score <= threshold
