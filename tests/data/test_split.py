import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunerstudio.data.split import assign_parts, part_sizes
from tunerstudio.study.data import Split
from tunerstudio.study.errors import DataError


def test_sizes():
    assert part_sizes(100, Split(validation=0.2, test=0.15)) == (65, 20, 15)
    assert part_sizes(5, Split(validation=0.1, test=0.1)) == (3, 1, 1)
    assert part_sizes(699, Split(validation=0.12, test=0)) == (615, 84, 0)
    with pytest.raises(DataError, match="2 usable rows cannot be divided"):
        part_sizes(2, Split())


def test_order_is_kept_where_asked():
    parts = assign_parts(20, Split(method="ordered", validation=0.25, test=0.1), np.zeros(20, dtype=np.int64))
    assert parts.tolist() == [0] * 13 + [1] * 5 + [2] * 2


def test_the_seed_decides():
    first, again, other = (assign_parts(500, Split(seed=seed), None) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.bincount(first).tolist() == [325, 100, 75]


def test_the_split_of_a_seed_stays_what_it_is():
    """Studies are resumed and cards compared over years: a changed split would spoil both."""
    assert assign_parts(12, Split(seed=232), None).tolist() == EXPECTED_PLAIN
    classes = np.array([0, 1, 1] * 4)
    assert assign_parts(12, Split(seed=232), classes).tolist() == EXPECTED_STRATIFIED


EXPECTED_PLAIN = [2, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 1]
EXPECTED_STRATIFIED = [1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 2]


def test_small_classes_stay_in_training():
    classes = np.array([0] * 50 + [1] * 50 + [2] * 2 + [3])
    parts = assign_parts(len(classes), Split(), classes)
    assert set(parts[100:]) == {0}


@given(
    counts=st.lists(st.integers(1, 200), min_size=2, max_size=6).filter(lambda counts: sum(counts) >= 20),
    validation=st.floats(0.05, 0.5),
    test=st.floats(0.0, 0.4),
    seed=st.integers(0, 2**32),
)
def test_shares_are_kept(counts, validation, test, seed):
    classes = np.repeat(np.arange(len(counts)), counts)
    parts = assign_parts(len(classes), Split(validation=validation, test=test, seed=seed), classes)
    assert np.any(parts == 1)
    for number, count in enumerate(counts):
        own = np.bincount(parts[classes == number], minlength=3)
        assert own[0] >= 1, "every class is trained"
        if count >= 3 and min(counts) >= 3:
            assert own[1] <= np.ceil(validation * count + 1)
            assert own[1] >= np.floor(validation * count) - 1


def test_what_the_source_says_is_kept():
    given_parts = np.array([0] * 80 + [2] * 20)
    parts = assign_parts(100, Split(validation=0.2), np.arange(100) % 2, given_parts)
    assert np.bincount(parts).tolist() == [60, 20, 20]
    assert set(parts[80:]) == {2}
    whole = np.array([0] * 70 + [1] * 10 + [2] * 20)
    assert np.array_equal(assign_parts(100, Split(), None, whole), whole)
