"""What Keras Tuner's documentation shows, opened as code models and searched through a whole session."""

import textwrap

import pytest

from tests.engine.reading import trials_of
from tunerstudio.study.hyperparameters import Condition
from tunerstudio.study.trials import TrialState
from tunerstudio.study.trust import trust

pytestmark = pytest.mark.tensorflow

HEAD = """
import keras
import keras_tuner
import numpy as np
from keras import layers


def compiled(body, rate=0.01, metrics=("accuracy",)):
    model = keras.Sequential([*body, layers.Dense(3, activation="softmax")])
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=list(metrics))
    return model
"""

PLAIN = """
def build(hp):
    units = hp.Int("units", min_value=8, max_value=32, step=8)
    activation = hp.Choice("activation", ["relu", "tanh"])
    body = [layers.Flatten(), layers.Dense(units, activation=activation)]
    if hp.Boolean("dropout"):
        body.append(layers.Dropout(rate=0.25))
    return compiled(body, hp.Float("lr", min_value=1e-4, max_value=1e-2, sampling="log"))
"""

LOOP = """
def build(hp):
    body = [layers.Flatten()]
    for i in range(hp.Int("num_layers", 1, 3)):
        body.append(layers.Dense(hp.Int(f"units_{i}", 8, 32, step=8), activation="relu"))
    return compiled(body)
"""

SCOPES = """
def build(hp):
    body = [layers.Flatten()]
    model_type = hp.Choice("model_type", ["narrow", "wide"])
    with hp.conditional_scope("model_type", ["narrow"]):
        if model_type == "narrow":
            body.append(layers.Dense(hp.Int("narrow_units", 2, 4)))
    with hp.conditional_scope("model_type", ["wide"]):
        if model_type == "wide":
            body.append(layers.Dense(hp.Int("wide_units", 8, 16, step=4)))
    return compiled(body)
"""

FIT = """
class MyHyperModel(keras_tuner.HyperModel):
    def build(self, hp):
        return compiled([layers.Flatten(), layers.Dense(hp.Int("units", 4, 8))])

    def fit(self, hp, model, *args, **kwargs):
        kwargs.pop("batch_size", None)
        return model.fit(
            *args, batch_size=hp.Choice("batch_size", [16, 32]), shuffle=hp.Boolean("shuffle"), **kwargs
        )
"""

PREPROCESSING = """
class MyHyperModel(keras_tuner.HyperModel):
    def build(self, hp):
        return compiled([layers.Flatten(), layers.Dense(hp.Int("units", 4, 8))])

    def fit(self, hp, model, x, y, **kwargs):
        if hp.Boolean("double"):
            x = x * 2.0
        return model.fit(x, y, **kwargs)
"""

OWN_METRIC = """
class MeanCertainty(keras.metrics.Metric):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.sum = self.add_weight(name="sum", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        certainty = keras.ops.max(y_pred, axis=-1)
        self.sum.assign_add(keras.ops.sum(certainty))
        self.count.assign_add(keras.ops.cast(keras.ops.size(certainty), "float32"))

    def result(self):
        return self.sum / self.count

    def reset_state(self):
        self.sum.assign(0.0)
        self.count.assign(0.0)


def build(hp):
    body = [layers.Flatten(), layers.Dense(hp.Int("units", 8, 32, step=8), activation="relu")]
    return compiled(body, metrics=[MeanCertainty(name="custom_metric")])
"""

OWN_OBJECTIVE = """
class MyHyperModel(keras_tuner.HyperModel):
    def build(self, hp):
        return compiled([layers.Flatten(), layers.Dense(hp.Int("units", 4, 8))])

    def fit(self, hp, model, x, y, validation_data, **kwargs):
        model.fit(x, y, **kwargs)
        x_validation, y_validation = validation_data[:2]
        guess = model.predict(x_validation, verbose=0)
        return float(np.mean(np.argmax(guess, axis=1) != y_validation.reshape(-1)))
"""

SEVERAL_OBJECTIVES = """
class MyHyperModel(keras_tuner.HyperModel):
    def build(self, hp):
        return compiled([layers.Flatten(), layers.Dense(hp.Int("units", 4, 8))])

    def fit(self, hp, model, x, y, validation_data, **kwargs):
        model.fit(x, y, **kwargs)
        certainty = model.predict(validation_data[0], verbose=0).max(axis=1)
        return {"metric_a": float(1.0 - certainty.mean()), "metric_b": float(model.count_params())}
"""

