"""Networks that differ in sizes or numbers alone share one compiled program, and still train as with fit."""

import random

import pytest

tensorflow = pytest.importorskip("tensorflow")
import keras  # noqa: E402
from keras import layers, optimizers  # noqa: E402

from tests.worker.fused_samples import (  # noqa: E402
    Curve,
    assert_same,
    binary,
    classes,
    fit,
    fused,
    images,
    in_order,
    plan,
    seeded,
    sequences,
    table,
)
from tunerstudio.study.errors import ModelError  # noqa: E402
from tunerstudio.worker.fused import FusedTrainer  # noqa: E402
from tunerstudio.worker.fused_cache import ProgramCache  # noqa: E402
from tunerstudio.worker.fused_numbers import OpenNumber  # noqa: E402
from tunerstudio.worker.fused_relatives import Relatives  # noqa: E402
from tunerstudio.worker.fused_signature import architecture_of  # noqa: E402
from tunerstudio.worker.training import StopRequest  # noqa: E402

# Keras 3.15 turns variables into arrays in a way that NumPy 2 warns of.
pytestmark = [pytest.mark.tensorflow, pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")]


@pytest.fixture
def trainer():
    """Keeps rows in order, and programs."""
    return FusedTrainer(ProgramCache(), order=in_order)


def deep(size):
    return binary(
        layers.Dense(size, activation="relu", kernel_regularizer="l2", kernel_constraint="max_norm"),
        layers.BatchNormalization(momentum=0.8),
        layers.Dropout(0.3),
        layers.Dense(size + 2, activation="tanh"),
        layers.GaussianNoise(0.1),
        optimizer=optimizers.Adam(0.02),
        metrics=["accuracy", keras.metrics.AUC(name="auc")],
    )


def residual(size):
    start = keras.Input((5,))
    first = layers.Dense(size, activation="relu")(start)
    both = layers.Add()([first, layers.Dense(size)(start)])
    end = layers.Dense(1, activation="sigmoid")(layers.LeakyReLU()(both))
    model = keras.Model(start, end)
    model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
    return model


def convolution(size):
    return binary(
        layers.Conv2D(size, 3, activation="relu", padding="same"),
        layers.BatchNormalization(),
        layers.SpatialDropout2D(0.2),
        layers.MaxPooling2D(),
        layers.Conv2D(2 * size, 2, use_bias=False),
        layers.Flatten(),
        layers.Dense(size),
        shape=(6, 6, 1),
        optimizer=optimizers.SGD(0.05, momentum=0.9),
    )


def pooled(size):
    return binary(layers.Conv1D(size, 2, activation="relu"), layers.GlobalAveragePooling1D(), shape=(4, 3))


def trained_by(optimizer):
    return lambda size: binary(layers.Dense(size, activation="tanh"), optimizer=optimizer())


def several_classes(size):
    model = keras.Sequential([keras.Input((5,)), layers.Dense(size), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


SHARED = {
    "deep": (deep, table),
    "residual": (residual, table),
    "convolution": (convolution, images),
    "pooled convolution": (pooled, sequences),
    "several classes": (several_classes, classes),
    "SGD": (trained_by(lambda: optimizers.SGD(0.1)), table),
    "AdamW, clipped": (trained_by(lambda: optimizers.AdamW(0.02, clipnorm=0.5)), table),
    "Adagrad": (trained_by(lambda: optimizers.Adagrad(0.1)), table),
    "Adadelta": (trained_by(lambda: optimizers.Adadelta(1.0)), table),
    "Adamax": (trained_by(lambda: optimizers.Adamax(0.05)), table),
    "Nadam": (trained_by(lambda: optimizers.Nadam(0.02)), table),
    "Lion": (trained_by(lambda: optimizers.Lion(0.01)), table),
    "Ftrl": (trained_by(lambda: optimizers.Ftrl(0.1)), table),
    "moving average": (trained_by(lambda: optimizers.SGD(0.1, use_ema=True)), table),
    "loss scaling": (trained_by(lambda: optimizers.LossScaleOptimizer(optimizers.SGD(0.1))), table),
}


def of(build):
    """Relatives that differ in a size."""
    takes_names = build.__code__.co_argcount > 0
    return Relatives(("size",), build if takes_names else lambda names: build())


def among(trainer, build):
    """A trainer that knows a relative of every model."""
    return lambda *arguments: trainer(*arguments, relatives=of(build))


@pytest.mark.parametrize("name", SHARED)
def test_one_program_serves_networks_of_other_sizes(trainer, name):
    build, data = SHARED[name]
    arrays, chosen = data(), plan()
    sharing = among(trainer, lambda: build(3))
    for size in (4, 7, 2, 7):
        pair = fused(seeded(lambda size=size: build(size)), arrays, chosen, sharing)
        assert_same(pair, fit(seeded(lambda size=size: build(size)), arrays, chosen))
    assert (trainer.cache.built, trainer.cache.reused) == (1, 3)


def test_without_relatives_every_size_has_a_program_of_its_own(trainer):
    arrays = table()
    for size in (3, 3, 5, 4, 3):
        pair = fused(seeded(lambda size=size: deep(size)), arrays, plan(), trainer)
        assert_same(pair, fit(seeded(lambda size=size: deep(size)), arrays, plan()))
    assert (trainer.cache.built, trainer.cache.reused, len(trainer.cache)) == (3, 2, 3)


def test_a_look_at_another_network_opens_the_right_sizes_at_once(trainer):
    arrays, chosen = table(), plan()

    def fails(names):
        raise ModelError("cannot be built")

    for size, relatives in ((3, of(lambda: deep(5))), (6, of(fails)), (4, of(fails))):
        keras.utils.set_random_seed(0)
        model, curve = deep(size), Curve()
        state = random.getstate()
        result = trainer(model, arrays, chosen, curve, StopRequest(), relatives=relatives)
        assert random.getstate() == state
        assert_same((result, curve), fit(seeded(lambda size=size: deep(size)), arrays, chosen))
    assert (trainer.cache.built, trainer.cache.reused) == (1, 2)


def test_what_is_open_follows_from_the_relatives_and_not_from_what_came_before(trainer):
    """Numbers that decide the structure are told apart from sizes, whatever was trained before."""
    arrays, chosen = table(), plan()

    def network(values):
        return binary(*(layers.Dense(values["units"]) for _ in range(values["count"])))

    def relatives(values):
        others = {"units": 2, "count": 3 - values["count"], "rate": 1}
        return Relatives(tuple(values), lambda names: network(values | {name: others[name] for name in names}))

    for count, units in ((1, 6), (2, 5), (1, 4), (2, 7)):
        values = {"count": count, "units": units, "rate": 0}
        trainer(network(values), arrays, chosen, Curve(), StopRequest(), relatives=relatives(values))
    assert (trainer.cache.built, trainer.cache.reused) == (2, 2)


def dropped(rate):
    return binary(layers.Dense(6), layers.Dropout(rate), layers.GaussianNoise(rate / 2))


def spatially(rate):
    return binary(layers.Conv2D(3, 2), layers.SpatialDropout2D(rate), layers.Flatten(), shape=(6, 6, 1))


def regularised(rate):
    both = keras.regularizers.L1L2(rate / 10, rate / 5)
    return binary(
        layers.Dense(4, kernel_regularizer=both, bias_regularizer=keras.regularizers.L1(rate)),
        layers.Dense(4, activity_regularizer=keras.regularizers.L2(rate)),
    )


NUMBERS = {
    "dropout and noise": (dropped, table),
    "spatial dropout": (spatially, images),
    "regularizers": (regularised, table),
    "momentum": (lambda rate: binary(optimizer=optimizers.SGD(0.1, momentum=rate, nesterov=True)), table),
    "SGD's decay": (lambda rate: binary(optimizer=optimizers.SGD(0.1, weight_decay=rate / 10)), table),
    "beta": (lambda rate: binary(optimizer=optimizers.Adam(0.1, beta_1=rate)), table),
    "AdamW's decay": (lambda rate: binary(optimizer=optimizers.AdamW(0.1, weight_decay=rate / 10)), table),
    "RMSprop": (lambda rate: binary(optimizer=optimizers.RMSprop(0.05, rho=rate, momentum=rate)), table),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_one_program_serves_other_numbers(trainer, name):
    build, data = NUMBERS[name]
    arrays, chosen = data(), plan()
    sharing = among(trainer, lambda: build(0.3))
    for rate in (0.4, 0.7, 0.05):
        pair = fused(seeded(lambda rate=rate: build(rate)), arrays, chosen, sharing)
        assert_same(pair, fit(seeded(lambda rate=rate: build(rate)), arrays, chosen))
    assert (trainer.cache.built, trainer.cache.reused) == (1, 2)


def test_a_number_at_its_bound_needs_another_program():
    assert architecture_of(dropped(0.3)).structure == architecture_of(dropped(0.5)).structure
    assert architecture_of(dropped(0.3)).structure != architecture_of(dropped(0.0)).structure
    plain, heavy = (binary(optimizer=optimizers.SGD(0.1, momentum=momentum)) for momentum in (0.0, 0.5))
    assert architecture_of(plain).structure != architecture_of(heavy).structure


def in_a_cell(rate):
    return binary(layers.LSTM(2, kernel_regularizer=keras.regularizers.L2(rate), dropout=0.1), shape=(4, 3))


def in_a_wrapper(rate):
    return binary(layers.TimeDistributed(layers.Dropout(rate)), layers.Flatten(), shape=(4, 3))


@pytest.mark.parametrize("build", [in_a_cell, in_a_wrapper])
def test_a_number_inside_of_a_layer_is_no_value_of_a_program(build):
    assert architecture_of(build(0.1)) == architecture_of(build(0.1))
    assert architecture_of(build(0.1)).structure != architecture_of(build(0.2)).structure


def test_an_open_number_answers_only_what_is_known_of_it():
    number = OpenNumber(0.3, trainable=False)
    assert number
    assert number > 0
    assert number < 1
    assert number != 0.0
    assert not number == 1.0  # noqa: SIM201  # both operators are tested
    for question in (lambda: number > 0.5, lambda: number == 0.3, lambda: float(number), lambda: int(number)):
        with pytest.raises(TypeError, match="not known"):
            question()


def attention(size):
    start = keras.Input((4, 3))
    inner = layers.Dense(size)(start)
    mixed = layers.MultiHeadAttention(num_heads=2, key_dim=2)(inner, inner)
    model = keras.Model(start, layers.Dense(1)(layers.GlobalAveragePooling1D()(mixed)))
    model.compile("sgd", "mse")
    return model


def normalised(size):
    return binary(layers.Dense(size), layers.LayerNormalization())


def accumulated(size):
    return binary(layers.Dense(size), optimizer=optimizers.Adam(0.1, gradient_accumulation_steps=2))


def grouped(size):
    return binary(
        layers.Conv2D(2 * size, 2, groups=1), layers.Conv2D(2, 2, groups=2), layers.Flatten(), shape=(6, 6, 1)
    )


def nested(size):
    inner = keras.Sequential([layers.Dense(size), layers.Dense(2)])
    return binary(inner)


KEPT_APART = {
    "attention": attention,
    "layer normalization": normalised,
    "gradient accumulation": accumulated,
    "a grouped convolution after it": grouped,
    "a model in the model": nested,
}


@pytest.mark.parametrize("name", KEPT_APART)
def test_what_may_keep_sizes_elsewhere_is_not_shared(name):
    build = KEPT_APART[name]
    assert architecture_of(build(3)).structure == architecture_of(build(3)).structure
    assert architecture_of(build(3)).structure != architecture_of(build(4)).structure


def outputs(size):
    model = keras.Sequential([keras.Input((5,)), layers.Dense(4), layers.Dense(size)])
    model.compile("sgd", "mse")
    return model


def test_the_size_of_the_output_is_never_open():
    assert architecture_of(outputs(1)).structure != architecture_of(outputs(2)).structure


def orthogonal(size):
    return binary(layers.Dense(size, kernel_regularizer=keras.regularizers.OrthogonalRegularizer(mode="columns")))


def test_what_cannot_be_traced_with_open_sizes_keeps_its_own_programs(trainer):
    arrays = table()
    for size in (3, 4, 3, 5):
        pair = fused(seeded(lambda size=size: orthogonal(size)), arrays, plan(), trainer)
        assert_same(pair, fit(seeded(lambda size=size: orthogonal(size)), arrays, plan()))
    assert (trainer.cache.built, trainer.cache.reused) == (3, 1)


def test_other_initial_weights_need_no_other_program(trainer):
    arrays = table()
    for kind in ("glorot_uniform", "he_normal"):
        pair = fused(seeded(lambda kind=kind: started(kind)), arrays, plan(), trainer)
        assert_same(pair, fit(seeded(lambda kind=kind: started(kind)), arrays, plan()))
    assert trainer.cache.built == 1


def started(kind):
    return binary(layers.Dense(4, kernel_initializer=kind))
