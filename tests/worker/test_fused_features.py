"""Layers and ways of training, each marked with the road it takes; on the fused road it must give what fit gives."""

import re
from pathlib import Path

import pytest

tensorflow = pytest.importorskip("tensorflow")
import keras  # noqa: E402
from keras import layers, optimizers  # noqa: E402

from tests.worker.fused_samples import (  # noqa: E402
    assert_same,
    binary,
    classes,
    fit,
    fused,
    images,
    numbers,
    plan,
    seeded,
    sequences,
    table,
    words,
)
from tunerstudio.study.search import Objective, RateReduction  # noqa: E402
from tunerstudio.worker.fused_support import unsupported_reason  # noqa: E402

# Keras 3.15 turns variables into arrays in a way that NumPy 2 warns of.
pytestmark = [pytest.mark.tensorflow, pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")]


def dense():
    return layers.Dense(4, activation="tanh")


def trained_by(optimizer):
    return lambda: binary(dense(), optimizer=optimizer())


def residual():
    start = keras.Input((5,))
    inner = layers.Dense(5, activation="relu")(start)
    outer = layers.Dense(1, activation="sigmoid")(layers.Add()([start, inner]))
    model = keras.Model(start, outer)
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    return model


def attention():
    start = keras.Input((4, 3))
    mixed = layers.MultiHeadAttention(num_heads=2, key_dim=2, dropout=0.2)(start, start)
    end = layers.Dense(1, activation="sigmoid")(layers.GlobalAveragePooling1D()(mixed))
    model = keras.Model(start, end)
    model.compile("sgd", "binary_crossentropy")
    return model


class Scale(layers.Layer):
    """A user's own layer."""

    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, inputs):
        self.add_loss(0.01 * keras.ops.sum(keras.ops.square(self.factor)))
        return inputs * self.factor


class OwnModel(keras.Model):
    """A user's own model without a step of its own."""

    def __init__(self):
        super().__init__()
        self.inner, self.outer = layers.Dense(4, activation="relu"), layers.Dense(1, activation="sigmoid")

    def call(self, inputs):
        return self.outer(self.inner(inputs))


class OwnStep(OwnModel):
    """A user's own train_step, which logs what is no metric."""

    def train_step(self, data):
        x, y = data
        with tensorflow.GradientTape() as tape:
            predicted = self(x, training=True)
            loss = 2.0 * self.compute_loss(x, y, predicted)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss, "rows": keras.ops.cast(keras.ops.shape(x)[0], "float32")}


def own(kind, metrics=("accuracy",)):
    model = kind()
    model.compile(optimizers.SGD(0.1), "binary_crossentropy", metrics=metrics and list(metrics))
    return model


def softmax(metrics=("accuracy",)):
    model = keras.Sequential([keras.Input((5,)), dense(), layers.Dense(3, activation="softmax")])
    model.compile(optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=list(metrics))
    return model


def regression():
    model = keras.Sequential([keras.Input((5,)), dense(), layers.Dense(2)])
    model.compile(optimizers.RMSprop(0.02), "mse", metrics=["mae", keras.metrics.R2Score(name="r2")])
    return model


def frozen():
    fixed = dense()
    fixed.trainable = False
    return binary(fixed)


def adapted():
    normalization = layers.Normalization()
    normalization.adapt(table().x_train)
    return binary(normalization, dense())


def mixed_precision():
    return binary(layers.Dense(4, activation="tanh", dtype="mixed_float16"), optimizer=scaled_adam())


def scaled_adam():
    return optimizers.LossScaleOptimizer(optimizers.Adam(0.05), initial_scale=8.0, dynamic_growth_steps=2)


def own_loss(truth, predicted):
    return keras.ops.mean(keras.ops.abs(truth - predicted), axis=-1)


def many_metrics():
    kinds = keras.metrics
    named = [kinds.AUC(name="auc"), kinds.F1Score(average="macro", threshold=0.5), kinds.Precision(name="p")]
    return binary(dense(), metrics=["accuracy", *named], weighted_metrics=["accuracy", "mse"])


