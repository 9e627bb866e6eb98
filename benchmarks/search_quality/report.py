"""Outcomes as a printed table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from rich.table import Table as Printed

from benchmarks.search_quality.searches import Outcome

Array = np.ndarray


def curves(done: Sequence[Outcome], algorithm: str) -> Array:
    """Regret after each trial, mean over seeds and then over tables, so that every table counts the same."""
    own = [outcome for outcome in done if outcome.algorithm == algorithm]
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


def comparable(done: Sequence[Outcome], algorithms: Sequence[str]) -> list[Outcome]:
    """The outcomes of those tables and seeds that every algorithm has been through."""
    owners: dict[tuple[str, int], set[str]] = {}
    for outcome in done:
        owners.setdefault((outcome.table, outcome.seed), set()).add(outcome.algorithm)
    whole = {search for search, known in owners.items() if known >= set(algorithms)}
    return [outcome for outcome in done if (outcome.table, outcome.seed) in whole]


def differences(done: Sequence[Outcome], marks: Sequence[int]) -> Printed:
    """By how much each algorithm's regret is greater than that of the first one, ± the standard error.

    Searches of the same table and seed are compared with each other. Every table counts the same, and the error is that
    of a mean over these tables: it says what other seeds would change, not what other tables would.
    """
    first, *others = dict.fromkeys(outcome.algorithm for outcome in done)
    regrets = {(o.algorithm, o.table, o.seed): np.array([o.regrets[mark - 1] for mark in marks]) for o in done}
    names = sorted({outcome.table for outcome in done})
    printed = Printed(title=f"Regret above that of {first}, with the standard error")
    for heading in ("algorithm", *(f"@{mark}" for mark in marks)):
        printed.add_column(heading, justify="left" if heading == "algorithm" else "right")
    for other in others:
        means, variances = [], []
        for name in names:
            seeds = sorted(seed for algorithm, own, seed in regrets if (algorithm, own) == (first, name))
            rows = np.array([regrets[other, name, seed] - regrets[first, name, seed] for seed in seeds])
            means.append(rows.mean(axis=0))
            variances.append(rows.var(axis=0, ddof=1) / len(rows) if len(rows) > 1 else np.full(len(marks), np.nan))
        error = np.sqrt(np.sum(variances, axis=0)) / len(names)
        printed.add_row(other, *map(_with_error, np.mean(means, axis=0), error))
    return printed


def table(done: Sequence[Outcome], marks: Sequence[int], unit: str, by: Literal["kind", "table"] = "kind") -> Printed:
    """A row per algorithm and kind of table (or each table), then one over all tables."""
    seeds = sorted({sum(1 for o in done if (o.algorithm, o.table) == key) for key in {_key(o) for o in done}})
    told = " to ".join(dict.fromkeys(str(count) for count in (seeds[0], seeds[-1])))
    printed = Printed(title=f"Mean normalised regret, budget in {unit}; seeds: {told}")
    headings = ("algorithm", "tables", *(f"@{mark}" for mark in marks), "rank", "repeats", "s/proposal", "slowest")
    for heading in headings:
        printed.add_column(heading, justify="left" if heading in {"algorithm", "tables"} else "right")
    rank = ranks(done, marks[-1]) if marks else {}
    for algorithm in dict.fromkeys(outcome.algorithm for outcome in done):
        own = [outcome for outcome in done if outcome.algorithm == algorithm]
        for kind in [*sorted({getattr(outcome, by) for outcome in own}), "all"]:
            rows = [outcome for outcome in own if kind in {getattr(outcome, by), "all"}]
            mean = curves(rows, algorithm)
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


def _with_error(mean: float, error: float) -> str:
    """One seed tells no error."""
    return f"{mean:+.4f}" if np.isnan(error) else f"{mean:+.4f} ± {error:.4f}"


def _key(outcome: Outcome) -> tuple[str, str]:
    return outcome.algorithm, outcome.table
