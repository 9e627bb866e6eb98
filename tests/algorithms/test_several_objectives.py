"""Several objectives: ranks, crowding, vectors of trials, NSGA-II and NSGA-III."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tunerstudio.algorithms.api import Boolean, Choice, Float, History, Int, SearchSpace, crowding, pareto_ranks
from tunerstudio.algorithms.conformance import CONDITIONAL
from tunerstudio.algorithms.discovery import get
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.pareto import hypervolume
from tunerstudio.algorithms.variation import child_values
from tunerstudio.study.search import Objective, SecondObjective
from tunerstudio.study.trials import Execution, Trial, TrialState

SPACE = SearchSpace(
    hyperparameters=(*(Float(name=f"x{index}", min=0, max=1) for index in range(6)), Int(name="n", min=1, max=9))
)


@given(arrays(np.float64, st.tuples(st.integers(0, 12), st.integers(1, 4)), elements=st.integers(0, 4)))
def test_ranks_are_those_of_the_definition(losses):
    ranks = pareto_ranks(losses)

    def dominated_by(index, others):
        return any((losses[o] <= losses[index]).all() and (losses[o] < losses[index]).any() for o in others)

    for rank in range(int(ranks.max(initial=-1)) + 1):
        rest = np.flatnonzero(ranks >= rank)
        assert all((ranks[index] == rank) != dominated_by(index, rest) for index in rest)


def test_crowding_prefers_ends_and_gaps():
    distance = crowding(np.array([[0.0, 1.0], [0.1, 0.9], [0.2, 0.8], [1.0, 0.0]]))
    assert np.isinf(distance[[0, 3]]).all()
    assert distance[2] > distance[1]
    assert crowding(np.ones((3, 2))).tolist() == [0.0, 0.0, 0.0]


def test_hypervolume():
    assert hypervolume(np.array([[1.0, 2.0], [2.0, 1.0]]), np.array([3.0, 3.0])) == 3.0
    assert hypervolume(np.array([[4.0, 0.0]]), np.array([3.0, 3.0])) == 0.0
    cube = np.array([[0.0, 0.0, 0.5], [0.5, 0.5, 0.0]])
    assert hypervolume(cube, np.ones(3)) == pytest.approx(0.5 + 0.25 * 0.5)


def test_vectors_are_losses_of_trials_that_have_all():
    execution = Execution(0, TrialState.COMPLETED, 0, metrics={"val_auc": 0.75})
    full = Trial(1, TrialState.COMPLETED, {}, score=0.9, executions=(execution,), parameters=100)
    half = Trial(2, TrialState.COMPLETED, {}, score=0.8, executions=(execution,))
    odd = Trial(3, TrialState.COMPLETED, {}, score=0.8, executions=(execution,), measures={"parameters": math.inf})
    also = (SecondObjective(name="parameters"), SecondObjective(name="val_auc", direction="max"))
    trials, losses = History([full, half, odd], "max", 9, 9, also=also).vectors()
    assert [trial.number for trial in trials] == [1]
    assert losses.tolist() == [[-0.9, 100.0, -0.75]]


def test_children_are_legal_and_like_their_parents():
    rng = np.random.default_rng(0)
    space = SearchSpace(
        hyperparameters=(
            *CONDITIONAL.hyperparameters,
            Boolean(name="flag"),
            Choice(name="word", choices=("a", "b", "c")),
        )
    )
    for _ in range(300):
        mother, father = ({**space.from_units({n: float(rng.random()) for n in space.names()})} for _ in range(2))
        child = child_values(space, mother, father, rng)
        assert space.problems(child) == []
    same = [child_values(SPACE, SPACE.defaults(), SPACE.defaults(), rng, crossover=0.0) for _ in range(50)]
    changes = [sum(child[name] != value for name, value in SPACE.defaults().items()) for child in same]
    assert all(change <= 7 for change in changes)
    assert 0.7 < np.mean(changes) < 2.0


def run(name, objectives, trials, seed=0) -> np.ndarray:
    """Losses that a search finds on DTLZ2-like objectives."""
    also = tuple(SecondObjective(name=f"f{index}") for index in range(1, objectives))
    host = AlgorithmHost(get(name).manifest, SPACE, Objective(), seed, trials, 10, also=also)
    done: list[Trial] = []
    for number in range(1, trials + 1):
        values = host.next(done, number).values
        x = [float(values[f"x{index}"]) for index in range(6)]
        radius = 1 + sum((v - 0.5) ** 2 for v in x[objectives - 1 :]) * 2 + (float(values["n"]) - 1) / 8
        losses = []
        for index in range(objectives):
            loss = radius * math.prod(math.cos(v * math.pi / 2) for v in x[: objectives - 1 - index])
            losses.append(loss * (math.sin(x[objectives - 1 - index] * math.pi / 2) if index else 1.0))
        measures = {f"f{index}": losses[index] for index in range(1, objectives)}
        done.append(Trial(number, TrialState.COMPLETED, values, score=losses[0], measures=measures))
    return np.array([[trial.score, *trial.measures.values()] for trial in done])


@pytest.mark.parametrize(("name", "objectives"), [("nsga2", 2), ("nsga3", 3)])
def test_they_find_better_fronts_than_chance(name, objectives):
    reference = np.full(objectives, 1.6)
    volumes = {
        algorithm: np.mean([hypervolume(_front(run(algorithm, objectives, 120, seed)), reference) for seed in range(3)])
        for algorithm in (name, "random")
    }
    assert volumes[name] > 1.15 * volumes["random"]


def _front(losses):
    return losses[pareto_ranks(losses) == 0]
