import importlib
import math
import time
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import norm

from tunerstudio.algorithms.conformance import CONDITIONAL, CONTINUOUS, random_space
from tunerstudio.algorithms.discovery import get
from tunerstudio.algorithms.encoding import Encoder
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.legality import random_values
from tunerstudio.algorithms.loading import load_module
from tunerstudio.algorithms.simulation import Simulation
from tunerstudio.study.hyperparameters import (
    Boolean,
    Choice,
    Condition,
    Fixed,
    Float,
    Int,
    SearchSpace,
    values_key,
)
from tunerstudio.study.search import Objective
from tunerstudio.study.trials import Trial, TrialState


@pytest.fixture(scope="module")
def plugin():
    load_module(get("gaussian_process").manifest)
    names = ("model", "acquisition", "targets")
    package = "tunerstudio_plugin_gaussian_process"
    return SimpleNamespace(**{name: importlib.import_module(f"{package}.{name}") for name in names})


def host_of(space, direction="min", trials=200, **options) -> AlgorithmHost:
    objective = Objective(name="val_loss", direction=direction)
    return AlgorithmHost(get("gaussian_process").manifest, space, objective, 0, trials, 10, options)


def bowl(values, epochs):
    return (values["a"] - 0.7) ** 2 + (math.log10(values["b"]) + 2) ** 2 / 10


def test_gradient_is_that_of_the_density(plugin):
    rng = np.random.default_rng(0)
    features, targets = rng.random((20, 3)), rng.standard_normal(20)
    groups = np.array([0, 1, 1])
    squares = plugin.model._squares_by_axis(features, groups, 2)
    density = plugin.model._negative_log_posterior
    for _ in range(5):
        vector = rng.normal(0, 1, 4)
        _, gradient = density(vector, squares, targets)
        numeric = approx_fprime(vector, lambda v: density(v, squares, targets)[0], 1e-6)
        assert gradient == pytest.approx(numeric, rel=1e-3, abs=1e-3)


def test_prediction_goes_through_the_points_and_doubts_elsewhere(plugin):
    features = np.linspace(0, 0.5, 8)[:, None]
    targets = np.sin(6 * features[:, 0])
    groups = np.array([0])
    parameters, _ = plugin.model.fit(features, groups, targets, plugin.model.Parameters.prior(1), 50)
    process = plugin.model.GaussianProcess(features, groups, targets, parameters)
    mean, deviation = process.predict(np.array([[0.2], [1.0]]))
    assert mean[0] == pytest.approx(math.sin(1.2), abs=0.05)
    assert deviation[1] > 10 * deviation[0]


def test_fit_finds_which_hyperparameter_matters(plugin):
    rng = np.random.default_rng(1)
    features = rng.random((60, 3))
    targets = np.sin(8 * features[:, 1]) + 0.01 * rng.standard_normal(60)
    prior = plugin.model.Parameters.prior(3)
    parameters, _ = plugin.model.fit(features, np.arange(3), targets, prior, 50)
    assert parameters.weights.argmax() == 1
    assert parameters.noise < -5
    text = parameters.to_text()
    again = plugin.model.Parameters.from_text(text, 3)
    assert again.pack() == pytest.approx(parameters.pack(), abs=1e-3)
    assert plugin.model.Parameters.from_text(text, 4) is None


def test_log_expected_improvement_is_exact_even_where_it_is_tiny(plugin):
    z = np.array([3.0, 0.0, -0.99, -1.01, -4.0, -24.9])
    exact = np.log(norm.pdf(z[:5]) + z[:5] * norm.cdf(z[:5]))
    found = plugin.acquisition.log_expected_improvement(-z, np.ones(6), 0.0)
    assert found[:5] == pytest.approx(exact, rel=1e-6)
    far = plugin.acquisition.log_expected_improvement(np.array([24.99, 25.01, 1e4]), np.ones(3), 0.0)
    assert np.all(np.isfinite(far))
    assert far[0] - far[1] == pytest.approx(25 * 0.02, abs=0.05)


