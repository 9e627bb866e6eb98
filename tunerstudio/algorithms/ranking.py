"""How good a plugin is beside the shipped ones, on small functions that stand for trainings: seconds, no data needed.

Each task is a search space and a loss with a learning curve, made to resemble what tuning meets: a narrow valley on
logarithmic scales, categories and conditions, many hyperparameters of which few matter, a region that fails. Regret
is 0 for the best of 2,000 random configurations (less than 0 for better ones) and 1 for their median.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tunerstudio.algorithms.api import Boolean, Choice, Condition, Float, Int, SearchSpace, Values, random_values
from tunerstudio.algorithms.discovery import AlgorithmInfo, find_algorithms, find_pruners, get
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.pruning import Pruner
from tunerstudio.algorithms.simulation import Simulation
from tunerstudio.study.search import Objective
from tunerstudio.study.trials import TrialState

EPOCHS: Final = 27

_DRAWN: Final = 2000
_PROPOSER: Final = "random"
"""What pruners are compared with: it learns nothing, so that the pruner alone makes the difference."""


@dataclass(frozen=True)
class Task:
    """One function to search.

    Attributes:
        name: For people.
        space: What may vary.
        loss: Of values after all epochs; None where training fails.
        speed: How fast the curve falls, by values: part of the way that is left after an epoch.
    """

    name: str
    space: SearchSpace
    loss: Callable[[Values], float | None]
    speed: Callable[[Values], float] = lambda values: 0.75

    def curve(self, values: Values, epochs: int) -> float | None:
        """Best loss up to an epoch."""
        final = self.loss(values)
        return None if final is None else final + 2.0 * float(self.speed(values)) ** epochs


@dataclass(frozen=True)
class Place:
    """One plugin in the ranking.

    Attributes:
        id: Of the plugin.
        name: For people.
        regrets: Mean regret by task, after the whole budget.
        mean: Mean of them.
        seconds_per_proposal: Processor time of one proposal; of a pruner, of one judged epoch.
    """

    id: str
    name: str
    regrets: dict[str, float]
    mean: float
    seconds_per_proposal: float


def _number(values: Values, name: str) -> float:
    return float(values.get(name, 0.0))


def _valley(values: Values) -> float:
    rate, momentum = math.log10(_number(values, "learning_rate")), _number(values, "momentum")
    return 0.1 + 0.15 * (rate + 2.3 + momentum) ** 2 + 0.4 * (momentum - 0.7) ** 2


def _network(values: Values) -> float:
    units = sum(math.log2(_number(values, f"units_{index}") or 8.0) for index in (1, 2))
    depth = 0.15 if values["second_layer"] else 0.3
    activation = {"relu": 0.0, "tanh": 0.1, "sigmoid": 0.3}[str(values["activation"])]
    rate = math.log10(_number(values, "learning_rate"))
    return depth + activation + 0.01 * (units - 12) ** 2 + 0.2 * (rate + 3) ** 2


def _few_matter(values: Values) -> float:
    important = (_number(values, "x1") - 0.3) ** 2 * 3 + (_number(values, "x2") - 0.8) ** 2 * 2
    return 0.05 + important + 0.02 * sum(_number(values, f"x{index}") for index in range(3, 9))


def _cliff(values: Values) -> float | None:
    a, b = _number(values, "a"), _number(values, "b")
    return None if a > 0.8 else 0.2 + (0.85 - a) + 0.5 * (b - 0.5) ** 2


TASKS: Final = (
    Task(
        "valley",
        SearchSpace(
            hyperparameters=(
                Float(name="learning_rate", min=1e-5, max=1.0, sampling="log"),
                Float(name="momentum", min=0.0, max=0.99),
            )
        ),
        _valley,
        lambda values: 0.6 + 0.3 * _number(values, "momentum"),
    ),
    Task(
        "network",
        SearchSpace(
            hyperparameters=(
                Int(name="units_1", min=8, max=256, step=2, sampling="log"),
                Boolean(name="second_layer"),
                Int(
                    name="units_2",
                    min=8,
                    max=256,
                    step=2,
                    sampling="log",
                    conditions=(Condition(parent="second_layer", values=(True,)),),
                ),
                Choice(name="activation", choices=("relu", "tanh", "sigmoid")),
                Float(name="learning_rate", min=1e-5, max=0.1, sampling="log"),
            )
        ),
        _network,
        lambda values: 0.65 + 0.05 * abs(math.log10(_number(values, "learning_rate")) + 3),
    ),
    Task(
        "few matter",
        SearchSpace(hyperparameters=tuple(Float(name=f"x{index}", min=0.0, max=1.0) for index in range(1, 9))),
        _few_matter,
    ),
    Task(
        "cliff",
        SearchSpace(hyperparameters=(Float(name="a", min=0.0, max=1.0), Float(name="b", min=0.0, max=1.0))),
        _cliff,
    ),
)
"""All tasks."""


def rank_algorithm(info: AlgorithmInfo, trials: int = 40, seeds: int = 3) -> Iterator[Place]:
    """Places of the shipped algorithms and of `info`, one after the other as they are measured, not sorted.

    All spend the same number of epochs: those that cut training short start more trials for it. Keras Tuner's oracles
    are left out, except `info` itself: they take minutes. So are those that need a further package: the ranking is the
    same everywhere.
    """
    shipped = [
        other for other in find_algorithms() if other.origin == "shipped" and other.usable and other.id != info.id
    ]
    pure = [other for other in shipped if other.manifest and other.manifest.kind == "propose"]
    for other in [info, *(other for other in pure if other.manifest and not other.manifest.install)]:
        tasks = [task for task in TASKS if _can_search(other, task.space)]
        yield _place(other, tasks, trials, seeds, None)


def rank_pruner(info: AlgorithmInfo, trials: int = 40, seeds: int = 5) -> Iterator[Place]:
    """Places of the shipped pruners, of no pruning and of `info`, each with random search; the budget is in epochs."""
    shipped = [other for other in find_pruners() if other.origin == "shipped" and other.usable and other.id != info.id]
    for other in [info, *shipped, None]:
        yield _place(get(_PROPOSER), TASKS, trials, seeds, other, prunes=True)


def ranked(places: Sequence[Place]) -> list[Place]:
    """Best first."""
    return sorted(places, key=lambda place: place.mean)


def _can_search(info: AlgorithmInfo, space: SearchSpace) -> bool:
    claims = info.manifest.capabilities if info.manifest else frozenset()
    conditional = any(hyperparameter.conditions for hyperparameter in space.hyperparameters)
    continuous = any(math.isinf(hyperparameter.count()) for hyperparameter in space.hyperparameters)
    return ("conditional" in claims or not conditional) and ("continuous" in claims or not continuous)


def _place(
    info: AlgorithmInfo,
    tasks: Sequence[Task],
    trials: int,
    seeds: int,
    pruner: AlgorithmInfo | None,
    prunes: bool = False,
) -> Place:
    regrets: dict[str, float] = {}
    spent, asked = 0.0, 0
    for task in tasks:
        best_drawn, median_drawn = _scale(task)
        found = []
        for seed in range(seeds):
            loss, seconds, count = _search(info, task, trials, seed, pruner)
            found.append((loss - best_drawn) / (median_drawn - best_drawn) if math.isfinite(loss) else 1.0)
            spent, asked = spent + seconds, asked + count
        regrets[task.name] = float(np.mean(found))
    mean = float(np.mean(list(regrets.values()))) if regrets else math.nan
    seconds = spent / max(asked, 1)
    if prunes:
        shown = (pruner.id, pruner.name) if pruner else ("none", "No pruning")
        return Place(*shown, regrets, mean, seconds)
    return Place(info.id, info.name, regrets, mean, seconds)


def _search(
    info: AlgorithmInfo, task: Task, trials: int, seed: int, pruner: AlgorithmInfo | None
) -> tuple[float, float, int]:
    """Loss of the pick after the budget, processor seconds of the proposals, how many there were."""
    assert info.manifest is not None
    judge = None
    if pruner is not None:
        assert pruner.manifest is not None
        judge = Pruner(pruner.manifest, Objective(), EPOCHS)
    host = AlgorithmHost(info.manifest, task.space, Objective(), seed, trials, EPOCHS, pruner=judge)
    simulation = Simulation(host, task.curve, max_epochs=EPOCHS, pruner=judge)
    spent, seconds, best = 0, 0.0, math.inf
    while spent < trials * EPOCHS and not simulation.finished:
        start = time.process_time()
        simulation.step()
        seconds += time.process_time() - start
        simulation.end_all()
        trial = simulation.trials[-1]
        before = simulation.trials[trial.parent - 1].epochs_planned if trial.parent else 0
        spent += max(trial.epochs or trial.epochs_planned - before, 1)
        if trial.state in (TrialState.COMPLETED, TrialState.PRUNED):
            final = task.loss(trial.values)
            best = min(best, math.inf if final is None else final)
    return best, seconds, len(simulation.trials)


def _scale(task: Task) -> tuple[float, float]:
    """Best and median loss of many random configurations."""
    rng = np.random.default_rng(0)
    drawn = (task.loss(random_values(task.space, rng)) for _ in range(_DRAWN))
    known = [loss for loss in drawn if loss is not None]
    return min(known), float(np.median(known))
