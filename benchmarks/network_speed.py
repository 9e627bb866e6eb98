"""Five kinds of networks: a plain Keras Tuner script against `tunerstudio run`, both in one run, as ratios.

Usage: python -m benchmarks.network_speed [--trials 6] [--workers 1 2] [--only TEXT] [--mnist FILE]

Both sides train the same `build(hp)` on the same table. Seconds per trial: the search's time over its trials for the
script; (last end - second end) / (trials - 2) for ours, so that neither start-up counts. Memory: the most that the
script's process, or the largest of ours (workers are forked from one that holds TensorFlow), held.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.network_data import TARGET, Case, cases
from benchmarks.reference_speed import further_trials
from benchmarks.watched import Watched
from tunerstudio.store.reader import StudyReader

ROOT = Path(__file__).resolve().parent.parent
RATIO_WANTED = 0.95
"""Nothing may be slower than Keras Tuner; a little is left for noise."""


@dataclass(frozen=True)
class Side:
    """One side's figures for one case.

    Attributes:
        trial_s: Seconds per trial.
        best: Best score.
        memory_mb: Most memory of the process that trains.
        road: How our side trained.
    """

    trial_s: float
    best: float
    memory_mb: float
    road: str = "Keras Tuner"


def script_side(case: Case, data: Path, folder: Path, trials: int) -> Side:
    """Run Keras Tuner's script."""
    network = ROOT / "benchmarks" / "networks" / case.network
    given = [str(network), str(data), *case.objective, str(case.epochs), str(trials), str(folder)]
    command = [sys.executable, str(ROOT / "benchmarks" / "keras_tuner_script.py"), *given]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return Side(found["search_s"] / trials, found["best"], found["memory_mb"])


def our_side(case: Case, data: Path, folder: Path, trials: int, workers: int) -> Side:
    """Run `tunerstudio run` on a study with the same file as its model."""
    folder.mkdir()
    (folder / "network.py").write_text((ROOT / "benchmarks" / "networks" / case.network).read_text())
    metric, direction = case.objective
    kinds = {"role": "target", "kind": "categorical" if case.task == "multiclass" else "numeric"}
    document = {
        "version": 1,
        "name": case.name,
        "data": {
            "source": {"kind": "file", "path": str(data)},
            "columns": _columns(data, kinds),
            "task": case.task,
            "split": {"validation": 0.2, "test": 0.0},
        },
        "model": {"kind": "code", "file": "network.py"},
        "search": {
            "objective": {"name": metric, "direction": direction},
            "algorithm": {"id": "random"},
            "budget": {"trials": trials},
            "workers": workers,
        },
        "training": {"epochs": case.epochs, "batch_size": 32},
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(document))
    command = [sys.executable, "-m", "tunerstudio", "run", str(folder), "--json", "--trust"]
    memory_mb = Watched(command).largest_mb
    with StudyReader(folder) as reader:
        found = reader.trials()
    second, last, further = further_trials(found)
    scores = [trial.score for trial in found if trial.score is not None]
    roads = "/".join(sorted({str(trial.road) for trial in found}))
    best = (max if direction == "max" else min)(scores)
    return Side((last - second) / further, best, memory_mb, roads)


def _columns(data: Path, target: dict[str, str]) -> list[dict[str, str]]:
    import pyarrow.parquet

    names = pyarrow.parquet.read_schema(data).names
    return [{"name": name, **(target if name == TARGET else {})} for name in names]


def _print_row(label: str, side: Side, ratio: float) -> None:
    print(f"{label:38}{side.trial_s:9.3f}{ratio:8.1f}{side.best:9.4f}{side.memory_mb:7.0f}  {side.road}", flush=True)


def main() -> None:
    """Run both sides of every case and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=6)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    parser.add_argument("--mnist", type=Path, help="CSV of 28 x 28 pixels and the class; made up without it")
    options = parser.parse_args()
    print(f"{'':38}{'s/trial':>9}{'ratio':>8}{'best':>9}{'MB':>7}  road")
    slower = []
    for case in cases(options.mnist):
        if options.only not in case.name:
            continue
        with tempfile.TemporaryDirectory(prefix="tunerstudio-benchmark-") as name:
            folder = Path(name)
            case.table().to_parquet(data := folder / "table.parquet")
            script = script_side(case, data, folder / "script", options.trials)
            print(
                f"{case.name:38}{script.trial_s:9.3f}{1.0:8.1f}{script.best:9.4f}{script.memory_mb:7.0f}  Keras Tuner"
            )
            for workers in options.workers:
                ours = our_side(case, data, folder / f"study-{workers}", options.trials * workers, workers)
                ratio = script.trial_s / ours.trial_s
                label = f"  {workers} worker{'s' if workers > 1 else ''}"
                _print_row(label, ours, ratio)
                if ratio < RATIO_WANTED:
                    slower.append(f"{case.name}, {workers}")
    if slower:
        raise SystemExit(f"slower than Keras Tuner: {'; '.join(slower)}")


if __name__ == "__main__":
    main()
