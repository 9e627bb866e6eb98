"""Hyperband (Li et al. 2018) as a pruner: every trial belongs to a bracket, by its number, and is halved within it."""

from __future__ import annotations

from tunerstudio.algorithms.api import LearningCurves, Options, bracket_count, bracket_of, halving_verdict, rungs


def observe_epoch(curves: LearningCurves, trial: int, epoch: int, options: Options) -> str | None:
    """Why the trial ends, if this epoch is a rung of its bracket and it is not among the best there."""
    first, factor = int(str(options["min_epochs"])), int(str(options["factor"]))
    brackets = bracket_count(first, curves.max_epochs, factor)
    bracket = bracket_of(trial, brackets, factor)
    if epoch not in rungs(first, curves.max_epochs, factor, bracket):
        return None

    def member(other: int) -> bool:
        return bracket_of(other, brackets, factor) == bracket

    verdict = halving_verdict(curves, trial, epoch, factor, member)
    return None if verdict is None else f"{verdict} (bracket {bracket + 1} of {brackets})"
