"""What an algorithm learns from trials of earlier studies."""

import pytest

from tunerstudio.algorithms.conformance import CONTINUOUS, HUNDRED
from tunerstudio.algorithms.discovery import get, inspect_folder
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.simulation import Simulation, hashed_score
from tunerstudio.study.search import Objective
from tunerstudio.study.trials import Trial, TrialState

EARLIER = [
    Trial(-place, TrialState.COMPLETED, {"a": a, "b": 0.1}, score=(a - 0.7) ** 2, origin="warm start")
    for place, a in enumerate((0.0, 0.2, 0.4, 0.55, 0.65, 0.75, 0.85, 1), 1)
]


def host_of(manifest, space, earlier=(), seed=0):
    return AlgorithmHost(manifest, space, Objective(), seed, 20, 10, earlier=earlier)


def test_they_are_history_but_no_trials_of_the_study(write_plugin):
    code = "def propose(s, h, r, o): return {'a': 0.1 + len(h.completed()) / 100, 'b': len(h.trials) / 100}"
    host = host_of(inspect_folder(write_plugin(code)).manifest, CONTINUOUS, EARLIER)
    assert host.next([], 1).values == {"a": 0.18, "b": 0.08}


def test_a_model_starts_where_they_ended():
    cold = Simulation(host_of(get("gaussian_process").manifest, CONTINUOUS), hashed_score).run(3)
    warm = Simulation(host_of(get("gaussian_process").manifest, CONTINUOUS, EARLIER), hashed_score).run(3)
    assert all("Initial" in trial.reason for trial in cold)
    assert not any("Initial" in trial.reason for trial in warm)
    assert abs(warm[0].values["a"] - 0.7) < 0.2


def test_they_do_not_use_up_the_space():
    earlier = [Trial(-n, TrialState.COMPLETED, v, score=0.5) for n, v in enumerate(HUNDRED.all_values(), 1)]
    assert host_of(get("annealing").manifest, HUNDRED, earlier).next([], 1).values


def test_nobody_goes_on_from_their_weights(write_plugin):
    code = (
        "from tunerstudio.algorithms.api import Proposal\n"
        "def propose(s, h, r, o): return Proposal({'a': 0.3, 'b': 0.3}, parent=-1)"
    )
    host = host_of(inspect_folder(write_plugin(code)).manifest, CONTINUOUS, EARLIER)
    assert host.next([], 1).parent is None


@pytest.mark.tensorflow
def test_an_oracle_learns_from_them_too():
    manifest = get("bayesian").manifest
    options = {"num_initial_points": 4}
    host = AlgorithmHost(manifest, CONTINUOUS, Objective(), 0, 20, 10, options, earlier=EARLIER)
    host.restore(None, [])
    trials = Simulation(host, hashed_score).run(2)
    assert len(trials) == 2
