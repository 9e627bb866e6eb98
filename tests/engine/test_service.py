"""The engine as a process of its own, and the Python twin that talks to it."""

import subprocess
import sys

import psutil
import pytest

from tests.engine.reading import trials_of
from tunerstudio import Study
from tunerstudio.protocol.client import ServiceError, ServiceProcess
from tunerstudio.protocol.service import Request, from_line, to_line
from tunerstudio.study.errors import StudyError
from tunerstudio.study.trials import TrialState

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
