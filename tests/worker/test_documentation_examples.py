"""What Keras Tuner's documentation shows, opened as code models and searched."""

import random
import textwrap

import pytest

from tests.worker.worker_samples import Bench, binary_folder, document
from tunerstudio.protocol.worker import ExecutionEnded, StudyOpened
from tunerstudio.study.hyperparameters import Condition

HEAD = """
import keras
import keras_tuner
from keras import layers


def compiled(body, rate=0.01):
    model = keras.Sequential([*body, layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
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

OWN_OBJECTIVE = """
import numpy as np


class MyHyperModel(keras_tuner.HyperModel):
    def build(self, hp):
        return compiled([layers.Flatten(), layers.Dense(hp.Int("units", 4, 8))])

    def fit(self, hp, model, x, y, validation_data, **kwargs):
        model.fit(x, y, **kwargs)
        x_validation, y_validation = validation_data[:2]
        guess = model.predict(x_validation, verbose=0)
        return float(np.mean(np.abs(guess.reshape(-1) - y_validation.reshape(-1))))
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return binary_folder(tmp_path_factory.mktemp("documentation") / "data")


@pytest.fixture
def opened(data, tmp_path):
    """The example as a study, and its space."""

    def opened(body, objective=("val_accuracy", "max")):
        (tmp_path / "model.py").write_text(HEAD + textwrap.dedent(body))
        search = {"objective": {"name": objective[0], "direction": objective[1]}}
        study = document(model={"kind": "code", "file": "model.py"}, search=search)
        bench = Bench(study, data, tmp_path)
        return bench, bench.reports.of(StudyOpened)[0].space

    return opened


def searched(bench, space, trials=2):
    """Scores of some random configurations."""
    rng, scores = random.Random(3), []
    for number in range(1, trials + 1):
        values = space.from_units({name: rng.random() for name in space.names()})
        (bench.folder / str(number)).mkdir(exist_ok=True)
        ended = bench.run(values, number=number, epochs=1)
        assert ended.outcome == "completed", ended.message
        scores += [report.score for report in bench.reports.of(ExecutionEnded)]
    assert len(scores) == trials
    return scores


def test_hyperparameters_of_a_build_function(opened):
    bench, space = opened(PLAIN)
    assert space.names() == ["units", "activation", "dropout", "lr"]
    searched(bench, space)


def test_a_loop_over_layers(opened):
    bench, space = opened(LOOP)
    assert space.names() == ["num_layers", "units_0", "units_1", "units_2"]
    assert space["units_2"].conditions == (Condition(parent="num_layers", values=(3,)),)
    searched(bench, space)


def test_conditional_scopes(opened):
    bench, space = opened(SCOPES)
    assert space.names() == ["model_type", "narrow_units", "wide_units"]
    assert space["wide_units"].conditions == (Condition(parent="model_type", values=("wide",)),)
    searched(bench, space)


def test_arguments_of_fit(opened):
    bench, space = opened(FIT)
    assert space.names() == ["units", "batch_size", "shuffle"]
    searched(bench, space)


def test_preprocessing_inside_fit(opened):
    bench, space = opened(PREPROCESSING)
    assert space.names() == ["units", "double"]
    searched(bench, space)


def test_an_objective_of_ones_own(opened):
    bench, space = opened(OWN_OBJECTIVE, ("mean_error", "min"))
    scores = searched(bench, space)
    assert all(0.0 < score < 1.0 for score in scores)
