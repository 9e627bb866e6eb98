"""The worker that follows a search: batches from a real database, states from a real child process."""

import json
import os
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.letters import take
from tunerstudio.gui.search_worker import BATCH_INTERVAL_MS, SearchWorker
from tunerstudio.gui.service_client import ServiceClient
from tunerstudio.protocol.control import RetryTrial, SkipTrial
from tunerstudio.store.writer import StudyWriter
from tunerstudio.study.files import save_document
from tunerstudio.study.trials import Epoch, SessionState, Trial, TrialState

pytestmark = pytest.mark.gui
CANNED = {"run": {}, "stop": {}, "command": {"id": "1", "outcome": "trial 7 is still running"}}
FAKE = str(Path(__file__).with_name("fake_service.py"))


@pytest.fixture
def engine(qtbot, tmp_path):
    client = ServiceClient("engine", [sys.executable, FAKE, json.dumps(CANNED)], tmp_path / "e.log")
    client.start()
    yield client
    client.stop()
    client.deleteLater()


@pytest.fixture
def worker(engine):
    made = SearchWorker(engine)
    yield made
    made.shut_down()
    made.deleteLater()


@pytest.fixture
def writer(study_context, document):
    save_document(document, study_context.folder)
    with StudyWriter(study_context.folder) as made:
        yield made


def finished_trial(number, score=0.5):
    return Trial(number=number, state=TrialState.COMPLETED, values={"units": 9}, score=score)


def epochs_of(number, count=3):
    return [Epoch(trial=number, execution=0, epoch=e + 1, metrics={"loss": 1.0}, at=0.0) for e in range(count)]


def say(engine, name, **data):
    engine.request("notice", {"name": name, "data": data}, lambda reply: None)


def test_a_finished_study_is_read_when_it_is_opened(qtbot, worker, writer, study_context):
    for number in (1, 2):
        writer.put_trial(finished_trial(number))
        writer.add_epochs(epochs_of(number))
    writer.log("hello")
    worker.set_study(study_context)
    qtbot.waitUntil(lambda: len(study_context.trials) == 2)
    assert len(study_context.epochs[(2, 0)]) == 3
    assert [line.text for line in study_context.log] == ["hello"]


def test_a_notice_of_the_engine_brings_the_news(qtbot, worker, writer, study_context, engine):
    worker.set_study(study_context)
    writer.put_trial(finished_trial(1))
    with qtbot.waitSignal(study_context.trials_changed) as heard:
        say(engine, "changed", folder=str(study_context.folder))
    assert [trial.number for trial in heard.args[0]] == [1]


def test_a_long_history_comes_in_portions_and_whole(qtbot, worker, writer, study_context):
    for number in range(1, 1101):
        writer.put_trial(finished_trial(number))
    writer.add_epochs(epochs_of(1, 2500))
    sizes, moments = [], []
    study_context.trials_changed.connect(lambda trials: sizes.append(len(trials)))
    study_context.epochs_added.connect(lambda epochs: moments.append(time.monotonic()))
    worker.set_study(study_context)
    qtbot.waitUntil(lambda: len(study_context.epochs.get((1, 0), [])) == 2500)
    assert len(study_context.trials) == 1100
    assert max(sizes) <= 400
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert min(gaps) >= BATCH_INTERVAL_MS / 1000 * 0.9


def test_a_trial_taken_back_resets_the_history(qtbot, worker, writer, study_context, engine):
    writer.put_trial(Trial(number=1, state=TrialState.RUNNING, values={}))
    writer.add_epochs(epochs_of(1))
    worker.set_study(study_context)
    qtbot.waitUntil(lambda: len(study_context.epochs.get((1, 0), [])) == 3)
    writer.requeue_interrupted()
    writer.keep_epochs(1, 0, [])
    with qtbot.waitSignal(study_context.history_reset):
        say(engine, "changed")
    qtbot.waitUntil(lambda: 1 in study_context.trials)
    assert study_context.trials[1].state is TrialState.QUEUED
    assert not study_context.epochs


def test_another_study_shows_nothing_of_the_last_one(qtbot, worker, writer, study_context, document, tmp_path):
    writer.put_trial(finished_trial(1))
    other = type(study_context)(tmp_path / "other", document)
    worker.set_study(study_context)
    worker.set_study(other)
    worker.set_study(study_context)
    qtbot.waitUntil(lambda: len(study_context.trials) == 1)
    assert not other.trials


def test_run_and_stop_follow_the_engines_word(qtbot, worker, study_context, engine):
    states, ends = [], []
    study_context.search_state_changed.connect(lambda state, text: states.append(state))
    worker.search_ended.connect(lambda reason, text: ends.append((reason, text)))
    worker.set_study(study_context)
    worker.run()
    assert states == ["starting"]
    folder = str(study_context.folder)
    say(engine, "search", folder=folder, state="running", message="Trial 1")
    qtbot.waitUntil(lambda: states[-1] == "running")
    worker.stop("epoch")
    assert states[-1] == "stopping"
    say(engine, "search", folder="/another", state="ended", reason="other", message="")
    say(engine, "search", folder=folder, state="ended", reason="stopped", message="Stopped by you.")
    qtbot.waitUntil(lambda: states[-1] == "idle")
    assert ends == [("stopped", "Stopped by you.")]
    assert not worker.is_running


def test_an_engine_that_dies_ends_the_search_with_a_sentence(qtbot, worker, study_context, engine):
    worker.set_study(study_context)
    worker.run()
    say(engine, "search", folder=str(study_context.folder), state="running", message="")
    qtbot.waitUntil(lambda: study_context.search_state == "running")
    with qtbot.waitSignal(worker.failed) as heard:
        engine.request("die", {}, lambda reply: None, lambda failure: None)
    assert "Run again" in heard.args[0]
    assert study_context.search_state == "idle"


