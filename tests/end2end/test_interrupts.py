"""Ctrl+C at every moment, as a terminal sends it: to every process of the group."""

import os
import signal
import subprocess

import psutil
import pytest

pytestmark = [
    pytest.mark.end2end,
    pytest.mark.tensorflow,
    pytest.mark.skipif(os.name == "nt", reason="signals to a group of processes are POSIX"),
]


@pytest.fixture
def study(program):
    program.run("new", "s", "--example", "reference")
    return program.folder / "s"


def started(program, *words):
    """A command in a process group of its own, as a shell starts it."""
    return subprocess.Popen(
        program.command(*words),
        cwd=program.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def interrupted(process, times=1):
    """What the command printed after Ctrl+C; nothing of it is left running."""
    children = psutil.Process(process.pid).children(recursive=True)
    for _ in range(times):
        os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert psutil.wait_procs(children, timeout=20)[1] == []
    return out, err


def wait_for(process, beginning):
    for line in process.stderr:
        if line.startswith(beginning):
            return
    raise AssertionError(f"{beginning!r} was never printed")


@pytest.mark.parametrize("moment", ["reading the data", "building the model"])
def test_before_the_first_trial(program, study, moment):
    process = started(program, "run", "s")
    wait_for(process, moment)
    interrupted(process)
    assert program.run("results", "s", "--json").json["trials"] == []


def test_twice_in_a_row_stops_now(program, study):
    process = started(program, "run", "s", "--trials", "40")
    wait_for(process, "trial 1:")
    out, _ = interrupted(process, times=2)
    assert "Stopped" in out
    states = {trial["state"] for trial in program.run("results", "s", "--json").json["trials"]}
    assert "RUNNING" not in states
