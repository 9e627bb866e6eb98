"""Outcomes as a printed table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.table import Table as Printed

from benchmarks.search_quality.searches import Outcome

Array = np.ndarray


def curves(done: Sequence[Outcome], algorithm: str, kind: str = "all") -> Array:
    """Regret after each trial, mean over seeds and then over tables, so that every table counts the same."""
    own = [outcome for outcome in done if outcome.algorithm == algorithm and kind in {outcome.kind, "all"}]
    names = sorted({outcome.table for outcome in own})
    mean: Array = np.mean([np.mean([o.regrets for o in own if o.table == name], axis=0) for name in names], axis=0)
    return mean


def ranks(done: Sequence[Outcome], mark: int) -> dict[str, float]:
    """Mean place of each algorithm after `mark` trials, over tables and seeds; equal ones share their places."""
    places: dict[str, list[float]] = {}
    by_search: dict[tuple[str, int], list[Outcome]] = {}
    for outcome in done:
        by_search.setdefault((outcome.table, outcome.seed), []).append(outcome)
    for group in by_search.values():
        regrets = np.array([outcome.regrets[mark - 1] for outcome in group])
        for outcome, regret in zip(group, regrets, strict=True):
            place = (regrets < regret).sum() + ((regrets == regret).sum() + 1) / 2
            places.setdefault(outcome.algorithm, []).append(float(place))
    return {algorithm: float(np.mean(own)) for algorithm, own in places.items()}


def table(done: Sequence[Outcome], marks: Sequence[int], unit: str) -> Printed:
    """A row per algorithm and kind of table, then one over all tables."""
    printed = Printed(title=f"Mean normalised regret, budget in {unit}")
    headings = ("algorithm", "tables", *(f"@{mark}" for mark in marks), "rank", "repeats", "s/proposal", "slowest")
    for heading in headings:
        printed.add_column(heading, justify="left" if heading in {"algorithm", "tables"} else "right")
    rank = ranks(done, marks[-1]) if marks else {}
    for algorithm in dict.fromkeys(outcome.algorithm for outcome in done):
        own = [outcome for outcome in done if outcome.algorithm == algorithm]
        for kind in [*sorted({outcome.kind for outcome in own}), "all"]:
            rows = [outcome for outcome in own if kind in {outcome.kind, "all"}]
            mean = curves(done, algorithm, kind)
            seconds = [second for outcome in rows for second in outcome.seconds]
            repeats = np.mean([outcome.repeats / max(len(outcome.seconds), 1) for outcome in rows])
            printed.add_row(
                algorithm,
                kind,
                *(f"{mean[mark - 1]:.4f}" for mark in marks),
                f"{rank[algorithm]:.2f}" if kind == "all" and rank else "",
                f"{repeats:.0%}",
                f"{np.mean(seconds):.3f}",
                f"{max(seconds):.3f}",
                end_section=kind == "all",
            )
    return printed
