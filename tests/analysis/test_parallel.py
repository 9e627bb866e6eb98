import numpy as np
import pytest

from tunerstudio.analysis.parallel import parallel_coordinates
from tunerstudio.study.hyperparameters import Choice, Float, Int, SearchSpace
from tunerstudio.study.trials import Trial, TrialState


def trial(number, score, **values):
    return Trial(number, TrialState.COMPLETED, values, score=score)


def test_axes_follow_the_space_and_end_with_the_objective():
    space = SearchSpace(
        hyperparameters=(
            Float(name="lr", min=0.001, max=0.1, sampling="log"),
            Choice(name="act", choices=("relu", "tanh")),
            Int(name="same", min=1, max=9),
        )
    )
    trials = [trial(1, 0.5, act="relu", lr=0.001, same=2), trial(2, 0.9, act="tanh", lr=0.1, same=2)]
    trials.append(trial(3, 0.7, act="relu", lr=0.01, same=2))
    found = parallel_coordinates(trials, "val_accuracy", "max", space)
    assert [axis.name for axis in found.axes] == ["lr", "act", "val_accuracy"]
    assert found.axes[0].log
    assert found.numbers.tolist() == [1, 3, 2]
    assert found.positions[:, 0] == pytest.approx([0.0, 0.5, 1.0])
    assert found.positions[:, 1] == pytest.approx([0.25, 0.25, 0.75])
    assert found.positions[:, 2] == pytest.approx([0.0, 0.5, 1.0])
    assert found.goodness.tolist() == [0.0, 0.5, 1.0]


def test_inactive_values_are_gaps():
    found = parallel_coordinates([trial(1, 1.0, a=1, b=2), trial(2, 2.0, a=3), trial(3, 3.0, a=4, b=5)], "loss", "min")
    row = found.numbers.tolist().index(2)
    column = [axis.name for axis in found.axes].index("b")
    assert np.isnan(found.positions[row, column])


def test_whole_numbers_have_whole_ticks_at_their_place():
    found = parallel_coordinates([trial(1, 1.0, units=9), trial(2, 2.0, units=27)], "loss", "min")
    ticks = found.axes[0].ticks
    assert [value for _, value in ticks] == [9, 14, 18, 22, 27]
    assert {value: place for place, value in ticks}[18] == pytest.approx(0.5)


def test_wide_ranges_are_logarithmic_without_a_space():
    found = parallel_coordinates([trial(1, 1.0, lr=1e-5), trial(2, 2.0, lr=1e-1)], "loss", "min")
    assert found.axes[0].log


def test_thinning_keeps_the_best():
    trials = [trial(n, float(n), x=n) for n in range(1, 101)]
    found = parallel_coordinates(trials, "loss", "min", most=20)
    assert len(found.numbers) == 20
    assert set(range(1, 11)) <= set(found.numbers.tolist())
    assert 100 in found.numbers
    assert found.left_out == 80
    assert found.numbers[-1] == 1


def test_failed_trials_and_nan_are_left_out():
    trials = [Trial(1, TrialState.FAILED, {"x": 1}), trial(2, float("nan"), x=2), trial(3, 0.5, x=3)]
    assert parallel_coordinates(trials, "loss", "min").numbers.tolist() == [3]


def test_nothing():
    found = parallel_coordinates([], "loss", "min")
    assert found.axes == ()
    assert found.positions.size == 0
