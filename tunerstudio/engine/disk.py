"""Space on the disk of a study: noticed before it is used up."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import psutil

LOOK_INTERVAL_S = 5.0

LEAST_FREE_BYTES = 200_000_000
LEAST_FREE_SHARE = 0.02
"""A search pauses below 200 MB, or 2 % of a disk that is smaller than 10 GB."""

FULL = os.strerror(errno.ENOSPC)
"""What the system calls a full disk: in the message of a trial whose worker could not write."""


class DiskWatch:
    """Looks at the free space of the disk that a study lies on."""

    def __init__(self, folder: Path) -> None:
        """Of the study in `folder`."""
        self._folder = folder
        self._looked_at: float | None = None

    def trouble(self, at_once: bool = False) -> str | None:
        """A sentence if space is running out; looks every few seconds only, unless `at_once`."""
        now = time.monotonic()
        if not at_once and self._looked_at is not None and now - self._looked_at < LOOK_INTERVAL_S:
            return None
        self._looked_at = now
        try:
            usage = psutil.disk_usage(str(self._folder))
        except OSError:
            return None  # whoever writes next says what is wrong
        if usage.free >= min(LEAST_FREE_BYTES, LEAST_FREE_SHARE * usage.total):
            return None
        return (
            f"only {usage.free / 1e6:.0f} MB are free on the disk of {self._folder}: free some space, then resume. "
            "Nothing is lost"
        )


def says_disk_full(message: str) -> bool:
    """Whether a failure was caused by a full disk."""
    return FULL.lower() in message.lower() or "disk is full" in message.lower()
