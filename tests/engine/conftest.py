"""A real engine with real workers, shared by the tests of a module, and small studies for it."""

import pytest

from tunerstudio.engine.control import SessionControl
from tunerstudio.engine.engine import Engine
from tunerstudio.engine.session import SessionListener
from tunerstudio.study.files import parse_document, save_document
from tunerstudio.study.trust import trust


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("TUNERSTUDIO_HOME", str(tmp_path_factory.mktemp("engine-home")))
    with Engine() as engine:
        yield engine
    patch.undo()


@pytest.fixture
def blocks_study(tmp_path):
    """Makes a study of one dense layer on iris."""

    def make(name="s", search=None, training=None, **document):
        content = {
            "name": name,
            "data": {"source": {"kind": "bundled", "name": "iris"}, "task": "multiclass"},
            "model": {
                "kind": "blocks",
                "blocks": [{"layer": "Dense", "arguments": {"units": {"tune": "int", "min": 2, "max": 40}}}],
            },
            "search": {
                "objective": {"name": "val_accuracy", "direction": "max"},
                "budget": {"trials": 3},
                "workers": 1,  # in order; tests of several say so
                **(search or {}),
            },
            "training": {"epochs": 2, **(training or {})},
            **document,
        }
        save_document(parse_document(content), tmp_path / name)
        return tmp_path / name

    return make


CODE = """
import os
import keras

def build(hp):
    a = hp.Float("a", 0.0, 1.0)
    {misbehave}
    model = keras.Sequential([keras.layers.Dense(3, activation="softmax")])
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
"""


@pytest.fixture
def code_study(blocks_study):
    """Makes a trusted study whose build(hp) does something more."""

    def make(misbehave, **changes):
        folder = blocks_study(model={"kind": "code", "file": "model.py"}, **changes)
        (folder / "model.py").write_text(CODE.format(misbehave=misbehave))
        trust(folder)
        return folder

    return make


class Runner:
    """Runs a study and remembers what the session told."""

    def __init__(self, engine):
        self.engine = engine
        self.control = None
        self.on_trial = None
        self.on_epochs = None

    def __call__(self, folder, target=None):
        self.control = SessionControl()
        listener = SessionListener(
            on_trial=lambda trial: self.on_trial and self.on_trial(trial),
            on_epochs=lambda epochs: self.on_epochs and self.on_epochs(epochs),
        )
        try:
            return self.engine.run(folder, self.control, listener, target)
        finally:
            self.control.close()


@pytest.fixture
def run(engine):
    return Runner(engine)
