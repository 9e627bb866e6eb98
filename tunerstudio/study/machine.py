"""What this machine can do side by side."""

from __future__ import annotations

import os

import psutil

from tunerstudio.study.search import Search

MOST_AUTOMATIC = 8
"""More workers only if the user asks for them."""

GB_PER_WORKER = 1.5
"""A worker with TensorFlow and a small network takes 0.5 GB; window, engine and other programs want some too."""


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def workers_for(search: Search, gpus: int = 0) -> int:
    """How many trials to train side by side: the study's number, or one per GPU, or what the cores carry.

    Small networks gain nothing from a second thread: up to four cores one worker each, then one per two cores, so that
    algorithms that learn from finished trials do not wait for too many at once.
    """
    if isinstance(search.workers, int):
        return search.workers
    if gpus:
        return gpus
    cores = usable_cores()
    return min(max(cores // 2, min(cores, 4)), MOST_AUTOMATIC, max(1, int(_memory_gb() / GB_PER_WORKER)))


def _memory_gb() -> float:
    return psutil.virtual_memory().total / 2**30
