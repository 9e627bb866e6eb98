import importlib

import numpy as np
import pytest

from tunerstudio.algorithms.discovery import get
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.loading import load_module
from tunerstudio.algorithms.simulation import Simulation
from tunerstudio.study.hyperparameters import Choice, Float, Int, SearchSpace
from tunerstudio.study.search import Objective


@pytest.fixture(scope="module")
def strategy():
    load_module(get("cma_es").manifest)
    return importlib.import_module("tunerstudio_plugin_cma_es.strategy").Strategy


def host_of(space, trials=300, seed=0, direction="min", **options):
    objective = Objective(name="val_loss", direction=direction)
    return AlgorithmHost(get("cma_es").manifest, space, objective, seed, trials, 10, options)


CUBE = SearchSpace(hyperparameters=tuple(Float(name=name, min=-1, max=1) for name in "abcd"))


def valley(values, epochs):
    """A narrow valley across the axes, its best at 0.3 everywhere."""
    point = np.array([values[name] for name in "abcd"]) - 0.3
    along = point.sum() / 2
    return float(along**2 + 20 * (point @ point - along**2))


def test_strategy_learns_the_shape_of_a_valley(strategy):
    rng = np.random.default_rng(0)
    run = strategy(np.full(3, 0.8), 0.2, [], 12)
    scale = np.array([1.0, 10.0, 100.0])
    for _ in range(60):
        points = np.array([run.sample(rng)[0] for _ in range(12)])
        order = np.argsort((((points - 0.4) * scale) ** 2).sum(axis=1))
        run.learn(points[order], np.zeros((12, 0), dtype=int))
    found = np.array([run.sample(rng)[0] for _ in range(200)])
    assert found.mean(axis=0) == pytest.approx([0.4] * 3, abs=0.02)
    spread = found.std(axis=0)
    assert spread[0] > 3 * spread[1] > 9 * spread[2]
    assert run.generation == 60


def test_strategy_learns_which_category_is_good_but_forgets_none(strategy):
    rng = np.random.default_rng(1)
    run = strategy(np.zeros(0), 0.3, [4], 8)
    for _ in range(40):
        values = np.array([run.sample(rng)[1] for _ in range(8)])
        order = np.argsort(values[:, 0] != 2, kind="stable")
        run.learn(np.zeros((8, 0)), values[order])
    drawn = np.array([run.sample(rng)[1][0] for _ in range(2000)])
    shares = np.bincount(drawn, minlength=4) / 2000
    assert shares[2] > 0.8
    assert shares.min() > 0.005


def test_samples_stay_in_the_cube(strategy):
    run = strategy(np.array([0.02, 0.98]), 1.0, [], 6)
    rng = np.random.default_rng(0)
    points = np.array([run.sample(rng)[0] for _ in range(300)])
    assert points.min() >= 0
    assert points.max() <= 1


@pytest.mark.parametrize("direction", ["min", "max"])
@pytest.mark.parametrize("slots", [1, 4])
def test_it_finds_the_best_of_a_narrow_valley(direction, slots):
    sign = -1 if direction == "max" else 1
    simulation = Simulation(host_of(CUBE, direction=direction), lambda v, epochs: sign * valley(v, epochs), slots)
    simulation.run(300)
    scores = [sign * trial.score for trial in simulation.end_all()]
    assert min(scores) < min(0.5, 0.2 * min(scores[:40]))


def test_a_search_that_has_settled_starts_again():
    space = SearchSpace(hyperparameters=(Float(name="a", min=0, max=1), Float(name="b", min=0, max=1)))

    def score(values, epochs):
        return (values["a"] - 0.5) ** 2 + (values["b"] - 0.2) ** 2

    simulation = Simulation(host_of(space), score)
    runs = [trial.tags["run"] for trial in simulation.run(300)]
    assert runs == sorted(runs)
    assert runs[-1] >= 1
    assert "of start 2" in simulation.trials[runs.index(1)].reason
    alone = Simulation(host_of(space, restarts=False), score).run(300)
    assert {trial.tags["run"] for trial in alone} == {0}


def test_generations_have_the_size_that_was_asked_for():
    trials = Simulation(host_of(CUBE, population=7), valley).run(30)
    generations = [trial.reason.split(",")[0] for trial in trials]
    assert generations[:21] == [f"Sample of generation {n}" for n in (1, 2, 3) for _ in range(7)]


def test_whole_numbers_choices_and_failures():
    space = SearchSpace(
        hyperparameters=(
            Int(name="n", min=1, max=40),
            Choice(name="kind", choices=("a", "b", "c", "d")),
            Float(name="x", min=1e-4, max=1, sampling="log", default=0.5),
        )
    )

    def score(values, epochs):
        if values["kind"] == "d":
            return None
        return abs(values["n"] - 30) / 10 + abs(np.log10(values["x"]) + 2) + (values["kind"] != "b")

    simulation = Simulation(host_of(space, start_at_defaults=True), score)
    trials = simulation.run(151)[:-1]
    late = trials[100:]
    assert min(trial.score for trial in late if trial.score is not None) < 0.2
    assert sum(trial.values["kind"] == "d" for trial in late) < 10
