"""The longest gap of the window's event loop while a real search trains.

    python benchmarks/event_loop_gap.py [--trials 20]

Runs the reference study in the real window with the real services, a 2 ms timer ticking in the event loop, the Run
page in front. Prints the longest gap and some quantiles, in milliseconds, and how much of a gap was the window's own
work (processor time of its thread): on a busy machine the rest is waiting for a processor. Needs a display, or
QT_QPA_PLATFORM=offscreen.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

_TICK_MS = 2


def main() -> None:
    """Run a search and print the gaps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=20)
    trials = parser.parse_args().trials
    with tempfile.TemporaryDirectory() as home:
        os.environ["TUNERSTUDIO_HOME"] = home
        measured = measure(trials)
    gaps = sorted(gap for gap, _ in measured)
    for share in (0.5, 0.99, 0.999):
        print(f"{share:.1%} of the gaps are below {gaps[int(share * (len(gaps) - 1))]:.1f} ms")
    print(f"longest gap {gaps[-1]:.1f} ms of {len(gaps)} while {trials} trials ran")
    print(f"longest own work in a gap {max(work for _, work in measured):.1f} ms")


def measure(trials: int) -> list[tuple[float, float]]:
    """(gap between ticks, own work in it) in milliseconds, from the first trial to the end of the search."""
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
    _until(lambda: window.study is not None and window.study.preview is not None)
    window.do(f"run:{trials}")
    _until(lambda: window.study is not None and bool(window.study.trials))
    gaps: list[tuple[float, float]] = []
    last = time.perf_counter(), time.thread_time()

    def tick() -> None:
        nonlocal last
        now = time.perf_counter(), time.thread_time()
        gaps.append(((now[0] - last[0]) * 1000, (now[1] - last[1]) * 1000))
        last = now

    timer = QTimer()
    timer.setInterval(_TICK_MS)
    timer.timeout.connect(tick)
    timer.start()
    _until(lambda: not window.workspace.worker.is_running)
    timer.stop()
    print(f"{len(window.study.trials) if window.study else 0} trials, banner: {window.banner.text!r}")
    window.finish()
    services.stop()
    return gaps


def _until(condition: Callable[[], bool], limit_s: float = 600.0) -> None:
    loop, began = QEventLoop(), time.monotonic()
    check = QTimer()
    check.setInterval(50)
    check.timeout.connect(lambda: loop.quit() if condition() or time.monotonic() - began > limit_s else None)
    check.start()
    loop.exec()
    check.stop()


if __name__ == "__main__":
    main()