def decaying():
    schedule = optimizers.schedules.ExponentialDecay(0.2, decay_steps=2, decay_rate=0.7)
    return binary(dense(), optimizer=optimizers.SGD(schedule))


LAYERS = {
    "Dense": (lambda: binary(dense()), table),
    "Dropout": (lambda: binary(layers.Dense(8, activation="relu"), layers.Dropout(0.4), layers.Dropout(0.1)), table),
    "GaussianNoise": (lambda: binary(layers.GaussianNoise(0.3), dense()), table),
    "BatchNormalization": (lambda: binary(dense(), layers.BatchNormalization(momentum=0.8)), table),
    "LayerNormalization": (lambda: binary(dense(), layers.LayerNormalization()), table),
    "L1 and L2": (
        lambda: binary(layers.Dense(4, kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02), bias_regularizer="l2")),
        table,
    ),
    "activity regularizer": (lambda: binary(layers.Dense(4, activity_regularizer="l2")), table),
    "constraint": (lambda: binary(layers.Dense(4, kernel_constraint=keras.constraints.MaxNorm(0.5))), table),
    "frozen layer": (frozen, table),
    "Add (functional)": (residual, table),
    "MultiHeadAttention": (attention, sequences),
    "Conv2D": (
        lambda: binary(
            layers.Conv2D(2, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(), shape=(6, 6, 1)
        ),
        images,
    ),
    "SeparableConv2D": (lambda: binary(layers.SeparableConv2D(2, 3), layers.Flatten(), shape=(6, 6, 1)), images),
    "random augmentation": (
        lambda: binary(layers.RandomFlip("horizontal"), layers.Flatten(), shape=(6, 6, 1)),
        images,
    ),
    "LSTM": (lambda: binary(layers.LSTM(3), shape=(4, 3)), sequences),
    "LSTM with dropout": (lambda: binary(layers.LSTM(3, dropout=0.2, recurrent_dropout=0.1), shape=(4, 3)), sequences),
    "Bidirectional GRU": (lambda: binary(layers.Bidirectional(layers.GRU(2)), shape=(4, 3)), sequences),
    "Embedding": (lambda: binary(layers.Embedding(9, 3), layers.Flatten(), shape=(6,)), words),
    "Normalization, adapted": (adapted, table),
    "Lambda": (lambda: binary(layers.Lambda(lambda x: x * 2.0), dense()), table),
    "a layer of the user's": (lambda: binary(Scale(), dense()), table),
    "a model of the user's": (lambda: own(OwnModel), table),
}

TRAINING = {
    "SGD": (trained_by(lambda: optimizers.SGD(0.1)), table),
    "momentum": (trained_by(lambda: optimizers.SGD(0.1, momentum=0.9)), table),
    "Nesterov": (trained_by(lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True)), table),
    "Adam": (trained_by(lambda: optimizers.Adam(0.02)), table),
    "AdamW": (trained_by(lambda: optimizers.AdamW(0.02, weight_decay=0.01)), table),
    "RMSprop": (trained_by(lambda: optimizers.RMSprop(0.02)), table),
    "Adagrad": (trained_by(lambda: optimizers.Adagrad(0.1)), table),
    "Nadam": (trained_by(lambda: optimizers.Nadam(0.02)), table),
    "clipped gradients": (trained_by(lambda: optimizers.SGD(0.1, global_clipnorm=0.1)), table),
    "gradient accumulation": (trained_by(lambda: optimizers.Adam(0.02, gradient_accumulation_steps=2)), table),
    "moving average of weights": (trained_by(lambda: optimizers.SGD(0.1, use_ema=True)), table),
    "loss scaling": (trained_by(scaled_adam), table),
    "learning-rate schedule": (decaying, table),
    "sample weights": (lambda: binary(dense(), weighted_metrics=["accuracy"]), lambda: table(weights=True)),
    "several metrics": (many_metrics, lambda: table(weights=True)),
    "sparse categorical": (softmax, classes),
    "regression": (regression, numbers),
    "a loss of the user's": (lambda: binary(dense(), loss=own_loss), table),
    "steps per execution": (lambda: binary(dense(), steps_per_execution=2), table),
    "a train_step of the user's": (lambda: own(OwnStep, metrics=None), table),
}


