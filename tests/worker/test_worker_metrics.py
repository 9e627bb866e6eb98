import keras
import numpy as np
import pytest
from sklearn import metrics as reference

from tunerstudio.study.preprocessing import TargetPlan
from tunerstudio.worker.metrics import known_metrics, make_metrics

RNG = np.random.default_rng(5)
BINARY = TargetPlan(columns=("y",), task="binary", classes=("no", "yes"))
THREE = TargetPlan(columns=("y",), task="multiclass", classes=("a", "b", "c"))
VALUES = TargetPlan(columns=("y", "z"), task="regression", offset=(100.0, -3.0), scale=(20.0, 0.5))

TRUTH2, CHANCE = RNG.integers(0, 2, 80), RNG.uniform(size=80)
TRUTH3 = RNG.integers(0, 3, 80)
SOFT = RNG.dirichlet([1, 1, 1], 80)
STANDARD, GUESS = RNG.normal(size=(80, 2)), RNG.normal(size=(80, 2))


def measure(name, target, truth, guess):
    """In two batches, as training does, and once more after a reset, from a serialized copy."""
    metric = known_metrics(target)[name](name)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    results = []
    for one in (metric, copy):
        one.update_state(truth, guess)
        one.reset_state()
        for part in (slice(0, 50), slice(50, 80)):
            one.update_state(truth[part], guess[part])
        results.append(float(np.asarray(one.result())))
    assert results[0] == pytest.approx(results[1], rel=1e-6)
    assert metric.name == name
    return results[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", reference.accuracy_score(TRUTH2, CHANCE > 0.5)),
        ("precision", reference.precision_score(TRUTH2, CHANCE > 0.5)),
        ("recall", reference.recall_score(TRUTH2, CHANCE > 0.5)),
        ("f1_score", reference.f1_score(TRUTH2, CHANCE > 0.5)),
        ("brier", reference.brier_score_loss(TRUTH2, CHANCE)),
    ],
)
def test_two_classes(name, expected):
    found = measure(name, BINARY, TRUTH2.reshape(-1, 1).astype("float32"), CHANCE.reshape(-1, 1).astype("float32"))
    assert found == pytest.approx(expected, rel=1e-5)


def test_area_of_two_classes():
    found = measure("auc", BINARY, TRUTH2.reshape(-1, 1).astype("float32"), CHANCE.reshape(-1, 1).astype("float32"))
    assert found == pytest.approx(reference.roc_auc_score(TRUTH2, CHANCE), abs=0.01)  # Keras sums over 200 steps


@pytest.mark.parametrize(
    ("name", "expected", "tolerance"),
    [
        ("accuracy", reference.accuracy_score(TRUTH3, SOFT.argmax(1)), 1e-5),
        ("precision", reference.precision_score(TRUTH3, SOFT.argmax(1), average="macro"), 1e-5),
        ("recall", reference.recall_score(TRUTH3, SOFT.argmax(1), average="macro"), 1e-5),
        ("f1_score", reference.f1_score(TRUTH3, SOFT.argmax(1), average="macro"), 1e-5),
        ("auc", reference.roc_auc_score(TRUTH3, SOFT, multi_class="ovr"), 0.01),
        ("top_k", reference.top_k_accuracy_score(TRUTH3, SOFT, k=2), 1e-5),
        ("brier", ((np.eye(3)[TRUTH3] - SOFT) ** 2).sum(1).mean(), 1e-5),
    ],
)
def test_three_classes(name, expected, tolerance):
    assert measure(name, THREE, TRUTH3, SOFT.astype("float32")) == pytest.approx(expected, abs=tolerance)


def in_units(values):
    return values * np.array(VALUES.scale) + np.array(VALUES.offset)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mae", reference.mean_absolute_error(in_units(STANDARD), in_units(GUESS))),
        ("mse", reference.mean_squared_error(in_units(STANDARD), in_units(GUESS))),
        ("rmse", reference.mean_squared_error(in_units(STANDARD), in_units(GUESS)) ** 0.5),
        ("mape", 100 * reference.mean_absolute_percentage_error(in_units(STANDARD), in_units(GUESS))),
        ("r2_score", reference.r2_score(in_units(STANDARD), in_units(GUESS))),
    ],
)
def test_values_are_measured_in_the_users_units(name, expected):
    found = measure(name, VALUES, STANDARD.astype("float32"), GUESS.astype("float32"))
    assert found == pytest.approx(expected, rel=1e-4)


def test_defaults_and_the_objectives_own_metric():
    assert [one.name for one in make_metrics((), "val_loss", BINARY)] == ["accuracy"]
    assert [one.name for one in make_metrics((), "val_f1_score", THREE)] == ["accuracy", "f1_score"]
    assert [one.name for one in make_metrics(("rmse",), "val_rmse", VALUES)] == ["rmse"]
    assert [one.name for one in make_metrics((), "val_nonsense", VALUES)] == ["mae"]


def test_aliases_and_keras_own_classes():
    names = [one.name for one in make_metrics(("acc", "BinaryCrossentropy"), "val_loss", BINARY)]
    assert names[0] == "acc"
    assert len(names) == 2
