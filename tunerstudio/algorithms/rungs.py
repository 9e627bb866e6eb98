"""Successive halving for pruners: at a few epochs, the rungs, only the best share of the trials goes on."""

from __future__ import annotations

import math
from collections.abc import Callable

from tunerstudio.algorithms.curves import LearningCurves

_GOLDEN = (math.sqrt(5) - 1) / 2


def rungs(min_epochs: int, max_epochs: int, factor: int, bracket: int = 0) -> list[int]:
    """Epochs at which trials are compared, rising: min_epochs × factor^(bracket + 0, 1, …), below max_epochs."""
    found, epoch = [], min_epochs * factor**bracket
    while epoch < max_epochs:
        found.append(epoch)
        epoch *= factor
    return found


def bracket_count(min_epochs: int, max_epochs: int, factor: int) -> int:
    """How many brackets there are, the last of which compares nothing: its trials all train to the end."""
    return len(rungs(min_epochs, max_epochs, factor)) + 1


def bracket_of(trial: int, brackets: int, factor: int) -> int:
    """The bracket of a trial, by its number alone.

    As in Hyperband, bracket b (which begins to compare later) gets fewer trials: about so many that each bracket
    spends the same number of epochs.
    """
    weights = [factor ** (brackets - 1 - b) / (brackets - b) for b in range(brackets)]
    # Multiples of the golden ratio fill the line evenly: each bracket has its share from the start.
    place = (trial * _GOLDEN % 1.0) * sum(weights)
    for bracket, weight in enumerate(weights):
        place -= weight
        if place < 0:
            return bracket
    return brackets - 1


def halving_verdict(
    curves: LearningCurves, trial: int, epoch: int, factor: int, member: Callable[[int], bool] = lambda trial: True
) -> str | None:
    """Whether `trial`, now at the rung `epoch`, ends there; the reason in a sentence, or None if it goes on.

    Asynchronous: it is compared with the trials that have reached the rung so far; while they are fewer than
    `factor`, all go on.

    Args:
        curves: Of all trials.
        trial: Has just reached `epoch`.
        epoch: A rung.
        factor: One in so many goes on.
        member: Whether a trial is compared with this one, by number.
    """
    reached = {number: loss for number, loss in curves.at(epoch).items() if member(number)}
    if len(reached) < factor:
        return None
    loss = reached[trial]
    rank = 1 + sum(other < loss for other in reached.values())
    keep = max(len(reached) // factor, 1)
    if rank <= keep and math.isfinite(loss):
        return None
    who = "one goes" if keep == 1 else f"{keep} go"
    return f"Number {rank} of {len(reached)} at epoch {epoch}, where the best {who} on"
