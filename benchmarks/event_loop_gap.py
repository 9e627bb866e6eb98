"""The longest gap of the window's event loop while a real search trains.

    python -m benchmarks.event_loop_gap [--trials 20]

Runs the reference study in the real window with the real services, a 2 ms timer ticking in the event loop, the Run
page in front. Prints the longest gap and some quantiles, in milliseconds, and how much of a gap was the window's own
work (processor time of its thread): on a busy machine the rest is waiting for a processor. Needs a display, or
QT_QPA_PLATFORM=offscreen.
"""

from __future__ import annotations

import argparse
import time

from PySide6.QtCore import QTimer

from benchmarks.real_window import real_window, until

_TICK_MS = 2
_LOOK_EVERY_MS = 50


def main() -> None:
    """Run a search and print the gaps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=20)
    trials = parser.parse_args().trials
    measured = measure(trials)
    gaps = sorted(gap for gap, _ in measured)
    for share in (0.5, 0.99, 0.999):
        print(f"{share:.1%} of the gaps are below {gaps[int(share * (len(gaps) - 1))]:.1f} ms")
    print(f"longest gap {gaps[-1]:.1f} ms of {len(gaps)} while {trials} trials ran")
    print(f"longest own work in a gap {max(work for _, work in measured):.1f} ms")


def measure(trials: int) -> list[tuple[float, float]]:
    """(gap between ticks, own work in it) in milliseconds, from the first trial to the end of the search."""
    with real_window() as real:
        study, window = real.open_reference(), real.window
        window.do(f"run:{trials}")
        until(lambda: bool(study.trials), _LOOK_EVERY_MS)
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
        until(lambda: not window.workspace.worker.is_running, _LOOK_EVERY_MS, limit_s=600.0)
        timer.stop()
        print(f"{len(study.trials)} trials, banner: {window.banner.text!r}")
    return gaps


if __name__ == "__main__":
    main()
