"""A command and all processes under it, looked at while they run: processor time and memory."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import dataclass

import psutil

_EVERY_S = 0.2


@dataclass(frozen=True)
class Sample:
    """One look.

    Attributes:
        at: Seconds since 1970.
        cpu_s: Processor time so far of the command and all processes under it, ended ones included.
        own_cpu_s: Processor time so far of the command's own process alone.
        own_mb: Memory of the command's own process in MB.
        largest_mb: Memory of the largest process under it in MB.
    """

    at: float
    cpu_s: float
    own_cpu_s: float
    own_mb: float
    largest_mb: float


class Watched:
    """What was seen of one command.

    Attributes:
        wall_s: How long it ran.
        samples: In order; one at least.
    """

    def __init__(self, command: list[str]) -> None:
        """Run `command` to its end; SystemExit if it fails."""
        self.samples: list[Sample] = []
        self._cpu_s: dict[int, float] = {}
        self._done = threading.Event()
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self._look(process.pid)
        watcher = threading.Thread(target=self._watch, args=(process.pid,), daemon=True)
        watcher.start()
        code = process.wait()
        self.wall_s = time.perf_counter() - began
        self._done.set()
        watcher.join()
        if code:
            sys.exit(f"{' '.join(command)} ended with {code}")

    @property
    def largest_mb(self) -> float:
        """Most memory of any process under the command."""
        return max(sample.largest_mb for sample in self.samples)

    def cpu_between(self, begin: float, end: float) -> float:
        """Processor time between two moments (seconds since 1970)."""
        return self.at(end).cpu_s - self.at(begin).cpu_s

    def at(self, moment: float) -> Sample:
        """The look nearest to a moment (seconds since 1970)."""
        return min(self.samples, key=lambda sample: abs(sample.at - moment))

    def _watch(self, pid: int) -> None:
        while not self._done.wait(_EVERY_S):
            self._look(pid)

    def _look(self, pid: int) -> None:
        try:
            own = psutil.Process(pid)
            held = []
            for process in (own, *own.children(recursive=True)):
                times = process.cpu_times()
                self._cpu_s[process.pid] = times.user + times.system
                held.append(process.memory_info().rss / 2**20)
        except psutil.NoSuchProcess:
            return  # one has ended in this moment
        self.samples.append(
            Sample(time.time(), sum(self._cpu_s.values()), self._cpu_s[pid], held[0], max(held[1:], default=0.0))
        )
