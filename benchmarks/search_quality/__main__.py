"""Compare search algorithms on tables of real trainings.

    python -m benchmarks.search_quality --tables DIR [--algorithms random tpe gaussian_process] [--seeds 20]

An algorithm may be given options: `gaussian_process:acquisition=bound,exploration=2`. Optuna's samplers take part as
`optuna_gp`, `optuna_tpe`, … where Optuna is installed, and Keras Tuner's oracles, without any guard of ours, as
`keras_tuner_bayesian`, …. Prints the mean normalised regret of the configuration that would be picked (the best
observed one) after 25, 50 and 100 trials (0: the best of the table, 1: the median one), the mean rank and the
processor seconds per proposal; `--by table` for each table. Then by how much each differs from the first algorithm,
compared search by search, with the standard error of that.

With `--cut`, the budget is counted in epochs on the tables that have learning curves: a trial that is trained for
half of the epochs costs half a trial; `tpe+asha` is TPE with a pruner. With `--slots 4`, four trials run side by
side. `--results FILE` keeps every search in a file: those that are in it already are not run again, so that a
comparison can grow piece by piece. It is stopped by `--minutes N` or Ctrl+C, and then shows the tables and seeds that
every algorithm has been through; the same command goes on. `--speed` measures proposals alone, with 25 to 500 trials.
"""

from __future__ import annotations

import argparse
import itertools
import math
import multiprocessing
import os
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

from rich.console import Console
from threadpoolctl import threadpool_limits

from benchmarks.search_quality import plot, report, speed, tables
from benchmarks.search_quality.results import Results
from benchmarks.search_quality.searches import KERAS_TUNER, OPTUNA, Job, Outcome, run
from tunerstudio.algorithms.discovery import find_algorithms

_MARKS = (25, 50, 100, 200, 500)


def outcomes(jobs: Iterable[Job], processes: int) -> Iterator[tuple[Job, Outcome]]:
    """Run all, several at a time, each on one thread; a job is taken when there is a process for it."""
    # PyTorch, which Optuna imports later, is ten times slower where its threads wait for each other.
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    if processes <= 1:
        with threadpool_limits(limits=1):
            yield from ((job, run(job)) for job in jobs)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        running: deque[tuple[Job, Future[Outcome]]] = deque()
        for job in jobs:
            running.append((job, pool.submit(run, job)))
            if len(running) == processes:
                first, future = running.popleft()
                yield first, future.result()
        yield from ((job, future.result()) for job, future in running)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, help="folder of .npz tables")
    parser.add_argument("--only", default="", help="only tables whose name contains this; several with commas")
    parser.add_argument("--algorithms", nargs="+", default=["random", "tpe", "gaussian_process"])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--cut", action="store_true", help="count the budget in epochs, on tables with curves")
    parser.add_argument("--slots", type=int, default=1, help="trials that run side by side")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--results", type=Path, help="file of finished searches, read and added to")
    parser.add_argument("--minutes", type=float, default=math.inf, help="start no search after so many minutes")
    parser.add_argument("--by", choices=("kind", "table"), default="kind", help="what has a row of its own")
    parser.add_argument("--plot", type=Path, help="also draw regret over trials into this .svg file")
    parser.add_argument("--speed", action="store_true", help="measure the time of proposals instead")
    arguments = parser.parse_args()
    if not arguments.speed and arguments.tables is None:
        parser.error("--tables DIR is needed, a folder of .npz tables")
    return arguments


def _jobs(arguments: argparse.Namespace) -> list[Job]:
    words = arguments.only.split(",")
    paths = [path for path in sorted(arguments.tables.glob("*.npz")) if any(word in path.stem for word in words)]
    if arguments.cut:
        paths = [path for path in paths if tables.load(path).epochs > 1]
    # Seed by seed and kind after kind, so that a comparison that is stopped has some of each, for all algorithms.
    paths = _in_turns(paths)
    combinations = itertools.product(range(arguments.seeds), paths, arguments.algorithms)
    trials, cut, slots = arguments.trials, arguments.cut, arguments.slots
    return [Job(algorithm, path, seed, trials, cut, slots) for seed, path, algorithm in combinations]


def _in_turns(paths: list[Path]) -> list[Path]:
    """The first table of each kind (the name up to `__`), then the second ones, and so on."""
    kinds = [path.stem.split("__")[0] for path in paths]
    return [path for _, _, path in sorted((kinds[:i].count(kind), kind, paths[i]) for i, kind in enumerate(kinds))]


def _names(algorithms: list[str]) -> dict[str, str]:
    """What people call them."""
    names = {info.id: info.name for info in find_algorithms()}
    for prefix, owner in ((OPTUNA, "Optuna"), (KERAS_TUNER, "Keras Tuner")):
        names.update({n: f"{owner} {n.removeprefix(prefix)}" for n in algorithms if n.startswith(prefix)})
    return names


def _run(jobs: list[Job], results: Results, arguments: argparse.Namespace) -> None:
    """Run what is missing, until time is up."""
    end = time.monotonic() + 60 * arguments.minutes
    missing = [job for job in jobs if job.key not in results]
    in_time = itertools.takewhile(lambda job: time.monotonic() < end, missing)
    for job, outcome in outcomes(in_time, arguments.processes):
        results.add(job.key, outcome)


def main() -> None:
    """Parse arguments, run, print."""
    arguments = _arguments()
    console = Console(width=None if sys.stdout.isatty() else 120)
    if arguments.speed:
        console.print(speed.table(arguments.algorithms))
        return
    jobs = _jobs(arguments)
    results = Results(arguments.results)
    try:
        _run(jobs, results, arguments)
    except KeyboardInterrupt:
        console.print("Stopped; what follows is what has been done.")
    done = report.comparable([results[job.key] for job in jobs if job.key in results], arguments.algorithms)
    if not done:
        sys.exit("no table has been searched by all algorithms yet: let it run longer")
    marks = [mark for mark in _MARKS if mark <= arguments.trials]
    unit = "epochs of whole trials" if arguments.cut else "trials"
    console.print(report.table(done, marks, unit, arguments.by))
    if len(arguments.algorithms) > 1:
        console.print(report.differences(done, marks))
    if arguments.plot:
        unit = "epochs spent, in whole trials" if arguments.cut else "trials"
        arguments.plot.write_text(plot.plot(done, _names(arguments.algorithms), unit), encoding="utf-8")


if __name__ == "__main__":
    main()