@pytest.mark.parametrize("feature", [*LAYERS, *TRAINING])
def test_fused_gives_what_fit_gives(feature):
    build, data = {**LAYERS, **TRAINING}[feature]
    arrays, chosen = data(), plan()
    model = seeded(build)
    assert unsupported_reason(model, arrays, chosen) is None
    assert_same(fused(model, arrays, chosen), fit(seeded(build), arrays, chosen))


@pytest.mark.filterwarnings("ignore:overflow")
def test_mixed_precision_is_fused_within_its_own_precision():
    arrays, chosen = table(), plan()
    assert_same(fused(seeded(mixed_precision), arrays, chosen), fit(seeded(mixed_precision), arrays, chosen), 5e-3)


@pytest.mark.parametrize("weights", [False, True])
def test_class_weights(weights):
    arrays, chosen = table(weights=weights), plan(class_weight={0: 3.0, 1: 0.5})
    build = LAYERS["Dense"][0]
    assert_same(fused(seeded(build), arrays, chosen), fit(seeded(build), arrays, chosen))


def test_class_weights_of_class_numbers():
    arrays, chosen = classes(), plan(class_weight={0: 3.0, 2: 0.5})
    assert_same(fused(seeded(softmax), arrays, chosen), fit(seeded(softmax), arrays, chosen))


def test_no_validation_rows():
    arrays, build = table(validation=False), LAYERS["Dense"][0]
    model = seeded(build)
    expected = model.fit(arrays.x_train, arrays.y_train, batch_size=16, epochs=3, shuffle=False, verbose=0).history
    result, curve = fused(seeded(build), arrays, plan())
    assert [epoch["loss"] for epoch in curve] == pytest.approx(expected["loss"], rel=1e-5)
    assert set(result.metrics) == {"loss", "accuracy"}


