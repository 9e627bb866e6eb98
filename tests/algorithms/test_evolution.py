import math

import numpy as np
import pytest

from tunerstudio.algorithms.conformance import CONDITIONAL, CONTINUOUS
from tunerstudio.algorithms.discovery import get
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.simulation import Simulation
from tunerstudio.study.hyperparameters import Choice, Float, Int, SearchSpace, values_key
from tunerstudio.study.search import Objective

MIXED = SearchSpace(
    hyperparameters=(
        Float(name="rate", min=1e-5, max=1e-1, sampling="log"),
        Int(name="units", min=8, max=512, step=8),
        Choice(name="kind", choices=("relu", "tanh", "elu", "selu")),
    )
)


def host_of(space, direction="min", trials=150, seed=0, **options):
    objective = Objective(name="val_loss", direction=direction)
    return AlgorithmHost(get("evolution").manifest, space, objective, seed, trials, 10, options)


def loss(values, epochs):
    far = abs(math.log10(values["rate"]) + 3) + abs(values["units"] - 128) / 128
    return far + (0.0 if values["kind"] == "elu" else 1.0)


@pytest.mark.parametrize("direction", ["min", "max"])
def test_it_climbs_where_random_search_does_not(direction):
    sign = -1 if direction == "max" else 1
    simulation = Simulation(host_of(MIXED, direction), lambda values, epochs: sign * loss(values, epochs))
    late = [sign * trial.score for trial in simulation.run(151)[100:-1]]
    early = [sign * trial.score for trial in simulation.trials[:30]]
    assert np.median(late) < 0.5 * np.median(early)
    assert min(late) < 0.1 < min(early)


def test_a_child_differs_from_its_parent_as_the_reason_says():
    simulation = Simulation(host_of(MIXED, population=10, crossover=0.0), loss)
    trials = simulation.run(40)
    assert all(trial.reason == "Drawn at random for the first population" for trial in trials[:10])
    for trial in trials[11:]:
        if trial.reason.startswith("Nearest untried"):
            continue
        words = trial.reason.split()
        parent = trials[int(words[2].strip(",")) - 1]
        changed = {name for name in trial.values if trial.values[name] != parent.values[name]}
        assert changed == set(trial.reason.split("another ")[1].split(", "))


def test_parents_come_from_the_latest_trials_only():
    simulation = Simulation(host_of(MIXED, population=5), loss)
    trials = simulation.run(60)
    for trial in trials[30:]:
        numbers = [int(word.strip(",")) for word in trial.reason.split() if word.strip(",").isdigit()]
        assert all(trial.number - number <= 7 for number in numbers)


def test_two_parents_are_mixed():
    simulation = Simulation(
        host_of(CONTINUOUS, population=8, contest=3, crossover=1.0), lambda values, epochs: values["a"]
    )
    trials = simulation.run(40)
    crossed = [trial for trial in trials if trial.reason.startswith("Child of trial ")]
    assert len(crossed) > 20


def test_conditions_are_kept_and_a_small_space_is_tried_to_the_end():
    simulation = Simulation(host_of(CONDITIONAL), lambda values, epochs: float(len(values_key(values))))
    trials = simulation.run(40)
    assert len({values_key(trial.values) for trial in trials}) == 16
    assert simulation.finished
    assert simulation.host.take_notes() == []
