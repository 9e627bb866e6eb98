"""Models that Keras has saved, opened as blocks and built again: the same network, number for number."""

import keras
import numpy as np
import pytest
from keras import layers

from tests.worker.worker_samples import document
from tunerstudio.study.catalogue import load_catalogue
from tunerstudio.study.files import plain
from tunerstudio.study.keras_blocks import open_keras
from tunerstudio.study.preprocessing import TargetPlan
from tunerstudio.worker.hypermodels import BlocksHypermodel

CATALOGUE = load_catalogue()
CLASSES = TargetPlan(columns=("y",), task="multiclass", classes=("a", "b", "c"))


def pictures():
    start = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", kernel_regularizer=keras.regularizers.L2(1e-3), name="stem")(start)
    y = layers.Conv2D(4, 3, padding="same", activation="relu", kernel_initializer="he_normal")(x)
    x = layers.ReLU(max_value=6.0)(layers.Add()([x, layers.BatchNormalization()(y)]))
    a, b = layers.SeparableConv2D(4, 1)(x), layers.DepthwiseConv2D(3, padding="same")(x)
    x = layers.Concatenate()([a, layers.Conv2D(2, 3, padding="same")(b), x])
    x = layers.AveragePooling2D((2, 1))(x)
    return keras.Model(start, layers.Dense(3, activation="softmax")(layers.Flatten()(x)))


def sequences():
    start = keras.Input((9, 4))
    x = layers.Add()([layers.MultiHeadAttention(2, 3)(start, start), start])
    x = layers.Bidirectional(layers.GRU(5, return_sequences=True, recurrent_dropout=0.1))(
        layers.LayerNormalization()(x)
    )
    x = layers.TimeDistributed(layers.Dense(3, activation="tanh"))(x)
    return keras.Model(start, layers.Dense(3, activation="softmax")(layers.LSTM(4)(x)))


def nested():
    inner = keras.Sequential([keras.Input((5,)), layers.Dense(4, activation="gelu"), layers.Dropout(0.1)], name="inner")
    return keras.Sequential([keras.Input((5,)), inner, layers.PReLU(), layers.Dense(3, activation="softmax")])


@pytest.mark.parametrize("make", [pictures, sequences, nested])
@pytest.mark.parametrize("ending", [".keras", ".json"])
def test_a_saved_model_is_the_same_network_as_blocks(make, ending, tmp_path):
    keras.utils.set_random_seed(3)
    saved, path = make(), tmp_path / f"model{ending}"
    saved.compile(keras.optimizers.SGD(0.02, momentum=0.9), "sparse_categorical_crossentropy")
    if ending == ".keras":
        saved.save(path)
    else:
        path.write_text(saved.to_json())
    opened = open_keras(path, CATALOGUE)
    shape = tuple(saved.inputs[0].shape[1:])
    assert opened.input_shape == shape
    study = document(model=plain(opened.model))
    built = BlocksHypermodel(study, study.model, CLASSES, shape).build({}).model
    assert [weight.shape for weight in built.weights] == [weight.shape for weight in saved.weights]
    built.set_weights(saved.get_weights())
    rows = np.random.default_rng(0).normal(size=(4, *shape)).astype("float32")
    np.testing.assert_allclose(np.asarray(built(rows)), np.asarray(saved(rows)), rtol=1e-5, atol=1e-6)
    assert len(built.losses) == len(saved.losses)
    assert type(built.optimizer) is keras.optimizers.SGD
    assert float(built.optimizer.momentum) == pytest.approx(0.9)
    assert float(built.optimizer.learning_rate) == pytest.approx(0.02)
