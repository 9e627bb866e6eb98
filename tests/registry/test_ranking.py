import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunerstudio.registry.ranking import Constraints, Rule, rank
from tunerstudio.study.trials import Trial, TrialState

SMALLEST = Rule.SMALLEST_WITHIN_ONE_STANDARD_ERROR


def trial(number, score, parameters=100, error=None, state=TrialState.COMPLETED):
    return Trial(number, state, {}, score=score, standard_error=error, parameters=parameters)


def numbers(ranking):
    return [t.number for t in ranking.trials]


def test_best_score_first():
    trials = [trial(1, 0.7), trial(2, 0.9), trial(3, None, state=TrialState.FAILED), trial(4, 0.8)]
    assert numbers(rank(trials, "max")) == [2, 4, 1]
    assert numbers(rank(trials, "min")) == [1, 4, 2]


def test_smallest_of_those_as_good_as_the_best():
    trials = [trial(1, 0.90, 5000, 0.01), trial(2, 0.895, 200, 0.05), trial(3, 0.891, 300), trial(4, 0.85, 10)]
    ranking = rank(trials, "max", SMALLEST)
    assert numbers(ranking) == [2, 3, 1, 4]
    assert ranking.as_good == {1, 2, 3}
    assert ranking.threshold == pytest.approx(0.89)


def test_smaller_scores_may_be_better():
    trials = [trial(1, 0.10, 5000, 0.02), trial(2, 0.115, 50), trial(3, 0.13, 5)]
    assert numbers(rank(trials, "min", SMALLEST)) == [2, 1, 3]


def test_without_spread_only_ties_are_as_good():
    trials = [trial(1, 0.9, 5000), trial(2, 0.9, 20), trial(3, 0.8999, 1)]
    assert numbers(rank(trials, "max", SMALLEST)) == [2, 1, 3]


def test_unknown_sizes_come_after_known_ones():
    trials = [trial(1, 0.9, None, 0.1), trial(2, 0.85, 70)]
    assert numbers(rank(trials, "max", SMALLEST)) == [2, 1]


def test_constraints_come_first():
    trials = [trial(1, 0.99, 10_000, 0.001), trial(2, 0.9, 500, 0.05), trial(3, 0.88, 100), trial(4, 0.95, None)]
    ranking = rank(trials, "max", SMALLEST, Constraints(most_parameters=1000))
    assert numbers(ranking) == [3, 2]
    assert ranking.excluded == 2


def test_nothing_to_rank():
    ranking = rank([trial(1, float("nan")), trial(2, None, state=TrialState.RUNNING)], "max", SMALLEST)
    assert ranking.trials == ()
    assert ranking.threshold is None


@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(1, 10**6), st.floats(0, 10)), max_size=20),
    st.sampled_from(["max", "min"]),
)
def test_both_rules_hold_the_same_trials(rows, direction):
    trials = [trial(number, score, size, error) for number, (score, size, error) in enumerate(rows, start=1)]
    plain, small = rank(trials, direction), rank(trials, direction, SMALLEST)
    assert sorted(numbers(plain)) == sorted(numbers(small)) == sorted(t.number for t in trials)
    if trials:
        assert small.trials[0].parameters <= plain.trials[0].parameters
        assert plain.trials[0].number in small.as_good
