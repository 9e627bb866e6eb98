"""Optuna's NSGAIIISampler behind the host of this program."""

from __future__ import annotations

import numpy as np
from optuna.samplers import NSGAIIISampler

from tunerstudio.algorithms.api import Finished, History, Options, Proposal, SearchSpace
from tunerstudio.algorithms.optuna_genetic import GenerationsInTags, propose_genetic


class _Sampler(GenerationsInTags, NSGAIIISampler):
    """Optuna's, with the generations that stand in the tags."""


def propose(space: SearchSpace, history: History, rng: np.random.Generator, options: Options) -> Proposal | Finished:
    """A random trial for the first generation, then a child of the parents that Optuna selects."""
    divisions = int(str(options["dividing_parameter"]))
    return propose_genetic(space, history, rng, options, _Sampler, dividing_parameter=divisions)
