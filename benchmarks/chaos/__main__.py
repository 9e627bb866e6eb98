"""Kill window, engine and workers at random instants, over all algorithms, and count what it cost.

    python -m benchmarks.chaos [--kills 200] [--seed 0] [--algorithms random hyperband ...]

Every search is a small real one. For each algorithm it runs once undisturbed, then again and again with kill -9 at
random instants (every other one within three milliseconds of a write to the database), each time in a new study, until
the wanted number of kills is reached. At the end an attacked search must equal the undisturbed one: same trials, same
values, same scores, same curves. Prints kills, lost, duplicated, stuck, differing; the exit status is 1 unless all but
the first are zero.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.chaos.attack import START_LIMIT_S, Attack
from benchmarks.chaos.program import Kind, Program
from benchmarks.chaos.studies import algorithms, make_study
from benchmarks.chaos.verdict import Damage, Snapshot, compare_with_undisturbed, snapshot

KINDS: list[Kind] = ["window", "engine", "worker"]
KILLS_PER_SEARCH = 8


def main(arguments: Sequence[str] | None = None) -> int:
    """Attack, and print the count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--algorithms", nargs="+", default=None)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    options = parser.parse_args(arguments)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        kills, damage = attack_all(
            Path(folder), options.algorithms or algorithms(), options.kinds, options.kills, options.seed
        )
    spread = ", ".join(f"{count} {kind}" for kind, count in sorted(kills.items()))
    print(f"{sum(kills.values())} kills ({spread}) in {time.monotonic() - began:.0f} s")
    print(f"lost {damage.lost}, duplicated {damage.duplicated}, stuck {damage.stuck}, differing {damage.differing}")
    return 0 if damage.is_none else 1


def attack_all(
    folder: Path, names: Sequence[str], kinds: list[Kind], wanted: int, seed: int
) -> tuple[Counter[Kind], Damage]:
    """Attack searches of each algorithm in turn until `wanted` kills were made."""
    kills: Counter[Kind] = Counter()
    damage = Damage()
    undisturbed: dict[str, Snapshot] = {}
    number = 0
    while sum(kills.values()) < wanted:
        name = names[number % len(names)]
        if name not in undisturbed:
            undisturbed[name] = _undisturbed(folder, name, seed)
        study, home = folder / f"{name}-{number}", folder / f"home-{number}"
        make_study(study, name, seed)
        home.mkdir()
        rng = random.Random(f"{seed}/{number}")
        told = len(damage.examples)
        most = min(KILLS_PER_SEARCH, wanted - sum(kills.values()))
        attack = Attack(study, home, rng, kinds, most, damage)
        attack.run()
        kills += attack.kills
        compare_with_undisturbed(snapshot(study), undisturbed[name], damage, study.name)
        print(f"{study.name}: {dict(attack.kills)}", *damage.examples[told:], sep="\n  ", flush=True)
        number += 1
    return kills, damage


def _undisturbed(folder: Path, name: str, seed: int) -> Snapshot:
    study, home = folder / f"{name}-undisturbed", folder / f"home-{name}-undisturbed"
    make_study(study, name, seed)
    home.mkdir()
    code = Program.start(study, home, window=False).process.wait(10 * START_LIMIT_S)
    if code != 0:
        raise SystemExit(f"{name} fails undisturbed (exit code {code}): {(home / 'output.log').read_text()[-2000:]}")
    return snapshot(study)


if __name__ == "__main__":
    sys.exit(main())
