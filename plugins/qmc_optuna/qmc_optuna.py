"""Optuna's QMCSampler behind the host of this program.

The seed of the sequence, drawn for the first trial, and the place in it stand in the tags.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import QMCSampler
from optuna.trial import create_trial

from tunerstudio.algorithms.api import Finished, History, Options, Proposal, SearchSpace, untried_values, values_key
from tunerstudio.algorithms.optuna_space import OptunaSpace
from tunerstudio.algorithms.optuna_study import ask, new_study, only_configuration, without_warnings

_SEED, _POINT = "seed", "point"
_POINTS: Final = 64
"""Points of a small space come again and again: after so many known ones a configuration is drawn at random."""


class _Sampler(QMCSampler):
    """Optuna's, which is told its place in the sequence.

    Attributes:
        point: The next place; counts on by itself.
    """

    point: int = 0

    def _find_sample_id(self, study: Study, search_space: dict[str, BaseDistribution]) -> int:
        self.point += 1
        return self.point - 1


def propose(space: SearchSpace, history: History, rng: np.random.Generator, options: Options) -> Proposal | Finished:
    """The next point of the sequence that no trial has had and the constraints allow."""
    known = OptunaSpace(space)
    if not known.parameters:
        return only_configuration(space, history, rng)
    tagged = [trial.tags for trial in history.trials if _SEED in trial.tags and _POINT in trial.tags]
    seed = int(tagged[0][_SEED]) if tagged else int(rng.integers(2**31))
    with without_warnings():
        sampler = _Sampler(seed=seed, qmc_type=str(options["qmc_type"]), scramble=bool(options["scramble"]))
    sampler.point = 1 + max((int(tags[_POINT]) for tags in tagged), default=-1)
    study = _study(known, sampler, history)
    tried = {values_key(trial.values) for trial in history.trials}
    for _ in range(_POINTS):
        values, _silent = ask(study, known)
        if values_key(values) not in tried and history.allows(values):
            place = sampler.point - 1
            return Proposal(values, f"Point {place + 1} of Optuna's sequence", tags={_SEED: seed, _POINT: place})
    left = untried_values(space, history, rng)
    if left is None:
        return Finished("all configurations have been tried")
    return Proposal(left, "The sequence has nothing new; drawn at random among the untried")


def _study(known: OptunaSpace, sampler: _Sampler, history: History) -> Study:
    """A study with one trial, from which the sampler takes the space: it has no further use for what has been tried."""
    told: dict[str, Any] = known.filled({}, {})
    first = create_trial(
        params=told, distributions=dict(known.distributions(told)), values=[0.0] * (1 + len(history.also))
    )
    return new_study(sampler, history, [first])
