"""Random search: every configuration is drawn uniformly on the sampling scale of each hyperparameter."""

from __future__ import annotations

import numpy as np

from tunerstudio.algorithms.api import History, Options, Proposal, SearchSpace, random_values


def propose(space: SearchSpace, history: History, rng: np.random.Generator, options: Options) -> Proposal:
    """A random configuration; the defaults for the first trial if the option asks for it."""
    if options["start_with_defaults"] and not history.trials:
        return Proposal(space.defaults(), "The defaults of all hyperparameters")
    return Proposal(random_values(space, rng), "Drawn at random")
