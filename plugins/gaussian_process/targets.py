"""Scores as the model sees them: about standard normal, bad outliers pulled in, failures as bad as the worst."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


class Targets:
    """Losses (less is better) turned into targets.

    Args:
        losses: Of the completed trials.
        failures: How many failed trials follow them.

    Attributes:
        values: One target per completed trial, then one per failed one.
    """

    def __init__(self, losses: Array, failures: int) -> None:
        self._middle = float(np.median(losses))
        best = float(losses.min())
        # What is much worse than the median says nothing of where the best is, but would rule the scale.
        limit = self._middle + 2.0 * (self._middle - best)
        clipped = np.minimum(losses, limit) if limit > self._middle else losses
        self._shift = float(clipped.mean())
        self._spread = float(clipped.std()) or 1.0
        known = (clipped - self._shift) / self._spread
        self.values = np.concatenate([known, np.full(failures, known.max())])

    def score(self, target: float) -> float:
        """The loss that a target stands for."""
        return self._shift + self._spread * target
