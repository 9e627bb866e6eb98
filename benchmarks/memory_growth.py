"""Resident memory of the window, the engine and its workers over many trials of a tiny network.

    python -m benchmarks.memory_growth [--trials 500] [--road auto|fit] [--window PID]

Runs a real search in a real engine process and prints a table: after so many trials, so many MB. Memory is flat when
the last rows differ by noise alone.
"""

from __future__ import annotations

import argparse
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import yaml

LOOK_INTERVAL_S = 1.0
ROWS = 60


def write_study(folder: Path, trials: int, road: str) -> None:
    """A study of a network with a few weights that trains for one epoch."""
    rng = np.random.default_rng(0)
    table = rng.normal(size=(ROWS, 3))
    lines = ["a,b,c,kind", *(f"{a:.4f},{b:.4f},{c:.4f},{'yes' if a > b else 'no'}" for a, b, c in table)]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    study = {
        "name": "memory",
        "data": {
            "source": {"kind": "file", "path": "rows.csv"},
            "columns": [
                *({"name": name} for name in "abc"),
                {"name": "kind", "role": "target", "kind": "categorical"},
            ],
        },
        "model": {
            "kind": "blocks",
            "blocks": [{"layer": "Dense", "arguments": {"units": {"tune": "int", "min": 2, "max": 6}}}],
            "optimizer": {
                "name": "Adam",
                "arguments": {"learning_rate": {"tune": "float", "min": 1e-4, "max": 0.1, "sampling": "log"}},
            },
        },
        "search": {
            "objective": {"name": "val_loss", "direction": "min"},
            "algorithm": {"id": "random"},
            "budget": {"trials": trials},
            "workers": 1,
        },
        "training": {"epochs": 1, "road": road},
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(study))


def finished_trials(folder: Path) -> int:
    """Trials that ended, as the study's database tells."""
    path = folder / "study.db"
    if not path.is_file():
        return 0
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    except sqlite3.Error:
        return 0
    try:
        return int(connection.execute("select count(*) from trials where state = 'COMPLETED'").fetchone()[0])
    except sqlite3.OperationalError:  # its tables are not there yet
        return 0
    finally:
        connection.close()


def megabytes(processes: list[psutil.Process]) -> float:
    """Resident memory of all of them, in 10^6 bytes; those that ended count nothing."""
    total = 0.0
    for process in processes:
        try:
            total += process.memory_info().rss / 1e6
        except psutil.NoSuchProcess:
            continue
    return total


def main() -> None:
    """Run the search and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--road", choices=("auto", "fit"), default="auto")
    parser.add_argument("--window", type=int, help="process id of a window to watch, too")
    options = parser.parse_args()
    window = [] if options.window is None else [psutil.Process(options.window)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_study(folder, options.trials, options.road)
        log = folder / "run.log"
        with log.open("wb") as output:
            run = subprocess.Popen(
                [sys.executable, "-m", "tunerstudio", "run", str(folder)], stdout=output, stderr=subprocess.STDOUT
            )
            print(f"{'trials':>7} {'seconds':>8} {'engine MB':>10} {'children MB':>12} {'window MB':>10}")
            try:
                watch(run, folder, max(1, options.trials // 20), window)
            finally:
                run.terminate()
                run.wait()
        if run.returncode:
            print(log.read_text(errors="replace"))
            raise SystemExit(run.returncode)


def watch(run: subprocess.Popen[bytes], folder: Path, step: int, window: list[psutil.Process]) -> None:
    """Print a row every `step` trials until the search ends."""
    begin, following = time.monotonic(), 1
    engine = psutil.Process(run.pid)
    while run.poll() is None:
        done = finished_trials(folder)
        if done >= following:
            children = engine.children(recursive=True)
            cells = f"{megabytes([engine]):10.1f} {megabytes(children):12.1f} {megabytes(window):10.1f}"
            print(f"{done:7} {time.monotonic() - begin:8.1f} {cells}", flush=True)
            following = (done // step + 1) * step
        time.sleep(LOOK_INTERVAL_S)


if __name__ == "__main__":
    main()
