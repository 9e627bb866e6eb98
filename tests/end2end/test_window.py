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
    environment = {
        **os.environ,
        "DISPLAY": display,
        "QT_QPA_PLATFORM": "xcb",
        "TUNERSTUDIO_PICTURES": str(tmp_path),
        "TUNERSTUDIO_HOME": str(own_home),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.end2end.window_scripts", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\npictures are in {tmp_path}"
    assert "Traceback" not in done.stderr
