"""NSGA-III (Deb and Jain 2014) in its steady-state form: fronts first, then niches along reference directions.

A pure function of the history: the population are the trials that survive the selection among all completed ones.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from tunerstudio.algorithms.api import Finished, History, Options, Proposal, SearchSpace, pareto_ranks
from tunerstudio.algorithms.breeding import propose_child

Array = np.ndarray


def propose(space: SearchSpace, history: History, rng: np.random.Generator, options: Options) -> Proposal | Finished:
    """A random trial while the population grows, then a child of two survivors."""
    wanted = options["divisions"]

    def parents(losses: Array, size: int) -> tuple[int, int]:
        divisions = wanted if isinstance(wanted, int) else usual_divisions(losses.shape[1], size)
        survivors = select(losses, size, reference_directions(losses.shape[1], divisions))
        mother, father = (int(survivors[int(place)]) for place in rng.integers(len(survivors), size=2))
        return mother, father

    return propose_child(space, history, rng, options, parents)


def usual_divisions(objectives: int, size: int) -> int:
    """The finest division that gives no more directions than there are parents; at least 1."""
    divisions = 1
    while objectives > 1 and math.comb(divisions + objectives, objectives - 1) <= size:
        divisions += 1
    return divisions


def reference_directions(objectives: int, divisions: int) -> Array:
    """Points of a regular grid on the plane where all objectives sum to 1 (Das and Dennis 1998)."""
    rows = [
        np.diff([-1, *bars, divisions + objectives - 1]) - 1
        for bars in itertools.combinations(range(divisions + objectives - 1), objectives - 1)
    ]
    return np.array(rows, dtype=np.float64) / divisions


def select(losses: Array, size: int, directions: Array) -> Array:
    """Indices of the survivors: whole fronts as long as they fit, of the next one those in the emptiest niches."""
    ranks = pareto_ranks(losses)
    order = np.argsort(ranks, kind="stable")
    if len(order) <= size:
        return order
    last = ranks[order[size - 1]]
    kept = list(np.flatnonzero(ranks < last))
    candidates = list(np.flatnonzero(ranks == last))
    niche, distance = _niches(_normalised(losses, ranks), directions)
    counts = np.bincount(niche[kept], minlength=len(directions)) if kept else np.zeros(len(directions), dtype=int)
    while len(kept) < size:
        # The nearest candidate of the niche that has fewest; ties by distance, then by age.
        best = min(candidates, key=lambda index: (counts[niche[index]], distance[index], index))
        candidates.remove(best)
        kept.append(best)
        counts[niche[best]] += 1
    return np.array(kept)


def _normalised(losses: Array, ranks: Array) -> Array:
    """Losses from the ideal point (0) to the worst of the first front (1); a flat objective stays 0."""
    front = losses[ranks == 0]
    low, high = losses.min(axis=0), front.max(axis=0)
    scaled: Array = (losses - low) / np.where(high > low, high - low, 1.0)
    return scaled


def _niches(points: Array, directions: Array) -> tuple[Array, Array]:
    """The nearest direction of each point and its perpendicular distance."""
    units = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    along = points @ units.T
    distances = np.sqrt(np.maximum((points**2).sum(axis=1, keepdims=True) - along**2, 0.0))
    niche = distances.argmin(axis=1)
    return niche, distances[np.arange(len(points)), niche]
