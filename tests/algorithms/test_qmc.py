import numpy as np
import pytest
from scipy.stats import qmc

from tunerstudio.algorithms.discovery import get
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.simulation import Simulation, hashed_score
from tunerstudio.study.hyperparameters import Boolean, Choice, Float, SearchSpace
from tunerstudio.study.search import Objective

CUBE = SearchSpace(hyperparameters=tuple(Float(name=name, min=0, max=1) for name in "abcd"))


def points(space, count, seed=0, slots=1, **options):
    host = AlgorithmHost(get("qmc").manifest, space, Objective(), seed, count, 10, options)
    simulation = Simulation(host, hashed_score, slots)
    return simulation.run(count)


def as_array(trials):
    return np.array([[trial.values[name] for name in "abcd"] for trial in trials])


@pytest.mark.parametrize("sequence", ["sobol", "halton"])
def test_it_covers_the_space_more_evenly_than_chance(sequence):
    even = qmc.discrepancy(as_array(points(CUBE, 64, sequence=sequence)))
    by_chance = [qmc.discrepancy(np.random.default_rng(seed).random((64, 4))) for seed in range(5)]
    assert even < 0.5 * np.median(by_chance)


def test_sixteen_points_of_sobol_lie_in_sixteen_parts_of_every_range():
    rows = as_array(points(CUBE, 16))
    assert all(sorted(np.floor(column * 16)) == list(range(16)) for column in rows.T)


def test_seeds_differ_unless_it_is_not_to_be_shuffled():
    assert not np.allclose(as_array(points(CUBE, 8)), as_array(points(CUBE, 8, seed=1)))
    plain = [as_array(points(CUBE, 8, seed=seed, scramble=False)) for seed in (0, 1)]
    assert np.allclose(*plain)
    assert plain[0][0] == pytest.approx(0.0)
    assert plain[0][1] == pytest.approx(0.5)


def test_a_sequence_goes_on_past_a_user_s_trials_and_blocks():
    trials = points(CUBE, 150, slots=4)
    assert [trial.tags["point"] for trial in trials] == list(range(150))
    assert {trial.tags["scramble"] for trial in trials} == {trials[0].tags["scramble"]}
    assert trials[70].reason == "Point 71 of the sequence"


def test_small_spaces_are_tried_to_the_end():
    space = SearchSpace(hyperparameters=(Boolean(name="on"), Choice(name="kind", choices=("a", "b", "c"))))
    trials = points(space, 20)
    assert len({(trial.values["on"], trial.values["kind"]) for trial in trials}) == len(trials) == 6


def test_points_that_break_a_constraint_are_passed_over():
    manifest = get("qmc").manifest
    host = AlgorithmHost(manifest, CUBE, Objective(), 0, 40, 10, constraints=("a < b",))
    trials = Simulation(host, hashed_score).run(40)
    assert all(trial.values["a"] < trial.values["b"] for trial in trials)
    assert all(trial.reason.startswith("Point ") for trial in trials)
    assert trials[-1].tags["point"] > 60
