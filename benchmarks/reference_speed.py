"""The reference study: the plain Keras Tuner script against `tunerstudio run`, both in one run, as ratios.

Usage: python -m benchmarks.reference_speed [--trials 50] [--script-trials 10] [--workers 1 2] [--optuna]

Whole wall times include the start of every process and all imports. The cost of one further trial is taken from the
times that trials ended: (last - second) / (trials - 2), so that start-up and the first compilation do not count.
The script may run fewer trials than we do (it takes 6 s per trial); its whole time is then extrapolated, and said so.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.watched import Watched
from tunerstudio.store.reader import StudyReader
from tunerstudio.study.trials import Trial

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Side:
    """One side's figures.

    Attributes:
        whole_s: Wall time of the whole for all trials, start-up included.
        trial_s: Seconds per further trial.
        trial_cpu_s: Processor time per further trial, of all processes; tells more on a busy machine.
        best: Best score.
        mean: Mean score.
        measured: Trials that were really run.
    """

    name: str
    whole_s: float
    trial_s: float
    trial_cpu_s: float
    best: float
    mean: float
    measured: int


def script_side(name: str, file: str, folder: Path, trials: int, wanted: int) -> Side:
    """Run a peer's script with `trials` trials; its whole time for `wanted` trials is extrapolated if that is more."""
    script = ROOT / "benchmarks" / file
    folder.mkdir()
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(script), str(trials), str(folder)], check=True, stdout=subprocess.PIPE, text=True
    )
    whole = time.perf_counter() - began
    result = json.loads(done.stdout.strip().splitlines()[-1])
    per_trial = result["search_s"] / trials
    scores = result["scores"]
    extrapolated = whole + per_trial * (wanted - trials)
    cpu_s = result["cpu_s"] / trials
    return Side(name, extrapolated, per_trial, cpu_s, max(scores), sum(scores) / len(scores), trials)


def further_trials(trials: list[Trial]) -> tuple[float, float, int]:
    """When the second and the last trial ended (seconds since 1970), and how many trials ended between them."""
    ends = sorted(trial.ended_at for trial in trials if trial.ended_at is not None)
    return ends[1], ends[-1], len(ends) - 2


def our_side(folder: Path, trials: int, workers: int) -> Side:
    """Run `tunerstudio run` on a fresh copy of the reference study, in a process started cold."""
    study = folder / f"study-{workers}"
    command = [sys.executable, "-m", "tunerstudio"]
    subprocess.run([*command, "new", str(study), "--example", "reference"], check=True, stdout=subprocess.DEVNULL)
    document = yaml.safe_load((study / "study.yaml").read_text())
    document["search"]["workers"] = workers
    document["search"]["budget"]["trials"] = trials
    (study / "study.yaml").write_text(yaml.safe_dump(document))
    watched = Watched([*command, "run", str(study), "--json"])
    with StudyReader(study) as reader:
        found = reader.trials()
    scores = [trial.score for trial in found if trial.score is not None]
    name = f"tunerstudio run, {workers} worker{'s' if workers > 1 else ''}"
    second, last, further = further_trials(found)
    cpu_s = watched.cpu_between(second, last) / further
    return Side(
        name, watched.wall_s, (last - second) / further, cpu_s, max(scores), sum(scores) / len(scores), len(found)
    )


def main() -> None:
    """Run both sides and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--script-trials", type=int, default=10, help="trials that the Keras Tuner script really runs")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--optuna", action="store_true", help="with Optuna's script too, if Optuna is installed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tunerstudio-benchmark-") as name:
        folder = Path(name)
        measured = min(options.script_trials, options.trials)
        file = "keras_tuner_reference.py"
        script = script_side("Keras Tuner script", file, folder / "script", measured, options.trials)
        peers = []
        if options.optuna:
            file = "optuna_reference.py"
            peers.append(script_side("Optuna script", file, folder / "optuna", measured, options.trials))
        ours = [our_side(folder, options.trials, workers) for workers in options.workers]
    print(f"reference study, {options.trials} trials x 3 executions x 15 epochs")
    times = f"{'whole s':>9}{'ratio':>8}{'s/trial':>10}{'ratio':>8}{'cpu s':>9}{'ratio':>8}"
    print(f"{'':34}{times}{'best':>8}{'mean':>8}{'run':>6}")
    for side in (script, *peers, *ours):
        whole, trial = script.whole_s / side.whole_s, script.trial_s / side.trial_s
        cpu = script.trial_cpu_s / side.trial_cpu_s
        print(
            f"{side.name:34}{side.whole_s:9.1f}{whole:8.1f}{side.trial_s:10.3f}{trial:8.1f}"
            f"{side.trial_cpu_s:9.3f}{cpu:8.1f}{side.best:8.4f}{side.mean:8.4f}{side.measured:6}"
        )
    if script.measured < options.trials:
        print(f"the script ran {script.measured} trials; its whole time is extrapolated to {options.trials}")


if __name__ == "__main__":
    main()
