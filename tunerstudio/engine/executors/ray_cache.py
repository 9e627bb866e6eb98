"""Prepared data on a node of a cluster: fetched once, by whichever worker needs it first."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import platformdirs

from tunerstudio.engine.executors.ray_files import write_files

KEPT_S = 14 * 24 * 3600.0
"""Data that no worker has used for so long are removed."""

LOCK_LIMIT_S = 3600.0
"""How long a worker waits for another one that fetches the same data."""


def node_cache() -> Path:
    """The folder for data on this node; `TUNERSTUDIO_NODE_CACHE` overrides the system's place."""
    override = os.environ.get("TUNERSTUDIO_NODE_CACHE")
    return Path(override or platformdirs.user_cache_dir("tunerstudio", appauthor=False)) / "cluster"


class DataCache:
    """Folders of prepared data by the hash of their content. Safe to use from several processes."""

    def __init__(self, root: Path) -> None:
        """Keep them in `root`."""
        self._root = root

    def folder(self, key: str) -> Path:
        """Where the data `key` are, or will be."""
        return self._root / key

    def has(self, key: str) -> bool:
        """Whether the data `key` are there; they then stay for a while."""
        folder = self.folder(key)
        if not folder.is_dir():
            return False
        os.utime(folder)
        return True

    def fetch(self, key: str, files: Callable[[], Mapping[str, Iterable[bytes]]]) -> bool:
        """See that the data `key` are there.

        Args:
            key: Of the data.
            files: Gives their content; only asked if nobody else has fetched them.

        Returns:
            Whether they had to be fetched.

        Raises:
            OSError: If they cannot be written, or another worker takes hours to do so.
        """
        # Comes with Ray; a program without it has no nodes.
        from filelock import FileLock

        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(self._root / f"{key}.lock", timeout=LOCK_LIMIT_S):
            if self.has(key):
                return False
            self._remove_unused()
            unfinished = self._root / f".{key}"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            write_files(unfinished, files())
            unfinished.rename(self.folder(key))
            return True

    def _remove_unused(self) -> None:
        for folder in self._root.iterdir():
            if folder.is_dir() and not folder.name.startswith(".") and time.time() - folder.stat().st_mtime > KEPT_S:
                shutil.rmtree(folder, ignore_errors=True)
