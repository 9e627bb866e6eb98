"""How long it takes from the start of the process until the welcome page can be used.

    python benchmarks/window_start.py [--runs 5]

Prints one line per start (time on the clock, processor time) and the medians, in seconds.
Needs a display, or QT_QPA_PLATFORM=offscreen.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

_CHILD = """
import os
import time
began = float(os.environ["STARTED_AT"])
from PySide6.QtCore import QEvent, QObject, QTimer
from tunerstudio.gui import app, services

class FirstPaint(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            QTimer.singleShot(0, self.report)  # after everything that was queued: input is handled from now on
        return False

    def report(self):
        print(f"{time.time() - began:.3f} {time.process_time():.3f}", flush=True)
        watched_window.close()

real_show = app.MainWindow.show
first = FirstPaint()

def show(window):
    global watched_window
    watched_window = window
    window.welcome.installEventFilter(first)
    real_show(window)

app.MainWindow.show = show
app.run_app(None)
"""


def main() -> None:
    """Start the window several times and print how long each start took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    starts = [_start_once() for _ in range(runs)]
    for clock, processor in starts:
        print(f"{clock:.3f} {processor:.3f}")
    clocks, processors = zip(*starts, strict=True)
    print(f"median {statistics.median(clocks):.3f} s, processor {statistics.median(processors):.3f} s, of {runs}")


def _start_once() -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as home:
        # The start time that the system keeps for a process is only good to a second; ours is exact.
        environment = {**os.environ, "TUNERSTUDIO_HOME": home, "STARTED_AT": str(time.time())}
        done = subprocess.run(
            [sys.executable, "-c", _CHILD], capture_output=True, text=True, timeout=60, check=True, env=environment
        )
    clock, processor = done.stdout.splitlines()[0].split()
    return float(clock), float(processor)


if __name__ == "__main__":
    main()
