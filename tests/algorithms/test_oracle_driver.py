"""Keras Tuner's own oracles behind the host, and each of their known faults."""

import json
import random

import numpy as np
import pytest

from tunerstudio.algorithms.api import Boolean, Choice, Condition, Finished, Fixed, Float, Int, SearchSpace
from tunerstudio.algorithms.conformance import CONDITIONAL, CONTINUOUS, HUNDRED
from tunerstudio.algorithms.discovery import get, inspect_folder
from tunerstudio.algorithms.errors import AlgorithmError
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.simulation import Simulation, hashed_score
from tunerstudio.study.hyperparameters import values_key
from tunerstudio.study.search import Objective
from tunerstudio.study.trials import Trial, TrialState

pytestmark = pytest.mark.tensorflow

ORACLE = """
from keras_tuner.oracles import {name} as Oracle

def create_oracle(space, objective, max_trials, seed, options):
    return Oracle(objective=objective, hyperparameters=space, seed=seed, {arguments})
"""


@pytest.fixture
def search_with(write_plugin):
    """Make a simulated search with one of Keras Tuner's oracles."""

    def make(name, arguments="max_trials=max_trials", space=HUNDRED, score=hashed_score, slots=1, seed=0, **more):
        code = name if "\n" in name else ORACLE.format(name=name, arguments=arguments)
        info = inspect_folder(write_plugin(code, "oracle", more.get("manifest", "")))
        assert info.manifest is not None, info.problems
        objective = Objective(name="val_accuracy", direction=more.get("direction", "min"))
        return Simulation(AlgorithmHost(info.manifest, space, objective, seed, 500, 27), score, slots)

    return make


def keys(trials):
    return [values_key(trial.values) for trial in trials]


def restarted(simulation: Simulation, fresh: Simulation) -> Simulation:
    fresh.host.restore(simulation.host.state(), simulation.trials)
    fresh.trials = simulation.trials
    return fresh


def test_random_search_tries_the_whole_space(search_with):
    simulation = search_with("RandomSearchOracle")
    simulation.run(500)
    assert len(set(keys(simulation.trials))) == len(simulation.trials) == 100
    assert simulation.finished == "all 100 configurations have been tried"


def test_seed_zero_is_a_seed_and_seeds_do_not_overlap(search_with):
    runs = [keys(search_with("RandomSearchOracle", space=CONTINUOUS, seed=s).run(10)) for s in (0, 0, 1, 3)]
    assert runs[0] == runs[1]
    assert not set(runs[0]) & set(runs[2])
    assert not set(runs[2]) & set(runs[3])


def test_the_callers_random_numbers_are_left_alone(search_with):
    simulation = search_with("RandomSearchOracle", space=CONTINUOUS)
    random.seed(5)
    np.random.seed(5)
    expected = (random.random(), np.random.random())
    random.seed(5)
    np.random.seed(5)
    simulation.run(3)
    assert (random.random(), np.random.random()) == expected


def test_grid_search_resumes(search_with):
    space = SearchSpace(hyperparameters=(Int(name="a", min=1, max=4), Float(name="b", min=0, max=0.6, step=0.2)))
    whole = keys(search_with("GridSearchOracle", space=space).run(100))
    assert len(set(whole)) == 16
    simulation = search_with("GridSearchOracle", space=space)
    simulation.run(5)
    assert keys(restarted(simulation, search_with("GridSearchOracle", space=space)).run(100)) == whole


@pytest.mark.parametrize("stop", [3, 20, 40])
def test_hyperband_oracle_resumes_and_its_wishes_become_ours(search_with, stop):
    arguments = "max_epochs=9"
    whole = search_with("HyperbandOracle", arguments, space=CONTINUOUS, slots=2)
    whole.run(500)
    promoted = [trial for trial in whole.trials if trial.parent is not None]
    assert promoted
    assert {trial.epochs_planned for trial in promoted} == {3, 9}
    for trial in promoted:
        assert trial.values == whole.trials[trial.parent - 1].values
    simulation = search_with("HyperbandOracle", arguments, space=CONTINUOUS, slots=2)
    simulation.run(stop)
    again = restarted(simulation, search_with("HyperbandOracle", arguments, space=CONTINUOUS, slots=2))
    assert keys(again.run(500)) == keys(whole.trials)


