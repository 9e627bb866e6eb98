import numpy as np
import pytest

from tunerstudio.algorithms.conformance import CONDITIONAL, CONTINUOUS, HUNDRED
from tunerstudio.algorithms.discovery import get, get_pruner
from tunerstudio.algorithms.errors import AlgorithmError
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.library import shipped_algorithm
from tunerstudio.algorithms.pruning import Pruner
from tunerstudio.algorithms.simulation import Simulation, hashed_score
from tunerstudio.study.errors import StudyError
from tunerstudio.study.hyperparameters import Float, SearchSpace
from tunerstudio.study.search import Objective, SecondObjective
from tunerstudio.study.trials import Trial, TrialState


def host_of(space, trials=40, algorithm="auto", also=(), slots=1, **options):
    return AlgorithmHost(get(algorithm).manifest, space, Objective(), 0, trials, 10, options, also=also, slots=slots)


def bowl(values, epochs):
    return (values["a"] - 0.7) ** 2 + abs(np.log10(values["b"]) + 2) / 10


def methods(trials):
    return [trial.tags["method"] for trial in trials]


def test_a_tiny_space_is_tried_in_order():
    simulation = Simulation(host_of(CONDITIONAL), hashed_score)
    trials = simulation.run(40)
    assert set(methods(trials)) == {"grid"}
    assert len(trials) == 16
    assert trials[0].reason.startswith(
        "Auto tries all 16 configurations in order: the budget is enough for each; point 1"
    )
    assert trials[1].reason == "Point 2 of the grid"
    assert set(methods(Simulation(host_of(CONDITIONAL, trials=10), hashed_score).run(10))) == {"gaussian_process"}


def test_few_trials_are_left_to_the_gaussian_process_as_it_is():
    trials = Simulation(host_of(CONTINUOUS), bowl).run(20)
    alone = Simulation(host_of(CONTINUOUS, algorithm="gaussian_process"), bowl).run(20)
    assert [trial.values for trial in trials] == [trial.values for trial in alone]
    assert trials[0].reason == (
        "Auto takes a Gaussian process, which learns most from few trials: 40 of endlessly many configurations; "
        "initial trial, far from those before"
    )
    assert [trial.reason for trial in trials[1:]] == [trial.reason for trial in alone[1:]]
    assert "40 of 100 configurations" in Simulation(host_of(HUNDRED), hashed_score).run(1)[0].reason


def test_trials_that_all_start_at_once_are_spread_evenly():
    simulation = Simulation(host_of(CONTINUOUS, trials=16, slots=16), bowl, slots=16)
    trials = simulation.run(16)
    assert set(methods(trials)) == {"qmc"}
    assert trials[0].reason.startswith(
        "Auto spreads the trials evenly: all 16 start side by side, before there is a score; "
    )
    simulation.end_all()
    assert methods(simulation.run(17))[16] == "gaussian_process"  # a budget that grew
    assert set(methods(Simulation(host_of(CONTINUOUS, trials=1), bowl).run(1))) == {"gaussian_process"}


def test_some_trials_side_by_side_are_told_with_the_reason():
    simulation = Simulation(host_of(CONTINUOUS, trials=40, slots=8), bowl, slots=8)
    trials = simulation.run(20)
    assert set(methods(trials)) == {"gaussian_process"}
    assert ", 8 side by side that count as what is expected of them until they end; " in trials[0].reason
    assert [trial.reason for trial in trials[5:8]] == ["Drawn at random while no score is known"] * 3
    assert trials[9].reason.startswith("The model expects")


def test_it_says_what_trials_that_are_ended_early_count():
    pruner = Pruner(get_pruner("median").manifest, Objective(), 10)
    host = AlgorithmHost(get("auto").manifest, CONTINUOUS, Objective(), 0, 30, 10, pruner=pruner)
    simulation = Simulation(
        host, lambda values, epochs: bowl(values, epochs) + 1 / epochs, max_epochs=10, pruner=pruner
    )
    trials = simulation.run(30)
    assert ", and trials that are ended early count as what they would have reached; " in trials[0].reason
    assert TrialState.PRUNED in {trial.state for trial in trials}
    assert min(trial.score for trial in trials[:-1]) < 0.12


