import numpy as np
import pytest

from tunerstudio.analysis.history import best_so_far, readable_range, score_history
from tunerstudio.study.trials import Trial, TrialState


def trial(number, score, state=TrialState.COMPLETED, error=None):
    return Trial(number=number, state=state, values={}, score=score, standard_error=error)


def test_history_follows_the_direction():
    trials = [trial(2, 0.5), trial(1, 0.7, error=0.01), trial(3, 0.9)]
    most = score_history(trials, "max")
    assert most.numbers.tolist() == [1, 2, 3]
    assert most.best.tolist() == [0.7, 0.7, 0.9]
    assert (most.best_number, most.best_score) == (3, 0.9)
    assert most.errors[0] == 0.01
    assert np.isnan(most.errors[1])
    least = score_history(trials, "min")
    assert least.best.tolist() == [0.7, 0.5, 0.5]
    assert least.best_number == 2


def test_trials_without_a_finite_score_are_left_out():
    trials = [
        trial(1, None, TrialState.FAILED),
        trial(2, float("nan")),
        trial(3, float("inf")),
        trial(4, 0.2, TrialState.RUNNING),
        trial(5, 0.4),
    ]
    assert score_history(trials, "max").numbers.tolist() == [5]


def test_pruned_trials_are_shown_but_never_best():
    history = score_history([trial(1, 0.9, TrialState.PRUNED), trial(2, 0.6)], "max")
    assert history.numbers.tolist() == [1, 2]
    assert history.completed.tolist() == [False, True]
    assert history.best_number == 2
    assert np.isnan(history.best[0])
    assert history.best[1] == 0.6


def test_no_trials():
    history = score_history([], "min")
    assert len(history) == 0
    assert history.best_number is None
    assert history.best_score is None


def test_best_so_far_skips_gaps():
    best = best_so_far(np.array([np.nan, 3.0, np.nan, 2.0, 5.0]), "min")
    assert np.isnan(best[0])
    assert best[1:].tolist() == [3.0, 3.0, 2.0, 2.0]


def test_outliers_do_not_crush_the_rest():
    values = np.append(np.linspace(0.1, 0.2, 40), [1e9])
    low, high = readable_range(values)
    assert low == pytest.approx(0.1)
    assert high < 0.5


@pytest.mark.parametrize(
    ("values", "expected"),
    [([1.0, 2.0], (1.0, 2.0)), ([0.0], (-0.5, 0.5)), ([2.0, np.nan, np.inf], (1.9, 2.1))],
)
def test_range_of_few_values(values, expected):
    assert readable_range(np.array(values)) == pytest.approx(expected)


def test_range_of_nothing():
    assert readable_range(np.array([np.nan, np.inf])) is None
