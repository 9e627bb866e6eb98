"""What a search does with constraints, whatever the algorithm."""

import numpy as np
import pytest

from tunerstudio.algorithms.api import Finished, Float, Int, SearchSpace
from tunerstudio.algorithms.conformance import CONDITIONAL, CONTINUOUS, HUNDRED
from tunerstudio.algorithms.discovery import find_algorithms, get, inspect_folder
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.simulation import Simulation, hashed_score
from tunerstudio.study.errors import StudyError
from tunerstudio.study.search import Objective
from tunerstudio.study.trials import Trial, TrialState

PURE = [
    info.id
    for info in find_algorithms()
    if info.origin == "shipped" and info.usable and info.manifest.kind == "propose"
]


def host_of(name, space, *constraints, seed=0) -> AlgorithmHost:
    return AlgorithmHost(get(name).manifest, space, Objective(), seed, 40, 27, constraints=constraints)


@pytest.mark.parametrize("name", PURE)
def test_every_algorithm_keeps_to_them(name):
    space = CONTINUOUS if "continuous" in get(name).manifest.capabilities else HUNDRED
    search = Simulation(host_of(name, space, "a + b <= 0.5" if space is CONTINUOUS else "a * b <= 2"), hashed_score)
    trials = search.run(25)
    limit = (lambda v: v["a"] + v["b"] <= 0.5) if space is CONTINUOUS else (lambda v: v["a"] * v["b"] <= 2)
    assert len(trials) >= 20
    assert all(limit(trial.values) for trial in trials)


def test_grid_skips_what_breaks_them_and_says_when_it_is_through():
    search = Simulation(host_of("grid", HUNDRED, "a * b <= 2"), hashed_score)
    search.run(200)
    expected = [values for values in HUNDRED.all_values() if values["a"] * values["b"] <= 2]
    assert [trial.values for trial in search.trials] == expected
    assert search.finished == f"all {len(expected)} configurations have been tried"


def test_a_small_allowed_part_of_a_large_space_is_found():
    space = SearchSpace(hyperparameters=tuple(Float(name=f"x{index}", min=0, max=1) for index in range(3)))
    host = host_of("random", space, "x0 + x1 + x2 <= 0.25")  # 0.26 % of the volume
    trials = Simulation(host, hashed_score).run(5)
    assert all(sum(trial.values.values()) <= 0.25 for trial in trials)
    assert len(trials) == 5


def test_a_proposal_is_moved_no_farther_than_needed(write_plugin):
    info = inspect_folder(write_plugin("def propose(s, h, r, o): return {'a': 1.0, 'b': 1.0}"))
    host = AlgorithmHost(info.manifest, CONTINUOUS, Objective(), 0, 10, 10, constraints=["a <= 0.8"])
    answer = host.next([], 1)
    assert answer.reason == "Nearest untried values to a proposal that breaks a constraint"
    assert 0.5 < answer.values["a"] <= 0.8


def test_values_that_are_meant_to_come_again_keep_to_them_unless_they_go_on_unchanged(write_plugin):
    code = (
        "from tunerstudio.algorithms.api import Proposal\n"
        "def propose(s, h, r, o): return Proposal({'a': 1.0, 'b': 1.0}, parent=1, repeats=True)\n"
    )
    info = inspect_folder(write_plugin(code))
    host = AlgorithmHost(info.manifest, CONTINUOUS, Objective(), 0, 10, 10, constraints=["a <= 0.8"])
    other = host.next([Trial(1, TrialState.COMPLETED, {"a": 0.5, "b": 0.5}, score=1.0)], 2)
    assert other.values["a"] <= 0.8
    assert (other.parent, other.repeats) == (None, False)
    own = host.next([Trial(1, TrialState.COMPLETED, {"a": 1.0, "b": 1.0}, score=1.0)], 2)  # a person asked for it
    assert (own.values["a"], own.parent) == (1.0, 1)


def test_conditional_ones_count_as_nothing_where_they_are_not_active():
    search = Simulation(host_of("random", CONDITIONAL, "units <= 16"), hashed_score)
    search.run(100)
    assert search.finished == "all 10 configurations have been tried"  # 2 of 8 dense ones, and all others


def test_what_cannot_be_kept_is_said_before_the_search():
    with pytest.raises(StudyError, match=r"search.constraints: no configuration keeps to all constraints"):
        host_of("random", HUNDRED, "a > 5", "a < 3")
    with pytest.raises(StudyError, match=r"search.constraints.1: there is no hyperparameter 'c'"):
        host_of("random", HUNDRED, "a > 5", "c < 3")
    host = host_of("annealing", CONTINUOUS, "a > 5")
    assert host.next([], 1) == Finished("no further configuration was found that keeps to the constraints")


def test_a_network_that_is_too_large_is_refused_and_learned_from(write_plugin):
    space = SearchSpace(hyperparameters=(Int(name="units", min=1, max=9),))
    code = "def propose(s, h, r, o): return {'units': 1 + len(h.failed())}"
    manifest = inspect_folder(write_plugin(code)).manifest
    host = AlgorithmHost(manifest, space, Objective(), 0, 10, 10, constraints=["parameters <= 1e3", "memory_mb < 5"])
    built = Trial(1, TrialState.RUNNING, {"units": 9}, parameters=2000)
    assert host.refusal(built) == "breaks the constraint parameters <= 1e3 (parameters = 2000)"
    assert host.refusal(Trial(1, TrialState.RUNNING, {"units": 9}, parameters=900)) is None
    heavy = Trial(1, TrialState.RUNNING, {"units": 9}, measures={"memory_mb": 6.5})
    assert "memory_mb = 6.5" in host.refusal(heavy)
    cancelled = Trial(1, TrialState.CANCELLED, {"units": 9}, parameters=2000)
    stopped = Trial(2, TrialState.CANCELLED, {"units": 8}, parameters=100)
    assert host.next([cancelled, stopped], 3).values == {"units": 2}


def test_constraints_do_not_change_what_a_seed_gives():
    runs = [
        [t.values for t in Simulation(host_of("random", CONTINUOUS, "a < 0.5", seed=s), hashed_score).run(10)]
        for s in (0, 0, 1)
    ]
    assert runs[0] == runs[1] != runs[2]
    assert np.mean([values["a"] for values in runs[0]]) < 0.5