def test_a_damaged_database_is_told_in_a_sentence(qtbot, worker, study_context):
    study_context.folder.mkdir()
    (study_context.folder / "study.db").write_bytes(b"this is no database" * 100)
    with qtbot.waitSignal(worker.failed) as heard:
        worker.set_study(study_context)
    assert heard.args[0]


def test_the_last_trial_is_shown_before_the_search_is_over(qtbot, worker, writer, study_context, engine):
    seen = []
    study_context.search_state_changed.connect(lambda state, text: seen.append((state, len(study_context.trials))))
    worker.set_study(study_context)
    worker.run()
    for number in range(1, 501):
        writer.put_trial(finished_trial(number))
    with qtbot.waitSignal(worker.search_ended):
        say(engine, "search", folder=str(study_context.folder), state="ended", reason="budget", message="done")
    assert seen[-1] == ("idle", 500)


def test_a_trial_that_the_engine_left_is_not_shown_as_running(qtbot, worker, writer, study_context, engine):
    writer.put_trial(Trial(number=1, state=TrialState.RUNNING, values={}, started_at=1.0))
    worker.set_study(study_context)
    qtbot.waitUntil(lambda: 1 in study_context.trials)
    assert study_context.trials[1].state is TrialState.RUNNING
    worker.run()
    with qtbot.waitSignal(worker.failed):
        engine.request("die", {}, lambda reply: None, lambda failure: None)
    assert study_context.trials[1].state is TrialState.QUEUED


def test_a_search_can_end_although_its_database_cannot_be_read(qtbot, worker, writer, study_context, engine):
    writer.put_trial(finished_trial(1))
    with closing(sqlite3.connect(study_context.folder / "study.db")) as database:
        database.execute('ALTER TABLE trials DROP COLUMN "values"')
    with qtbot.waitSignal(worker.failed) as heard:
        worker.set_study(study_context)
    assert "study.db cannot be read" in heard.args[0]
    worker.run()
    with qtbot.waitSignal(worker.search_ended):
        say(engine, "search", folder=str(study_context.folder), state="ended", reason="stopped", message="")
    assert study_context.search_state == "idle"


def test_what_another_program_trains_is_shown(qtbot, worker, writer, study_context):
    worker.set_study(study_context)
    writer.put_trial(finished_trial(1))
    qtbot.waitUntil(lambda: 1 in study_context.trials)
    writer.put_trial(finished_trial(2))
    qtbot.waitUntil(lambda: 2 in study_context.trials)
    assert study_context.search_state == "idle"


def running_session(writer):
    session = replace(writer.open_session(os.getpid(), "here", 2, "local"), state=SessionState.RUNNING)
    writer.put_session(session)
    return session


def test_a_search_of_another_program_is_followed_and_commanded(qtbot, worker, writer, study_context):
    session = running_session(writer)
    worker.set_study(study_context)
    qtbot.waitUntil(lambda: study_context.search_state == "running")
    assert study_context.runner == "other"
    assert study_context.session.pid == os.getpid()
    assert not worker.is_running  # leaving the study needs no question
    with qtbot.waitSignal(worker.told) as heard:
        study_context.request(SkipTrial(trial=3))
        letters = take(study_context.folder)
        assert [letter.command for letter in letters] == [SkipTrial(trial=3)]
        writer.put_command(letters[0].id, letters[0].command.model_dump_json(), "")
    assert "3" in heard.args[0]
    writer.put_session(replace(session, state=SessionState.PAUSED, reason="failures", message="paused"))
    qtbot.waitUntil(lambda: study_context.search_state == "paused")


def test_a_search_that_another_program_ended_is_told(qtbot, worker, writer, study_context):
    session = running_session(writer)
    worker.set_study(study_context)
    qtbot.waitUntil(lambda: study_context.search_state == "running")
    ended = replace(session, state=SessionState.ENDED, reason="budget", message="the budget is used up")
    writer.put_session(ended)
    with qtbot.waitSignal(worker.search_ended) as heard:
        writer.close()
    assert heard.args == ["budget", "the budget is used up"]
    assert study_context.search_state == "idle"
    assert not study_context.has_died


def test_an_engine_that_died_elsewhere_is_noticed(qtbot, worker, writer, study_context):
    running_session(writer)
    writer.put_trial(Trial(number=1, state=TrialState.RUNNING, values={}, started_at=1.0))
    worker.set_study(study_context)
    qtbot.waitUntil(lambda: study_context.search_state == "running" and 1 in study_context.trials)
    writer.close()
    qtbot.waitUntil(lambda: study_context.has_died)
    qtbot.waitUntil(lambda: study_context.search_state == "idle")
    assert study_context.trials[1].state is TrialState.QUEUED


def test_a_command_that_is_refused_says_why(qtbot, worker, study_context, engine):
    worker.set_study(study_context)
    with qtbot.waitSignal(worker.failed) as heard:
        study_context.request(RetryTrial(trial=7))
    assert heard.args[0] == "trial 7 is still running"


def test_what_another_program_writes_into_the_study_is_taken(qtbot, worker, writer, study_context, document):
    worker.set_study(study_context)
    qtbot.waitUntil(lambda: study_context.disk is not None)
    save_document(document.model_copy(update={"name": "theirs"}), study_context.folder)
    qtbot.waitUntil(lambda: study_context.document.name == "theirs")
