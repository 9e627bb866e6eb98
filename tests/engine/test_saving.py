"""Saving: every model as it was trained, verified where its study never was, in the way of nobody."""

import json

import pytest
from pydantic import TypeAdapter

from tests.engine.reading import trials_of
from tunerstudio.registry.card import read_card
from tunerstudio.study.errors import StudyError, TunerStudioError
from tunerstudio.study.files import load_document, save_document
from tunerstudio.study.model import ModelSpec
from tunerstudio.study.trust import trust

pytestmark = pytest.mark.tensorflow

CODE = """
import keras

class Scale(keras.layers.Layer):
    def __init__(self, factor=1.0, **rest):
        super().__init__(**rest)
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return {{**super().get_config(), "factor": self.factor}}

def build(hp):
    model = keras.Sequential([{layers}, keras.layers.Dense(3, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
"""
DENSE = 'keras.layers.Dense(hp.Int("units", 2, 40), activation="relu")'


def quiet(share, text):
    """Nobody wants to know how far it is."""


@pytest.fixture
def code_study(blocks_study):
    """A trusted study with one trial of a network of its own code."""

    def make(layers):
        folder = blocks_study(model={"kind": "code", "file": "model.py"}, search={"budget": {"trials": 1}})
        (folder / "model.py").write_text(CODE.format(layers=layers))
        trust(folder)
        return folder

    return make


def edit(folder, **changes):
    document = load_document(folder)
    save_document(document.model_copy(update=changes), folder)


def test_a_model_that_needs_its_code_is_saved_but_not_called_verified(engine, run, code_study):
    folder = code_study('Scale(hp.Float("factor", 0.5, 2.0))')
    run(folder)
    (model,) = engine.save(folder, 1, None, quiet)
    assert not model.verified
    assert not read_card(model.path.parent).verified
    assert (model.path.parent / "model.py").is_file()


def test_a_model_of_keras_layers_needs_no_code(engine, run, code_study):
    folder = code_study(DENSE)
    run(folder)
    assert engine.save(folder, 1, None, quiet)[0].verified


def test_a_trial_is_saved_with_the_code_of_then(engine, run, code_study):
    folder = code_study(DENSE)
    run(folder)
    (folder / "model.py").write_text(CODE.format(layers=f"{DENSE}, keras.layers.Dense(5)"))
    run(folder, target=2)
    saved = engine.save(folder, 2, None, quiet)
    assert all(model.verified for model in saved)
    first, second = trials_of(folder)
    assert second.parameters != first.parameters
    parameters = {model.trial: read_card(model.path.parent).parameters for model in saved}
    assert parameters == {1: first.parameters, 2: second.parameters}


def test_a_trial_is_saved_with_the_preparation_of_then(engine, run, blocks_study):
    folder = blocks_study(search={"budget": {"trials": 1}})
    run(folder)
    edit(folder, data=load_document(folder).data.model_copy(update={"scaling": "minmax"}))
    run(folder, target=2)
    saved = engine.save(folder, 2, None, quiet)
    assert sorted(model.trial for model in saved) == [1, 2]
    assert all(model.verified for model in saved)


def test_code_of_a_strangers_history_does_not_run(engine, run, code_study, own_home, monkeypatch):
    folder = code_study(DENSE)
    run(folder)
    model = {"kind": "blocks", "blocks": [{"layer": "Dense", "arguments": {"units": {"tune": "int", "min": 2}}}]}
    model["blocks"][0]["arguments"]["units"]["max"] = 9
    edit(folder, model=TypeAdapter(ModelSpec).validate_python(model))
    monkeypatch.setenv("TUNERSTUDIO_HOME", str(own_home / "of somebody else"))
    with pytest.raises(StudyError, match="trust"):
        engine.save(folder, 1, None, quiet)


def test_models_of_two_studies_do_not_replace_each_other(engine, run, blocks_study, tmp_path):
    one, other = blocks_study("one", search={"budget": {"trials": 1}}), blocks_study("other", search={"seed": 5})
    run(one)
    run(other, target=1)
    (first,) = engine.save(one, 1, tmp_path / "shelf", quiet)
    assert engine.save(one, 1, tmp_path / "shelf", quiet)[0].path == first.path
    card = (first.path.parent / "card.json").read_bytes()
    with pytest.raises(TunerStudioError, match="move it away, or save to another folder"):
        engine.save(other, 1, tmp_path / "shelf", quiet)
    assert (first.path.parent / "card.json").read_bytes() == card


def test_what_a_killed_save_left_is_removed(engine, run, blocks_study):
    folder = blocks_study(search={"budget": {"trials": 1}})
    run(folder)
    remains = folder / "models" / ".trial-0001-999999999"
    remains.mkdir(parents=True)
    (remains / "model.keras").write_text("half of it")
    engine.save(folder, 1, None, quiet)
    assert [path.name for path in (folder / "models").iterdir()] == ["trial-0001"]
    assert json.loads((folder / "models" / "trial-0001" / "card.json").read_text())["verified"]
