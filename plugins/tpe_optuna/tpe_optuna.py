"""Optuna's TPESampler behind the host of this program."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from optuna.samplers import TPESampler

from tunerstudio.algorithms.api import Finished, History, Options, Proposal, SearchSpace
from tunerstudio.algorithms.encoding import Encoder
from tunerstudio.algorithms.failures import FailureMap
from tunerstudio.algorithms.optuna_space import OptunaSpace
from tunerstudio.algorithms.optuna_study import Teller, ask, new_study, only_configuration, seed_from, without_warnings

_OLD: Final[dict[str, Any]] = {"prior_weight": 1.0, "consider_magic_clip": True, "consider_endpoints": False}
"""Options that Optuna means to drop, with its defaults: they are handed on only where they differ."""

_ATTEMPTS: Final = 8
"""How often another suggestion is asked for while the last one lies where training is likely to fail."""


def propose(space: SearchSpace, history: History, rng: np.random.Generator, options: Options) -> Proposal | Finished:
    """What Optuna's TPE suggests; hyperparameters are asked for one by one, as far as they are active."""
    known = OptunaSpace(space)
    if not known.parameters:
        return only_configuration(space, history, rng)
    punish, start = bool(options["punish_failures"]), int(str(options["n_startup_trials"]))
    teller = Teller(known, history, "absent", punish=punish, pruned=True)
    with without_warnings():
        study = new_study(_sampler(history, options, seed_from(rng)), history, teller.told())
        values, _ = ask(study, known)
        if teller.finished < start:
            left = start - teller.finished
            return Proposal(values, f"Drawn at random; {left} more to end before Optuna's TPE begins")
        # Its densities are wide: beside a region that fails, a third of what it suggests lies in that region.
        encoder = Encoder(space)
        failures = FailureMap(encoder, history)
        for _ in range(_ATTEMPTS if punish else 0):
            if not failures.is_likely(encoder.position(values)):
                break
            values, _ = ask(study, known)
    return Proposal(values, f"Optuna's TPE, from {teller.finished} trials")


def _sampler(history: History, options: Options, seed: int) -> TPESampler:
    together = options["multivariate"] == "on" or (options["multivariate"] == "automatic" and not history.also)
    old: dict[str, Any] = {name: options[name] for name, usual in _OLD.items() if options[name] != usual}
    return TPESampler(
        seed=seed,
        multivariate=together,
        group=together and bool(options["group"]),
        n_startup_trials=int(str(options["n_startup_trials"])),
        n_ei_candidates=int(str(options["n_ei_candidates"])),
        constant_liar=bool(options["constant_liar"]),
        **old,
    )
