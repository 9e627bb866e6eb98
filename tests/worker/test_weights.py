"""Weights on disk: the second file holds what the first one does, although Keras looks at less to write it."""

import pytest

tensorflow = pytest.importorskip("tensorflow")
import h5py  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers, optimizers  # noqa: E402

from tests.worker.fused_samples import binary, seeded  # noqa: E402
from tunerstudio.worker.weights import load_weights, save_weights  # noqa: E402

# Keras 3.15 turns variables into arrays in a way that NumPy 2 warns of.
pytestmark = [pytest.mark.tensorflow, pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")]


def model():
    hidden = (layers.Dense(3), layers.BatchNormalization(), layers.Dropout(0.2))
    built = binary(*hidden, optimizer=optimizers.Adam(0.1))
    built.optimizer.build(built.trainable_variables)
    return built


def content(path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: found.update({name: None if isinstance(item, h5py.Group) else item[...].tolist()})
        )
    return found


def test_every_file_holds_the_same(tmp_path):
    keras.backend.clear_session()  # so that the first file is written as by a fresh process
    trained = seeded(model)
    first, *others = [content(save_weights(trained, tmp_path, execution)) for execution in range(3)]
    assert len(first) > 10
    assert others == [first, first]
    other = seeded(model, seed=1)
    load_weights(other, tmp_path, 2)
    for own, saved in zip(other.variables, trained.variables, strict=True):
        if "seed_generator" not in own.path:
            np.testing.assert_array_equal(own.numpy(), saved.numpy())
