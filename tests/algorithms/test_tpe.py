import importlib

import numpy as np
import pytest

from tunerstudio.algorithms.conformance import CONDITIONAL, CONTINUOUS
from tunerstudio.algorithms.discovery import get
from tunerstudio.algorithms.encoding import Encoder
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.loading import load_module
from tunerstudio.algorithms.simulation import Simulation
from tunerstudio.study.hyperparameters import Choice, Float, Int, SearchSpace
from tunerstudio.study.search import Objective


@pytest.fixture(scope="module")
def parzen():
    load_module(get("tpe").manifest)
    return importlib.import_module("tunerstudio_plugin_tpe.parzen").Parzen


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    "hyperparameter",
    [
        Float(name="x", min=0, max=1),
        Int(name="x", min=1, max=7),
        Choice(name="x", choices=("a", "b", "c")),
        Int(name="x", min=1, max=50, sampling="log"),
    ],
)
def test_density_is_one_in_all_and_draws_follow_it(parzen, hyperparameter, together):
    encoder = Encoder(SearchSpace(hyperparameters=(hyperparameter,)))
    axis = encoder.axes[0]
    observed = np.array([[0.05], [0.4]]) if not axis.listed else np.array([[0.0], [2.0]])
    density = parzen(encoder, observed, 1.0, together)
    grid = np.arange(len(axis.values))[:, None].astype(float) if axis.listed else np.linspace(0, 1, 2001)[:, None]
    chances = np.exp(density.log_density(grid))
    total = chances.sum() if axis.listed else np.trapezoid(chances, grid[:, 0])
    assert total == pytest.approx(1.0, abs=0.01)
    drawn = density.draw(4000, np.random.default_rng(0))[:, 0]
    if axis.listed:
        found = np.bincount(drawn.astype(int), minlength=len(axis.values)) / 4000
        assert found == pytest.approx(chances, abs=0.03)
    else:
        below = chances[grid[:, 0] < 0.5].sum() / chances.sum()
        assert (drawn < 0.5).mean() == pytest.approx(below, abs=0.03)


def test_density_of_a_conditional_space_is_finite(parzen):
    encoder = Encoder(CONDITIONAL)
    rows = encoder.draw(30, np.random.default_rng(0))
    density = parzen(encoder, rows[:10], 1.0, True)
    assert np.all(np.isfinite(density.log_density(rows)))
    settled = encoder.settle(density.draw(50, np.random.default_rng(1)), np.random.default_rng(2))
    assert all(CONDITIONAL.problems(encoder.values(row)) == [] for row in settled)


@pytest.mark.parametrize("multivariate", [True, False])
def test_it_finds_better_than_random_search(multivariate):
    def bowl(values, epochs):
        return (values["a"] - 0.7) ** 2 + (values["b"] - 0.01) ** 2

    def best(algorithm, seed, **options):
        host = AlgorithmHost(get(algorithm).manifest, CONTINUOUS, Objective(), seed, 60, 10, options)
        return min(trial.score for trial in Simulation(host, bowl).run(61)[:-1])

    ours = np.mean([best("tpe", seed, multivariate=multivariate) for seed in range(5)])
    chance = np.mean([best("random", seed) for seed in range(5)])
    assert ours < 0.5 * chance


def test_reason_tells_how_likely():
    host = AlgorithmHost(get("tpe").manifest, CONTINUOUS, Objective(), 0, 60, 10)
    trials = Simulation(host, lambda values, epochs: values["a"]).run(20)
    assert "times as likely among the" in trials[-1].reason
