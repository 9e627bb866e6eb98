"""One search under attack: start, kill something at a random instant, look at what is left, start again."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.chaos.program import Kind, Program, TooSlowError, left_alive, wait_until
from benchmarks.chaos.studies import TRIALS
from benchmarks.chaos.verdict import Damage, Snapshot, compare_with_before, snapshot
from tunerstudio.store.lock import is_in_use
from tunerstudio.store.schema import DATABASE_FILE

START_LIMIT_S = 180.0
END_LIMIT_S = 60.0
MOST_STARTS = 60
"""A search that needs more starts than this does not get on."""


@dataclass
class Attack:
    """Kills parts of a program that searches `study` until the search has come to its end.

    Attributes:
        study: Folder of the study.
        home: The user's folder for this attack.
        rng: Chooses whom and when.
        kinds: Whom to kill.
        most: Kills after which the search is left in peace.
        kills: How often each kind was killed.
        damage: What it cost.
    """

    study: Path
    home: Path
    rng: random.Random
    kinds: list[Kind]
    most: int
    damage: Damage
    kills: Counter[Kind] = field(default_factory=Counter)

    def run(self) -> None:
        """Attack until the search has ended by itself."""
        for _ in range(MOST_STARTS):
            if self._one_life():
                return
        self.damage.add("stuck", 1, f"{self.study.name}: not at its end after {MOST_STARTS} starts")

    def _one_life(self) -> bool:
        """One start of the program; whether the search came to its end."""
        window = "window" in self.kinds and (self.kinds == ["window"] or self.rng.random() < 0.5)
        program = Program.start(self.study, self.home, window)
        try:
            while not program.has_ended:
                kind = self._choose(window)
                if kind is None:
                    wait_until(lambda: program.has_ended, START_LIMIT_S, f"{self.study.name}: the end of the search")
                elif self._kill(program, kind) and kind != "worker":
                    return False
        except TooSlowError as error:
            self.damage.add("stuck", 1, str(error))
            self._clear_away(program.tree())
            return False
        return self._is_done()

    def _choose(self, window: bool) -> Kind | None:
        if sum(self.kills.values()) >= self.most:
            return None
        usable = [kind for kind in self.kinds if window or kind != "window"]
        return self.rng.choice(usable)

    def _kill(self, program: Program, kind: Kind) -> bool:
        """Kill a process of this kind at a random instant; False if the program ended before."""
        if not self._wait_for_work(program):
            return False
        before = snapshot(self.study, curves=False)
        victim = program.find(kind)
        if victim is None:
            return False
        tree = program.tree()
        try:
            victim.kill()
        except psutil.NoSuchProcess:
            return False
        self.kills[kind] += 1
        if kind != "worker":
            self._see_what_is_left(program, tree)
        self._compare(before)
        return True

    def _wait_for_work(self, program: Program) -> bool:
        """Until something is written, and then a random moment longer; every other time at the very write."""
        written = self._written()
        wait_until(
            lambda: program.has_ended or self._written() != written,
            START_LIMIT_S,
            f"{self.study.name}: the first news of a search",
        )
        time.sleep(self.rng.choice((0.003, 0.7)) * self.rng.random())
        return not program.has_ended

    def _written(self) -> tuple[float, int]:
        """Changes with every write to the database."""
        try:
            status = (self.study / f"{DATABASE_FILE}-wal").stat()
        except FileNotFoundError:
            return 0.0, 0
        return status.st_mtime_ns, status.st_size

    def _see_what_is_left(self, program: Program, tree: list[psutil.Process]) -> None:
        """All other processes must end by themselves, and the study be free again."""
        program.process.wait(END_LIMIT_S)
        stayed = left_alive(tree, END_LIMIT_S)
        self.damage.add("stuck", len(stayed), f"{self.study.name}: processes that stayed: {stayed}")
        self._clear_away(stayed)
        if is_in_use(self.study):
            self.damage.add("stuck", 1, f"{self.study.name}: still locked after all processes had ended")

    def _clear_away(self, processes: list[psutil.Process]) -> None:
        for process in processes:
            if process.is_running():
                process.kill()

    def _compare(self, before: Snapshot) -> None:
        compare_with_before(before, snapshot(self.study, curves=False), self.damage, self.study.name)

    def _is_done(self) -> bool:
        finished = [trial for trial in snapshot(self.study, curves=False).trials.values() if trial.state.is_finished]
        return len(finished) >= TRIALS
