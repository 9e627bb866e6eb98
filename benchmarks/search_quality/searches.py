"""One search on one table: how good the configuration is that would be picked, and how long proposals take."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from pydantic import JsonValue

from benchmarks.search_quality import tables
from benchmarks.search_quality.tables import Table
from tunerstudio.algorithms.api import Finished, Proposal, Trial, TrialState, Values, Wait, values_key
from tunerstudio.algorithms.discovery import get, get_pruner
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.pruning import Pruner
from tunerstudio.algorithms.simulation import Simulation
from tunerstudio.study.search import Objective

SEED_DISTANCE = 7919
"""Keras Tuner's neighbouring seeds overlap, so that seeds are spaced widely for all."""

OPTUNA = "optuna_"
"""Algorithms whose name begins so are Optuna's: optuna_gp, optuna_tpe, …"""

KERAS_TUNER = "keras_tuner_"
"""Algorithms whose name begins so are Keras Tuner's without any guard of ours: keras_tuner_bayesian, …"""


class Proposer(Protocol):
    """What the simulation asks: an algorithm of ours behind its host, or another program's."""

    def next(self, trials: Sequence[Trial], number: int) -> Proposal | Wait | Finished:
        """The next trial, given all trials so far."""


@dataclass(frozen=True)
class Job:
    """One search.

    Attributes:
        algorithm: `id` or `id:option=value,option=value`, both perhaps with `+pruner` behind: `tpe+asha`.
        path: Of the table.
        seed: Any whole number.
        trials: Budget in whole trainings.
        cut: Whether the budget is counted in epochs: a trial of half the epochs costs half a training.
        slots: How many trials run side by side.
    """

    algorithm: str
    path: Path
    seed: int
    trials: int
    cut: bool = False
    slots: int = 1

    @property
    def key(self) -> str:
        """Tells results of the same job."""
        mode = ("epochs" if self.cut else "trials") + (f" {self.slots} slots" if self.slots > 1 else "")
        return f"{self.algorithm} | {self.path.stem} | {self.seed} | {self.trials} {mode}"


@dataclass(frozen=True)
class Outcome:
    """What came of a search.

    Attributes:
        algorithm, table, kind, seed: What was searched, and how.
        regrets: Regret of the pick once 1, 2, … whole trainings are spent.
        seconds: Processor time of each proposal.
        repeats: How many proposals an earlier trial had had already.
        failed: How many trainings diverged.
    """

    algorithm: str
    table: str
    kind: str
    seed: int
    regrets: list[float]
    seconds: list[float]
    repeats: int
    failed: int


def run(job: Job) -> Outcome:
    """Run one search."""
    table = tables.load(job.path)
    seed = job.seed * SEED_DISTANCE
    rng = np.random.default_rng([seed, 1])
    pool = tables.is_pool(table)

    def score(values: Values, epochs: int) -> float | None:
        return table.observe(values, epochs, rng)

    def tried() -> set[str]:
        return {values_key(trial.values) for trial in simulation.trials}

    def available(values: Values) -> Values:
        return table.available(values, tried())

    pruner = _pruner(job, table)
    host = cast("AlgorithmHost", _proposer(job, table, seed, pruner))
    change = available if pool else None
    simulation = Simulation(host, score, job.slots, max_epochs=table.epochs, change=change, pruner=pruner)
    spending = _Spending(table, job.trials)
    seconds: list[float] = []
    while not spending.all_spent and not simulation.finished and not table.is_used_up(len(tried())):
        start = time.process_time()
        simulation.step()
        seconds.append(time.process_time() - start)
        if job.slots == 1:
            simulation.end_all()
        spending.book(simulation.trials, job.cut)
    keys = [values_key(trial.values) for trial in simulation.trials if trial.parent is None]
    failed = sum(trial.state is TrialState.FAILED for trial in simulation.trials)
    return Outcome(
        job.algorithm,
        table.name,
        table.kind,
        job.seed,
        spending.regrets(),
        [round(second, 5) for second in seconds],
        len(keys) - len(set(keys)),
        failed,
    )


class _Spending:
    """The budget, and what the pick was worth at each part of it."""

    def __init__(self, table: Table, trainings: int) -> None:
        self._table = table
        self._trainings = trainings
        self._booked = 0
        self._spent = 0.0
        self._best = float("inf")
        self._regret = 1.0
        self._steps: list[tuple[float, float]] = []

    @property
    def all_spent(self) -> bool:
        """Whether nothing is left for a further trial."""
        return self._spent >= self._trainings - 1e-9

    def book(self, trials: Sequence[Trial], cut: bool) -> None:
        """Take note of trials that ended since the last call."""
        ended = list(itertools.takewhile(lambda trial: trial.state.is_finished, trials[self._booked :]))
        for trial in ended:
            self._spent += epochs_of(trial, trials) / self._table.epochs if cut else 1.0
            if trial.score is not None and trial.score < self._best:
                self._best, self._regret = trial.score, self._table.regret(trial.values)
            self._steps.append((self._spent, self._regret))
        self._booked += len(ended)

    def regrets(self) -> list[float]:
        """Regret after 1, 2, … whole trainings; what is under way counts nothing yet."""
        spent = np.array([step[0] for step in self._steps])
        ended = np.searchsorted(spent, np.arange(1, self._trainings + 1) + 1e-9, side="right")
        return [round(self._steps[count - 1][1], 6) if count else 1.0 for count in ended]


def epochs_of(trial: Trial, trials: Sequence[Trial]) -> int:
    """Epochs that a finished trial cost; those of the parent it went on from are not paid again."""
    if trial.executions:
        return trial.epochs
    before = trials[trial.parent - 1].epochs_planned if trial.parent is not None else 0
    return trial.epochs_planned - before


def _pruner(job: Job, table: Table) -> Pruner | None:
    _, _, pruner = job.algorithm.partition("+")
    if not pruner:
        return None
    manifest = get_pruner(pruner).manifest
    assert manifest is not None
    return Pruner(manifest, Objective(), table.epochs)


def _proposer(job: Job, table: Table, seed: int, pruner: Pruner | None) -> Proposer:
    algorithm, _, _ = job.algorithm.partition("+")
    name, _, text = algorithm.partition(":")
    if name.startswith(OPTUNA):
        from benchmarks.search_quality.optuna_side import OptunaProposer

        return OptunaProposer(name.removeprefix(OPTUNA), table.space, seed)
    if name.startswith(KERAS_TUNER):
        from benchmarks.search_quality.keras_tuner_side import KerasTunerProposer

        return KerasTunerProposer(name.removeprefix(KERAS_TUNER), table.space, seed, job.trials)
    options = dict(_option(pair) for pair in text.split(",")) if text else {}
    manifest = get(name).manifest
    assert manifest is not None
    return AlgorithmHost(
        manifest, table.space, Objective(), seed, job.trials, table.epochs, options, pruner=pruner, slots=job.slots
    )


def _option(pair: str) -> tuple[str, JsonValue]:
    """`name=value`, where the value is JSON or else a plain text."""
    name, _, text = pair.partition("=")
    try:
        value: JsonValue = json.loads(text)
    except json.JSONDecodeError:
        value = text
    return name, value
