import numpy as np
import pytest

from tests.worker.worker_samples import document
from tunerstudio.study.errors import ModelError
from tunerstudio.study.preprocessing import TargetPlan
from tunerstudio.worker.hypermodels import BlocksHypermodel

BINARY = TargetPlan(columns=("y",), task="binary", classes=("no", "yes"))
THREE = TargetPlan(columns=("y",), task="multiclass", classes=("a", "b", "c"))
NUMBERS = TargetPlan(columns=("y", "z"), task="regression", offset=(10.0, 0.0), scale=(2.0, 1.0))


def build(blocks, target=BINARY, shape=(6,), values=None, **model):
    doc = document(model={"kind": "blocks", "blocks": blocks, **model})
    return BlocksHypermodel(doc, doc.model, target, shape).build(values or {}).model


def layer(name, **arguments):
    return {"layer": name, "arguments": arguments}


@pytest.mark.parametrize(
    ("target", "units", "activation", "loss"),
    [
        (BINARY, 1, "sigmoid", "binary_crossentropy"),
        (THREE, 3, "softmax", "sparse_categorical_crossentropy"),
        (NUMBERS, 2, "linear", "mse"),
    ],
)
def test_output_and_loss_follow_the_task(target, units, activation, loss):
    model = build([layer("Dense", units=4)], target)
    assert model.layers[-1].units == units
    assert model.layers[-1].activation.__name__ == activation
    assert model.loss == loss


def test_flatten_goes_before_the_output_where_it_is_needed():
    names = [type(one).__name__ for one in build([layer("Conv2D", filters=2, kernel_size=3)], shape=(6, 6, 1)).layers]
    assert names == ["InputLayer", "Conv2D", "Flatten", "Dense"]


def test_values_reach_layers_and_optimizer():
    blocks = [
        {
            "repeat": {"tune": "int", "min": 0, "max": 3},
            "name": "hidden",
            "blocks": [
                {"layer": "Dense", "name": "dense", "arguments": {"units": {"tune": "int", "min": 2, "max": 9}}}
            ],
        }
    ]
    optimizer = {
        "name": {"tune": "choice", "choices": ["Adam", "SGD"]},
        "arguments": {"learning_rate": 0.25, "momentum": 0.5},
    }
    values = {"hidden_count": 2, "dense_1_units": 3, "dense_2_units": 7}
    model = build(blocks, values={**values, "optimizer": "SGD"}, optimizer=optimizer)
    assert [one.units for one in model.layers[1:]] == [3, 7, 1]
    assert model.optimizer.momentum == 0.5
    other = build(blocks, values={**values, "optimizer": "Adam"}, optimizer=optimizer)
    assert type(other.optimizer).__name__ == "Adam"
    assert float(other.optimizer.learning_rate) == 0.25


def test_learning_rate_schedule():
    schedule = {
        "class_name": "ExponentialDecay",
        "config": {"initial_learning_rate": 0.5, "decay_steps": 1, "decay_rate": 0.5},
    }
    model = build([], optimizer={"name": "SGD", "arguments": {"learning_rate": schedule}})
    assert float(np.asarray(model.optimizer.learning_rate)) == 0.5


def test_one_hot_loss_becomes_the_one_for_class_numbers():
    assert build([], THREE, loss="categorical_crossentropy").loss == "sparse_categorical_crossentropy"


def test_names_that_keras_forbids_are_changed():
    block = {"layer": "Dense", "name": "my layer/1", "arguments": {"units": 2}}
    assert build([block]).layers[1].name == "my_layer_1"


@pytest.mark.parametrize(
    ("blocks", "more", "words"),
    [
        ([layer("Dens", units=3)], {}, "there is no layer 'Dens' in keras.layers. Did you mean 'Dense'?"),
        ([layer("Dense", unit=3)], {}, r"dense_1 \(Dense\) has no argument 'unit'. Did you mean 'units'?"),
        ([layer("Dense")], {}, r"dense_1 \(Dense\) needs a value for units"),
        ([layer("Dense", units=-3)], {}, r"dense_1 \(Dense\) cannot be made with units=-3: .*positive integer"),
        ([layer("Dense", units=3, activation="rellu")], {}, r"dense_1 \(Dense\) cannot be made .*rellu"),
        (
            [layer("LSTM", units=3)],
            {},
            r"lstm_1 \(LSTM\) cannot follow .*\(rows, 6\): it needs \(rows, steps, features\)",
        ),
        ([layer("Conv2D", filters=2, kernel_size=3)], {}, "Reshape layer before it"),
        ([layer("Reshape", target_shape=[4])], {}, r"reshape_1 \(Reshape\) cannot follow .*\(rows, 6\)"),
        ([], {"optimizer": {"name": "Adm"}}, "there is no optimizer 'Adm' in keras.optimizers. Did you mean 'Adam'?"),
        ([], {"optimizer": {"arguments": {"momentum": 0.1}}}, "optimizer Adam has no argument 'momentum'"),
        ([], {"optimizer": {"arguments": {"learning_rate": "fast"}}}, "optimizer Adam cannot be made"),
        ([], {"loss": "binary_crossentropi"}, "there is no loss .* Did you mean 'binary_crossentropy'?"),
        ([], {"loss": "categorical_crossentropy"}, "use binary_crossentropy"),
        ([], {"metrics": ["acuracy"]}, "there is no metric 'acuracy'. Did you mean 'accuracy'?"),
        ([], {"metrics": ["rmse"]}, "'rmse' does not fit a binary task; use one of accuracy"),
    ],
)
def test_what_cannot_be_built_is_a_sentence(blocks, more, words):
    with pytest.raises(ModelError, match=words):
        build(blocks, **more)
