"""Tree-structured Parzen estimators (Bergstra et al. 2011): a density of the good trials over one of the others."""

from __future__ import annotations

import math

import numpy as np

from tunerstudio.algorithms.api import Finished, History, Options, Proposal, SearchSpace, TrialState, untried_values
from tunerstudio.algorithms.encoding import Array, Encoder

from .parzen import Parzen

_MOST_GOOD = 25
_FAILURE_WEIGHT = 3.0
"""A failure tells more of its surroundings than a bad score does."""


def propose(space: SearchSpace, history: History, rng: np.random.Generator, options: Options) -> Proposal | Finished:
    """A random trial while too few are known, else the candidate that is likeliest to be a good one."""
    encoder = Encoder(space)
    scored, losses = history.observed()
    known = len(scored) + len(history.failed())
    if known < _whole(options["initial_trials"]) or len(scored) < 2 or not encoder.axes:
        values = untried_values(space, history, rng)
        return Finished("all configurations have been tried") if values is None else Proposal(values, "Drawn at random")
    ranked = [scored[index] for index in np.argsort(losses, kind="stable")]
    good = min(math.ceil(float(str(options["good_share"])) * known), _MOST_GOOD, len(ranked) - 1)
    trials = [*ranked, *history.failed(), *history.pending()]
    positions = encoder.positions([trial.values for trial in trials])
    weight = float(str(options["prior_weight"]))
    together = bool(options["multivariate"])
    likely = Parzen(encoder, positions[:good], weight, together)
    failed = [trial.state is TrialState.FAILED for trial in trials[good:]]
    unlikely = Parzen(encoder, positions[good:], weight, together, np.where(failed, _FAILURE_WEIGHT, 1.0))
    candidates = encoder.settle(likely.draw(_whole(options["candidates"]), rng), rng)
    gain = likely.log_density(candidates) - unlikely.log_density(candidates)
    gain[_taken(candidates, positions)] = -np.inf
    best = int(np.argmax(gain))
    reason = (
        f"{math.exp(min(float(gain[best]), 50.0)):.3g} times as likely among the {good} best trials as among the others"
    )
    return Proposal(encoder.values(candidates[best]), reason if np.isfinite(gain[best]) else "Near the best trials")


def _taken(candidates: Array, positions: Array) -> Array:
    there = {row.tobytes() for row in np.nan_to_num(positions, nan=-1.0)}
    return np.array([row.tobytes() in there for row in np.nan_to_num(candidates, nan=-1.0)])


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value
