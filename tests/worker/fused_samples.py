"""Tiny data, tiny networks and one way to train them on both roads, for the tests of the fused trainer."""

from __future__ import annotations

import keras
import numpy as np

from tunerstudio.study.search import Objective
from tunerstudio.worker import fit_road
from tunerstudio.worker.fused import FusedTrainer
from tunerstudio.worker.fused_cache import ProgramCache
from tunerstudio.worker.training import FitPlan, StopRequest, TrainingArrays

ROWS, VALIDATION_ROWS, BATCH = 42, 13, 16  # the last batch of an epoch is a short one
LOSS = Objective(name="loss", direction="min")


def in_order(rows, seed, epoch):
    """The order of `fit` with shuffle=False."""
    return np.arange(rows)


def arrays_of(x, y, weights=False, validation=True):
    rng = np.random.default_rng(7)
    rows = ROWS if validation else len(x)
    given = rng.uniform(0.2, 2.0, len(x)).astype("float32") if weights else None
    return TrainingArrays(
        x[:rows],
        y[:rows],
        x[rows:],
        y[rows:],
        None if given is None else given[:rows],
        None if given is None else given[rows:],
    )


def table(**options):
    """Five numeric features, two classes."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(ROWS + VALIDATION_ROWS, 5)).astype("float32")
    y = (x[:, :1] + 0.5 * x[:, 1:2] + 0.3 * rng.normal(size=(len(x), 1)) > 0).astype("float32")
    return arrays_of(x, y, **options)


def classes(**options):
    """Five numeric features, three classes as numbers."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(ROWS + VALIDATION_ROWS, 5)).astype("float32")
    return arrays_of(x, np.argmax(x[:, :3], axis=1).astype("int64"), **options)


def numbers(**options):
    """Five numeric features, two numbers to predict."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(ROWS + VALIDATION_ROWS, 5)).astype("float32")
    return arrays_of(x, (x @ rng.normal(size=(5, 2))).astype("float32"), **options)


def images(**options):
    """Pictures of 6 x 6 pixels, two classes."""
    rng = np.random.default_rng(4)
    x = rng.uniform(size=(ROWS + VALIDATION_ROWS, 6, 6, 1)).astype("float32")
    return arrays_of(x, (x.mean(axis=(1, 2)) > 0.5).astype("float32"), **options)


def sequences(**options):
    """Series of 4 steps with 3 features, two classes."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(ROWS + VALIDATION_ROWS, 4, 3)).astype("float32")
    return arrays_of(x, (x[:, -1, :1] > 0).astype("float32"), **options)


def words(**options):
    """Six word numbers per row as floats, two classes."""
    rng = np.random.default_rng(6)
    x = rng.integers(0, 9, size=(ROWS + VALIDATION_ROWS, 6)).astype("float32")
    return arrays_of(x, (x[:, :1] > 4).astype("float32"), **options)


def plan(epochs=3, batch_size=BATCH, objective=LOSS, seed=0, **options):
    chosen = {"initial_epoch": 0, **options}
    return FitPlan(epochs=epochs, batch_size=batch_size, seed=seed, objective=objective, **chosen)


def binary(*hidden, shape=(5,), optimizer=None, metrics=("accuracy",), loss="binary_crossentropy", **compile_options):
    """A compiled network with a sigmoid output."""
    output = keras.layers.Dense(1, activation="sigmoid", dtype="float32")
    model = keras.Sequential([keras.Input(shape), *hidden, output])
    model.compile(optimizer=optimizer or keras.optimizers.SGD(0.1), loss=loss, metrics=list(metrics), **compile_options)
    return model


def seeded(build, seed=0):
    """What `build` makes after seeding everything."""
    keras.utils.set_random_seed(seed)
    return build()


class Curve(list):
    """All epochs' metrics; an `OnEpoch`."""

    def __call__(self, epoch, metrics):
        assert epoch == len(self) + 1
        self.append(metrics)


def fused(model, arrays, plan, trainer=None, stop=None):
    """Train on the fused road; the result and the curve."""
    curve = Curve()
    trainer = trainer or FusedTrainer(ProgramCache(), order=in_order)
    return trainer(model, arrays, plan, curve, stop or StopRequest()), curve


def fit(model, arrays, plan):
    """Train with Keras's fit, rows in order; the result and the curve."""
    curve = Curve()
    unshuffled = FitPlan(**{**vars(plan), "fit_arguments": {"shuffle": False}})
    return fit_road.train(model, arrays, unshuffled, curve, StopRequest()), curve


def assert_same(left, right, tolerance=1e-5):
    """Two (result, curve) pairs agree in every weight and metric."""
    (result, curve), (expected, expected_curve) = left, right
    assert len(curve) == len(expected_curve) > 0
    for epoch, expected_epoch in zip(curve, expected_curve, strict=True):
        assert epoch.keys() == expected_epoch.keys()
        for name, value in epoch.items():
            np.testing.assert_allclose(value, expected_epoch[name], rtol=tolerance, atol=tolerance, err_msg=name)
    assert (result.best_epoch, result.epochs, result.stopped) == (
        expected.best_epoch,
        expected.epochs,
        expected.stopped,
    )
    for weights, expected_weights in zip(result.best_weights, expected.best_weights, strict=True):
        np.testing.assert_allclose(weights, expected_weights, rtol=tolerance, atol=tolerance)
