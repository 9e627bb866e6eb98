"""What a trial may use: memory, time, and time without progress."""

from __future__ import annotations

import time

from tunerstudio.engine.crew import resident_bytes
from tunerstudio.engine.slots import Slot
from tunerstudio.study.search import TrialLimits

LOOK_INTERVAL_S = 0.5
"""Memory of workers is looked up no more often than this: a trial that takes all of it takes some seconds for it."""


class LimitWatch:
    """Tells which trials have gone beyond the limits of the study."""

    def __init__(self, limits: TrialLimits) -> None:
        """Watch `limits`, which may be replaced."""
        self.limits = limits
        self._looked_at = 0.0

    def broken(self, busy: list[Slot]) -> list[tuple[Slot, str]]:
        """The slots whose trial must be ended, each with the reason in a sentence."""
        now = time.monotonic()
        look = self.limits.memory_gb is not None and now - self._looked_at >= LOOK_INTERVAL_S
        if look:
            self._looked_at = now
        found = [(slot, self._reason(slot, now, look)) for slot in busy]
        return [(slot, reason) for slot, reason in found if reason is not None]

    def _reason(self, slot: Slot, now: float, look: bool) -> str | None:
        job, limits = slot.job, self.limits
        assert job is not None
        if limits.memory_gb is not None:
            # Looked up from outside as well: a worker that is busy taking memory may not come to say so.
            memory = max(job.rss_bytes, (resident_bytes(slot.worker) or 0) if look else 0)
            if memory > limits.memory_gb * 1e9:
                return f"it used more than {limits.memory_gb:g} GB of memory ({memory / 1e9:.3g} GB)"
        if limits.time_limit_s is not None and now - job.began > limits.time_limit_s:
            return f"it took longer than {limits.time_limit_s:g} s"
        if limits.no_progress_s is not None and now - job.progressed_at > limits.no_progress_s:
            return f"it made no progress for {limits.no_progress_s:g} s"
        return None
