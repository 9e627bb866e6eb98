"""Random search: every configuration is drawn uniformly on the sampling scale of each hyperparameter."""

from __future__ import annotations

import numpy as np

from tunerstudio.algorithms.api import Finished, History, Options, Proposal, SearchSpace, untried_values


def propose(space: SearchSpace, history: History, rng: np.random.Generator, options: Options) -> Proposal | Finished:
    """A random configuration; the defaults for the first trial if the option asks for it."""
    if options["start_with_defaults"] and not history.trials:
        return Proposal(space.defaults(), "The defaults of all hyperparameters")
    values = untried_values(space, history, rng)
    return Finished("all configurations have been tried") if values is None else Proposal(values, "Drawn at random")
