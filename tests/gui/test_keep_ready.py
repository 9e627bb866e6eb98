"""The engine gets ready for the open study while nobody asks anything of it."""

import pytest

from tunerstudio.gui import keep_ready
from tunerstudio.gui.keep_ready import KeepReady

pytestmark = pytest.mark.gui


class Engine:
    """Notes what it is asked."""

    state = "running"

    def __init__(self):
        self.asked, self.answer = [], None

    def request(self, method, params, on_reply, on_failure):
        self.asked.append((method, params["folder"]))
        self.answer = on_reply
        return len(self.asked)

    def forget(self, number):
        self.answer = None


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
def keeper(qapp, engine, monkeypatch):
    monkeypatch.setattr(keep_ready, "CALM_MS", 20)
    made = KeepReady(engine)
    yield made
    made.set_study(None)
    made.deleteLater()


def renamed(study, name):
    return study.document.model_copy(update={"name": name})


def test_a_study_whose_data_are_known_is_prepared_once(keeper, engine, study_context, preview, qtbot):
    keeper.set_study(study_context)
    study_context.set_preview(preview)
    qtbot.waitUntil(lambda: engine.asked == [("prepare", str(study_context.folder))])
    engine.answer({})
    study_context.set_preview(preview)
    qtbot.wait(100)
    assert len(engine.asked) == 1


def test_an_edit_is_prepared_after_the_one_before(keeper, engine, study_context, preview, qtbot):
    keeper.set_study(study_context)
    study_context.set_preview(preview)
    qtbot.waitUntil(lambda: len(engine.asked) == 1)
    study_context.edit("rename", renamed(study_context, "new"))
    qtbot.wait(100)
    assert len(engine.asked) == 1
    engine.answer({})
    qtbot.waitUntil(lambda: len(engine.asked) == 2)


def test_nothing_is_prepared_while_a_search_runs_or_the_data_are_unknown(keeper, engine, study_context, preview, qtbot):
    keeper.set_study(study_context)
    qtbot.wait(60)
    study_context.set_search_state("running")
    study_context.set_preview(preview)
    qtbot.wait(60)
    assert engine.asked == []
    study_context.set_search_state("idle")
    qtbot.waitUntil(lambda: len(engine.asked) == 1)
