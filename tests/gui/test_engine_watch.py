"""An engine that does not answer is noticed and ended. The fake one answers nothing that it was not told to."""

import json
import sys
from pathlib import Path

import pytest

from tunerstudio.gui.engine_watch import EngineWatch
from tunerstudio.gui.search_worker import SearchWorker
from tunerstudio.gui.service_client import ServiceClient
from tunerstudio.store.writer import StudyWriter
from tunerstudio.study.files import save_document

pytestmark = pytest.mark.gui
FAKE = str(Path(__file__).with_name("fake_service.py"))


@pytest.fixture
def make_engine(qtbot, tmp_path):
    made = []

    def make(**answers):
        client = ServiceClient("engine", [sys.executable, FAKE, json.dumps(answers)], tmp_path / "e.log")
        client.start()
        made.append(client)
        return client

    yield make
    for client in made:
        client.stop()
        client.deleteLater()


@pytest.fixture
def make_watch():
    made = []

    def make(engine):
        watch = EngineWatch(engine, lambda: True, ping_interval_ms=20)
        made.append(watch)
        return watch

    yield make
    for watch in made:
        watch.stop()
        watch.deleteLater()


def pid_of(qtbot, engine):
    found = []
    engine.request("pid", {}, lambda reply: found.append(reply["pid"]))
    qtbot.waitUntil(lambda: bool(found))
    return found[0]


def test_an_engine_that_owes_an_answer_is_killed_and_another_one_started(qtbot, make_engine, make_watch):
    engine = make_engine()
    watch, failures = make_watch(engine), []
    watch.patience_ms = 50
    first = pid_of(qtbot, engine)
    with qtbot.waitSignal(engine.ended) as ended:
        watch.ask_promptly("stop", {}, lambda reply: None, failures.append)
    assert "did not answer any more" in ended.args[0]
    qtbot.waitUntil(lambda: bool(failures))
    assert pid_of(qtbot, engine) != first


def test_an_answer_in_time_keeps_the_engine(qtbot, make_engine, make_watch):
    engine = make_engine(stop={"running": True})
    watch, replies = make_watch(engine), []
    watch.patience_ms = 5_000
    first = pid_of(qtbot, engine)
    watch.ask_promptly("stop", {}, replies.append, lambda failure: None)
    qtbot.waitUntil(lambda: replies == [{"running": True}])
    assert pid_of(qtbot, engine) == first


def test_silence_is_told_once_and_answers_are_no_silence(qtbot, make_engine, make_watch):
    deaf, well, told = make_engine(), make_engine(ping={}), []
    answering = make_watch(well)
    answering.silent.connect(lambda: told.append("well"))
    answering.start()
    watch = make_watch(deaf)
    watch.silent.connect(lambda: told.append("deaf"))
    with qtbot.assertNotEmitted(watch.silent, wait=600):  # it has not said a word yet: it may be coming up
        watch.start()
    with qtbot.waitSignal(watch.silent):
        pid_of(qtbot, deaf)
    deaf.restart()  # what was asked of the old one is forgotten: that is no silence
    with qtbot.waitSignal(watch.silent):
        pid_of(qtbot, deaf)
    assert told == ["deaf", "deaf"]


def test_stop_ends_a_search_whose_engine_stands_still(qtbot, make_engine, study_context, document):
    save_document(document, study_context.folder)
    with StudyWriter(study_context.folder):
        pass
    engine = make_engine(run={})
    worker = SearchWorker(engine)
    try:
        worker.set_study(study_context)
        worker.run()
        assert worker.is_running
        worker.watch.patience_ms = 50
        with qtbot.waitSignal(worker.failed) as failed:
            worker.stop("now")
        assert "did not answer any more and was ended. Run again to go on where it stopped." in failed.args[0]
        assert study_context.search_state == "idle"
        assert not worker.is_running
    finally:
        worker.shut_down()
        worker.deleteLater()


def test_a_silent_engine_is_told_while_a_search_runs_and_restarted_otherwise(
    qtbot, make_engine, study_context, document
):
    save_document(document, study_context.folder)
    engine = make_engine(run={})
    worker = SearchWorker(engine)
    try:
        worker.set_study(study_context)
        with qtbot.waitSignal(engine.ended):
            worker.watch.silent.emit()
        worker.run()
        with qtbot.waitSignal(worker.failed) as failed:
            worker.watch.silent.emit()
        assert "Stop ends it" in failed.args[0]
        assert worker.is_running
    finally:
        worker.shut_down()
        worker.deleteLater()
