"""The real window on a virtual X display, driven by clicks; engine, data service and workers are the real ones."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.end2end,
    pytest.mark.tensorflow,
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed (start.py test names it)"),
]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def display():
    """An X server of its own with a window manager, on a number that it chose itself."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1366x768x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as answer:
        number = answer.readline().strip()
    assert number, "Xvfb did not start"
    name = f":{number}"
    manager = None
    if shutil.which("openbox"):
        manager = subprocess.Popen(
            ["openbox"], env={**os.environ, "DISPLAY": name}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    yield name
    for process in (manager, server):
        if process is not None:
            process.terminate()
            process.wait(10)


@pytest.mark.parametrize("script", ["three_clicks", "five_methods"])
def test_by_clicks(display, tmp_path, own_home, script):
    done = in_window(display, tmp_path, own_home, "window_scripts", script)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\npictures are in {tmp_path}"
    assert "Traceback" not in done.stderr


def test_a_network_drawn_by_clicks_is_searched_and_exported(display, tmp_path, own_home):
    done = in_window(display, tmp_path, own_home, "editor_scripts", "build_a_network", TUNERSTUDIO_TRIALS="2")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\npictures are in {tmp_path}"
    assert "Traceback" not in done.stderr
    (program,) = own_home.glob("studies/*/Handwritten_digits_search.py")
    alone = (
        f"import sys, runpy; sys.modules['tunerstudio'] = None; runpy.run_path({str(program)!r}, run_name='__main__')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", alone], cwd=program.parent, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "Trial 2 Complete" in ran.stdout
    assert (program.parent / "best.keras").exists()


def in_window(display, folder, home, scripts, name, **environment):
    """Run a script in the window of a program of its own."""
    whole = {
        **os.environ,
        **environment,
        "DISPLAY": display,
        "QT_QPA_PLATFORM": "xcb",
        "TUNERSTUDIO_PICTURES": str(folder),
        "TUNERSTUDIO_HOME": str(home),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", f"tests.end2end.{scripts}", name]
    return subprocess.run(command, cwd=folder, env=whole, capture_output=True, text=True, timeout=600, check=False)