def test_many_trials_go_on_with_tpe_that_knows_the_trials_before():
    trials = Simulation(host_of(CONTINUOUS, trials=100, model_trials=25), bowl).run(60)
    assert methods(trials) == ["gaussian_process"] * 25 + ["tpe"] * 35
    assert trials[25].reason.startswith("Auto goes on with TPE: after 25 trials a Gaussian process")
    assert "times as likely among the" in trials[25].reason
    assert not trials[26].reason.startswith("Auto")


def test_very_many_hyperparameters_are_left_to_tpe():
    space = SearchSpace(hyperparameters=tuple(Float(name=f"x{index}", min=0, max=1) for index in range(70)))
    trials = Simulation(host_of(space), hashed_score).run(3)
    assert set(methods(trials)) == {"tpe"}
    assert "70 hyperparameters are too many" in trials[0].reason


def test_the_defaults_come_first_if_asked_for():
    trials = Simulation(host_of(CONTINUOUS, start_with_defaults=True), bowl).run(3)
    assert trials[0].values == CONTINUOUS.defaults()
    assert trials[0].reason.endswith("the defaults come first")
    assert not trials[1].reason.startswith("Auto")


def two_objectives(algorithm, count, seed=0, **options):
    """Two bowls: the Pareto front is the line between their centres."""
    space = SearchSpace(hyperparameters=tuple(Float(name=name, min=0, max=1) for name in "abcd"))
    centres = np.full(4, 0.3), np.full(4, 0.7)
    also = (SecondObjective(name="size", direction="min"),)
    host = AlgorithmHost(get(algorithm).manifest, space, Objective(), seed, count, 10, options, also=also)
    trials: list[Trial] = []
    for number in range(1, count + 1):
        proposal = host.next(trials, number)
        point = np.array([proposal.values[name] for name in "abcd"])
        first, second = (float(((point - centre) ** 2).sum()) for centre in centres)
        trials.append(
            Trial(
                number,
                TrialState.COMPLETED,
                proposal.values,
                score=first,
                measures={"size": second * 1e6},
                tags=proposal.tags,
                reason=proposal.reason,
            )
        )
    return trials


def covered(trials):
    """Area that the front of the trials covers, of the square up to 0.7."""
    points = sorted((min(t.score, 0.7), min(t.measures["size"] / 1e6, 0.7)) for t in trials)
    area, height = 0.0, 0.7
    for x, y in points:
        if y < height:
            area += (0.7 - x) * (height - y)
            height = y
    return area


def test_trials_of_an_earlier_study_count_but_are_not_the_first():
    values = {"a": 0.7, "b": 0.01}
    earlier = [Trial(-1, TrialState.COMPLETED, values, score=0.0)]
    manifest = get("auto").manifest
    host = AlgorithmHost(manifest, CONTINUOUS, Objective(), 0, 30, 10, {"start_with_defaults": True}, earlier=earlier)
    trials = Simulation(host, bowl).run(2)
    assert trials[0].values == CONTINUOUS.defaults()
    assert trials[0].reason.startswith("Auto takes a Gaussian process")


def test_several_objectives_get_a_front_that_is_better_than_evolution_s():
    trials = two_objectives("auto", 50)
    assert covered(trials) > 1.1 * max(covered(two_objectives("nsga2", 50, seed=seed)) for seed in range(3))
    assert trials[0].reason.startswith("Auto takes a Gaussian process on changing mixtures of the 2 objectives")
    assert trials[-1].reason.startswith("Most promising to the model for a mixture of ")
    assert "% val_loss and " in trials[-1].reason
    assert trials[-1].reason.endswith("% size")


def test_many_trials_of_several_objectives_are_left_to_nsga2():
    trials = two_objectives("auto", 20, model_trials=10)
    assert methods(trials) == ["mixture"] * 10 + ["nsga2"] * 10


def test_a_shipped_algorithm_is_a_building_block():
    algorithm = shipped_algorithm("grid", {"points": 3})
    assert algorithm.id == "grid"
    assert algorithm.options["points"] == 3
    assert algorithm.options["start_with_defaults"] is True
    with pytest.raises(StudyError, match="has no option 'pionts'"):
        shipped_algorithm("grid", {"pionts": 3})
    with pytest.raises(AlgorithmError, match=r"it has no propose\(\)"):
        shipped_algorithm("bayesian")
    with pytest.raises(AlgorithmError, match="cannot be used by another algorithm"):
        shipped_algorithm("nonsense")
