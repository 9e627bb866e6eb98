"""How soon a running search answers to Stop now and Pause, when it has ended, and whether it goes on afterwards.

    python benchmarks/stop_latency.py [--runs 5]

Runs the reference study, with long epochs, in the real window with the real services. For every stop it prints when
the engine answered (limit 200 ms), when the search had ended (with the batch that was at work), and that the next run
goes on with the same trial and has lost none. Needs a display, or QT_QPA_PLATFORM=offscreen.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    from tunerstudio.gui.main_window import MainWindow

LIMIT_S = 0.2
"""What the answer may take."""

_EPOCHS = 2000


@dataclass(frozen=True)
class Stop:
    """One stop: seconds after the click.

    Attributes:
        answered: When the window had the engine's answer.
        ended: When the search was over and its workers were free.
        resumed: Whether the next run went on with the interrupted trial, and no completed one was lost.
        load: How busy all cores were, in percent.
    """

    answered: float
    ended: float
    resumed: bool
    load: float


def main() -> None:
    """Measure several stops and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as home:
        os.environ["TUNERSTUDIO_HOME"] = home
        found = measure(runs)
    for stop in found:
        went_on = "went on" if stop.resumed else "DID NOT GO ON"
        print(f"answered {stop.answered:.3f}  ended {stop.ended:.3f}  {went_on}   machine busy {stop.load:.0f} %")
    median = statistics.median(stop.answered for stop in found)
    verdict = "within" if median <= LIMIT_S else "over"
    print(f"median answer {median:.3f} s of {len(found)} stops: {verdict} the limit of {LIMIT_S:g} s")


def measure(runs: int) -> list[Stop]:
    """Stop a running search so often, each time in the middle of a trial."""
    from tunerstudio.gui.main_window import MainWindow
    from tunerstudio.gui.services import Services
    from tunerstudio.gui.theme import Theme
    from tunerstudio.study.examples import find_example

    application = QApplication([])
    theme = Theme(application, "light")
    services = Services()
    window = MainWindow(theme, services)
    window.resize(1366, 768)
    window.show()
    services.start()
    window.workspace.open_example(find_example("reference"))
    study = window.study
    assert study is not None
    _until(lambda: study.preview is not None)
    training = study.document.training.model_copy(update={"epochs": _EPOCHS, "executions": 1, "early_stopping": None})
    study.edit("train for long", study.document.model_copy(update={"training": training}))
    found = [_stop_once(window, services.engine) for _ in range(runs)]
    window.finish()
    services.stop()
    return found


def _stop_once(window: MainWindow, engine: Any) -> Stop:
    study = window.study
    assert study is not None
    window.do("run")
    reported: list[object] = []
    study.epochs_added.connect(reported.extend)
    _until(lambda: len(reported) >= 3)
    running = {number for number, trial in study.trials.items() if trial.state == "RUNNING"}
    completed = {number for number, trial in study.trials.items() if trial.state == "COMPLETED"}
    moments: dict[str, float] = {}

    def note(name: str, data: dict[str, Any]) -> None:
        if name == "search":
            moments.setdefault(str(data["state"]), time.perf_counter())

    engine.notice.connect(note)
    psutil.cpu_percent()
    began = time.perf_counter()
    window.do("stop:now")
    _until(lambda: "ended" in moments and not window.workspace.worker.is_running)
    load = psutil.cpu_percent()
    engine.notice.disconnect(note)
    kept = completed <= {number for number, trial in study.trials.items() if trial.state == "COMPLETED"}
    waiting = {number for number, trial in study.trials.items() if trial.state == "QUEUED"}
    return Stop(moments["stopping"] - began, moments["ended"] - began, kept and running <= waiting | completed, load)


def _until(condition: Callable[[], bool], limit_s: float = 120.0) -> None:
    loop, began = QEventLoop(), time.monotonic()
    check = QTimer()
    check.setInterval(2)
    check.timeout.connect(lambda: loop.quit() if condition() or time.monotonic() - began > limit_s else None)
    check.start()
    loop.exec()
    check.stop()
    if not condition():
        raise TimeoutError("the window did not get where it should be")


if __name__ == "__main__":
    main()
