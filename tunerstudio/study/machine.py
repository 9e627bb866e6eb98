"""What this machine can do side by side."""

from __future__ import annotations

import os

from tunerstudio.study.search import Search


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def workers_for(search: Search, gpus: int = 0) -> int:
    """How many trials to train side by side: the study's number, or one per GPU, or one per two cores."""
    if isinstance(search.workers, int):
        return search.workers
    return max(gpus, 1) if gpus else max(1, min(usable_cores() // 2, 8))
