"""The state of CMA-ES (Hansen 2016): a normal distribution that learns from ranked samples.

Unordered hyperparameters have no direction to learn: each keeps a chance per value that moves to those of the good
samples (as in CatCMA, Hamano et al. 2024).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

Array = np.ndarray

_LEAST_WIDTH: Final = 1e-4
_WIDEST: Final = 1.0
_SETTLED: Final = 2e-3
"""Below this standard deviation, on the unit range, all samples of a generation are the same in practice."""


class Strategy:
    """One run of CMA-ES on the unit cube.

    Args:
        start: First centre, one number in [0, 1] per ordered hyperparameter.
        width: First standard deviation.
        categories: Number of values of each unordered hyperparameter.
        population: Samples per generation.

    Attributes:
        population: Samples per generation.
        generation: How many generations have been learned from.
    """

    def __init__(self, start: Array, width: float, categories: Sequence[int], population: int) -> None:
        size = max(len(start), 1)
        self.population = population
        self.generation = 0
        self._mean = start.astype(float)
        self._width = width
        self._covariance = np.eye(len(start))
        self._path, self._width_path = np.zeros(len(start)), np.zeros(len(start))
        self._chances = [np.full(count, 1.0 / count) for count in categories]
        parents = population // 2
        weights = math.log((population + 1) / 2) - np.log(np.arange(1, parents + 1))
        self._weights = weights / weights.sum()
        mass = 1.0 / float(self._weights @ self._weights)
        self._mass = mass
        self._width_rate = (mass + 2) / (size + mass + 5)
        self._damping = 1 + 2 * max(0.0, math.sqrt((mass - 1) / (size + 1)) - 1) + self._width_rate
        self._path_rate = (4 + mass / size) / (size + 4 + 2 * mass / size)
        self._rank_one = 2 / ((size + 1.3) ** 2 + mass)
        self._rank_many = min(1 - self._rank_one, 2 * (mass - 2 + 1 / mass) / ((size + 2) ** 2 + mass))
        self._length = math.sqrt(size) * (1 - 1 / (4 * size) + 1 / (21 * size * size))
        # A value whose chance has become small must still come up now and then.
        self._least = [1.0 / (population * 2 * max(count - 1, 1)) for count in categories]
        self._chance_rate = min(1.0, mass / (2 * population * max(len(categories), 1) + mass))

    def sample(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """A point, reflected into the unit cube, and a value (its index) per unordered hyperparameter."""
        spread, axes = self._axes()
        point = self._mean + self._width * axes @ (spread * rng.standard_normal(len(self._mean)))
        values = [rng.choice(len(chances), p=chances) for chances in self._chances]
        return np.abs((point + 1) % 2 - 1), np.array(values, dtype=int)

    def learn(self, points: Array, values: Array) -> None:
        """Move to the better half of a generation.

        Args:
            points: One sample per row, best first, in [0, 1].
            values: The unordered values of the same samples.
        """
        parents = len(self._weights)
        self.generation += 1
        for index, chances in enumerate(self._chances):
            good = np.bincount(values[:parents, index], weights=self._weights, minlength=len(chances))
            moved = np.maximum(chances + self._chance_rate * (good - chances), self._least[index])
            self._chances[index] = moved / moved.sum()
        if len(self._mean):
            self._learn_shape((points[:parents] - self._mean) / self._width)

    @property
    def width(self) -> float:
        """Standard deviation, over all directions, as a part of the range."""
        return self._width * math.sqrt(float(np.trace(self._covariance)) / max(len(self._mean), 1))

    @property
    def settled(self) -> bool:
        """Whether samples no longer differ."""
        spread, _ = self._axes()
        certain = all(chances.max() > 0.9 for chances in self._chances)
        return certain and self._width * float(spread.max(initial=0.0)) < _SETTLED

    def _learn_shape(self, steps: Array) -> None:
        """Centre, paths, covariance and width; `steps` in units of the width."""
        step = self._weights @ steps
        spread, axes = self._axes()
        whitened = axes @ ((axes.T @ step) / spread)
        keep = 1 - self._width_rate
        self._width_path = keep * self._width_path + math.sqrt(self._width_rate * (1 + keep) * self._mass) * whitened
        length = float(np.linalg.norm(self._width_path))
        expected = math.sqrt(1 - keep ** (2 * self.generation)) * self._length
        steady = length < (1.4 + 2 / (len(step) + 1)) * expected
        keep = 1 - self._path_rate
        self._path *= keep
        if steady:
            self._path += math.sqrt(self._path_rate * (1 + keep) * self._mass) * step
        lost = 0.0 if steady else self._rank_one * self._path_rate * (2 - self._path_rate)
        self._covariance *= 1 + lost - self._rank_one - self._rank_many
        self._covariance += self._rank_one * np.outer(self._path, self._path)
        self._covariance += self._rank_many * (steps.T * self._weights) @ steps
        self._mean = np.clip(self._mean + self._width * step, 0.0, 1.0)
        factor = math.exp(min(self._width_rate / self._damping * (length / self._length - 1), 1.0))
        self._width = min(max(self._width * factor, _LEAST_WIDTH), _WIDEST)

    def _axes(self) -> tuple[Array, Array]:
        """Standard deviations and directions of the covariance."""
        values, axes = np.linalg.eigh((self._covariance + self._covariance.T) / 2)
        return np.sqrt(np.maximum(values, 1e-12)), axes
