"""Which of several loss vectors are dominated, and how crowded they are: the arithmetic of several objectives."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def pareto_ranks(losses: Array) -> Array:
    """0 for rows that no other row dominates, 1 for those that only rows of rank 0 dominate, and so on (int64).

    A row dominates another if it is nowhere greater and somewhere less. Rows that are equal share a rank.

    Args:
        losses: Shape (rows, objectives), finite; less is better.
    """
    ranks = np.full(len(losses), -1, dtype=np.int64)
    left = np.arange(len(losses))
    rank = 0
    while len(left):
        front = _nondominated(losses[left])
        ranks[left[front]] = rank
        left = left[~front]
        rank += 1
    return ranks


def _nondominated(losses: Array) -> Array:
    """Which rows no other row dominates (bool); O(rows × front)."""
    alive = np.ones(len(losses), dtype=bool)
    for index in np.lexsort(losses.T[::-1]):  # a row is dominated only by rows before it in this order
        if alive[index]:
            worse = (losses >= losses[index]).all(axis=1) & (losses > losses[index]).any(axis=1)
            alive &= ~worse
    return alive


def crowding(losses: Array) -> Array:
    """Crowding distance of each row of one front (Deb et al. 2002); infinite at the ends, float64."""
    count, objectives = losses.shape
    distance = np.zeros(count)
    for column in range(objectives):
        order = np.argsort(losses[:, column], kind="stable")
        values = losses[order, column]
        span = values[-1] - values[0] if count else 0.0
        if span > 0:
            distance[order[1:-1]] += (values[2:] - values[:-2]) / span
            distance[order[[0, -1]]] = np.inf
    return distance


def hypervolume(losses: Array, reference: Array) -> float:
    """Volume that the rows dominate below `reference`; for comparing searches. Exact, for a few objectives and rows."""
    inside = losses[(losses < reference).all(axis=1)]
    if not len(inside):
        return 0.0
    if losses.shape[1] == 1:
        return float(reference[0] - inside[:, 0].min())
    order = np.argsort(inside[:, -1], kind="stable")
    inside = inside[order]
    heights = np.append(inside[1:, -1], reference[-1]) - inside[:, -1]
    return sum(
        hypervolume(inside[: index + 1, :-1], reference[:-1]) * float(height)
        for index, height in enumerate(heights)
        if height > 0
    )
