"""The façade that search algorithm plugins import; version 1.

A plugin is a folder with `MANIFEST.toml` and a module that defines one of

    def propose(space, history, rng, options): ...      # a pure algorithm
    def create_oracle(space, objective, max_trials, seed, options): ...   # any Keras Tuner oracle as it is
    def observe_epoch(curves, trial, epoch, options): ...   # a pruner: why to end a trial after this epoch, or None

Beside `propose` it may define `total_trials(space, max_epochs, options)`, how many trials it runs in all, and
`possible_parents(space, history, options)`, which finished trials it may still go on from.

The host does the rest: it makes values legal, never runs the same configuration twice, shows failed trials as
history without a score, tells pending parallel trials, seeds `rng`, and stores whatever is needed to go on after a
kill. `propose` is pure: what it returns depends on its arguments only. That is why every search resumes exactly.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from pydantic import JsonValue

from tunerstudio.algorithms.curves import LearningCurves, expected_losses
from tunerstudio.algorithms.legality import random_values
from tunerstudio.algorithms.pareto import crowding, pareto_ranks
from tunerstudio.algorithms.rungs import bracket_count, bracket_of, halving_verdict, rungs
from tunerstudio.algorithms.tried import TriedConfigurations
from tunerstudio.algorithms.variation import child_values
from tunerstudio.study.constraints import Constraint, broken_constraint
from tunerstudio.study.hyperparameters import (
    UNCOUNTABLE,
    Boolean,
    Choice,
    Condition,
    Fixed,
    Float,
    Int,
    Scalar,
    SearchSpace,
    Values,
    same_value,
    values_key,
)
from tunerstudio.study.measures import objective_vector
from tunerstudio.study.search import Direction, Objective, SecondObjective
from tunerstudio.study.trials import Execution, Trial, TrialState

API_VERSION: Final = 1

Options = dict[str, JsonValue]
"""Values of the manifest's options; every option is present, defaults filled in."""


@dataclass(frozen=True)
class History:
    """What is known so far; oldest first.

    Attributes:
        trials: All trials: finished, running and queued.
        direction: "max" or "min".
        max_trials: Budget of the study.
        max_epochs: Epochs per execution that the study allows.
        curves: Learning curves of the study where trials may be PRUNED; None elsewhere.
        constraints: What values must keep to; see `allows`.
        objective: What is to be made best.
        also: Further objectives; empty: there is one alone.
        refused: Numbers of the trials that were CANCELLED because their network broke a constraint.
        slots: How many trials the search runs side by side; it may change while it runs.
    """

    trials: Sequence[Trial]
    direction: Direction
    max_trials: int
    max_epochs: int
    curves: LearningCurves | None = None
    constraints: Sequence[Constraint] = ()
    refused: Collection[int] = ()
    objective: Objective | None = None
    also: Sequence[SecondObjective] = ()
    slots: int = 1

    def allows(self, values: Values) -> bool:
        """Whether legal values keep to the constraints that are known without building the network."""
        return broken_constraint(self.constraints, values) is None

    def completed(self) -> list[Trial]:
        """Trials that were trained to the end, with a score."""
        return [t for t in self.trials if t.state is TrialState.COMPLETED and t.score is not None]

    def pruned(self) -> list[Trial]:
        """Trials that were ended early because they did badly; their score is from fewer epochs."""
        return [t for t in self.trials if t.state is TrialState.PRUNED and t.score is not None]

    def observed(self) -> tuple[list[Trial], np.ndarray]:
        """Completed and pruned trials by number, and a loss of each (float64, less is better).

        The losses can be compared: that of a pruned trial is what it would have reached, see `expected_losses`.
        Without pruning these are `completed()` and `losses()`.
        """
        done = (TrialState.COMPLETED, TrialState.PRUNED)
        trials = [t for t in self.trials if t.state in done and t.score is not None]
        return trials, np.array(expected_losses(trials, self.curves, self.direction), dtype=np.float64)

    def vectors(self) -> tuple[list[Trial], np.ndarray]:
        """Completed trials with a value for every objective, and their losses: (trials, 1 + further objectives)."""
        objective = self.objective or Objective(direction=self.direction)
        found = [(t, objective_vector(t, objective, self.also)) for t in self.completed()]
        rows = [vector for _, vector in found if vector is not None]
        losses = np.array(rows, dtype=np.float64).reshape(-1, 1 + len(self.also))
        return [trial for trial, vector in found if vector is not None], losses

    def failed(self) -> list[Trial]:
        """Trials that ended without a score, or broke a constraint when built: a bad region to keep away from."""
        return [t for t in self.trials if t.state is TrialState.FAILED or t.number in self.refused]

    def pending(self) -> list[Trial]:
        """Trials that are queued, running or paused."""
        return [t for t in self.trials if not t.state.is_finished]

    def best_first(self) -> list[Trial]:
        """Completed trials, best first."""
        sign = -1.0 if self.direction == "max" else 1.0
        return sorted(self.completed(), key=lambda t: (sign * (t.score or 0.0), t.number))

    def losses(self) -> np.ndarray:
        """Scores of `completed()` as float64, turned so that less is better."""
        sign = -1.0 if self.direction == "max" else 1.0
        return np.array([sign * (t.score or 0.0) for t in self.completed()], dtype=np.float64)


@dataclass(frozen=True)
class Proposal:
    """The next trial.

    Attributes:
        values: A value for every active hyperparameter.
        reason: Why, in one sentence for the user; may be empty.
        epochs: Train up to this epoch (of the whole, `initial_epoch` included); None: the study's setting.
        parent: Number of the trial whose weights to go on from; its epochs are not repeated.
        tags: What the algorithm wants to find again in `Trial.tags`.
        repeats: True if these values are meant to come again (a promotion); switches de-duplication off.
    """

    values: Values
    reason: str = ""
    epochs: int | None = None
    parent: int | None = None
    tags: dict[str, Scalar] = field(default_factory=dict)
    repeats: bool = False


@dataclass(frozen=True)
class Wait:
    """Nothing to propose before a pending trial ends."""


@dataclass(frozen=True)
class Finished:
    """Nothing to propose ever again; `reason` says why in a sentence."""

    reason: str


Answer = Proposal | Values | Wait | Finished
"""What `propose` may return."""


def untried_values(space: SearchSpace, history: History, rng: np.random.Generator) -> Values | None:
    """A configuration drawn at random among those that no trial has had; None if there is none left.

    It keeps to the constraints.
    """
    tried = TriedConfigurations(space, history.allows if history.constraints else None)
    for trial in history.trials:
        tried.add(trial.values)
    return tried.untried(rng)


__all__ = [
    "API_VERSION",
    "UNCOUNTABLE",
    "Answer",
    "Boolean",
    "Choice",
    "Condition",
    "Constraint",
    "Execution",
    "Finished",
    "Fixed",
    "Float",
    "History",
    "Int",
    "LearningCurves",
    "Options",
    "Proposal",
    "Scalar",
    "SearchSpace",
    "Trial",
    "TrialState",
    "Values",
    "Wait",
    "bracket_count",
    "bracket_of",
    "child_values",
    "crowding",
    "halving_verdict",
    "pareto_ranks",
    "random_values",
    "rungs",
    "same_value",
    "untried_values",
    "values_key",
]
