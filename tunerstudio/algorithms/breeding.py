"""What algorithms of several objectives have in common that breed trials from a population of the best ones so far.

They differ in who survives and who becomes a parent; see `propose_child`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tunerstudio.algorithms.api import (
    Finished,
    History,
    Options,
    Proposal,
    SearchSpace,
    child_values,
    untried_values,
)

Array = np.ndarray

Parents = Callable[[Array, int], tuple[int, int]]
"""(losses, one row per trial; size of the population) -> rows of mother and father."""


def propose_child(
    space: SearchSpace, history: History, rng: np.random.Generator, options: Options, parents: Parents
) -> Proposal | Finished:
    """A random trial while the population grows, then a child of two trials.

    Args:
        space: What may vary.
        history: Its completed trials with a value for every objective are those that may survive.
        rng: Of the proposal.
        options: With `population`, `crossover`, `mutations` and `step`; see `child_values`.
        parents: Chooses them.
    """
    size = int(str(options["population"]))
    trials, losses = history.vectors()
    if len(trials) < min(size, max(history.max_trials // 4, 2)):
        values = untried_values(space, history, rng)
        if values is None:
            return Finished("all configurations have been tried")
        return Proposal(values, "Drawn at random for the first population")
    mother, father = (trials[index] for index in parents(losses, size))
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