class EachEpoch(keras.callbacks.Callback):
    """A user's own callback that steers training at the end of epochs."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append((epoch, round(logs["val_loss"], 4), self.model.get_weights()[0].shape))
        self.model.optimizer.learning_rate = 0.05 / (epoch + 1)


CALLBACKS = {
    "EarlyStopping": lambda: keras.callbacks.EarlyStopping("accuracy", min_delta=2.0, patience=1),
    "ReduceLROnPlateau": lambda: keras.callbacks.ReduceLROnPlateau("loss", min_delta=9.0, patience=1, factor=0.1),
    "LearningRateScheduler": lambda: keras.callbacks.LearningRateScheduler(lambda epoch: 0.3 / (1 + epoch)),
    "TerminateOnNaN": keras.callbacks.TerminateOnNaN,
    "LambdaCallback": lambda: keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None),
    "the user's own": EachEpoch,
}


@pytest.mark.parametrize("direction", ["min", "max"])
def test_the_learning_rate_falls_as_by_keras_own_callback(direction):
    name = "val_accuracy"
    objective, build = Objective(name=name, direction=direction), trained_by(lambda: optimizers.SGD(0.8))
    ours = plan(epochs=8, objective=objective, reduce_rate=RateReduction(patience=1, factor=0.1))
    keras_own = keras.callbacks.ReduceLROnPlateau(name, mode=direction, patience=1, factor=0.1, min_delta=0.0)
    theirs = plan(epochs=8, objective=objective, callbacks=[keras_own])
    model = seeded(build)
    expected = fit(model, table(), theirs)
    assert float(model.optimizer.learning_rate) < 0.5  # it fell: otherwise the test could not fail
    for road in (fused, fit):
        result = road(seeded(build), table(), ours)
        assert [epoch["val_loss"] for epoch in result[1]] == pytest.approx(
            [epoch["val_loss"] for epoch in expected[1]], rel=1e-5
        )


def test_a_schedule_is_left_to_itself():
    schedule = optimizers.schedules.ExponentialDecay(0.1, 5, 0.9)
    build = trained_by(lambda: optimizers.SGD(schedule))
    reduced = plan(epochs=4, reduce_rate=RateReduction(patience=1, factor=0.1))
    for road in (fused, fit):
        assert road(seeded(build), table(), reduced)[1] == road(seeded(build), table(), plan(epochs=4))[1]


@pytest.mark.parametrize("name", CALLBACKS)
def test_callbacks_of_epochs_are_fused(name):
    arrays, build = table(), LAYERS["Dense"][0]
    pairs = []
    for road in (fused, fit):
        callback = CALLBACKS[name]()
        chosen = plan(epochs=5, callbacks=[callback])
        assert unsupported_reason(build(), arrays, chosen) is None
        pairs.append(road(seeded(build), arrays, chosen))
        if name == "the user's own":
            assert [epoch for epoch, *_ in callback.seen] == [0, 1, 2, 3, 4]
    assert_same(*pairs)
    assert len(pairs[0][1]) == (2 if name == "EarlyStopping" else 5)


class PerBatch(keras.callbacks.Callback):
    """Works per batch."""

    def on_train_batch_end(self, batch, logs=None):
        pass


class OwnFit(OwnModel):
    """Has a fit of its own."""

    def fit(self, *arguments, **options):
        return super().fit(*arguments, **options)


class Untraceable(OwnModel):
    """A train_step that only works eagerly."""

    def train_step(self, data):
        if float(keras.ops.sum(data[0])) > 0:
            return {"loss": keras.ops.zeros(())}
        return super().train_step(data)


def stateful():
    start = keras.Input(batch_shape=(14, 4, 3))
    model = keras.Model(start, layers.Dense(1)(layers.LSTM(2, stateful=True)(start)))
    model.compile("sgd", "mse")
    return model


NEEDS_FIT = {
    "run_eagerly": (lambda: binary(dense(), run_eagerly=True), {}, "run_eagerly"),
    "stateful layer": (stateful, {}, "from one batch to the next"),
    "a fit of the user's": (lambda: own(OwnFit), {}, "fit"),
    "a train_step that cannot be compiled": (lambda: own(Untraceable), {}, "cannot be compiled"),
    "callback per batch": (lambda: binary(), {"callbacks": [PerBatch()]}, "PerBatch"),
    "LambdaCallback per batch": (
        lambda: binary(),
        {"callbacks": [keras.callbacks.LambdaCallback(on_train_batch_end=print)]},
        "per batch",
    ),
    "ModelCheckpoint per batches": (
        lambda: binary(),
        {"callbacks": [keras.callbacks.ModelCheckpoint("m.keras", save_freq=3)]},
        "ModelCheckpoint",
    ),
    "TensorBoard": (lambda: binary(), {"callbacks": [keras.callbacks.TensorBoard()]}, "TensorBoard"),
    "arguments for fit": (lambda: binary(), {"fit_arguments": {"steps_per_epoch": 2}}, "steps_per_epoch"),
}


@pytest.mark.parametrize("feature", NEEDS_FIT)
def test_fit_is_used_with_a_reason(feature):
    build, options, word = NEEDS_FIT[feature]
    data = sequences if feature == "stateful layer" else table
    assert word in unsupported_reason(build(), data(), plan(**options))


def test_data_beyond_memory_needs_fit(monkeypatch):
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"available": 1000})())
    assert "does not fit" in unsupported_reason(binary(), table(), plan())


def test_the_table_of_the_manual_names_exactly_what_is_tested():
    manual = Path(__file__).resolve().parents[2] / "docs" / "speed.md"
    rows = re.findall(r"^\| (.+?) \| (fused|fit) \|$", manual.read_text(encoding="utf-8"), re.MULTILINE)
    tested = dict.fromkeys([*LAYERS, *TRAINING, *(f"callbacks: {name}" for name in CALLBACKS)], "fused")
    assert dict(rows) == {**tested, **dict.fromkeys([*NEEDS_FIT, "data beyond memory"], "fit")}
    assert len(rows) == len(dict(rows))
