"""A short version of `benchmarks.chaos`: the real program is killed at random instants, and nothing may be lost."""

import pytest

from benchmarks.chaos.__main__ import attack_all

pytestmark = [pytest.mark.end2end, pytest.mark.tensorflow]


@pytest.mark.parametrize(
    ("algorithm", "kinds", "kills"), [("hyperband", ["engine", "worker"], 4), ("gaussian_process", ["window"], 1)]
)
def test_kills_cost_nothing(tmp_path, algorithm, kinds, kills):
    count, damage = attack_all(tmp_path, [algorithm], kinds, kills, seed=1)

    assert sum(count.values()) == kills
    assert damage.is_none, damage.examples