@pytest.mark.parametrize("seed", range(30))
def test_positions_and_values_are_the_same_thing(plugin, seed):
    rng = np.random.default_rng(seed)
    space = random_space(rng)
    encoder = Encoder(space)
    drawn = encoder.draw(20, rng)
    for row in drawn:
        values = encoder.values(row)
        assert space.problems(values) == []
        assert encoder.position(values) == pytest.approx(row, abs=1e-6, nan_ok=True)
    features = encoder.features(drawn)
    assert features.shape == (20, len(encoder.groups))
    assert np.all((features >= 0) & (features <= 1))


def test_unordered_choices_are_equally_far_and_numbers_in_their_order(plugin):
    space = SearchSpace(
        hyperparameters=(Choice(name="kind", choices=("a", "b", "c")), Choice(name="n", choices=(64, 16, 32)))
    )
    encoder = Encoder(space)
    rows = encoder.features(encoder.positions([{"kind": k, "n": n} for k, n in (("a", 16), ("b", 32), ("c", 64))]))
    distances = [np.linalg.norm(rows[i, :3] - rows[j, :3]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert distances == pytest.approx([1.0, 1.0, 1.0])
    assert rows[:, 3].tolist() == [0.0, 0.5, 1.0]


def test_neighbours_differ_in_one_hyperparameter_and_its_children(plugin):
    encoder = Encoder(CONDITIONAL)
    search = plugin.acquisition.CandidateSearch(encoder, np.zeros((0, 4)), np.random.default_rng(0), 10)
    start = encoder.position({"kind": "dense", "units": 32})
    found = [encoder.values(row) for row in search.neighbours(start[None, :])]
    assert {values["kind"] for values in found} == {"dense", "conv", "none"}
    assert all(CONDITIONAL.problems(values) == [] for values in found)
    assert {values["units"] for values in found if values["kind"] == "dense"} >= {24, 40}


def test_targets_pull_in_outliers_and_put_failures_with_the_worst(plugin):
    targets = plugin.targets.Targets(np.array([1.0, 1.1, 1.2, 1.3, 1e9]), 2)
    assert targets.values[5] == targets.values[6] == targets.values.max()
    assert targets.values[4] < 3
    assert targets.score(targets.values[0]) == pytest.approx(1.0)
    equal = plugin.targets.Targets(np.ones(4), 1)
    assert np.all(np.isfinite(equal.values))


@pytest.mark.parametrize("direction", ["min", "max"])
@pytest.mark.parametrize("acquisition", ["improvement", "bound", "thompson"])
def test_it_finds_the_optimum_that_random_search_does_not(direction, acquisition):
    sign = -1 if direction == "max" else 1
    host = host_of(CONTINUOUS, direction, acquisition=acquisition)
    trials = Simulation(host, lambda values, epochs: sign * bowl(values, epochs)).run(25)
    best = min(sign * trial.score for trial in trials[:-1])
    random_host = AlgorithmHost(get("random").manifest, CONTINUOUS, Objective(), 0, 25, 10)
    by_chance = min(trial.score for trial in Simulation(random_host, bowl).run(26)[:-1])
    assert best < 2e-3 < by_chance


def test_reason_says_what_the_model_expects():
    simulation = Simulation(host_of(CONTINUOUS), bowl)
    trials = simulation.run(12)
    assert trials[0].reason == "Initial trial, far from those before"
    assert trials[-1].reason.startswith("The model expects ")
    assert "best so far" in trials[-1].reason


def test_initial_trials_and_defaults_are_options():
    space = SearchSpace(hyperparameters=(Int(name="n", min=1, max=100, default=7), Float(name="x", min=0, max=1)))
    simulation = Simulation(
        host_of(space, initial_trials=9, start_with_defaults=True), lambda values, epochs: values["x"]
    )
    trials = simulation.run(12)
    assert trials[0].values == {"n": 7, "x": 0.0}
    assert ["model" in trial.tags for trial in trials] == [False] * 9 + [True] * 3


def test_a_pending_trial_moves_the_next_proposal_away():
    simulation = Simulation(host_of(CONTINUOUS), bowl)
    simulation.run(10)
    trials = simulation.end_all()
    first = simulation.host.next(trials, 11)
    blind = simulation.host.next(trials, 12)
    seeing = simulation.host.next([*trials, Trial(11, TrialState.RUNNING, first.values, tags=first.tags)], 12)

    def distance(left, right):
        return abs(left["a"] - right["a"]) + abs(math.log10(left["b"] / right["b"])) / 4

    assert distance(first.values, seeing.values) > 3 * distance(first.values, blind.values)


def test_it_exhausts_a_space_of_mixed_kinds():
    simulation = Simulation(host_of(CONDITIONAL), lambda values, epochs: float(len(values_key(values))))
    simulation.run(100)
    assert len({values_key(trial.values) for trial in simulation.trials}) == 16
    assert simulation.finished == "all 16 configurations have been tried"


def test_two_hundred_trials_take_no_longer_than_a_blink():
    space = SearchSpace(hyperparameters=tuple(Float(name=f"x{i}", min=0, max=1) for i in range(8)))
    rng = np.random.default_rng(0)
    trials = []
    for number in range(1, 201):
        values = random_values(space, rng)
        score = sum((float(v) - 0.3) ** 2 for v in values.values())
        trials.append(Trial(number, TrialState.COMPLETED, values, score=score))
    host = host_of(space)
    host.next(trials, 201)
    start = time.process_time()
    for number in range(201, 206):
        host.next(trials, number)
    assert (time.process_time() - start) / 5 < 0.5  # far above the usual 0.04, far below what a slow model takes


def test_condition_on_a_fixed_value_under_a_condition():
    space = SearchSpace(
        hyperparameters=(
            Boolean(name="on"),
            Fixed(name="mode", value="x", conditions=(Condition(parent="on", values=(True,)),)),
            Int(name="n", min=1, max=3, conditions=(Condition(parent="mode", values=("x",)),)),
        )
    )
    encoder = Encoder(space)
    for row in encoder.draw(20, np.random.default_rng(0)):
        values = encoder.values(row)
        assert space.problems(values) == []
        assert ("n" in values) == (not np.isnan(row[1])) == values["on"]


CUBE = SearchSpace(hyperparameters=tuple(Float(name=name, min=0, max=1) for name in "ab"))


def test_the_model_itself_keeps_to_constraints():
    manifest = get("gaussian_process").manifest
    host = AlgorithmHost(manifest, CUBE, Objective(), 0, 60, 10, constraints=("a + b <= 0.6",))
    simulation = Simulation(host, lambda values, epochs: -values["a"] - 2 * values["b"])
    trials = simulation.run(31)
    assert all(trial.values["a"] + trial.values["b"] <= 0.6 for trial in trials)
    assert all(trial.reason.startswith(("Initial trial", "The model expects")) for trial in trials)
    assert min(trial.score for trial in trials[:-1]) < -1.15
    assert host.take_notes() == []


def test_pruned_trials_are_learned_from():
    rng = np.random.default_rng(0)
    trials = []
    for number in range(1, 31):
        values = random_values(CUBE, rng)
        state = TrialState.PRUNED if values["a"] > 0.5 else TrialState.COMPLETED
        trials.append(Trial(number, state, values, score=abs(values["a"] - 0.3)))
    proposals = [host_of(CUBE).next(trials, number) for number in (31, 32, 33)]
    assert all(proposal.reason.startswith("The model expects") for proposal in proposals)
    assert all(abs(proposal.values["a"] - 0.3) < 0.1 for proposal in proposals)
    pruned = [trial for trial in trials if trial.state is TrialState.PRUNED]
    assert host_of(CUBE).next(pruned, 31).reason.startswith("The model expects")
