"""Windows that close or die on a running search, and windows that come back to it; everything is the real program."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tunerstudio.gui.settings import Settings, save_settings

pytestmark = [
    pytest.mark.end2end,
    pytest.mark.tensorflow,
    pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX"),
]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def study(program):
    program.run("new", "s", "--example", "reference", "--trials", "500")
    yield program.folder / "s"
    program.run("stop", "s", "--now")


def window(program, script, study):
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.end2end.window_scripts", script, str(study)],
        cwd=program.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def status(program):
    return json.loads(program.run("status", "s", "--json").out)


def test_a_search_goes_on_without_its_window_and_is_found_again(program, study):
    left = window(program, "leave", study)
    _, err = left.communicate(timeout=300)
    assert left.returncode == 0, err
    found = status(program)
    assert found["running"] is True
    engine = psutil.Process(found["session"]["pid"])
    back = window(program, "come_back", study)
    _, err = back.communicate(timeout=300)
    assert back.returncode == 0, err
    assert "Traceback" not in err
    found = status(program)
    assert (found["running"], found["died"], found["session"]["reason"]) == (False, False, "stopped")
    assert psutil.wait_procs([engine], timeout=60)[1] == []  # with its search the engine is over, too


def test_every_verb_of_the_run_page(program, study):
    done = window(program, "verbs", study)
    _, err = done.communicate(timeout=600)
    assert done.returncode == 0, err
    assert "Traceback" not in err


@pytest.mark.parametrize(("choice", "goes_on"), [("continue", True), ("stop", False)])
def test_a_window_that_is_killed_leaves_what_was_chosen(program, study, choice, goes_on):
    save_settings(Settings(on_window_death=choice))
    killed = window(program, "run_until_killed", study)
    assert killed.stdout.readline() == "running\n", killed.communicate(timeout=10)
    engine = psutil.Process(status(program)["session"]["pid"])
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    if goes_on:
        before = status(program)["trials"]["COMPLETED"]
        program.run("pause", "s")
        found = status(program)
        assert found["running"] is True
        assert found["trials"]["COMPLETED"] >= before
    else:
        assert psutil.wait_procs([engine], timeout=60)[1] == []
        found = status(program)
        assert (found["running"], found["died"]) == (False, False)
        assert found["trials"]["RUNNING"] == 0
