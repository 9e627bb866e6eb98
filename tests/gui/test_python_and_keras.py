"""Python out of a study and Keras models into it, from the window's menus."""

import json
import sys
from pathlib import Path

import pytest

from tunerstudio.gui import dialogs
from tunerstudio.gui.main_window import MainWindow
from tunerstudio.gui.services import Services
from tunerstudio.study.files import save_document
from tunerstudio.study.model import CodeModel
from tunerstudio.study.trials import Trial, TrialState

pytestmark = pytest.mark.gui


@pytest.fixture
def window(qtbot, theme, preview, document, tmp_path):
    """The window with a study whose engine answers that it has exported."""
    canned = {
        "inspect": {"preview": preview.model_dump(mode="json")},
        "prepare": {"ready": True},
        "export": {"files": [str(tmp_path / "out" / "tiny_search.py"), "tiny_search_data.npz"], "trial": None},
    }
    fake = [sys.executable, str(Path(__file__).with_name("fake_service.py")), json.dumps(canned)]
    services = Services(None, fake, fake)
    services.start()
    made = MainWindow(theme, services)
    qtbot.addWidget(made)
    made.show()
    save_document(document, tmp_path / "study")
    made.workspace.open_folder(tmp_path / "study")
    qtbot.waitUntil(lambda: made.study.preview is not None)
    yield made
    made.finish()
    services.stop()
    services.deleteLater()


@pytest.fixture
def suggested(monkeypatch, tmp_path):
    """What the file dialog was opened with; it answers with a file."""
    found = []

    def choose(parent, path):
        found.append(path.name)
        return tmp_path / "out" / "tiny_search.py"

    monkeypatch.setattr(dialogs, "choose_code_file", choose)
    return found


def test_the_search_as_python(window, qtbot, suggested):
    window.menus.actions["export:hypermodel"].trigger()
    assert suggested == ["tiny_search.py"]
    qtbot.waitUntil(lambda: "tiny_search.py is written" in window.banner.text)


def test_a_script_takes_the_selected_trial(window, suggested, monkeypatch):
    window.do("export:script")
    assert "none is completed yet" in window.banner.text
    assert suggested == []
    window.study.add_history([Trial(n, TrialState.COMPLETED, {}, score=0.5) for n in (1, 2)], [])
    asked = []
    monkeypatch.setattr(window.tasks, "export_code", lambda kind, to, number: asked.append((kind, number)))
    window.do("export:script")
    window.study.select([2])
    window.do("export:script")
    assert asked == [("script", None), ("script", 2)]


def test_a_model_of_code_is_not_exported(window, suggested):
    document = window.study.document
    window.study.edit("code", document.model_copy(update={"model": CodeModel(file="m.py")}))
    window.do("export:hypermodel")
    assert "Only a network of layers" in window.banner.text
    assert suggested == []


MODEL = {
    "class_name": "Sequential",
    "config": {
        "layers": [
            {"class_name": "InputLayer", "config": {"name": "i", "batch_shape": [None, 7]}},
            {"class_name": "Dense", "config": {"name": "wide", "units": 33, "activation": "relu", "trainable": False}},
            {"class_name": "Dense", "config": {"name": "head", "units": 1}},
        ]
    },
}


def test_a_keras_model_becomes_the_network(window, monkeypatch, tmp_path):
    path = tmp_path / "saved.json"
    path.write_text(json.dumps(MODEL))
    monkeypatch.setattr(dialogs, "choose_keras_file", lambda parent, start: path)
    window.menus.actions["open_keras"].trigger()
    assert [block.name for block in window.study.document.model.blocks] == ["wide"]
    assert window.current_page == "model"
    for part in ("without its weights", "Dense, 1 units", "inputs of 7", "wide, which was frozen"):
        assert part in window.banner.text
    window.do("undo")
    assert [block.name for block in window.study.document.model.blocks] == ["dense_1"]


def test_a_keras_model_that_no_blocks_are_says_why(window, monkeypatch, tmp_path):
    path = tmp_path / "saved.json"
    path.write_text(json.dumps({"class_name": "Mine", "config": {}}))
    monkeypatch.setattr(dialogs, "choose_keras_file", lambda parent, start: path)
    before = window.study.document
    window.do("open_keras")
    assert "saved.json cannot be opened as layers: the model is of a class of its own (Mine)" in window.banner.text
    assert window.study.document == before
