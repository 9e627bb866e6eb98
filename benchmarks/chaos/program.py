"""The program under attack: the command line or the window, with its engine and its workers as processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

Kind = Literal["window", "engine", "worker"]

_ROOT = Path(__file__).resolve().parents[2]
_PAUSE_S = 0.005


class TooSlowError(Exception):
    """Something that must come did not come in time."""


@dataclass
class Program:
    """One start of the program on a study.

    Attributes:
        process: The process that was started: the window, or the command line with the engine in it.
        has_window: Whether it is the window.
    """

    process: subprocess.Popen[bytes]
    has_window: bool

    @classmethod
    def start(cls, study: Path, home: Path, window: bool) -> Program:
        """Start a search on `study` that ends by itself."""
        module = ["benchmarks.chaos.window", str(study)] if window else ["tunerstudio", "run", str(study), "--json"]
        environment = {**os.environ, "TUNERSTUDIO_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"}
        with (home / "output.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *module], cwd=_ROOT, env=environment, stdout=log, stderr=log
            )
        return cls(process, window)

    @property
    def has_ended(self) -> bool:
        """Whether the started process is gone."""
        return self.process.poll() is not None

    def tree(self) -> list[psutil.Process]:
        """The started process and all that descend from it."""
        try:
            root = psutil.Process(self.process.pid)
            return [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def find(self, kind: Kind) -> psutil.Process | None:
        """A living process of this kind; None if there is none at this moment."""
        tree = self.tree()
        if not tree:
            return None
        if kind == "window" or (kind == "engine" and not self.has_window):
            return tree[0]
        if kind == "engine":
            return next((process for process in tree[1:] if "tunerstudio.engine" in _words(process)), None)
        return next((process for process in tree[1:] if _is_worker(process)), None)


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _is_worker(process: psutil.Process) -> bool:
    """Workers are forks of the fork server, which is a fork of nothing like it."""
    try:
        parent = process.parent()
        return _is_fork_server(process) and parent is not None and _is_fork_server(parent)
    except psutil.Error:
        return False


def _is_fork_server(process: psutil.Process) -> bool:
    return any("multiprocessing.forkserver" in word for word in _words(process))


def wait_until(condition: Callable[[], bool], limit_s: float, what: str) -> None:
    """Wait for `condition`, asked again every few milliseconds; TooSlowError after `limit_s`."""
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            raise TooSlowError(f"{what} took more than {limit_s:g} s")
        time.sleep(_PAUSE_S)


def left_alive(processes: list[psutil.Process], limit_s: float) -> list[psutil.Process]:
    """Those of `processes` that still live after `limit_s` seconds."""
    _, alive = psutil.wait_procs(processes, timeout=limit_s)
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
