"""Asynchronous successive halving (Li et al. 2020), in the form that ends trials instead of pausing them."""

from __future__ import annotations

from tunerstudio.algorithms.api import LearningCurves, Options, bracket_count, bracket_of, halving_verdict, rungs


def observe_epoch(curves: LearningCurves, trial: int, epoch: int, options: Options) -> str | None:
    """Why the trial ends, if this epoch is a rung of its bracket and it is not among the best there."""
    factor, wanted = int(str(options["factor"])), options["min_epochs"]
    first = wanted if isinstance(wanted, int) else max(curves.max_epochs // 9, 1)
    brackets = min(int(str(options["brackets"])), bracket_count(first, curves.max_epochs, factor))
    bracket = bracket_of(trial, brackets, factor)
    if epoch not in rungs(first, curves.max_epochs, factor, bracket):
        return None
    return halving_verdict(curves, trial, epoch, factor, lambda other: bracket_of(other, brackets, factor) == bracket)
