from datetime import datetime

import pytest

from tunerstudio.analysis.endings import endings, finish_time, since_best
from tunerstudio.study.search import Budget, Objective, Plateau
from tunerstudio.study.trials import Trial, TrialState

EVENING = datetime(2026, 5, 29, 22, 30)


def finished(number, score, state=TrialState.COMPLETED):
    return Trial(number, state, {}, score=score, ended_at=float(number))


@pytest.mark.parametrize(
    ("finish_by", "expected"),
    [
        ("23:00", datetime(2026, 5, 29, 23, 0)),
        ("07:00", datetime(2026, 5, 30, 7, 0)),
        ("22:30", datetime(2026, 5, 30, 22, 30)),
        ("2026-06-01 07:00", datetime(2026, 6, 1, 7, 0)),
        ("2026-06-01T07:00", datetime(2026, 6, 1, 7, 0)),
    ],
)
def test_a_time_of_day_is_the_next_one_after_the_start(finish_by, expected):
    assert finish_time(finish_by, EVENING.timestamp()) == expected.timestamp()


def test_without_further_limits_nothing_ends_a_search_early():
    found = endings(Budget(), Objective(), [finished(1, 0.5)], 0.0, 0.0)
    assert (found.finish_at, found.plateau, found.target) == (None, None, None)


@pytest.mark.parametrize(("direction", "since"), [("max", 3), ("min", 1)])
def test_trials_since_the_best_score_are_counted(direction, since):
    trials = [finished(1, 0.5), finished(2, 0.9), finished(3, 0.6), finished(4, 0.4)]
    trials.append(finished(5, None, TrialState.FAILED))
    budget = Budget(plateau=Plateau(trials=10), target=0.95)
    found = endings(budget, Objective(name="x", direction=direction), trials, 0.0, 0.0)
    assert (found.plateau, found.since_best, found.target) == (10, since, 0.95)


def test_small_differences_are_no_improvement():
    trials = [finished(1, 0.5), finished(2, 0.505), finished(3, 0.509), finished(4, 0.52)]
    budget = Budget(plateau=Plateau(trials=10, min_delta=0.01))
    objective = Objective(name="x", direction="max")
    assert endings(budget, objective, trials[:3], 0.0, 0.0).since_best == 2
    assert endings(budget, objective, trials, 0.0, 0.0).since_best == 0


@pytest.mark.parametrize("direction", ["min", "max"])
def test_a_plateau_begins_with_the_first_score(direction):
    failed = [finished(number, None, TrialState.FAILED) for number in (1, 2, 3)]
    objective = Objective(name="x", direction=direction)
    assert since_best(failed, objective, 0.0) == 0
    assert since_best([*failed, finished(4, 1.0)], objective, 0.0) == 0
    assert since_best([*failed, finished(4, 1.0), finished(5, None, TrialState.FAILED)], objective, 0.0) == 1


@pytest.mark.parametrize(
    ("finish_by", "clock", "expected"),
    [
        ("07:00", "2026-05-30 06:00", "2026-05-30 07:00"),
        ("07:00", "2026-05-30 07:00", "2026-05-30 07:00"),
        ("05:00", "2026-05-30 06:00", "2026-05-31 05:00"),
        ("2026-05-30 05:00", "2026-05-30 06:00", "2026-05-30 05:00"),
    ],
)
def test_a_time_of_day_that_has_passed_while_it_runs_was_given_later_and_means_the_next_one(finish_by, clock, expected):
    began, now, meant = (datetime.fromisoformat(text).timestamp() for text in ("2026-05-30 04:00", clock, expected))
    assert endings(Budget(finish_by=finish_by), Objective(), [], began, now).finish_at == meant
