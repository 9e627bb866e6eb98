"""The engine as a process of its own, and the Python twin that talks to it."""

import subprocess
import sys
import threading
import time

import psutil
import pytest

from tests.engine.reading import trials_of
from tunerstudio import Study
from tunerstudio.protocol.client import ServiceError, ServiceProcess
from tunerstudio.protocol.control import PauseSearch, ResumeSearch
from tunerstudio.protocol.service import Request, from_line, to_line
from tunerstudio.store.mailbox import post
from tunerstudio.store.reader import StudyReader
from tunerstudio.study.errors import StudyError
from tunerstudio.study.trials import SessionState, TrialState

pytestmark = pytest.mark.tensorflow


def test_a_study_from_python(blocks_study):
    study = Study(blocks_study(search={"budget": {"trials": 2}}))
    seen = []
    assert study.run(on_trial=seen.append) == "budget"
    assert [trial.number for trial in seen] == [1, 2]
    best, other = study.results()
    assert best.score >= other.score
    assert [epoch.epoch for epoch in study.epochs(best.number)] == [1, 2]
    (model,) = study.save(top=1)
    assert model["trial"] == best.number
    assert model["verified"]


def test_errors_reach_python_with_their_fields(blocks_study):
    study = Study(blocks_study(search={"objective": {"name": "val_acuracy", "direction": "max"}}))
    for ask in (study.check, study.run):
        with pytest.raises(StudyError, match=r"search\.objective\.name"):
            ask()


def test_no_study_there(tmp_path):
    with pytest.raises(StudyError, match="is not a study"):
        Study(tmp_path)


def test_an_unknown_method_is_answered(tmp_path):
    with (
        ServiceProcess("tunerstudio.engine", tmp_path / "log") as engine,
        pytest.raises(ServiceError, match="no method"),
    ):
        engine.request("fly")


def started_search(folder):
    """An engine process whose search runs."""
    engine = subprocess.Popen(
        [sys.executable, "-m", "tunerstudio.engine"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    engine.stdin.write(to_line(Request(id=1, method="run", params={"folder": str(folder)})))
    engine.stdin.flush()
    for line in engine.stdout:
        message = from_line(line)
        if message.type == "notice" and message.name == "search" and message.data["state"] == "running":
            return engine
    raise AssertionError("the search did not start")


def test_when_the_window_is_gone_the_search_ends_in_order(blocks_study):
    folder = blocks_study(training={"epochs": 2000, "road": "fit"})
    engine = started_search(folder)
    engine.stdout.close()
    engine.stdin.close()
    assert engine.wait(60) == 0
    (trial,) = trials_of(folder)
    assert trial.state is TrialState.QUEUED


def test_when_the_engine_is_killed_its_workers_end_too(blocks_study):
    engine = started_search(blocks_study(training={"epochs": 2000, "road": "fit"}))
    children = psutil.Process(engine.pid).children(recursive=True)
    assert children
    engine.kill()
    engine.wait(30)
    engine.stdin.close()
    engine.stdout.close()
    assert psutil.wait_procs(children, timeout=60)[1] == []


def started(folder, **params):
    """An engine process that runs a search of the study in `folder`, once its first trial runs."""
    engine = subprocess.Popen(
        [sys.executable, "-m", "tunerstudio.engine"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    request(engine, 1, "run", folder=str(folder), **params)
    wait_for(engine, lambda message: message.type == "notice" and message.data.get("state") == "running")
    return engine


def request(engine, identity, method, **params):
    engine.stdin.write(to_line(Request(id=identity, method=method, params=params)))
    engine.stdin.flush()


def wait_for(engine, wanted):
    for line in engine.stdout:
        message = from_line(line)
        if wanted(message):
            return message
    raise AssertionError("the engine ended before")


def leave(engine):
    engine.stdout.close()
    engine.stdin.close()
    return engine.wait(120)


def test_a_search_goes_on_without_a_window_if_that_was_wished(blocks_study):
    folder = blocks_study(search={"budget": {"trials": 2}}, training={"epochs": 30, "road": "fit"})
    assert leave(started(folder, on_window_death="continue")) == 0
    assert [trial.state for trial in trials_of(folder)] == [TrialState.COMPLETED] * 2


def test_a_window_that_closes_leaves_its_search_to_others(blocks_study):
    folder = blocks_study(search={"budget": {"trials": 1}}, training={"epochs": 3000, "road": "fit"})
    engine = started(folder)
    request(engine, 2, "detach")
    assert wait_for(engine, lambda message: message.type == "reply" and message.id == 2).result == {"running": True}
    engine.stdout.close()
    engine.stdin.close()
    post(folder, PauseSearch())
    with StudyReader(folder) as reader:
        until(lambda: reader.session().state is SessionState.PAUSED)
        post(folder, ResumeSearch())
        until(lambda: reader.session().state is SessionState.RUNNING)
    assert engine.poll() is None
    engine.terminate()
    assert engine.wait(60) == 0
    with StudyReader(folder) as reader:
        assert reader.session().reason == "stopped"
        assert [trial.state for trial in reader.trials()] == [TrialState.QUEUED]


def until(wanted):
    deadline = time.monotonic() + 60
    while not wanted():
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)


def test_commands_to_a_search_and_without_one(blocks_study):
    folder = blocks_study(search={"budget": {"trials": 1}}, training={"epochs": 3000, "road": "fit"})
    engine = started(folder)
    request(engine, 2, "command", folder=str(folder), command={"type": "StopTrialEarly", "trial": 1})
    posted = wait_for(engine, lambda message: message.type == "reply" and message.id == 2).result
    assert posted["outcome"] is None
    ending = wait_for(engine, lambda message: message.type == "notice" and message.data.get("state") == "ended")
    assert ending.data["reason"] == "budget"
    with StudyReader(folder) as reader:
        assert reader.command_outcome(posted["id"]) == ""
        assert reader.trials()[0].state is TrialState.PRUNED
    request(engine, 3, "command", folder=str(folder), command={"type": "SetNote", "trial": 1, "note": "x"})
    assert wait_for(engine, lambda message: message.type == "reply" and message.id == 3).result["outcome"] == ""
    request(engine, 4, "command", folder=str(folder), command={"type": "Fly"})
    assert "not a command" in wait_for(engine, lambda message: message.type == "failure").message
    assert leave(engine) == 0
    assert trials_of(folder)[0].note == "x"
