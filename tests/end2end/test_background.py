"""Searches without a terminal and without a window: started, watched, commanded and stopped from elsewhere."""

import os
import signal

import psutil
import pytest

pytestmark = [pytest.mark.end2end, pytest.mark.tensorflow]


@pytest.fixture
def study(program):
    program.run("new", "s", "--example", "reference")
    return program.folder / "s"


@pytest.fixture
def background(program, study):
    """A search in the background; ended afterwards, whatever becomes of the test."""
    pid = program.run("run", "s", "--background", "--trials", "300", "--json").json["pid"]
    process = psutil.Process(pid)
    yield process
    if process.is_running():
        process.send_signal(signal.SIGTERM)
        psutil.wait_procs([process], timeout=60)


def test_a_search_in_the_background_hears_every_command(program, background):
    assert program.run("status", "s", "--json").json["session"]["pid"] == background.pid
    if os.name != "nt":
        assert os.getsid(background.pid) != os.getsid(0)  # the end of the terminal does not reach it
    program.run("pause", "s")
    wait_for_state(program, "paused")
    program.run("enqueue", "s", "dense_1_units=27")
    program.run("resume", "s")
    program.run("workers", "s", "2")
    program.run("budget", "s", "--trials", "310")
    wait_for_state(program, "running")
    assert program.run("run", "s", code=2).err
    program.run("stop", "s")
    gone, _ = psutil.wait_procs([background], timeout=60)
    assert gone
    found = program.run("status", "s", "--json").json
    assert (found["running"], found["died"], found["session"]["reason"]) == (False, False, "stopped")
    own = [t for t in program.run("results", "s", "--json").json["trials"] if t["values"]["dense_1_units"] == 27]
    assert own


def wait_for_state(program, state):
    for _ in range(60):
        if program.run("status", "s", "--json").json["session"]["state"] == state:
            return
    raise AssertionError(f"the search never was {state}")


def test_watching_does_not_end_the_search(program, background):
    watching = program.start("watch", "s")
    for line in watching.stderr:
        if line.startswith("trial "):
            break
    watching.send_signal(signal.SIGINT)
    out, err = watching.communicate(timeout=60)
    assert watching.returncode == 0, err
    assert "the search goes on" in out
    assert background.is_running()
    assert program.run("status", "s", "--json").json["running"] is True


def test_what_keeps_a_search_from_starting_is_said_at_once(program, study):
    text = (study / "study.yaml").read_text()
    (study / "study.yaml").write_text(text.replace("val_accuracy", "val_nonsense"))
    done = program.run("run", "s", "--background", code=2)
    assert "val_nonsense" in done.err


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_an_engine_that_was_killed_is_told_and_goes_on(program, background):
    tree = [background, *background.children(recursive=True)]
    background.kill()
    psutil.wait_procs([background], timeout=20)
    found = program.run("status", "s", "--json").json
    assert (found["running"], found["died"]) == (False, True)
    assert psutil.wait_procs(tree, timeout=20)[1] == []
    before = found["trials"]["COMPLETED"]
    program.run("run", "s", "--trials", str(before + 1))
    found = program.run("status", "s", "--json").json
    assert (found["died"], found["trials"]["COMPLETED"]) == (False, before + 1)