def test_failures_never_abort_and_are_told_as_bad(search_with):
    simulation = search_with("RandomSearchOracle", space=CONTINUOUS, score=lambda values, epochs: None)
    assert len(simulation.run(30)) == 30


@pytest.mark.parametrize(("direction", "infinity"), [("min", float("-inf")), ("max", float("inf"))])
def test_infinite_scores_rank_last(search_with, direction, infinity):
    simulation = search_with("RandomSearchOracle", space=CONTINUOUS, direction=direction)
    simulation.trials = [
        Trial(1, TrialState.COMPLETED, {"a": 0.1, "b": 0.1}, score=0.5),
        Trial(2, TrialState.COMPLETED, {"a": 0.2, "b": 0.1}, score=infinity),
        Trial(3, TrialState.FAILED, {"a": 0.3, "b": 0.1}),
        Trial(4, TrialState.COMPLETED, {"a": 0.4, "b": 0.1}, score=0.7),
        Trial(5, TrialState.CANCELLED, {"a": 0.5, "b": 0.1}),
    ]
    simulation.run(6)
    oracle = simulation.host._oracle._oracle
    assert oracle.trials["added-5"].status == "FAILED"
    ranked = [trial.trial_id for trial in oracle.get_best_trials(4)]
    assert ranked[:2] == (["added-1", "added-4"] if direction == "min" else ["added-4", "added-1"])
    worst = 0.7 if direction == "min" else 0.5
    assert oracle.trials["added-2"].score == oracle.trials["added-3"].score == pytest.approx(worst, rel=1e-4)


REPEATING = """
import keras_tuner

class Oracle(keras_tuner.Oracle):
    def populate_space(self, trial_id):
        return {"status": "RUNNING", "values": {"a": 1, "b": 0.0}}

def create_oracle(space, objective, max_trials, seed, options):
    return Oracle(objective=objective, hyperparameters=space, seed=seed)
"""


def test_repetitions_are_answered_without_training(search_with):
    simulation = search_with(REPEATING)
    simulation.run(12)
    simulation.end_all()
    assert len(set(keys(simulation.trials))) == 12
    oracle = simulation.host._oracle._oracle
    told = [trial.score for trial in oracle.trials.values() if trial.hyperparameters.values == {"a": 1, "b": 0.0}]
    assert set(told[:2]) == {hashed_score({"a": 1, "b": 0.0}, 27)}


