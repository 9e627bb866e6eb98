"""Which candidate to try: how promising each is, and a local search from many starts for the most promising."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.special import erfcx, log_ndtr

from tunerstudio.algorithms.encoding import Array, Encoder

Utility = Callable[[Array], Array]
"""Feature rows -> how promising each is; greater is better."""

Allowed = Callable[[Array], bool]
"""Position row -> whether it may be tried."""

_HALF_LOG_TWO_PI: Final = 0.5 * float(np.log(2 * np.pi))
_FAR: Final = -25.0
_SCALES: Final = (0.3, 0.1, 0.03, 0.01)
"""Steps on a continuous range, as parts of it."""


def log_expected_improvement(mean: Array, deviation: Array, best: float) -> Array:
    """Logarithm of the expected improvement below `best`, exact also where it is tiny."""
    z = (best - mean) / deviation
    tail = np.clip(z, _FAR, -1.0)
    near = np.maximum(z, -1.0)
    density = np.exp(-0.5 * near * near - _HALF_LOG_TWO_PI)
    close = np.log(density + near * np.exp(log_ndtr(near)))
    middle = -0.5 * tail * tail - _HALF_LOG_TWO_PI + np.log1p(tail * np.sqrt(np.pi / 2) * erfcx(-tail / np.sqrt(2)))
    far = -0.5 * z * z - _HALF_LOG_TWO_PI - 2.0 * np.log(np.maximum(-z, 1.0))
    result: Array = np.log(deviation) + np.where(z > -1.0, close, np.where(z > _FAR, middle, far))
    return result


class CandidateSearch:
    """Looks for the untried position of greatest utility.

    Args:
        encoder: Of the space.
        tried: Position rows that are taken.
        rng: Random numbers.
        candidates: How many random positions to begin with.
        allowed: What the study's constraints say; None: there are none.
    """

    def __init__(
        self,
        encoder: Encoder,
        tried: Array,
        rng: np.random.Generator,
        candidates: int,
        allowed: Allowed | None = None,
    ) -> None:
        self._allowed = allowed
        self._encoder = encoder
        self._rng = rng
        self._candidates = candidates
        self._taken = set(_keys(tried))

    def best(self, utility: Utility, near: Array, starts: int = 6, rounds: int = 10) -> tuple[Array, float] | None:
        """The best position found and its utility; None if every candidate is taken or forbidden.

        Args:
            utility: To be maximised.
            near: Promising positions, such as the best trials, whose surroundings are candidates too.
            starts: How many candidates are improved.
            rounds: How often, at most.
        """
        rows = np.vstack([self._encoder.draw(self._candidates, self._rng), self.neighbours(near)])
        scores = self._utilities(rows, utility)
        order = self._first_allowed(rows, scores, starts)
        if not len(order):
            return None
        rows, scores = rows[order], scores[order]
        climbing = np.arange(len(rows))
        for _ in range(rounds):
            climbing = climbing[self._improve(rows, scores, climbing, utility)]
            if not len(climbing):
                break
        top = int(np.argmax(scores))
        return rows[top], float(scores[top])

    def neighbours(self, rows: Array) -> Array:
        """Positions that differ from one of `rows` in one hyperparameter (and those that depend on it)."""
        return self._neighbours(rows)[0]

    def _improve(self, rows: Array, scores: Array, climbing: Array, utility: Utility) -> list[bool]:
        """Move each of the rows `climbing` (indices) to its best neighbour if that is better; whether it moved."""
        around, origin = self._neighbours(rows[climbing])
        rated = self._utilities(around, utility)
        moved = []
        for place, index in enumerate(climbing):
            better = np.flatnonzero((origin == place) & (rated > scores[index] + 1e-9))
            best = self._first_allowed(around[better], rated[better], 1)
            moved.append(bool(best))
            for top in best:
                rows[index], scores[index] = around[better[top]], rated[better[top]]
        return moved

    def _first_allowed(self, rows: Array, scores: Array, count: int) -> list[int]:
        """Indices of the best rows that are free and allowed, best first; constraints are asked as seldom as can be."""
        found: list[int] = []
        for index in np.argsort(-scores, kind="stable"):
            if len(found) == count or scores[index] == -np.inf:
                break
            if self._allowed is None or self._allowed(rows[index]):
                found.append(int(index))
        return found

    def _utilities(self, rows: Array, utility: Utility) -> Array:
        """Utilities, minus infinity for what is taken."""
        scores = utility(self._encoder.features(rows))
        scores[[key in self._taken for key in _keys(rows)]] = -np.inf
        return scores

    def _neighbours(self, rows: Array) -> tuple[Array, Array]:
        pieces, origins = [], []
        for index, axis in enumerate(self._encoder.axes):
            active = np.flatnonzero(~np.isnan(rows[:, index]))
            for moved in self._moves(rows[active, index], len(axis.values), axis.ordered):
                piece = rows[active].copy()
                piece[:, index] = moved
                changed = moved != rows[active, index]
                pieces.append(piece[changed])
                origins.append(active[changed])
        if not pieces:
            return rows[:0], np.zeros(0, dtype=int)
        return self._encoder.settle(np.vstack(pieces), self._rng), np.concatenate(origins)

    def _moves(self, column: Array, listed: int, ordered: bool) -> list[Array]:
        if not listed:
            steps = [self._rng.normal(0.0, scale, len(column)) for scale in _SCALES for _ in range(2)]
            return [np.clip(column + step, 0.0, 1.0) for step in steps]
        if ordered:
            near = [np.clip(column + step, 0, listed - 1) for step in (-1, 1)]
            return near if listed <= 3 else [*near, self._rng.integers(listed, size=len(column)).astype(float)]
        if listed <= 8:
            return [(column + step) % listed for step in range(1, listed)]
        return [self._rng.integers(listed, size=len(column)).astype(float) for _ in range(6)]


def _keys(rows: Array) -> list[bytes]:
    """One hashable thing per row, the same for equal rows."""
    return [row.tobytes() for row in np.nan_to_num(rows, nan=-1.0)]
