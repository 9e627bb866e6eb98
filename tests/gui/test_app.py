"""The program as a process: it starts, shows errors nobody caught, and leaves nothing behind."""

import json
import os
import subprocess
import sys

import psutil
import pytest

from tunerstudio.gui.app import ErrorCatcher

pytestmark = pytest.mark.gui

_RUN = """
import json, psutil, sys
from pathlib import Path
from PySide6.QtCore import QTimer
from tunerstudio.gui import app

def answered(window, services, result):
    children = [child.pid for child in psutil.Process().children(recursive=True)]
    print(json.dumps({"children": children, "page": window.current_page}), flush=True)
    QTimer.singleShot(0, boom)
    QTimer.singleShot(0, lambda: QTimer.singleShot(0, window.close))

def boom():
    raise RuntimeError("nobody catches this")

real_show = app.MainWindow.show

def show(window):
    real_show(window)
    services = window._services
    services.data.request("ping", {}, lambda result: answered(window, services, result))

app.MainWindow.show = show
sys.exit(app.run_app(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
"""


def test_it_starts_serves_and_ends_without_a_trace(user_home):
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", _RUN], capture_output=True, text=True, timeout=120, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["page"] == "welcome"
    assert told["children"]
    # A worker that is just importing TensorFlow notices that its engine is gone when the import is done.
    left = [process for process in psutil.process_iter() if process.pid in told["children"]]
    assert not psutil.wait_procs(left, timeout=60)[1]
    assert "Traceback" not in done.stderr
    log = (user_home / "logs" / "window.log").read_text()
    assert "nobody catches this" in log
    assert (user_home / "settings.json").is_file()


def test_an_error_nobody_caught_is_one_sentence_and_details(qapp, qtbot):
    catcher = ErrorCatcher()
    with qtbot.waitSignal(catcher.caught) as heard:
        try:
            raise ValueError("it broke")
        except ValueError as error:
            catcher.handle(type(error), error, error.__traceback__)
    sentence, details = heard.args
    assert "it broke" in sentence
    assert "Traceback" in details


def test_the_hook_is_given_back(qapp):
    catcher = ErrorCatcher()
    catcher.install()
    assert sys.excepthook == catcher.handle
    catcher.uninstall()
    assert sys.excepthook is sys.__excepthook__
