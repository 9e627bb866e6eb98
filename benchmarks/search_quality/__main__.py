"""Compare search algorithms on tables of real trainings.

    python -m benchmarks.search_quality --tables DIR [--algorithms random bayesian gaussian_process] [--seeds 20]

An algorithm may be given options: `gaussian_process:acquisition=bound,exploration=2`. Prints the mean normalised
regret of the configuration that would be picked (the best observed one) after 25, 50 and 100 trials (0: the best of
the table, 1: the median one), and the processor seconds per proposal.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import JsonValue
from rich.console import Console
from rich.table import Table as Printed

from benchmarks.search_quality import tables
from tunerstudio.algorithms.api import TrialState, Values, values_key
from tunerstudio.algorithms.discovery import get
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.simulation import Simulation
from tunerstudio.study.search import Objective

_SEED_DISTANCE = 7919
"""Keras Tuner's neighbouring seeds overlap, so that seeds are spaced widely for all."""


@dataclass(frozen=True)
class Job:
    """One search."""

    algorithm: str
    path: Path
    seed: int
    trials: int


@dataclass(frozen=True)
class Outcome:
    """What came of it: regret after each trial, and processor seconds of each proposal."""

    job: Job
    kind: str
    regrets: list[float]
    seconds: list[float]


def run(job: Job) -> Outcome:
    """One search on one table."""
    table = tables.load(job.path)
    seed = job.seed * _SEED_DISTANCE
    rng = np.random.default_rng([seed, 1])
    name, _, text = job.algorithm.partition(":")
    options = dict(_option(pair) for pair in text.split(",")) if text else {}
    manifest = get(name).manifest
    assert manifest is not None
    host = AlgorithmHost(manifest, table.space, Objective(), seed, job.trials, table.epochs, options)

    def score(values: Values, epochs: int) -> float | None:
        return table.observe(values, epochs, rng)

    def available(values: Values) -> Values:
        return table.available(values, {values_key(trial.values) for trial in simulation.trials})

    simulation = Simulation(host, score, max_epochs=table.epochs, change=available)
    seconds = []
    while len(simulation.trials) < job.trials and not simulation.finished:
        simulation.end_all()
        start = time.process_time()
        simulation.step()
        seconds.append(time.process_time() - start)
    simulation.end_all()
    regrets, best, regret = [], float("inf"), 1.0
    for trial in simulation.trials:
        if trial.state is TrialState.COMPLETED and trial.score is not None and trial.score < best:
            best, regret = trial.score, table.regret(trial.values)
        regrets.append(regret)
    return Outcome(job, table.kind, regrets + regrets[-1:] * (job.trials - len(regrets)), seconds)


def _option(pair: str) -> tuple[str, JsonValue]:
    """`name=value`, where the value is JSON or else a plain text."""
    name, _, text = pair.partition("=")
    try:
        value: JsonValue = json.loads(text)
    except json.JSONDecodeError:
        value = text
    return name, value


def outcomes(jobs: list[Job], processes: int) -> Iterator[Outcome]:
    """Run all, several at a time."""
    if processes <= 1:
        yield from map(run, jobs)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        yield from pool.map(run, jobs)


def report(done: list[Outcome], marks: list[int]) -> Printed:
    """A row per algorithm and kind of table, then one over all tables."""
    printed = Printed(title="Mean normalised regret")
    for heading in ("algorithm", "tables", *(f"@{mark}" for mark in marks), "s/proposal", "slowest"):
        printed.add_column(heading, justify="left" if heading in {"algorithm", "tables"} else "right")
    for algorithm in dict.fromkeys(outcome.job.algorithm for outcome in done):
        own = [outcome for outcome in done if outcome.job.algorithm == algorithm]
        for kind in [*sorted({outcome.kind for outcome in own}), "all"]:
            rows = [outcome for outcome in own if kind in {outcome.kind, "all"}]
            by_table = [[o for o in rows if o.job.path == path] for path in {o.job.path for o in rows}]
            regrets = [np.mean([np.mean([o.regrets[mark - 1] for o in group]) for group in by_table]) for mark in marks]
            seconds = [second for outcome in rows for second in outcome.seconds]
            cells = [f"{regret:.4f}" for regret in regrets]
            printed.add_row(algorithm, kind, *cells, f"{np.mean(seconds):.3f}", f"{max(seconds):.3f}")
    return printed


def main() -> None:
    """Parse arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, required=True, help="folder of .npz tables")
    parser.add_argument("--only", default="", help="only tables whose name contains this; several with commas")
    parser.add_argument("--algorithms", nargs="+", default=["random", "bayesian", "gaussian_process"])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", type=Path, help="also write every regret curve here")
    arguments = parser.parse_args()
    paths = [
        path
        for path in sorted(arguments.tables.glob("*.npz"))
        if any(word in path.stem for word in arguments.only.split(","))
    ]
    combinations = itertools.product(arguments.algorithms, paths, range(arguments.seeds))
    jobs = [Job(algorithm, path, seed, arguments.trials) for algorithm, path, seed in combinations]
    done = list(outcomes(jobs, arguments.processes))
    if arguments.json:
        rows = [[o.job.algorithm, o.job.path.stem, o.job.seed, o.regrets, o.seconds] for o in done]
        arguments.json.write_text(json.dumps(rows), encoding="utf-8")
    marks = [mark for mark in (25, 50, 100, 200, 500) if mark <= arguments.trials]
    Console().print(report(done, marks))


if __name__ == "__main__":
    main()
