"""NSGA-II (Deb et al. 2002) in its steady-state form: each child may replace a parent at once.

A pure function of the history: the population are the best trials so far, by Pareto rank, then by crowding.
"""

from __future__ import annotations

import numpy as np

from tunerstudio.algorithms.api import (
    Finished,
    History,
    Options,
    Proposal,
    SearchSpace,
    Trial,
    child_values,
    crowding,
    pareto_ranks,
    untried_values,
)

Array = np.ndarray


def propose(space: SearchSpace, history: History, rng: np.random.Generator, options: Options) -> Proposal | Finished:
    """A random trial while the population grows, then a child of two parents that won a contest each."""
    size = int(str(options["population"]))
    trials, losses = history.vectors()
    if len(trials) < min(size, max(history.max_trials // 4, 2)):
        values = untried_values(space, history, rng)
        if values is None:
            return Finished("all configurations have been tried")
        return Proposal(values, "Drawn at random for the first population")
    population, order = _population(trials, losses, size)
    mother, father = (population[_winner(order, rng)] for _ in range(2))
    values = child_values(
        space,
        mother.values,
        father.values,
        rng,
        crossover=float(str(options["crossover"])),
        mutations=float(str(options["mutations"])),
        step=float(str(options["step"])),
    )
    return Proposal(values, f"Child of trials {mother.number} and {father.number}")


def _population(trials: list[Trial], losses: Array, size: int) -> tuple[list[Trial], Array]:
    """The best trials, and the place of each: smaller is fitter."""
    ranks = pareto_ranks(losses)
    distance = np.zeros(len(trials))
    for rank in range(int(ranks.max()) + 1):
        distance[ranks == rank] = crowding(losses[ranks == rank])
    chosen = np.lexsort((-distance, ranks))[:size]
    return [trials[index] for index in chosen], np.arange(len(chosen))


def _winner(order: Array, rng: np.random.Generator) -> int:
    """The fitter of two."""
    return int(min(rng.integers(len(order), size=2), key=lambda index: order[index]))
