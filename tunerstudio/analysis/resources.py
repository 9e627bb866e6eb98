"""What workers used over time, as arrays for plots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tunerstudio.study.trials import ResourceUse

GAP_S = 30.0
"""A longer pause between two samples breaks the line: nothing was measured there."""

ENGINE = 0
"""Number that the engine itself has among the workers."""


@dataclass(frozen=True)
class WorkerUse:
    """What one worker used.

    Attributes:
        worker: Its number; `ENGINE`: the engine.
        at: Seconds since the epoch (float64), growing; NaN values below mark gaps.
        cpu_percent: 100: one core busy (float64).
        memory_bytes: Resident memory (float64).
        gpu_percent: NaN without a GPU (float64).
        gpu_bytes: NaN without a GPU (float64).
    """

    worker: int
    at: np.ndarray
    cpu_percent: np.ndarray
    memory_bytes: np.ndarray
    gpu_percent: np.ndarray
    gpu_bytes: np.ndarray

    @property
    def has_gpu(self) -> bool:
        """Whether a GPU was seen."""
        return bool(np.isfinite(self.gpu_percent).any() or np.isfinite(self.gpu_bytes).any())


def worker_use(samples: Sequence[ResourceUse]) -> list[WorkerUse]:
    """One item per worker, by number; `samples` oldest first."""
    by_worker: dict[int, list[ResourceUse]] = {}
    for sample in samples:
        by_worker.setdefault(sample.worker, []).append(sample)
    return [_use(worker, by_worker[worker]) for worker in sorted(by_worker)]


def _use(worker: int, samples: Sequence[ResourceUse]) -> WorkerUse:
    at = np.array([sample.at for sample in samples], dtype=np.float64)
    gaps = np.flatnonzero(np.diff(at) > GAP_S) + 1

    def column(values: list[float | int | None]) -> np.ndarray:
        plain = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        return np.insert(plain, gaps, np.nan)

    return WorkerUse(
        worker,
        np.insert(at, gaps, at[gaps - 1] if gaps.size else []),
        column([sample.cpu_percent for sample in samples]),
        column([sample.rss_bytes for sample in samples]),
        column([sample.gpu_percent for sample in samples]),
        column([sample.gpu_bytes for sample in samples]),
    )


def last_stretch(at: np.ndarray, gap_s: float = 600.0) -> float | None:
    """Start of the last stretch of samples without a pause longer than `gap_s`; None without samples."""
    if not at.size:
        return None
    pauses = np.flatnonzero(np.diff(at) > gap_s)
    return float(at[pauses[-1] + 1] if pauses.size else at[0])
