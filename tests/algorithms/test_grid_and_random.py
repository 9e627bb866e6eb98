from tunerstudio.algorithms.conformance import CONDITIONAL, CONTINUOUS
from tunerstudio.algorithms.discovery import get
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.simulation import Simulation, hashed_score
from tunerstudio.study.hyperparameters import Choice, Float, Int, SearchSpace
from tunerstudio.study.search import Objective
from tunerstudio.study.trials import Trial, TrialState


def search(algorithm: str, space: SearchSpace, **options) -> Simulation:
    host = AlgorithmHost(get(algorithm).manifest, space, Objective(), 0, 100, 10, options)
    return Simulation(host, hashed_score)


def values_of(simulation: Simulation) -> list[dict]:
    return [trial.values for trial in simulation.run(10_000)]


def test_grid_runs_through_every_combination_in_order():
    space = SearchSpace(hyperparameters=(Choice(name="k", choices=("x", "y")), Int(name="n", min=1, max=3, default=2)))
    plain = search("grid", space, start_with_defaults=False)
    assert [(v["k"], v["n"]) for v in values_of(plain)] == [(k, n) for k in "xy" for n in (1, 2, 3)]
    first = search("grid", space)
    assert [(v["k"], v["n"]) for v in values_of(first)] == [(k, n) for k in "xy" for n in (2, 1, 3)]
    assert plain.host.total_trials() == 6


def test_grid_reaches_the_maximum_of_a_stepped_range():
    space = SearchSpace(hyperparameters=(Float(name="x", min=0, max=1, step=0.2),))
    assert [v["x"] for v in values_of(search("grid", space))] == [0, 0.2, 0.4, 0.6, 0.8, 1.0]


def test_grid_cuts_continuous_ranges_with_both_ends():
    simulation = search("grid", CONTINUOUS, points=5, start_with_defaults=False)
    values = values_of(simulation)
    assert len(values) == simulation.host.total_trials() == 25
    assert sorted({v["a"] for v in values}) == [0, 0.25, 0.5, 0.75, 1]
    assert [round(b, 9) for b in sorted({v["b"] for v in values})] == [1e-4, 1e-3, 1e-2, 1e-1, 1]
    assert simulation.finished == "every point of the grid has been tried"


def test_grid_cuts_long_logarithmic_whole_numbers():
    space = SearchSpace(hyperparameters=(Int(name="n", min=1, max=1000, sampling="log"),))
    values = [v["n"] for v in values_of(search("grid", space, points=4))]
    assert values == [1, 10, 100, 1000]


def test_grid_keeps_a_default_that_is_off_its_points():
    space = SearchSpace(hyperparameters=(Float(name="x", min=0, max=1, default=0.3),))
    assert [v["x"] for v in values_of(search("grid", space, points=3))] == [0.3, 0, 0.5, 1]


def test_grid_respects_conditions_and_counts_them():
    simulation = search("grid", CONDITIONAL)
    assert len(values_of(simulation)) == simulation.host.total_trials() == CONDITIONAL.count() == 16


def test_grid_leaves_out_what_the_user_has_tried():
    space = SearchSpace(hyperparameters=(Int(name="n", min=1, max=4),))
    simulation = search("grid", space)
    simulation.trials = [Trial(1, TrialState.COMPLETED, {"n": 3}, score=0.1)]
    assert [v["n"] for v in values_of(simulation)] == [3, 1, 2, 4]


def test_random_starts_with_the_defaults_if_asked():
    space = SearchSpace(hyperparameters=(Float(name="x", min=0, max=1, default=0.125),))
    assert search("random", space, start_with_defaults=True).run(1)[0].values == {"x": 0.125}
    assert search("random", space).run(1)[0].values != {"x": 0.125}


def test_random_draws_evenly_on_the_scale():
    below = sum(float(trial.values["b"]) < 1e-2 for trial in search("random", CONTINUOUS).run(400))
    assert 150 < below < 250
