"""How long it takes from pressing Run until the first epoch of the first trial is on the screen.

    python -m benchmarks.first_epoch [--runs 5] [--rest 20]

Opens the reference study in the real window with the real services, lets it rest for so many seconds, as it does
while a person looks at it, and presses Run; each run is a new study. Prints when the window saw the session, the
first trial and the first epoch, in seconds after the click, and the median. On a machine that is busy with other
things the processor time of all processes of the program tells more than the clock. Needs a display, or
QT_QPA_PLATFORM=offscreen.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from benchmarks.real_window import real_window, rest, until

if TYPE_CHECKING:
    from tunerstudio.gui.main_window import MainWindow

LIMIT_S = 1.0
"""What the first epoch may take."""


def main() -> None:
    """Measure several runs and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rest", type=float, default=20.0, help="seconds between opening a study and pressing Run")
    options = parser.parse_args()
    found = measure(options.runs, options.rest)
    for run in found:
        print(
            f"session {run.running:.2f}  first trial {run.trial:.2f}  first epoch {run.epoch:.2f}"
            f"   processor time {run.work:.2f}, machine busy {run.load:.0f} %"
        )
    median = statistics.median(run.epoch for run in found)
    verdict = "within" if median <= LIMIT_S else "over"
    print(f"median first epoch {median:.2f} s of {len(found)} runs: {verdict} the limit of {LIMIT_S:g} s")


@dataclass(frozen=True)
class Moments:
    """One run: seconds after the click.

    Attributes:
        running, trial, epoch: When the window saw the session run, the first trial, the first epoch.
        work: Processor time of window, engine and workers until then, in seconds.
        load: How busy all cores were with everything, in percent.
    """

    running: float
    trial: float
    epoch: float
    work: float
    load: float


def measure(runs: int, rest_s: float) -> list[Moments]:
    """Press Run so often, each time on a new study that was open for `rest_s` seconds."""
    found = []
    with real_window() as real:
        until(lambda: "device" in real.notices)
        for _ in range(runs):
            real.open_reference()
            rest(rest_s)
            found.append(_press_run(real.window))
    return found


def _press_run(window: MainWindow) -> Moments:
    """Press Run, wait for the first epoch, stop."""
    study = window.study
    assert study is not None
    moments: dict[str, float] = {}

    def note(what: str) -> None:
        moments.setdefault(what, time.perf_counter())

    study.search_state_changed.connect(lambda state, _: note(state))
    study.trials_changed.connect(lambda _: note("trial"))
    study.epochs_added.connect(lambda _: note("epoch"))
    psutil.cpu_percent()
    work = _work()
    began = time.perf_counter()
    window.do("run")
    until(lambda: "epoch" in moments)
    load, work = psutil.cpu_percent(), _work() - work
    window.do("stop:now")
    until(lambda: not window.workspace.worker.is_running)
    return Moments(*(moments[name] - began for name in ("running", "trial", "epoch")), work=work, load=load)


def _work() -> float:
    """Processor time of the window and all its processes so far, in seconds."""
    own = psutil.Process()
    times = [process.cpu_times() for process in (own, *own.children(recursive=True))]
    return sum(used.user + used.system for used in times)


if __name__ == "__main__":
    main()
