import math
from collections import Counter

import pytest

from tunerstudio.algorithms.conformance import CONTINUOUS
from tunerstudio.algorithms.discovery import get
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.simulation import Simulation, hashed_score
from tunerstudio.study.hyperparameters import Choice, SearchSpace
from tunerstudio.study.search import Objective
from tunerstudio.study.trials import Trial, TrialState

FOUR = SearchSpace(hyperparameters=(Choice(name="x", choices=(1, 2, 3, 4)),))


def search(space=CONTINUOUS, score=hashed_score, slots=1, epochs=27, **options) -> Simulation:
    host = AlgorithmHost(get("hyperband").manifest, space, Objective(), 0, 1000, epochs, options)
    return Simulation(host, score, slots, epochs)


def complete(simulation: Simulation) -> list[Trial]:
    simulation.run(1000)
    assert simulation.finished
    return simulation.end_all()


def rounds(trials: list[Trial]) -> Counter:
    return Counter((int(t.tags["bracket"]), int(t.tags["round"]), t.epochs_planned) for t in trials)


def test_plan_is_keras_tuners():
    expected = {
        (3, 0, 1): 27, (3, 1, 3): 9, (3, 2, 9): 3, (3, 3, 27): 1,
        (2, 0, 3): 12, (2, 1, 9): 4, (2, 2, 27): 2,
        (1, 0, 9): 6, (1, 1, 27): 2,
        (0, 0, 27): 4,
    }  # fmt: skip
    simulation = search()
    assert rounds(complete(simulation)) == expected
    assert simulation.host.total_trials() == 70


@pytest.mark.parametrize("slots", [1, 3, 8])
def test_each_round_promotes_the_best_of_the_round_before(slots):
    trials = complete(search(slots=slots))
    for bracket in (3, 2, 1):
        for round_ in range(bracket):
            before = [t for t in trials if (t.tags["bracket"], t.tags["round"]) == (bracket, round_)]
            after = [t for t in trials if (t.tags["bracket"], t.tags["round"]) == (bracket, round_ + 1)]
            best = sorted(before, key=lambda t: t.score)[: len(after)]
            assert {t.parent for t in after} == {t.number for t in best}
            for child in after:
                assert child.values == trials[child.parent - 1].values


@pytest.mark.parametrize("slots", [1, 4])
def test_weights_are_released_when_a_round_is_full(slots):
    simulation = search(slots=slots)
    kept = []
    while not simulation.finished:
        simulation.step()
        parent = simulation.trials[-1].parent
        assert parent is None or parent not in simulation.host.released
        completed = {t.number for t in simulation.trials if t.state is TrialState.COMPLETED and t.epochs_planned < 27}
        kept.append(len(completed - simulation.host.released))
    assert max(kept) <= 27 + 9 + 12  # of 70 trials: those of a round, and what the next bracket has begun
    assert kept[-1] == 0


def test_direction_is_obeyed():
    host = AlgorithmHost(get("hyperband").manifest, CONTINUOUS, Objective(direction="max"), 0, 1000, 9)
    trials = complete(Simulation(host, hashed_score, max_epochs=9))
    first = [t for t in trials if t.tags["bracket"] == 2 and t.tags["round"] == 0]
    promoted = [t.parent for t in trials if t.tags["bracket"] == 2 and t.tags["round"] == 1]
    best = sorted(first, key=lambda t: -t.score)[: len(promoted)]
    assert set(promoted) == {t.number for t in best}


@pytest.mark.parametrize("slots", [1, 4])
def test_failures_lose_no_promotions(slots):
    def fails_for_a_third(values, epochs):
        return None if values["a"] < 0.33 else hashed_score(values, epochs)

    trials = complete(search(score=fails_for_a_third, slots=slots))
    counts = rounds(trials)
    assert counts[3, 1, 3] == 9
    assert counts[3, 2, 9] == 3
    assert counts[3, 3, 27] == 1


def test_next_best_takes_the_place_of_a_promoted_trial_that_fails():
    def fails_late(values, epochs):
        return None if epochs > 1 and values["a"] < 0.5 else hashed_score(values, epochs)

    trials = complete(search(score=fails_late))
    third = [t for t in trials if t.tags["bracket"] == 3 and t.tags["round"] == 1]
    assert sum(t.state is TrialState.COMPLETED for t in third) == 9
    assert sum(t.state is TrialState.FAILED for t in third) > 0


def test_small_space_still_promotes():
    simulation = search(FOUR)
    trials = complete(simulation)
    assert rounds(trials) == {(3, 0, 1): 4, (3, 1, 3): 4, (3, 2, 9): 3, (3, 3, 27): 1}
    assert simulation.host.total_trials() == len(trials)
    assert "all configurations have been tried" in simulation.finished


def test_everything_failing_ends():
    simulation = search(FOUR, score=lambda values, epochs: None)
    assert len(complete(simulation)) == 4


def test_options_and_repetitions():
    simulation = search(max_epochs=9, factor=3, hyperband_iterations=2)
    trials = complete(simulation)
    assert max(t.epochs_planned for t in trials) == 9
    assert {t.tags["iteration"] for t in trials} == {0, 1}
    assert simulation.host.total_trials() == len(trials)
    endless = search(hyperband_iterations=None, max_epochs=3)
    assert endless.host.total_trials() is None
    assert len(endless.run(150)) == 150
    assert search(FOUR, hyperband_iterations=None).host.total_trials() == 12


def test_bracket_sizes_do_not_suffer_from_rounding():
    simulation = search(epochs=125, factor=5)
    counts = rounds(complete(simulation))
    assert counts[3, 0, 1] == math.ceil((1 + 3) / 4 * 5**3)


def test_one_epoch_is_random_search():
    trials = complete(search(epochs=1))
    assert [t.epochs_planned for t in trials] == [1]


def test_reasons_name_the_parent():
    promoted = next(t for t in complete(search()) if t.parent)
    assert promoted.reason.startswith(f"Promoted from trial {promoted.parent}, number ")
