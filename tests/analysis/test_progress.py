import numpy as np
import pytest

from tunerstudio.analysis.progress import forecast_s, progress, running_trial, training_of, trial_costs_s
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.search import Budget, Training
from tunerstudio.study.trials import Epoch, Execution, Trial, TrialState

TRAINING = Training(epochs=10, executions=2)


def done(number, seconds=2.0, state=TrialState.COMPLETED):
    return Trial(
        number=number,
        state=state,
        values={},
        duration_s=seconds,
        started_at=100.0 * number,
        ended_at=100.0 * number + seconds,
    )


def running(number, executions=()):
    return Trial(number=number, state=TrialState.RUNNING, values={}, executions=executions, started_at=1.0)


def reports(number, execution, count, step=0.5):
    return [Epoch(number, execution, index, {"loss": 1.0}, at=index * step) for index in range(1, count + 1)]


def test_running_trial_counts_executions_and_epochs():
    epochs = {(3, 0): reports(3, 0, 10), (3, 1): reports(3, 1, 4)}
    finished = Execution(index=0, state=TrialState.COMPLETED, seed=1, epochs=10)
    where = running_trial(running(3, (finished,)), epochs, TRAINING)
    assert (where.execution, where.executions, where.epoch, where.epochs) == (2, 2, 4, 10)
    assert where.fraction == pytest.approx(0.7)


def test_a_finished_execution_without_reports_of_the_next():
    finished = Execution(index=0, state=TrialState.COMPLETED, seed=1, epochs=3)
    where = running_trial(running(3, (finished,)), {(3, 0): reports(3, 0, 3)}, TRAINING)
    assert (where.execution, where.epoch) == (2, 0)
    assert where.fraction == pytest.approx(0.5)


def test_budget_counts_completed_pruned_and_failed():
    trials = [done(1), done(2, state=TrialState.FAILED), done(3, state=TrialState.PRUNED)]
    trials += [Trial(number=4, state=TrialState.CANCELLED, values={}), Trial(4, TrialState.QUEUED, {})]
    found = progress(trials, {}, Budget(trials=10), TRAINING)
    assert (found.done, found.planned) == (3, 10)
    assert found.fraction == pytest.approx(0.3)


def test_eta_holds_what_was_measured():
    found = progress([done(n, 2.0) for n in range(1, 11)], {}, Budget(trials=20), TRAINING)
    low, high = found.eta_s
    assert low <= 20.0 <= high + 1e-9


def test_eta_of_the_first_trial_comes_from_its_epochs():
    found = progress([running(1)], {(1, 0): reports(1, 0, 5, step=0.5)}, Budget(trials=1), TRAINING)
    low, high = found.eta_s
    assert low < 0.75 * 10 < high
    assert progress([running(1)], {}, Budget(trials=1), TRAINING).eta_s is None


def test_slots_share_the_work():
    trials = [done(n, 2.0) for n in range(1, 5)]
    alone = progress(trials, {}, Budget(trials=8), TRAINING).eta_s
    shared = progress(trials, {}, Budget(trials=8), TRAINING, slots=2).eta_s
    assert shared == pytest.approx((alone[0] / 2, alone[1] / 2))


def test_time_limit_bounds_the_eta():
    trials = [done(n, 10.0) for n in range(1, 5)]
    found = progress(trials, {}, Budget(trials=1000, time_limit_s=50.0), TRAINING, slots=2, spent_s=40.0)
    assert found.eta_s[1] <= 10.0
    assert found.fraction == pytest.approx(0.8)


def test_a_search_that_is_over():
    found = progress([done(1), done(2)], {}, Budget(trials=2), TRAINING)
    assert found.fraction == 1.0
    assert found.eta_s is None


def test_more_trials_than_planned():
    found = progress([done(1), done(2), running(3)], {}, Budget(trials=2), TRAINING)
    assert found.planned == 3


def test_more_measurements_narrow_the_range():
    rng = np.random.default_rng(0)
    few, many = (forecast_s(rng.normal(10, 2, size), 20, 1) for size in (3, 50))
    assert many[1] - many[0] < few[1] - few[0]


def test_costs_include_the_pause_between_trials():
    first = Trial(1, TrialState.COMPLETED, {}, duration_s=1.0, started_at=0.0, ended_at=1.0)
    second = Trial(2, TrialState.COMPLETED, {}, duration_s=1.0, started_at=1.5, ended_at=2.5)
    assert trial_costs_s([first, second]).tolist() == [1.5, 1.5]


def test_the_executions_of_an_estimator_are_its_folds():
    content = {
        "name": "s",
        "data": {"source": {"kind": "bundled", "name": "iris"}},
        "model": {"kind": "estimator", "estimator": "DecisionTreeClassifier", "folds": 4},
        "training": {"epochs": 15, "executions": 3},
    }
    training = training_of(StudyDocument.model_validate(content))
    assert (training.epochs, training.executions) == (1, 4)
    training = training_of(StudyDocument.model_validate({**content, "model": {"kind": "blocks"}}))
    assert (training.epochs, training.executions) == (15, 3)
