"""How soon a running search answers to Stop now and Pause, when it has ended, and whether it goes on afterwards.

    python -m benchmarks.stop_latency [--runs 5]

Runs the reference study, with long epochs, in the real window with the real services. For every stop it prints when
the engine answered (limit 200 ms), when the search had ended (with the batch that was at work), and that the next run
goes on with the same trial and has lost none. Needs a display, or QT_QPA_PLATFORM=offscreen.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks.real_window import real_window, until

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
    found = measure(runs)
    for stop in found:
        went_on = "went on" if stop.resumed else "DID NOT GO ON"
        print(f"answered {stop.answered:.3f}  ended {stop.ended:.3f}  {went_on}   machine busy {stop.load:.0f} %")
    median = statistics.median(stop.answered for stop in found)
    verdict = "within" if median <= LIMIT_S else "over"
    print(f"median answer {median:.3f} s of {len(found)} stops: {verdict} the limit of {LIMIT_S:g} s")


def measure(runs: int) -> list[Stop]:
    """Stop a running search so often, each time in the middle of a trial."""
    with real_window() as real:
        study = real.open_reference()
        long = {"epochs": _EPOCHS, "executions": 1, "early_stopping": None}
        training = study.document.training.model_copy(update=long)
        study.edit("train for long", study.document.model_copy(update={"training": training}))
        return [_stop_once(real.window, real.services.engine) for _ in range(runs)]


def _stop_once(window: MainWindow, engine: Any) -> Stop:
    study = window.study
    assert study is not None
    window.do("run")
    reported: list[object] = []
    study.epochs_added.connect(reported.extend)
    until(lambda: len(reported) >= 3, look_every_ms=2)
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
    until(lambda: "ended" in moments and not window.workspace.worker.is_running, look_every_ms=2)
    load = psutil.cpu_percent()
    engine.notice.disconnect(note)
    kept = completed <= {number for number, trial in study.trials.items() if trial.state == "COMPLETED"}
    waiting = {number for number, trial in study.trials.items() if trial.state == "QUEUED"}
    return Stop(moments["stopping"] - began, moments["ended"] - began, kept and running <= waiting | completed, load)


if __name__ == "__main__":
    main()
