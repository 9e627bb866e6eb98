"""Where training failed: configurations nearer to a failed trial than to any that went well."""

from __future__ import annotations

from typing import Final

import numpy as np

from tunerstudio.algorithms.api import History
from tunerstudio.algorithms.encoding import Array, Encoder

_LATEST: Final = 500
"""So many trials of each kind are looked at, so that a proposal stays quick after thousands."""


class FailureMap:
    """Tells for any configuration whether its nearest finished trial failed.

    Args:
        encoder: Of the space.
        history: Trials with a score, and failed ones.
    """

    def __init__(self, encoder: Encoder, history: History) -> None:
        failed = history.failed()[-_LATEST:]
        scored = history.observed()[0][-_LATEST:] if failed else []
        self._encoder = encoder
        self._failed = _features(encoder, [trial.values for trial in failed])
        self._scored = _features(encoder, [trial.values for trial in scored])

    def is_likely(self, position: Array) -> bool:
        """Whether training at `position` is likely to fail; a draw counts as failing."""
        if not len(self._failed) or not len(self._scored):
            return False
        place = self._encoder.features(position[None, :])
        return bool(_distance(self._failed, place) <= _distance(self._scored, place))


def _features(encoder: Encoder, configurations: list[dict[str, bool | int | float | str]]) -> Array:
    return encoder.features(encoder.positions(configurations))


def _distance(rows: Array, place: Array) -> float:
    """Squared distance to the nearest of `rows`."""
    return float(np.square(rows - place).sum(axis=1).min())
