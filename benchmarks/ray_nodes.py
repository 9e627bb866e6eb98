"""Two nodes of a Ray cluster against local workers on the reference study, in one run, as ratios.

Usage: python -m benchmarks.ray_nodes [--trials 24]

Both nodes are on this machine, one CPU each: what is measured is what Ray adds, not a network. Three sides run the same
study with the same seed, each cold: one local worker, two local workers, two nodes. The cost of one further trial is
taken from the times that trials ended, so that starting a cluster (about 15 s) does not count; the whole time is given.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.reference_speed import further_trials
from tunerstudio.store.reader import StudyReader

ROOT = Path(__file__).resolve().parent.parent
NODES = ROOT / "tests" / "engine" / "ray_cluster.py"


@dataclass(frozen=True)
class Side:
    """One side's figures.

    Attributes:
        whole_s: Wall time, start-up included.
        trial_s: Seconds per further trial.
        best: Best score.
        nodes: Trials by node.
    """

    name: str
    whole_s: float
    trial_s: float
    best: float
    nodes: dict[str, int]


@contextmanager
def two_nodes(folder: Path) -> Iterator[str]:
    """A cluster of two nodes with one CPU each on the loopback; its address."""
    os.environ.update(
        RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32), TUNERSTUDIO_NODE_CACHE=str(folder / "caches")
    )
    process = subprocess.Popen(
        [sys.executable, str(NODES), "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        print("add second 1", file=process.stdin, flush=True)
        assert process.stdout.readline().strip() == "done"
        yield address
    finally:
        process.stdin.close()
        process.wait()


def run(folder: Path, name: str, trials: int, workers: int, executor: dict[str, Any]) -> Side:
    """Run the reference study in a process of its own, started cold."""
    study = folder / name.replace(" ", "-")
    command = [sys.executable, "-m", "tunerstudio"]
    subprocess.run([*command, "new", str(study), "--example", "reference"], check=True, stdout=subprocess.DEVNULL)
    document = yaml.safe_load((study / "study.yaml").read_text())
    document["search"].update(workers=workers, executor=executor)
    document["search"]["budget"]["trials"] = trials
    (study / "study.yaml").write_text(yaml.safe_dump(document))
    began = time.perf_counter()
    subprocess.run([*command, "run", str(study), "--json"], check=True, stdout=subprocess.DEVNULL)
    whole = time.perf_counter() - began
    with StudyReader(study) as reader:
        found, attempts = reader.trials(), reader.attempts()
    best = max(trial.score for trial in found if trial.score is not None)
    second, last, further = further_trials(found)
    return Side(name, whole, (last - second) / further, best, dict(Counter(attempt.node for attempt in attempts)))


def main() -> None:
    """Run all sides and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=24)
    trials = parser.parse_args().trials
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        sides = [
            run(folder, "one local worker", trials, 1, {"kind": "local"}),
            run(folder, "two local workers", trials, 2, {"kind": "local"}),
        ]
        with two_nodes(folder) as address:
            executor = {"kind": "ray", "address": address, "cpus_per_trial": 1}
            sides.append(run(folder, "two Ray nodes", trials, 2, executor))
    base = sides[0].trial_s
    print("| side | whole s | s per further trial | times as fast as one local worker | best score | trials by node |")
    print("|---|---|---|---|---|---|")
    for side in sides:
        nodes = ", ".join(f"{node} {count}" for node, count in sorted(side.nodes.items()))
        print(
            f"| {side.name} | {side.whole_s:.1f} | {side.trial_s:.3f} | {base / side.trial_s:.2f} | {side.best:.4f} "
            f"| {nodes} |"
        )


if __name__ == "__main__":
    main()
