"""A density over configurations: a bump at every observation, and an even one for all that was not observed."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import logsumexp, ndtr

from tunerstudio.algorithms.encoding import Array, Axis, Encoder

_WIDTH: Final = 0.2
_LEAST_WIDTH: Final = 0.02


class Parzen:
    """A mixture with one component per observation and an even one.

    Args:
        encoder: Of the space.
        positions: Observations, one row each.
        prior_weight: Of the even component, in observations.
        together: Whether a component spans all hyperparameters; else each is a mixture of its own.
        weights: Of the observations; None: 1 each.
    """

    def __init__(
        self, encoder: Encoder, positions: Array, prior_weight: float, together: bool, weights: Array | None = None
    ) -> None:
        self._axes = encoder.axes
        self._positions = positions
        self._together = together
        count = len(positions)
        all_weights = np.append(np.ones(count) if weights is None else weights, prior_weight)
        self._weights = all_weights / all_weights.sum()
        spread = len(self._axes) if together else 1
        self._width = max(_WIDTH * max(count, 1) ** (-1.0 / (spread + 4)), _LEAST_WIDTH)
        self._even = prior_weight / (prior_weight + count)

    def draw(self, count: int, rng: np.random.Generator) -> Array:
        """Positions drawn from the density; inactive ones as they come from a component."""
        rows = np.empty((count, len(self._axes)))
        component = rng.choice(len(self._weights), size=count, p=self._weights)
        for index, axis in enumerate(self._axes):
            if not self._together:
                component = rng.choice(len(self._weights), size=count, p=self._weights)
            centres = np.append(self._positions[:, index], np.nan)[component]
            rows[:, index] = self._draw_axis(axis, centres, rng)
        return rows

    def log_density(self, rows: Array) -> Array:
        """Logarithm of the density at each row."""
        log_weights = np.log(self._weights)
        kernels = [
            self._log_kernel(axis, rows[:, index], self._positions[:, index]) for index, axis in enumerate(self._axes)
        ]
        if self._together:
            joint: Array = logsumexp(np.sum(kernels, axis=0) + log_weights, axis=1)
            return joint
        alone: Array = np.sum([logsumexp(kernel + log_weights, axis=1) for kernel in kernels], axis=0)
        return alone

    def _draw_axis(self, axis: Axis, centres: Array, rng: np.random.Generator) -> Array:
        """A value near each centre; anywhere where the centre is NaN."""
        count = len(centres)
        anywhere = np.isnan(centres)
        if not axis.listed:
            drawn = _reflect(np.where(anywhere, 0.0, centres) + rng.normal(0.0, self._width, count))
            return np.where(anywhere, rng.random(count), drawn)
        table = np.cumsum(self._chances(axis), axis=1)
        rows = np.where(anywhere, 0, centres).astype(int)
        drawn = (table[rows] < rng.random(count)[:, None]).sum(axis=1)
        even = rng.integers(len(axis.values), size=count)
        return np.where(anywhere, even, np.minimum(drawn, len(axis.values) - 1)).astype(float)

    def _log_kernel(self, axis: Axis, at: Array, centres: Array) -> Array:
        """Log density at each of `at` of the bump at each of `centres`, the even one last: (len(at), components)."""
        inactive = np.isnan(at)
        unknown = np.isnan(centres)
        place, centre = np.where(inactive, 0.0, at), np.where(unknown, 0.0, centres)
        if axis.listed:
            even = 1.0 / len(axis.values)
            kernel = self._chances(axis)[centre.astype(int)][:, place.astype(int)].T
        else:
            even = 1.0
            kernel = self._bump(place[:, None], centre[None, :])
        kernel = np.where(unknown[None, :], even, kernel)
        kernel = np.hstack([kernel, np.full((len(at), 1), even)])
        result: Array = np.where(inactive[:, None], 0.0, np.log(kernel))
        return result

    def _bump(self, place: Array, centre: Array) -> Array:
        """Normal density of `_width`, reflected at 0 and 1, on a little even ground."""
        images = (centre, -centre, 2.0 - centre)
        density = sum(np.exp(-0.5 * ((place - image) / self._width) ** 2) for image in images)
        scaled: Array = 0.99 * density / (self._width * np.sqrt(2 * np.pi)) + 0.01
        return scaled

    def _chances(self, axis: Axis) -> Array:
        """Chance of each value (columns) if the centre is at each value (rows)."""
        count = len(axis.values)
        if not axis.ordered:
            spread = min(1.0, self._even * count)
            return (1.0 - spread) * np.eye(count) + spread / count
        edges = np.concatenate([[-np.inf], (axis.places[:-1] + axis.places[1:]) / 2, [np.inf]])
        width = max(self._width, 0.5 / count)
        chances = np.diff(ndtr((edges[None, :] - axis.places[:, None]) / width), axis=1)
        mixed: Array = 0.99 * chances / chances.sum(axis=1, keepdims=True) + 0.01 / count
        return mixed


def _reflect(places: Array) -> Array:
    reflected: Array = np.abs((places + 1) % 2 - 1)
    return reflected
