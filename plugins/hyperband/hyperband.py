"""Hyperband (Li et al. 2018) as a pure function of the history.

A bracket starts many configurations for a few epochs; each following round goes on with the best of the round
before, up to more epochs. What a trial is in the scheme stands in its tags, so nothing else needs to be kept.
A round promotes as many trials as planned, or as many as completed if that is fewer, and the next best takes the
place of a promoted trial that fails: failures and small spaces make rounds smaller, but never end a bracket.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tunerstudio.algorithms.api import (
    Finished,
    History,
    Options,
    Proposal,
    SearchSpace,
    Trial,
    TrialState,
    Wait,
    untried_values,
)


@dataclass(frozen=True)
class Plan:
    """Sizes and epochs of all rounds; the same as Keras Tuner's.

    Attributes:
        max_epochs: Epochs of the last round of every bracket.
        factor: Reduction from round to round.
    """

    max_epochs: int
    factor: int

    @property
    def brackets(self) -> range:
        """Brackets in the order they are run, the one with most rounds first; bracket b has b + 1 rounds."""
        count = 1
        while self.factor**count <= self.max_epochs:
            count += 1
        return range(count - 1, -1, -1)

    def size(self, bracket: int, round_: int) -> int:
        """Trials of a round."""
        last = math.ceil(1 + math.log(self.max_epochs, self.factor) - 1e-9)
        return math.ceil(last / (bracket + 1) * float(self.factor) ** (bracket - round_))

    def epochs(self, bracket: int, round_: int) -> int:
        """Epochs up to which the trials of a round are trained."""
        return math.ceil(self.max_epochs / float(self.factor) ** (bracket - round_))


def propose(
    space: SearchSpace, history: History, rng: np.random.Generator, options: Options
) -> Proposal | Wait | Finished:
    """A promotion if one is certain, else a new configuration of the first bracket that is not full."""
    plan = _plan(history.max_epochs, options)
    exhausted = False
    for iteration in _iterations(options):
        for bracket in plan.brackets:
            rounds = _rounds(history, iteration, bracket)
            full = exhausted or len(rounds[0]) >= plan.size(bracket, 0)
            promotion = _promotion(history, plan, iteration, bracket, rounds, full)
            if promotion is not None:
                return promotion
            if not full:
                values = untried_values(space, history, rng)
                if values is not None:
                    return _start(plan, iteration, bracket, values)
                exhausted = True
                promotion = _promotion(history, plan, iteration, bracket, rounds, full=True)
                if promotion is not None:
                    return promotion
        if exhausted:
            break
    if history.pending():
        return Wait()
    why = "all configurations have been tried" if exhausted else "all brackets are complete"
    return Finished(f"{why} and the best of them promoted")


def total_trials(space: SearchSpace, max_epochs: int, options: Options) -> int | None:
    """Trials of all brackets and rounds, promotions included; None without an end."""
    plan = _plan(max_epochs, options)
    left = space.count()
    total = 0
    for _ in _iterations(options):
        if math.isinf(left) and options["hyperband_iterations"] is None:
            return None
        for bracket in plan.brackets:
            size = min(plan.size(bracket, 0), left)
            left -= size
            for round_ in range(bracket + 1):
                size = min(size, plan.size(bracket, round_))
                total += int(size)
        if left == 0:
            break
    return total


def _plan(max_epochs: int, options: Options) -> Plan:
    wanted, factor = options["max_epochs"], options["factor"]
    assert isinstance(factor, int)
    return Plan(min(wanted, max_epochs) if isinstance(wanted, int) else max_epochs, factor)


def _iterations(options: Options) -> Iterator[int]:
    iterations = options["hyperband_iterations"]
    return iter(range(iterations)) if isinstance(iterations, int) else itertools.count()


def _rounds(history: History, iteration: int, bracket: int) -> list[list[Trial]]:
    rounds: list[list[Trial]] = [[] for _ in range(bracket + 1)]
    for trial in history.trials:
        if trial.tags.get("iteration") == iteration and trial.tags.get("bracket") == bracket:
            rounds[int(trial.tags["round"])].append(trial)
    return rounds


def _start(plan: Plan, iteration: int, bracket: int, values: dict[str, bool | int | float | str]) -> Proposal:
    epochs = plan.epochs(bracket, 0)
    reason = f"Drawn at random for round 1 of {bracket + 1} of bracket {bracket}: up to epoch {epochs}"
    return Proposal(values, reason, epochs=epochs, tags={"iteration": iteration, "bracket": bracket, "round": 0})


@dataclass(frozen=True)
class _Step:
    """How a round of a bracket stands.

    Attributes:
        round_: From 1; the one before it has the candidates.
        candidates: Completed trials of the round before, best first.
        children: Promoted ones, in any state.
        places: How many may be promoted, those included whose child failed.
        candidates_open: How many candidates may still come.
        children_open: How many children are still to be completed, pending ones included.
    """

    round_: int
    candidates: list[Trial]
    children: list[Trial]
    places: int
    candidates_open: int
    children_open: int


def _steps(history: History, plan: Plan, bracket: int, rounds: list[list[Trial]], full: bool) -> Iterator[_Step]:
    """The rounds of a bracket after the first; `full`: no further trial starts in it."""
    pending = sum(not trial.state.is_finished for trial in rounds[0])
    still_open = pending if full else plan.size(bracket, 0) - len(rounds[0]) + pending
    for round_ in range(1, bracket + 1):
        candidates = _best_first(history, rounds[round_ - 1])
        children = rounds[round_]
        failed = sum(trial.state.is_finished and trial.state is not TrialState.COMPLETED for trial in children)
        size = plan.size(bracket, round_)
        expected = min(size, len(candidates) + still_open - failed)
        completed = sum(trial.state is TrialState.COMPLETED for trial in children)
        yield _Step(round_, candidates, children, size + failed, still_open, expected - completed)
        still_open = expected - completed


def _promotion(
    history: History, plan: Plan, iteration: int, bracket: int, rounds: list[list[Trial]], full: bool
) -> Proposal | None:
    """Promote the best trial that is certain to be among the best of its round, whatever the pending ones reach."""
    for step in _steps(history, plan, bracket, rounds, full):
        promoted = {trial.parent for trial in step.children}
        if len(step.children) >= step.places:
            continue
        for rank, trial in enumerate(step.candidates, start=1):
            if trial.number not in promoted and rank + step.candidates_open <= step.places:
                return _promote(plan, iteration, bracket, step.round_, trial, rank, len(rounds[step.round_ - 1]))
    return None


def possible_parents(space: SearchSpace, history: History, options: Options) -> set[int]:
    """Trials that may still be promoted: those of rounds after which not all places are taken for good."""
    plan = _plan(history.max_epochs, options)
    brackets = {(t.tags["iteration"], t.tags["bracket"]) for t in history.trials if "bracket" in t.tags}
    found: set[int] = set()
    for iteration, bracket in brackets:
        rounds = _rounds(history, int(iteration), int(bracket))
        full = len(rounds[0]) >= plan.size(int(bracket), 0)
        for step in _steps(history, plan, int(bracket), rounds, full):
            if step.children_open > 0:
                promoted = {trial.parent for trial in step.children}
                found |= {trial.number for trial in step.candidates if trial.number not in promoted}
    return found


def _best_first(history: History, trials: list[Trial]) -> list[Trial]:
    numbers = {trial.number for trial in trials}
    return [trial for trial in history.best_first() if trial.number in numbers]


def _promote(plan: Plan, iteration: int, bracket: int, round_: int, parent: Trial, rank: int, of: int) -> Proposal:
    epochs = plan.epochs(bracket, round_)
    return Proposal(
        dict(parent.values),
        f"Promoted from trial {parent.number}, number {rank} of {of} in its round: goes on to epoch {epochs}",
        epochs=epochs,
        parent=parent.number,
        tags={"iteration": iteration, "bracket": bracket, "round": round_},
        repeats=True,
    )