OWN_LOOP = """
class MyHyperModel(keras_tuner.HyperModel):
    def build(self, hp):
        start = keras.Input((4,))
        hidden = layers.Dense(hp.Int("units", 4, 8), activation="relu")(start)
        return keras.Model(start, layers.Dense(3)(hidden))

    def fit(self, hp, model, x, y, validation_data, callbacks=None, **kwargs):
        import tensorflow as tf

        batch_size = hp.Int("batch_size", 16, 32, step=16)
        optimizer = keras.optimizers.Adam(hp.Float("learning_rate", 1e-3, 1e-2, sampling="log"))
        loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        train = tf.data.Dataset.from_tensor_slices((x, y)).batch(batch_size)
        for callback in callbacks:
            callback.set_model(model)
        best = float("inf")
        for epoch in range(2):
            for rows, labels in train:
                with tf.GradientTape() as tape:
                    loss = loss_fn(labels, model(rows, training=True))
                gradients = tape.gradient(loss, model.trainable_variables)
                optimizer.apply_gradients(zip(gradients, model.trainable_variables))
            epoch_loss = float(loss_fn(validation_data[1], model(validation_data[0])))
            for callback in callbacks:
                callback.on_epoch_end(epoch, logs={"my_metric": epoch_loss})
            best = min(best, epoch_loss)
        return best
"""

ACCURACY = ("val_accuracy", "max")


@pytest.fixture
def searched(engine, run, blocks_study):
    """Searches an example; gives its space and its completed trials."""

    def searched(body, objective=ACCURACY):
        search = {"objective": {"name": objective[0], "direction": objective[1]}, "budget": {"trials": 2}}
        changes = {"search": search, "training": {"epochs": 1}}
        folder = blocks_study(model={"kind": "code", "file": "model.py"}, **changes)
        (folder / "model.py").write_text(HEAD + textwrap.dedent(body))
        trust(folder)
        space = engine.space(folder)
        result = run(folder)
        assert (result.reason, result.completed) == ("budget", 2), result.message
        trials = trials_of(folder)
        assert [trial.state for trial in trials] == [TrialState.COMPLETED] * 2
        assert all(set(trial.values) <= set(space.names()) for trial in trials)
        return space, trials

    return searched


def test_hyperparameters_of_a_build_function(searched):
    space, _ = searched(PLAIN)
    assert space.names() == ["units", "activation", "dropout", "lr"]


def test_a_loop_over_layers(searched):
    space, trials = searched(LOOP)
    assert space.names() == ["num_layers", "units_0", "units_1", "units_2"]
    assert space["units_2"].conditions == (Condition(parent="num_layers", values=(3,)),)
    for trial in trials:
        assert len(trial.values) == 1 + trial.values["num_layers"]


def test_conditional_scopes(searched):
    space, trials = searched(SCOPES)
    assert space.names() == ["model_type", "narrow_units", "wide_units"]
    assert space["wide_units"].conditions == (Condition(parent="model_type", values=("wide",)),)
    for trial in trials:
        assert set(trial.values) == {"model_type", f"{trial.values['model_type']}_units"}


def test_arguments_of_fit(searched):
    space, trials = searched(FIT)
    assert space.names() == ["units", "batch_size", "shuffle"]
    assert all(trial.values["batch_size"] in (16, 32) for trial in trials)


def test_preprocessing_inside_fit(searched):
    space, _ = searched(PREPROCESSING)
    assert space.names() == ["units", "double"]


def test_a_metric_of_ones_own_as_objective(searched):
    _, trials = searched(OWN_METRIC, ("val_custom_metric", "min"))
    assert all(1 / 3 <= trial.score <= 1 for trial in trials)


def test_an_objective_that_fit_returns(searched):
    _, trials = searched(OWN_OBJECTIVE, ("error_rate", "min"))
    assert all(0 <= trial.score <= 1 for trial in trials)


def test_several_objectives_that_fit_returns(searched):
    _, trials = searched(SEVERAL_OBJECTIVES, ("metric_a", "min"))
    assert all(0 <= trial.score <= 2 / 3 for trial in trials)


def test_a_training_loop_of_ones_own(searched):
    space, trials = searched(OWN_LOOP, ("my_metric", "min"))
    assert space.names() == ["units", "batch_size", "learning_rate"]
    for trial in trials:
        assert 0 < trial.score < 5
        assert trial.epochs == 2
