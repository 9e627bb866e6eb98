"""The fused trainer: programs that serve many trials leak nothing, give the same curves, and stop when asked."""

import gc
import math

import pytest

tensorflow = pytest.importorskip("tensorflow")
import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers, optimizers  # noqa: E402
from tensorflow.python.framework.func_graph import FuncGraph  # noqa: E402

from tests.worker.fused_samples import (  # noqa: E402
    ROWS,
    assert_same,
    binary,
    classes,
    fit,
    fused,
    in_order,
    plan,
    seeded,
    table,
)
from tunerstudio.study.errors import ModelError  # noqa: E402
from tunerstudio.study.search import EarlyStopping, Objective  # noqa: E402
from tunerstudio.worker import fit_road  # noqa: E402
from tunerstudio.worker import fused as fused_module  # noqa: E402
from tunerstudio.worker.fused import FusedTrainer, fused_road  # noqa: E402
from tunerstudio.worker.fused_cache import ProgramCache  # noqa: E402
from tunerstudio.worker.fused_data import weights_by_class  # noqa: E402
from tunerstudio.worker.fused_seed import set_keras_seed  # noqa: E402
from tunerstudio.worker.fused_signature import architecture_signature  # noqa: E402
from tunerstudio.worker.training import NotFiniteError, StopRequest  # noqa: E402

