"""Optuna's GPSampler behind the host of this program."""

from __future__ import annotations

import numpy as np
import torch  # noqa: F401 - Optuna imports it at the first proposal, when the host has counted the threads to hold back
from optuna.samplers import GPSampler

from tunerstudio.algorithms.api import Finished, History, Options, Proposal, SearchSpace
from tunerstudio.algorithms.optuna_space import OptunaSpace
from tunerstudio.algorithms.optuna_study import Teller, ask, new_study, only_configuration, seed_from, without_warnings


def propose(space: SearchSpace, history: History, rng: np.random.Generator, options: Options) -> Proposal | Finished:
    """What Optuna's Gaussian process suggests; an inactive hyperparameter counts as in the middle of its range."""
    known = OptunaSpace(space)
    if not known.parameters:
        return only_configuration(space, history, rng)
    teller = Teller(known, history, "middle", punish=bool(options["punish_failures"]))
    start = int(str(options["n_startup_trials"]))
    with without_warnings():
        sampler = GPSampler(
            seed=seed_from(rng),
            n_startup_trials=start,
            deterministic_objective=bool(options["deterministic_objective"]),
        )
        values, _ = ask(new_study(sampler, history, teller.told()), known)
    if teller.finished < start:
        left = start - teller.finished
        return Proposal(values, f"Drawn at random; {left} more to end before Optuna's Gaussian process begins")
    return Proposal(values, f"Optuna's Gaussian process, from {teller.finished} trials")
