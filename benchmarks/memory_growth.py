"""Resident memory of the window, the engine and its workers over many trials of a tiny network.

    python -m benchmarks.memory_growth [--trials 500] [--road auto|fit] [--window]

Runs a real search, by command or in the real window, and prints a table: after so many trials, so many MB. The workers'
column holds the fork server as well, whose pages the workers share. Memory is flat when the last rows differ by noise.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import yaml

from benchmarks.chaos.program import Program

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


def by_kind(program: Program) -> tuple[float, float, float]:
    """Megabytes of window, engine and everything that the engine has started."""
    engine = program.find("engine")
    if engine is None:
        return 0.0, 0.0, 0.0
    window = program.find("window") if program.has_window else None
    return megabytes([window] if window else []), megabytes([engine]), megabytes(engine.children(recursive=True))


def main() -> None:
    """Run the search and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--road", choices=("auto", "fit"), default="auto")
    parser.add_argument("--window", action="store_true", help="run the search in the real window")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        study, home = Path(name) / "study", Path(name) / "home"
        study.mkdir()
        home.mkdir()
        write_study(study, options.trials, options.road)
        program = Program.start(study, home, options.window)
        print(f"{'trials':>7} {'seconds':>8} {'window MB':>10} {'engine MB':>10} {'workers MB':>11}")
        try:
            watch(program, study, max(1, options.trials // 20))
        finally:
            if not program.has_ended:
                program.process.terminate()
            program.process.wait()
        if program.process.returncode:
            print((home / "output.log").read_text(errors="replace"))
            raise SystemExit(program.process.returncode)


def watch(program: Program, study: Path, step: int) -> None:
    """Print a row every `step` trials until the search ends."""
    begin, following = time.monotonic(), 1
    while not program.has_ended:
        done = finished_trials(study)
        if done >= following:
            window, engine, workers = by_kind(program)
            print(f"{done:7} {time.monotonic() - begin:8.1f} {window:10.1f} {engine:10.1f} {workers:11.1f}", flush=True)
            following = (done // step + 1) * step
        time.sleep(LOOK_INTERVAL_S)


if __name__ == "__main__":
    main()
