"""Population-based training: stages, copies of the best, and what it keeps weights for."""

import pytest

from tunerstudio.algorithms.api import Choice, Float, Int, SearchSpace
from tunerstudio.algorithms.discovery import get
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.simulation import Simulation
from tunerstudio.study.search import Objective
from tunerstudio.study.trials import TrialState

SPACE = SearchSpace(
    hyperparameters=(
        Float(name="rate", min=1e-4, max=1.0, sampling="log"),
        Int(name="units", min=8, max=64),
        Choice(name="kind", choices=("relu", "tanh")),
    )
)
EPOCHS = 20


def score(values, epochs):
    """The best rate is 0.1 at first and 0.01 later."""
    best = -1.0 if epochs <= 10 else -2.0
    return abs(float(f"{values['rate']:e}".split("e")[1]) - best) + 1.0 / epochs + values["rate"] / 100


def search(space=SPACE, score=score, slots=1, seed=0, **options):
    options = {"population": 4, "interval": 5, **options}
    host = AlgorithmHost(get("population_based").manifest, space, Objective(), seed, 100, EPOCHS, options, slots=slots)
    return Simulation(host, score, slots, EPOCHS)


def complete(simulation):
    simulation.run(500)
    assert simulation.finished
    return simulation.end_all()


def stage_of(trials, stage):
    return [trial for trial in trials if trial.tags["stage"] == stage]


@pytest.mark.parametrize("slots", [1, 3])
def test_every_stage_goes_on_from_the_one_before(slots):
    simulation = search(slots=slots)
    trials = complete(simulation)
    assert len(trials) == 16 == simulation.host.total_trials()
    for stage, end in enumerate((5, 10, 15, 20)):
        now = stage_of(trials, stage)
        assert [trial.epochs_planned for trial in now] == [end] * 4
        assert sorted(trial.tags["place"] for trial in now) == [0, 1, 2, 3]
        for trial in now if stage else ():
            assert trials[trial.parent - 1].tags["stage"] == stage - 1


def test_the_worst_is_a_changed_copy_of_the_best_and_says_so():
    trials = complete(search())
    for stage in (1, 2, 3):
        before = sorted(stage_of(trials, stage - 1), key=lambda t: (t.score, t.number))
        copies = [t for t in stage_of(trials, stage) if trials[t.parent - 1].tags["place"] != t.tags["place"]]
        assert [t.parent for t in copies] == [before[0].number]
        (copy,) = copies
        assert copy.tags["place"] == before[-1].tags["place"]
        changed = {name for name in copy.values if copy.values[name] != before[0].values[name]}
        assert changed == {"rate"}  # weights must fit
        assert f"instead of trial {before[-1].number}, which was among the worst" in copy.reason
        assert "rate " in copy.reason
    stayed = next(t for t in stage_of(trials, 1) if trials[t.parent - 1].tags["place"] == t.tags["place"])
    assert stayed.values == trials[stayed.parent - 1].values
    assert stayed.reason.startswith(f"Goes on from trial {stayed.parent}, number ")


def test_other_hyperparameters_change_only_when_asked_to():
    trials = complete(search(also_change="kind, units", step=1.0, share=0.5))
    copies = [t for t in trials if t.parent and t.values != trials[t.parent - 1].values]
    assert {name for t in copies for name in t.values if t.values[name] != trials[t.parent - 1].values[name]} == {
        "rate",
        "units",
        "kind",
    }


def test_a_network_that_failed_is_replaced():
    def failing(values, epochs):
        return None if epochs == 5 and values["kind"] == "tanh" else score(values, epochs)

    trials = complete(search(score=failing, seed=3))
    failed = [t for t in stage_of(trials, 0) if t.state is TrialState.FAILED]
    assert 0 < len(failed) < 4
    for trial in failed:
        (after,) = [t for t in stage_of(trials, 1) if t.tags["place"] == trial.tags["place"]]
        assert f"instead of trial {trial.number}, which failed" in after.reason
        assert trials[after.parent - 1].state is TrialState.COMPLETED


def test_populations_follow_each_other_until_the_budget_ends():
    trials = search(populations=None).run(40)
    assert [t.tags["population"] for t in trials] == [0] * 16 + [1] * 16 + [2] * 8
    assert search(populations=None).host.total_trials() is None


def test_a_small_space_makes_a_small_population():
    two = SearchSpace(hyperparameters=(Choice(name="rate", choices=(0.1, 0.01)),))
    simulation = search(two)
    assert len(complete(simulation)) == 8 == simulation.host.total_trials()


def test_copies_keep_to_the_constraints():
    def run(constraint):
        host = AlgorithmHost(
            get("population_based").manifest,
            SPACE,
            Objective(),
            0,
            100,
            EPOCHS,
            {"population": 4, "interval": 5, "step": 1.0, "share": 0.5},
            constraints=[constraint],
        )
        return [trial.values["rate"] for trial in complete(Simulation(host, score, max_epochs=EPOCHS))]

    assert max(run("rate <= 0.01")) <= 0.01
    assert max(run("rate <= 0.5")) > 0.01


def test_weights_are_released_as_soon_as_a_stage_is_full():
    simulation = search()
    simulation.run(8)
    simulation.end_all()
    assert simulation.host.released == frozenset()  # the last one asked for was still of stage 1
    simulation.run(9)
    assert simulation.host.released == {1, 2, 3, 4}
    complete(simulation)
    assert simulation.host.released == set(range(1, 17))
