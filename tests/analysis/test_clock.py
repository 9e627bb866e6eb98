import pytest

from tunerstudio.analysis.clock import trained_s
from tunerstudio.study.trials import Attempt, Trial, TrialState


def attempt(trial, began, ended):
    return Attempt(trial, 1, 1, "here", "CPU", began, ended)


def trial(number, duration_s=100.0):
    return Trial(number, TrialState.COMPLETED, {}, duration_s=duration_s)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], 0.0),
        ([(0, 10), (10, 20)], 20.0),
        ([(0, 10), (2, 8)], 10.0),  # side by side
        ([(0, 10), (5, 15)], 15.0),
        ([(0, 10), (50, 60)], 20.0),  # a pause
        ([(10, 5)], 0.0),  # the clock was set back
        ([(0, 10), (20, None)], 90.0),  # one runs until now
    ],
)
def test_time_with_a_trial_in_training_counts_once(spans, expected):
    attempts = [attempt(number, *span) for number, span in enumerate(spans, 1)]
    assert trained_s(attempts, [trial(number) for number in range(1, len(spans) + 1)], now=100.0) == expected


def test_a_clock_that_was_set_ahead_does_not_use_up_the_time():
    assert trained_s([attempt(1, 0.0, 90_000.0)], [trial(1, duration_s=12.0)], now=90_001.0) == 12.0


def test_trials_without_attempts_count_as_long_as_they_took():
    assert trained_s([attempt(2, 0.0, 5.0)], [trial(1, duration_s=6.0), trial(2)], now=10.0) == 11.0
