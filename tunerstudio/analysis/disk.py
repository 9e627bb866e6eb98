"""How many bytes a study takes on the disk, and for what."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

_PARTS = {"trials": "trials", "models": "models", "cache": "cache"}


@dataclass(frozen=True)
class DiskUse:
    """Bytes of the files in a study's folder.

    Attributes:
        trials: Weights and checkpoints of trials.
        models: Saved models with their cards.
        cache: Prepared data, made again when they are gone.
        rest: The history, the document and whatever else lies there.
        free: Still free on that disk.
    """

    trials: int
    models: int
    cache: int
    rest: int
    free: int

    @property
    def total(self) -> int:
        """All of the study."""
        return self.trials + self.models + self.cache + self.rest


def disk_use(folder: Path) -> DiskUse:
    """Count the files of the study in `folder`; what vanishes while it counts is not there.

    Raises:
        OSError: If the folder itself cannot be read.
    """
    sizes = dict.fromkeys(("trials", "models", "cache", "rest"), 0)
    with os.scandir(folder) as entries:
        for entry in entries:
            sizes[_PARTS.get(entry.name, "rest")] += _size(entry)
    return DiskUse(**sizes, free=shutil.disk_usage(folder).free)


def _size(entry: os.DirEntry[str]) -> int:
    try:
        if not entry.is_dir(follow_symlinks=False):
            return entry.stat(follow_symlinks=False).st_size
        with os.scandir(entry.path) as inner:
            return sum(_size(item) for item in inner)
    except OSError:
        return 0  # gone meanwhile, or not ours to read
