"""The Pareto front of a study with several objectives: trials that no other trial beats in everything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tunerstudio.algorithms.pareto import pareto_ranks
from tunerstudio.study.measures import measure, objective_vector
from tunerstudio.study.search import Direction, Search
from tunerstudio.study.trials import Trial, TrialState


@dataclass(frozen=True)
class ParetoFront:
    """Completed trials with a value for every objective, by number; arrays have one row per trial.

    Attributes:
        names: Of the objectives, the study's own first.
        directions: Of each objective.
        numbers: Trial numbers (int64).
        values: As measured, in their own units and directions (float64), shape (trials, objectives).
        on_front: Whether no other trial is at least as good in everything and better in something (bool).
        missing: Numbers of completed trials that lack a value.
    """

    names: tuple[str, ...]
    directions: tuple[Direction, ...]
    numbers: np.ndarray
    values: np.ndarray
    on_front: np.ndarray
    missing: tuple[int, ...]

    def front(self) -> list[int]:
        """Numbers of the trials on the front, best first by the study's own objective."""
        sign = -1.0 if self.directions[0] == "max" else 1.0
        chosen = np.flatnonzero(self.on_front)
        order = chosen[np.argsort(sign * self.values[chosen, 0], kind="stable")]
        return [int(number) for number in self.numbers[order]]


def pareto_front(trials: Iterable[Trial], search: Search) -> ParetoFront:
    """The front of `trials` (any order and state) by the objectives of `search`."""
    completed = sorted((t for t in trials if t.state is TrialState.COMPLETED), key=lambda t: t.number)
    vectors = {t.number: objective_vector(t, search.objective, search.also) for t in completed}
    known = [t for t in completed if vectors[t.number] is not None]
    width = 1 + len(search.also)
    losses = np.array([vectors[t.number] for t in known], dtype=np.float64).reshape(-1, width)
    values = np.array(
        [[t.score, *(measure(t, second.name) for second in search.also)] for t in known], dtype=np.float64
    ).reshape(-1, width)
    return ParetoFront(
        (search.objective.name, *(second.name for second in search.also)),
        (search.objective.direction, *(second.direction for second in search.also)),
        np.array([t.number for t in known], dtype=np.int64),
        values,
        pareto_ranks(losses) == 0,
        tuple(t.number for t in completed if vectors[t.number] is None),
    )
