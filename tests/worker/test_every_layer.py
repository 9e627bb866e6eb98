"""Every public Keras layer: added, edited, one field tuned, built, saved and loaded, exported; or it says why not."""

import inspect
import random

import keras
import keras_tuner
import numpy as np
import pytest
import yaml

from tests.worker.code_equivalence import TARGETS, loaded, networks_are_equal
from tests.worker.layer_samples import FIRST_SHAPES, SHAPES, block_of, tunable_field
from tests.worker.worker_samples import document
from tunerstudio.export_code.programs import DataShape, hypermodel_program
from tunerstudio.study.catalogue import load_catalogue
from tunerstudio.study.checks import model_problems
from tunerstudio.study.files import document_text, parse_document
from tunerstudio.study.network import search_space
from tunerstudio.worker.hypermodels import BlocksHypermodel
from tunerstudio.worker.layer_errors import LayerError
from tunerstudio.worker.space_shapes import Inference

CATALOGUE = load_catalogue()
USABLE = [info for info in CATALOGUE.layers if not info.unusable]
UNUSABLE = [info for info in CATALOGUE.layers if info.unusable]

NOT_ADDED = {"InputLayer", "InputSpec", "Layer", "Wrapper"}
"""Base classes, and the input, which follows from the data."""


def study_of(block):
    return document(model={"kind": "blocks", "blocks": [block]})


def fitting_shape(name, study, space):
    """The first shape of data that the layer can follow, at both ends of its range."""
    ends = [space.from_units(dict.fromkeys(space.names(), unit)) for unit in (0.0, 1.0)]
    for shape in (FIRST_SHAPES[name],) if name in FIRST_SHAPES else SHAPES:
        inference = Inference(study.model, shape, 1)
        try:
            facts = [inference.network(values) for values in ends]
        except LayerError:
            continue
        return shape, facts, ends
    raise AssertionError("no shape of data fits")


def test_every_public_layer_is_in_one_of_the_two_lists():
    public = {name for name, item in vars(keras.layers).items() if inspect.isclass(item)} - NOT_ADDED
    assert {name for name in public if CATALOGUE.layer(name) is None} == set()
    assert len(USABLE) > 110


def test_most_layers_have_a_field_that_can_vary_by_itself():
    tuned = [info for info in USABLE if tunable_field(info, block_of(info)) is not None]
    assert len(tuned) > 0.8 * len(USABLE)


@pytest.mark.parametrize("info", UNUSABLE, ids=lambda info: info.name)
def test_layers_that_cannot_be_used_say_why(info):
    (problem, *_) = model_problems(study_of({"layer": info.name}), CATALOGUE)
    assert problem.field == "model.blocks.0.layer"
    assert problem.message.startswith(f"{info.name} ")
    assert len(problem.message.split()) > 4


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("info", USABLE, ids=lambda info: info.name)
def test_layers_can_be_added_tuned_built_saved_and_exported(info, tmp_path):
    block = block_of(info)
    field = tunable_field(info, block)
    if field is not None:
        block["arguments"][field[0]] = field[1]
    study = study_of(block)
    assert model_problems(study, CATALOGUE) == []
    assert parse_document(yaml.safe_load(document_text(study))) == study
    space = search_space(study)
    assert len(space.names()) == (0 if field is None else 1)
    shape, facts, ends = fitting_shape(info.name, study, space)
    values = ends[random.Random(info.name).randrange(2)]
    model = BlocksHypermodel(study, study.model, TARGETS["binary"], shape).build(values).model
    assert model.count_params() == facts[ends.index(values)].weights
    rows = np.random.default_rng(0).uniform(0.0, 8.0, (2, *shape)).astype("float32")
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(again.predict(rows, verbose=0), model.predict(rows, verbose=0), rtol=1e-5, atol=1e-6)
    module = loaded(hypermodel_program(study, DataShape("binary", shape, 1), CATALOGUE).script())
    hp = keras_tuner.HyperParameters()
    hp.values = dict(values)
    networks_are_equal(model, module.StudyModel().build(hp), shape)
    keras.backend.clear_session()