# Keras 3.15 turns variables into arrays in a way that NumPy 2 warns of.
pytestmark = [pytest.mark.tensorflow, pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")]


def rich(optimizer=None, rate=0.05, units=6):
    """A network with everything that could leak: slots, dropout, statistics, several metrics."""
    return binary(
        layers.Dense(units, activation="relu", kernel_regularizer="l2"),
        layers.BatchNormalization(momentum=0.5),
        layers.Dropout(0.3),
        optimizer=optimizer or optimizers.Adam(rate),
        metrics=["accuracy", keras.metrics.AUC(name="auc")],
    )


@pytest.fixture
def trainer():
    """Shuffles, and keeps programs."""
    return FusedTrainer(ProgramCache())


SLOTS = {
    "momentum": lambda: optimizers.SGD(0.1, momentum=0.9),
    "Adam": lambda: optimizers.Adam(0.05),
    "Adagrad": lambda: optimizers.Adagrad(0.1),
    "Nadam": lambda: optimizers.Nadam(0.05),
    "Ftrl": lambda: optimizers.Ftrl(0.1),
    "accumulation": lambda: optimizers.Adam(0.05, gradient_accumulation_steps=2),
    "moving average": lambda: optimizers.SGD(0.05, use_ema=True),
    "loss scaling": lambda: optimizers.LossScaleOptimizer(optimizers.SGD(0.05), dynamic_growth_steps=2),
}


@pytest.mark.parametrize("name", SLOTS)
def test_a_kept_program_remembers_nothing_of_the_trial_before(trainer, name):
    arrays = table()
    fused(seeded(lambda: rich(SLOTS[name]()), seed=1), arrays, plan(seed=1), trainer)
    after_another = fused(seeded(lambda: rich(SLOTS[name]()), seed=2), arrays, plan(seed=2), trainer)
    assert (trainer.cache.built, trainer.cache.reused) == (1, 1)
    alone = fused(seeded(lambda: rich(SLOTS[name]()), seed=2), arrays, plan(seed=2), FusedTrainer(ProgramCache()))
    assert_same(after_another, alone, tolerance=0)


def test_the_same_seed_gives_the_same_curve_and_another_seed_another(trainer):
    arrays = table()
    first, again, other = (fused(seeded(rich, seed), arrays, plan(seed=seed), trainer) for seed in (5, 5, 6))
    assert_same(first, again, tolerance=0)
    assert first[1] != other[1]


def test_a_failed_trial_leaves_nothing_behind(trainer):
    arrays = table()
    with pytest.raises(NotFiniteError) as caught:
        fused(seeded(lambda: rich(rate=1e30)), arrays, plan(), trainer)
    assert caught.value.metric == "loss"
    after = fused(seeded(rich), arrays, plan(), trainer)
    assert trainer.cache.reused == 1
    assert_same(after, fused(seeded(rich), arrays, plan(), FusedTrainer(ProgramCache())), tolerance=0)


def test_a_finished_model_is_not_touched_by_the_next_trial(trainer):
    arrays, model = table(), seeded(rich)
    result, _ = fused(model, arrays, plan(), trainer)
    fused(seeded(rich, 9), arrays, plan(), trainer)
    for now, best in zip(model.get_weights(), result.best_weights, strict=True):
        np.testing.assert_array_equal(now, best)


def test_the_model_holds_the_best_weights(trainer):
    arrays, model = table(), seeded(rich)
    objective = Objective(name="val_loss", direction="min")
    result, curve = fused(model, arrays, plan(epochs=6, objective=objective), trainer)
    scores = [epoch["val_loss"] for epoch in curve]
    assert result.best_epoch == scores.index(min(scores)) + 1
    assert result.metrics == curve[result.best_epoch - 1]
    measured = model.evaluate(arrays.x_validation, arrays.y_validation, verbose=0, return_dict=True)
    assert measured["loss"] == pytest.approx(result.score, rel=1e-5)


def test_another_learning_rate_and_batch_size_need_no_new_program(trainer):
    arrays = table()
    for rate, batch_size in ((0.1, 16), (0.02, 7), (0.3, 100)):
        chosen = plan(batch_size=batch_size)
        pair = fused(
            seeded(lambda rate=rate: rich(rate=rate)),
            arrays,
            chosen,
            FusedTrainer(trainer.cache, order=in_order),
        )
        assert_same(pair, fit(seeded(lambda rate=rate: rich(rate=rate)), arrays, chosen))
    assert trainer.cache.built == 1


def going_on(road, arrays):
    """Train two epochs, hand weights and optimizer to another model, train that for two more."""
    parent, child, seen = seeded(rich), seeded(rich), []
    road(parent, arrays, plan(epochs=2))
    child.optimizer.build(child.trainable_variables)
    state = [*parent.variables, *parent.optimizer.variables]
    for to, source in zip([*child.variables, *child.optimizer.variables], state, strict=True):
        to.assign(source)
    chosen = plan(epochs=4, initial_epoch=2, fit_arguments={"shuffle": False})
    trainer = FusedTrainer(ProgramCache(), order=in_order) if road is fused else fit_road.train
    result = trainer(child, arrays, chosen, lambda epoch, metrics: seen.append(epoch), StopRequest())
    assert (seen, result.epochs) == ([3, 4], 2)
    return result.best_weights


def test_training_goes_on_from_a_parent_with_its_optimizer():
    arrays = table()
    for ours, theirs in zip(going_on(fused, arrays), going_on(fit, arrays), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_an_epoch_in_many_calls_is_the_same_epoch(monkeypatch):
    arrays = table(weights=True)
    whole = fused(seeded(rich), arrays, plan(), FusedTrainer(ProgramCache()))
    monkeypatch.setattr(fused_module, "CALL_S", 0.0)
    assert_same(fused(seeded(rich), arrays, plan(), FusedTrainer(ProgramCache())), whole, tolerance=0)


class StopAtPoll(StopRequest):
    """Requests `now` at the given poll."""

    def __init__(self, poll):
        super().__init__()
        self._left = poll

    @property
    def now(self):
        self._left -= 1
        if self._left == 0:
            self.request("now")
        return super().now


def test_stop_now_ends_within_an_epoch(monkeypatch):
    monkeypatch.setattr(fused_module, "CALL_S", 0.0)  # one batch per call
    model = seeded(rich)
    result, curve = fused(model, table(), plan(), stop=StopAtPoll(3))
    assert (result.stopped, result.best_epoch, result.epochs, curve) == (True, 0, 0, [])
    assert math.isnan(result.score)
    assert int(model.optimizer.iterations.numpy()) == 2
    for weights, own in zip(result.best_weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, own)


@pytest.mark.parametrize("when", ["epoch", "now"])
def test_stop_after_an_epoch_keeps_the_best_so_far(trainer, when):
    stop, seen = StopRequest(), []

    def on_epoch(epoch, metrics):
        seen.append(epoch)
        if epoch == 2:
            stop.request(when)

    result = trainer(seeded(rich), table(), plan(epochs=9), on_epoch, stop)
    assert (result.stopped, seen, result.epochs) == (True, [1, 2], 2)
    assert result.best_epoch in seen


@pytest.mark.parametrize("direction", ["max", "min"])
def test_early_stopping_counts_as_on_the_other_road(direction):
    objective = Objective(name="val_auc", direction=direction)
    chosen = plan(epochs=12, objective=objective, early_stopping=EarlyStopping(patience=2, min_delta=0.01))
    ours, theirs = fused(seeded(rich), table(), chosen), fit(seeded(rich), table(), chosen)
    assert_same(ours, theirs)
    assert ours[0].epochs < 12


def test_an_objective_that_is_not_logged_names_what_is(trainer):
    chosen = plan(objective=Objective(name="val_acuracy", direction="max"))
    with pytest.raises(ModelError, match="val_accuracy"):
        fused(seeded(rich), table(), chosen, trainer)


def test_clearing_the_session_keeps_programs_usable(trainer):
    arrays = table()
    fused(seeded(rich), arrays, plan(), trainer)
    keras.backend.clear_session()
    after = fused(seeded(rich), arrays, plan(), trainer)
    assert trainer.cache.reused == 1
    assert_same(after, fused(seeded(rich), arrays, plan(), FusedTrainer(ProgramCache())), tolerance=0)


def test_one_program_serves_other_rows_of_the_same_kind(trainer):
    arrays = table()
    fused(seeded(rich), arrays, plan(), trainer)
    fewer = type(arrays)(arrays.x_train[:20], arrays.y_train[:20], arrays.x_train[20:], arrays.y_train[20:])
    pair = fused(seeded(rich), fewer, plan(), FusedTrainer(trainer.cache, order=in_order))
    assert trainer.cache.reused == 1
    assert_same(pair, fit(seeded(rich), fewer, plan()))


def test_programs_are_bounded_and_the_least_used_goes_first():
    trainer = FusedTrainer(ProgramCache(limit=2))
    arrays = table()
    for depth in (1, 2, 1, 3, 1):
        hidden = [layers.Dense(2) for _ in range(depth)]
        fused(seeded(lambda hidden=hidden: binary(*hidden)), arrays, plan(epochs=1), trainer)
    assert len(trainer.cache) == 2
    assert (trainer.cache.built, trainer.cache.reused) == (3, 2)
    trainer.cache.clear()
    assert len(trainer.cache) == 0


def test_fused_road_needs_no_trainer():
    arrays, seen = table(), []
    result = fused_road(seeded(rich), arrays, plan(), lambda epoch, metrics: seen.append(epoch), StopRequest())
    assert (result.epochs, seen) == (3, [1, 2, 3])


def test_the_callers_random_state_is_the_same_with_a_new_and_a_kept_program(trainer):
    import random

    arrays, states = table(), []
    for _ in range(2):
        fused(seeded(rich), arrays, plan(), trainer)
        states.append((random.getstate(), np.random.get_state()[1].tolist()))
    assert states[0] == states[1]


def test_seeding_without_tensorflow_gives_the_same_model_and_dropout(trainer):
    arrays = table()
    expected = fused(seeded(rich, 11), arrays, plan(), trainer)
    set_keras_seed(11)
    assert_same(fused(rich(), arrays, plan(), trainer), expected, tolerance=0)


def test_class_weights_become_row_weights():
    given = weights_by_class(np.array([0, 2, 1, 2]), {2: 5.0, 0: 0.5})
    assert given.tolist() == [0.5, 5.0, 1.0, 5.0]
    assert weights_by_class(np.array([[0.0], [1.0]]), {1: 3.0}).tolist() == [1.0, 3.0]
    assert weights_by_class(np.eye(3)[[2, 0]], {2: 4.0}).tolist() == [4.0, 1.0]


def test_every_row_is_seen_once_per_epoch_in_another_order():
    first, second = fused_module.shuffled(ROWS, 3, 0), fused_module.shuffled(ROWS, 3, 1)
    assert sorted(first) == sorted(second) == list(range(ROWS))
    assert first.tolist() != second.tolist()
    assert first.tolist() == fused_module.shuffled(ROWS, 3, 0).tolist()


def same_architecture():
    keras.layers.Dense(1)  # moves on the numbers in automatic names
    return rich(rate=0.3)


def with_layer(layer):
    return lambda: binary(layer())


DIFFERENT = {
    "units": lambda: rich(units=7),
    "momentum": lambda: rich(optimizers.SGD(0.1, momentum=0.8)),
    "Adam's beta": lambda: rich(optimizers.Adam(0.05, beta_1=0.8)),
    "schedule": lambda: rich(optimizers.Adam(optimizers.schedules.CosineDecay(0.1, 9))),
    "no hidden layers": binary,
    "loss": lambda: binary(loss="mse"),
    "metric": lambda: binary(metrics=["mse"]),
    "activation": with_layer(lambda: layers.Dense(4, activation="relu")),
    "another activation": with_layer(lambda: layers.Dense(4, activation="tanh")),
    "frozen": with_layer(lambda: layers.Dense(4, activation="tanh", trainable=False)),
    "regularizer": with_layer(lambda: layers.Dense(4, activation="tanh", kernel_regularizer="l2")),
    "dropout": with_layer(lambda: layers.Dropout(0.2)),
    "more dropout": with_layer(lambda: layers.Dropout(0.3)),
}


def test_signatures_tell_architectures_apart_and_nothing_else():
    assert architecture_signature(rich()) == architecture_signature(same_architecture()) is not None
    signatures = {architecture_signature(build()) for build in [rich, *DIFFERENT.values()]}
    assert len(signatures) == len(DIFFERENT) + 1
    assert None not in signatures


def functional(units):
    start = keras.Input((5,), name="features")
    inner = layers.Dense(units, name="dense_1")(start)
    both = layers.Concatenate()([inner, start])
    model = keras.Model(start, layers.Dense(1, name="output")(both), name="network")
    model.compile("sgd", "mse")
    return model


def test_signatures_of_functional_models():
    assert architecture_signature(functional(3)) == architecture_signature(functional(3)) is not None
    assert architecture_signature(functional(3)) != architecture_signature(functional(4))


class OwnLayer(layers.Layer):
    """Not Keras's."""


OPAQUE = {
    "Lambda": with_layer(lambda: layers.Lambda(lambda x: x)),
    "a layer of the user's": with_layer(OwnLayer),
    "state outside variables": with_layer(lambda: layers.Normalization(mean=0.0, variance=1.0)),
    "a loss of the user's": lambda: binary(loss=lambda truth, predicted: keras.ops.mean(predicted)),
    "an activation of the user's": with_layer(lambda: layers.Dense(2, activation=lambda x: x)),
    "a metric of the user's": lambda: binary(metrics=[lambda truth, predicted: predicted]),
}


@pytest.mark.parametrize("kind", OPAQUE)
def test_what_a_configuration_does_not_tell_is_never_shared(kind):
    assert architecture_signature(OPAQUE[kind]()) is None


def test_our_own_metrics_are_shared(trainer):
    from tunerstudio.worker.metrics import ClassMetric

    def build():
        model = keras.Sequential([keras.Input((5,)), layers.Dense(3, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=[ClassMetric("f1_score", 3)])
        return model

    arrays = classes()
    fused(seeded(build, 1), arrays, plan(), trainer)
    pair = fused(seeded(build), arrays, plan(), FusedTrainer(trainer.cache, order=in_order))
    assert trainer.cache.reused == 1
    assert_same(pair, fit(seeded(build), arrays, plan()))


def test_a_program_that_is_dropped_frees_its_graphs():
    trainer, arrays = FusedTrainer(ProgramCache(limit=1)), table()

    def graphs_after(units):
        fused(seeded(lambda: binary(layers.Dense(units))), arrays, plan(epochs=1), trainer)
        gc.collect()
        return sum(isinstance(item, FuncGraph) for item in gc.get_objects())

    assert graphs_after(3) == graphs_after(4)
