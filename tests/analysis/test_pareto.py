from tunerstudio.analysis.pareto import pareto_front
from tunerstudio.study.search import Objective, Search, SecondObjective
from tunerstudio.study.trials import Trial, TrialState

SEARCH = Search(objective=Objective(name="val_accuracy", direction="max"), also=(SecondObjective(name="parameters"),))


def completed(number, score, parameters) -> Trial:
    return Trial(number, TrialState.COMPLETED, {}, score=score, parameters=parameters)


def test_front_holds_what_nothing_else_beats():
    trials = [
        completed(4, 0.9, 500),
        completed(1, 0.95, 1000),
        completed(2, 0.94, 2000),
        completed(3, 0.7, 10),
        completed(5, 0.99, None),
        Trial(6, TrialState.PRUNED, {}, score=0.999, parameters=1),
    ]
    found = pareto_front(trials, SEARCH)
    assert found.names == ("val_accuracy", "parameters")
    assert found.numbers.tolist() == [1, 2, 3, 4]
    assert found.values[0].tolist() == [0.95, 1000.0]
    assert found.on_front.tolist() == [True, False, True, True]
    assert found.front() == [1, 4, 3]
    assert found.missing == (5,)


def test_with_one_objective_the_front_is_the_best():
    found = pareto_front([completed(1, 0.5, None), completed(2, 0.6, None)], Search(objective=SEARCH.objective))
    assert found.front() == [2]


def test_without_trials_there_is_no_front():
    found = pareto_front([], SEARCH)
    assert found.front() == []
    assert found.values.shape == (0, 2)
