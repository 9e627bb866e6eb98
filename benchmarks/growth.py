"""Cost as work grows: time per trial and memory over many trials, and over many rows.

Usage: python -m benchmarks.growth [--trials 10 100 1000] [--rows 1000 100000] [--plot FILE.png]

Trials are those of the reference study with one execution of one epoch, so that hardly anything but overhead is left;
times are means over the last tenth of the trials before each mark; the engine's is processor time: proposing,
bookkeeping, storing. Rows are made up: ten columns, one epoch in batches of 256, two trials, of which the second is
timed.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from benchmarks.watched import Watched
from tunerstudio.store.reader import StudyReader


@dataclass(frozen=True)
class Point:
    """What a trial costs at one size of the work.

    Attributes:
        size: Trials so far, or rows.
        trial_s: Seconds per trial.
        worker_mb: Memory of the largest process under the command.
    """

    size: int
    trial_s: float
    worker_mb: float


def run(study: Path) -> tuple[list[float], Watched]:
    """Run the study in a process of its own; when its trials ended, in order, and what was seen of it."""
    watched = Watched([sys.executable, "-m", "tunerstudio", "run", str(study), "--json"])
    with StudyReader(study) as reader:
        return sorted(trial.ended_at for trial in reader.trials() if trial.ended_at is not None), watched


def over_trials(folder: Path, marks: list[int]) -> list[Point]:
    """Time per trial and memory at each mark of one long search; also printed."""
    study = folder / "trials"
    new = [sys.executable, "-m", "tunerstudio", "new", str(study), "--example", "reference"]
    subprocess.run(new, check=True, stdout=subprocess.DEVNULL)
    document: dict[str, Any] = yaml.safe_load((study / "study.yaml").read_text())
    document["training"] = {"epochs": 1, "batch_size": 512, "executions": 1}
    document["search"]["budget"]["trials"] = max(marks)
    units = document["model"]["blocks"][1]["arguments"]["units"]
    units.update({"min": 1, "max": 200, "step": 1})  # room for thousands of trials that differ
    (study / "study.yaml").write_text(yaml.safe_dump(document))
    ends, watched = run(study)
    print(f"{'trials':>10}{'ms/trial':>10}{'engine ms':>11}{'engine MB':>11}{'worker MB':>11}")
    points = []
    for mark in marks:
        last = ends[mark - max(2, mark // 10) : mark]
        began, now = watched.at(last[0]), watched.at(last[-1])
        engine_ms = 1e3 * (now.own_cpu_s - began.own_cpu_s) / (len(last) - 1)
        points.append(Point(mark, (last[-1] - last[0]) / (len(last) - 1), now.largest_mb))
        each_ms = 1e3 * points[-1].trial_s
        print(f"{mark:>10}{each_ms:10.1f}{engine_ms:11.1f}{now.own_mb:11.0f}{now.largest_mb:11.0f}")
    return points


def over_rows(folder: Path, sizes: list[int]) -> list[Point]:
    """The second trial's time and the worker's memory for each number of rows; also printed."""
    points = []
    print(f"{'rows':>10}{'s/trial':>10}{'worker MB':>11}  road")
    for rows in sizes:
        study = folder / f"rows-{rows}"
        study.mkdir()
        rng = np.random.default_rng(0)
        x = rng.normal(size=(rows, 10)).astype("float32")
        table = pd.DataFrame(x, columns=[f"x{index}" for index in range(10)])
        table["target"] = x[:, 0] + np.abs(x[:, 1])
        table.to_parquet(study / "table.parquet")
        layer = {"layer": "Dense", "arguments": {"units": {"tune": "int", "min": 8, "max": 64}, "activation": "relu"}}
        document = {
            "version": 1,
            "name": f"{rows} rows",
            "data": {"source": {"kind": "file", "path": "table.parquet"}, "task": "regression"},
            "model": {"kind": "blocks", "blocks": [layer]},
            "search": {"budget": {"trials": 2}, "workers": 1},
            "training": {"epochs": 1, "batch_size": 256},
        }
        (study / "study.yaml").write_text(yaml.safe_dump(document))
        ends, watched = run(study)
        with StudyReader(study) as reader:
            road = reader.trials()[-1].road
        points.append(Point(rows, ends[1] - ends[0], watched.largest_mb))
        print(f"{rows:>10}{points[-1].trial_s:10.2f}{watched.largest_mb:11.0f}  {road}", flush=True)
    return points


def draw(file: Path, lines: dict[str, list[Point]]) -> None:
    """Draw seconds per trial and memory over the size of the work into a picture: one column per line."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    import pyqtgraph

    pyqtgraph.setConfigOptions(background="w", foreground="k", antialias=True)
    pyqtgraph.mkQApp()
    layout = pyqtgraph.GraphicsLayoutWidget(size=(900, 560))
    for column, (name, points) in enumerate(lines.items()):
        sizes, times = [point.size for point in points], [point.trial_s for point in points]
        is_steep = max(times) > 10 * min(times)
        seconds, memory = layout.addPlot(0, column), layout.addPlot(1, column)
        seconds.setLabels(left="seconds per trial")
        seconds.getAxis("left").enableAutoSIPrefix(False)
        seconds.setLogMode(x=True, y=is_steep)
        seconds.plot(sizes, times, pen="#0072b2", symbol="o", symbolSize=7)
        if is_steep:
            exponents = range(math.floor(math.log10(min(times))), math.ceil(math.log10(max(times))) + 1)
            seconds.getAxis("left").setTicks([[(exponent, f"{10.0**exponent:g}") for exponent in exponents]])
            seconds.setYRange(exponents[0], exponents[-1])
        else:
            seconds.setYRange(0, 1.1 * max(times))
        memory.setLabels(left="memory of the worker, MB", bottom=name)
        memory.setLogMode(x=True, y=False)
        memory.plot(sizes, [point.worker_mb for point in points], pen="#d55e00", symbol="o", symbolSize=7)
        memory.setYRange(0, 1.1 * max(point.worker_mb for point in points))
    if not layout.grab().save(str(file)):
        sys.exit(f"{file} could not be written")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, nargs="*", default=[10, 100, 1000])
    parser.add_argument("--rows", type=int, nargs="*", default=[1000, 100_000])
    parser.add_argument("--plot", type=Path, help="also draw both into this .png file")
    options = parser.parse_args()
    lines = {}
    with tempfile.TemporaryDirectory(prefix="tunerstudio-benchmark-") as name:
        if options.trials:
            lines["trials"] = over_trials(Path(name), sorted(options.trials))
        if options.rows:
            lines["rows"] = over_rows(Path(name), sorted(options.rows))
    if options.plot:
        draw(options.plot, lines)


if __name__ == "__main__":
    main()
