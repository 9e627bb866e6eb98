"""Exported code does what our own hypermodel does: the same space, the same networks, the same output."""

import os
import random

import numpy as np
import pytest
import yaml

from tests.study.random_trees import Trees
from tests.worker.code_equivalence import check_document
from tests.worker.worker_samples import binary_folder, document, image_folder, regression_folder
from tunerstudio.export_code.data import plain_features, read_plan, save_arrays
from tunerstudio.study.files import document_text, parse_document
from tunerstudio.worker.prepared import PreparedFolder
from tunerstudio.worker.preprocessing import features

TREES = int(os.environ.get("TUNERSTUDIO_TREES", "25"))
"""Random block trees to compare; a release compares 200."""

TASKS = ("binary", "multiclass", "regression")


def model_of(blocks, **more):
    return {"kind": "blocks", "blocks": blocks, **more}


def units(low=2, high=6, **more):
    return {"tune": "int", "min": low, "max": high, **more}


def cnn():
    """What the guide's example is: repeated convolutions, optional normalisation, a choice of pooling."""
    pools = [
        {"name": "max", "blocks": [{"layer": "MaxPooling2D", "arguments": {"pool_size": 2, "padding": "same"}}]},
        {
            "name": "average",
            "blocks": [{"layer": "AveragePooling2D", "arguments": {"pool_size": 2, "padding": "same"}}],
        },
        {"name": "none"},
    ]
    stage = [
        {
            "layer": "Conv2D",
            "name": "conv",
            "arguments": {
                "filters": units(2, 4, copies={"times": 2}),
                "kernel_size": {"tune": "choice", "choices": [1, 3]},
                "padding": "same",
                "activation": {"tune": "choice", "choices": ["relu", "elu"], "copies": "shared"},
            },
        },
        {"optional": {"tune": "boolean"}, "name": "norm", "blocks": [{"layer": "BatchNormalization"}]},
        {"one_of": pools, "name": "pool"},
    ]
    rate = {"tune": "float", "min": 1e-4, "max": 1e-2, "sampling": "log"}
    decay = {"tune": "float", "min": 0.5, "max": 1.0}
    optimizer = {
        "name": {"tune": "choice", "choices": ["Adam", "SGD", "RMSprop"]},
        "arguments": {
            "learning_rate": {
                "name": {"tune": "choice", "choices": ["constant", "ExponentialDecay"]},
                "arguments": {"initial_learning_rate": rate},
                "when": {"ExponentialDecay": {"decay_steps": 20, "decay_rate": decay}},
            },
            "clipnorm": 1.0,
        },
        "when": {"SGD": {"momentum": {"tune": "float", "min": 0.0, "max": 0.9}, "nesterov": {"tune": "boolean"}}},
    }
    blocks = [
        {"repeat": units(1, 4), "name": "stage", "blocks": stage},
        {"layer": "GlobalAveragePooling2D"},
        {"layer": "Dense", "arguments": {"units": units(4, 8, name="width", shared=True), "activation": "relu"}},
        {"layer": "Dense", "arguments": {"units": {"ref": "width", "times": 0.5}}},
    ]
    return model_of(blocks, optimizer=optimizer)


def test_fifty_configurations_of_a_network_with_everything():
    study = document(model=cnn(), training={"batch_size": {"tune": "choice", "choices": [16, 32]}})
    assert check_document(study, (8, 8, 1), "multiclass", 50, random.Random(0)) == 50


@pytest.mark.parametrize("seed", range(TREES))
def test_random_trees(seed):
    trees, task = Trees(seed), TASKS[seed % 3]
    objective = {"name": "val_mae", "direction": "min"} if task == "regression" else {}
    study = document(model=trees.model(), **({"search": {"objective": objective}} if objective else {}))
    assert parse_document(yaml.safe_load(document_text(study))) == study
    check_document(study, trees.shape, task, 1, random.Random(seed))


@pytest.mark.parametrize(
    ("model", "task"),
    [
        (
            model_of([], loss={"name": "Huber", "arguments": {"delta": {"tune": "float", "min": 0.5, "max": 2}}}),
            "regression",
        ),
        (model_of([], loss={"tune": "choice", "choices": ["mse", "mae"]}), "regression"),
        (model_of([], loss={"name": "BinaryFocalCrossentropy", "arguments": {"gamma": 3.0}}), "binary"),
        (
            model_of([{"layer": "Dense", "arguments": {"units": 3, "kernel_initializer": {"name": "HeNormal"}}}]),
            "binary",
        ),
    ],
)
def test_losses_and_initializers(model, task):
    objective = {"name": "val_loss", "direction": "min"}
    study = document(model={**model, "metrics": []}, search={"objective": objective})
    check_document(study, (5,), task, 2, random.Random(1))


@pytest.mark.parametrize("make", [binary_folder, regression_folder, image_folder])
def test_exported_data_is_what_a_worker_sees(make, tmp_path):
    folder = make(tmp_path / "data")
    plan = read_plan(folder)
    exported = plain_features(folder, plan)
    data = PreparedFolder.open(folder)
    np.testing.assert_allclose(exported, features(data), rtol=1e-6, atol=1e-6)
    save_arrays(folder, plan, exported, tmp_path / "arrays.npz")
    with np.load(tmp_path / "arrays.npz") as arrays:
        assert {name: len(arrays[name]) for name in arrays.files} == {
            "x_train": plan.parts[0],
            "y_train": plan.parts[0],
            "x_validation": plan.parts[1],
            "y_validation": plan.parts[1],
        }
