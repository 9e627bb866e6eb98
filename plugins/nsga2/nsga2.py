"""NSGA-II (Deb et al. 2002) in its steady-state form: each child may replace a parent at once.

A pure function of the history: the population are the best trials so far, by Pareto rank, then by crowding.
"""

from __future__ import annotations

import numpy as np

from tunerstudio.algorithms.api import Finished, History, Options, Proposal, SearchSpace, crowding, pareto_ranks
from tunerstudio.algorithms.breeding import propose_child

Array = np.ndarray


def propose(space: SearchSpace, history: History, rng: np.random.Generator, options: Options) -> Proposal | Finished:
    """A random trial while the population grows, then a child of two parents that won a contest each."""

    def parents(losses: Array, size: int) -> tuple[int, int]:
        fittest = _fittest(losses)[:size]
        return int(fittest[_winner(len(fittest), rng)]), int(fittest[_winner(len(fittest), rng)])

    return propose_child(space, history, rng, options, parents)


def _fittest(losses: Array) -> Array:
    """Rows of the trials, the fittest first."""
    ranks = pareto_ranks(losses)
    distance = np.zeros(len(losses))
    for rank in range(int(ranks.max()) + 1):
        distance[ranks == rank] = crowding(losses[ranks == rank])
    return np.lexsort((-distance, ranks))


def _winner(count: int, rng: np.random.Generator) -> int:
    """The fitter of two, as their place among the fittest."""
    return int(rng.integers(count, size=2).min())
