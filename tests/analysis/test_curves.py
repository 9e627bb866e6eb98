import numpy as np

from tunerstudio.analysis.curves import Curve, joined, mean_curve, metric_names, trial_curves
from tunerstudio.study.trials import Epoch


def epoch(number, execution, index, **metrics):
    return Epoch(trial=number, execution=execution, epoch=index, metrics=metrics, at=0.0)


def test_mean_over_executions_of_different_length():
    epochs = {
        (7, 0): [epoch(7, 0, 1, loss=1.0), epoch(7, 0, 2, loss=0.5), epoch(7, 0, 3, loss=0.4)],
        (7, 1): [epoch(7, 1, 1, loss=3.0), epoch(7, 1, 2, loss=1.5)],
        (8, 0): [epoch(8, 0, 1, loss=99.0)],
    }
    curves = trial_curves(epochs, 7, "loss")
    assert curves.mean.epochs.tolist() == [1, 2, 3]
    assert curves.mean.values.tolist() == [2.0, 1.0, 0.4]
    assert [len(curve.epochs) for curve in curves.executions] == [3, 2]


def test_an_epoch_trained_again_counts_once():
    epochs = {(1, 0): [epoch(1, 0, 1, loss=9.0), epoch(1, 0, 2, loss=8.0), epoch(1, 0, 1, loss=1.0)]}
    curve = trial_curves(epochs, 1, "loss").mean
    assert curve.epochs.tolist() == [1, 2]
    assert curve.values.tolist() == [1.0, 8.0]


def test_values_that_are_not_finite_become_gaps():
    epochs = {(1, 0): [epoch(1, 0, 1, loss=float("inf")), epoch(1, 0, 2, loss=float("nan"), other=1.0)]}
    curve = trial_curves(epochs, 1, "loss").mean
    assert curve.epochs.tolist() == [1, 2]
    assert np.isnan(curve.values).all()


def test_unknown_metric_gives_empty_curves():
    curves = trial_curves({(1, 0): [epoch(1, 0, 1, loss=1.0)]}, 1, "auc")
    assert curves.mean.epochs.size == 0
    assert curves.executions == ()


def test_curves_continue_a_parent():
    epochs = {(4, 0): [epoch(4, 0, 6, loss=0.3), epoch(4, 0, 7, loss=0.2)]}
    assert trial_curves(epochs, 4, "loss").mean.epochs.tolist() == [6, 7]


def test_metric_names_are_listed_once():
    names = metric_names([epoch(1, 0, 1, loss=1, accuracy=1, val_loss=1), epoch(2, 0, 1, val_auc=1)])
    assert names == ["loss", "accuracy", "auc"]


def test_joined_curves_have_gaps_between():
    line = Curve(np.array([1.0, 2.0]), np.array([5.0, 6.0]))
    both = joined([line, line])
    assert both.epochs.size == 5
    assert np.isnan(both.values[2])
    assert joined([]).epochs.size == 0


def test_mean_of_nothing():
    assert mean_curve([]).epochs.size == 0