def test_no_files_and_no_output(search_with, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    simulation = search_with("RandomSearchOracle")
    before = sorted(path.name for path in tmp_path.iterdir())
    capfd.readouterr()
    simulation.run(8)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert capfd.readouterr().out == ""


RAISING = """
import keras_tuner

class Oracle(keras_tuner.Oracle):
    def populate_space(self, trial_id):
        if len(self.trials) == 2:
            raise ValueError("third trial")
        return {"status": "RUNNING", "values": self._random_values()}

def create_oracle(space, objective, max_trials, seed, options):
    return Oracle(objective=objective, hyperparameters=space, seed=seed)
"""


def test_exception_leaves_no_lock_behind(search_with):
    simulation = search_with(RAISING)
    simulation.run(2)
    for _ in range(2):
        with pytest.raises(AlgorithmError, match="raised ValueError when it proposed a trial: third trial"):
            simulation.step()


def test_what_is_no_oracle_is_refused(search_with):
    with pytest.raises(AlgorithmError, match=r"created 42, which is no keras_tuner\.Oracle"):
        search_with("\ndef create_oracle(space, objective, max_trials, seed, options):\n    return 42\n")


FORGETFUL = """
import itertools
import keras_tuner

COUNTER = itertools.count()

class Oracle(keras_tuner.Oracle):
    def populate_space(self, trial_id):
        return {"status": "RUNNING", "values": {"a": 1 + self.number % 10, "b": 0.1 * (len(self.trials) % 10)}}

def create_oracle(space, objective, max_trials, seed, options):
    oracle = Oracle(objective=objective, hyperparameters=space, seed=seed)
    oracle.number = options["start"]
    return oracle
"""
START = '[[options]]\nname = "start"\ntype = "int"\ndefault = 0\nlabel = "Start"\nhelp = "First."\n'


def test_oracle_that_does_not_repeat_itself_is_found_out(search_with):
    simulation = search_with(FORGETFUL, manifest=START)
    simulation.run(3)
    state = json.loads(simulation.host.state())
    asked = next(entry for entry in state["journal"] if entry[0] == "ask")
    asked[-1]["a"] = 7
    fresh = search_with(FORGETFUL, manifest=START)
    with pytest.raises(AlgorithmError, match="does not repeat itself"):
        fresh.host.restore(json.dumps(state), simulation.trials)


def test_other_options_win_over_a_stored_state(search_with):
    simulation = search_with(FORGETFUL, manifest=START)
    simulation.run(3)
    state = simulation.host.state()
    host = AlgorithmHost(simulation.host.manifest, HUNDRED, Objective(), 0, 500, 27, {"start": 4})
    host.restore(state, simulation.trials)
    answer = host.next(simulation.trials, 4)
    assert answer.values["a"] == 5


def test_edited_space_wins_over_a_stored_state():
    manifest = get("bayesian").manifest
    narrow = SearchSpace(hyperparameters=(Int(name="a", min=1, max=4),))
    wide = SearchSpace(hyperparameters=(Int(name="a", min=1, max=64),))
    options = {"num_initial_points": 3}
    simulation = Simulation(AlgorithmHost(manifest, narrow, Objective(), 0, 20, 9, options), hashed_score)
    simulation.run(4)
    assert isinstance(simulation.host.next(simulation.end_all(), 5), Finished)
    state = simulation.host.state()
    simulation.host = AlgorithmHost(manifest, wide, Objective(), 0, 20, 9, options)
    simulation.host.restore(state, simulation.trials)
    assert max(int(trial.values["a"]) for trial in simulation.run(14)) > 4


def test_space_keeps_both_ends_and_every_kind(search_with):
    space = SearchSpace(
        hyperparameters=(
            Int(name="log", min=8, max=512, sampling="log"),
            Float(name="step", min=0, max=1, step=0.2),
            Choice(name="mixed", choices=(True, 1, 0.5, "one")),
            Boolean(name="flag", default=True),
            Fixed(name="fixed", value=3),
            Float(name="child", min=1, max=2, conditions=(Condition(parent="mixed", values=(True, "one")),)),
        )
    )
    simulation = search_with("RandomSearchOracle", space=space)
    trials = simulation.run(150)
    assert simulation.host.take_notes() == []
    assert all(space.problems(trial.values) == [] for trial in trials)
    assert {trial.values["step"] for trial in trials} == {0.0, 0.2, 0.4, 0.6, 0.8, 1.0}
    by_name = {h.name: h for h in simulation.host._oracle._space.hyperparameters.space}
    assert by_name["log"].prob_to_value(1.0) == 512
    assert by_name["log"].prob_to_value(0.0) == 8
    assert by_name["step"].prob_to_value(by_name["step"].value_to_prob(0.8)) == 0.8


def test_conditional_space_and_parallel_trials(search_with):
    simulation = search_with("RandomSearchOracle", space=CONDITIONAL, slots=4)
    simulation.run(50)
    assert len(set(keys(simulation.trials))) == len(simulation.trials) == 16


def test_bayesian_learns_to_keep_away_from_failures():
    def score(values, epochs):
        return None if values["a"] > 0.8 else 1 - values["a"]

    host = AlgorithmHost(get("bayesian").manifest, CONTINUOUS, Objective(), 0, 26, 9, {"num_initial_points": 10})
    trials = Simulation(host, score).run(26)
    assert len(trials) == 26
    proposed = [trial.values["a"] for trial in trials[12:]]
    assert sum(a > 0.8 for a in proposed) <= 0.3 * len(proposed)


def test_a_trial_that_was_edited_before_it_ran_is_told_as_it_ran(search_with):
    simulation = search_with("RandomSearchOracle")
    simulation.change = lambda values: {**values, "a": 1}
    simulation.run(4)
    oracle = simulation.host._oracle._oracle
    told = [trial.hyperparameters.values for trial in oracle.trials.values()]
    assert told[:3] == [trial.values for trial in simulation.trials[:3]]
    again = restarted(simulation, search_with("RandomSearchOracle"))
    assert [trial.hyperparameters.values for trial in again.host._oracle._oracle.trials.values()] == told
