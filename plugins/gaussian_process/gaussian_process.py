"""Search with a Gaussian process: fits scores of finished trials, tries where the expected improvement is greatest.

A pure function of the history: the parameters of the model fitted last stand in that trial's tags, from where the
next fit starts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from tunerstudio.algorithms.api import Finished, History, Options, Proposal, SearchSpace, Trial, untried_values
from tunerstudio.algorithms.encoding import Array, Encoder

from .acquisition import Allowed, CandidateSearch, log_expected_improvement
from .model import GaussianProcess, Parameters, fit
from .targets import Targets

_TAG: Final = "model"
_FIT_POINTS: Final = 150
"""Lengths and noise are fitted to at most so many trials, the best and evenly spread others; all are predicted from."""

_SPREAD: Final = 200
"""Random configurations among which an initial trial is the one farthest from all others. Such corners tell most of
what matters: on tables of real trainings, evenly spread points made the first 25 trials clearly worse."""


def propose(space: SearchSpace, history: History, rng: np.random.Generator, options: Options) -> Proposal | Finished:
    """An initial trial while too little is known, else the most promising one."""
    encoder = Encoder(space)
    initial = _initial_trials(len(encoder.axes), options)
    scored, _ = history.observed()
    known = len(scored) + len(history.failed())
    if options["start_with_defaults"] and not any(trial.number > 0 for trial in history.trials):
        return Proposal(space.defaults(), "The defaults of all hyperparameters")
    if known + len(history.pending()) < initial or not encoder.axes:
        return _initial(space, encoder, history, rng)
    if not scored:  # many trials side by side: more corners than these tell nothing new
        return _drawn(space, history, rng, "Drawn at random while no score is known")
    return _modelled(space, encoder, history, rng, options)


def _initial_trials(axes: int, options: Options) -> int:
    wanted = options["initial_trials"]
    return wanted if isinstance(wanted, int) else max(4, min(axes, 8))


def _initial(space: SearchSpace, encoder: Encoder, history: History, rng: np.random.Generator) -> Proposal | Finished:
    """A random configuration that is far from those already there."""
    allowed = _allowed(encoder, history)
    rows = encoder.draw(_SPREAD, rng) if encoder.axes else np.zeros((0, 0))
    if allowed is not None:
        rows = rows[[allowed(row) for row in rows]]
    if not len(rows):
        return _drawn(space, history, rng)
    if history.trials:
        there = encoder.features(encoder.positions([trial.values for trial in history.trials]))
        distance = np.abs(encoder.features(rows)[:, None, :] - there[None, :, :]).sum(axis=2).min(axis=1)
        rows = rows[np.argsort(-distance, kind="stable")]
    return Proposal(encoder.values(rows[0]), "Initial trial, far from those before")


def _drawn(space: SearchSpace, history: History, rng: np.random.Generator, reason: str = "") -> Proposal | Finished:
    """An untried configuration at random."""
    values = untried_values(space, history, rng)
    return Finished("all configurations have been tried") if values is None else Proposal(values, reason)


def _modelled(
    space: SearchSpace, encoder: Encoder, history: History, rng: np.random.Generator, options: Options
) -> Proposal | Finished:
    scored, losses = history.observed()
    finished = [*scored, *history.failed()]
    positions = encoder.positions([trial.values for trial in finished])
    features = encoder.features(positions)
    targets = Targets(losses, len(finished) - len(scored))
    parameters = _fitted(encoder, history, features, targets.values)
    process = GaussianProcess(features, encoder.groups, targets.values, parameters)
    expected, _ = process.predict(features)
    pending = encoder.positions([trial.values for trial in history.pending()])
    if len(pending):
        process = _with_fantasies(encoder, process, features, targets.values, encoder.features(pending))
    taken = np.vstack([positions, pending])
    search = CandidateSearch(encoder, taken, rng, _whole(options["candidates"]), _allowed(encoder, history))
    best = float(expected[: len(scored)].min())
    order = np.argsort(targets.values, kind="stable")[:5]
    # A function drawn from the model exists only where it was drawn: it cannot be followed uphill.
    rounds = 0 if options["acquisition"] == "thompson" else 10
    found = search.best(_utility(process, best, rng, options), positions[order], rounds=rounds)
    if found is None:
        return _drawn(space, history, rng)
    mean, deviation = process.predict(encoder.features(found[0][None, :]))
    sign = -1.0 if history.direction == "max" else 1.0
    reason = _reason(sign, targets, float(mean[0]), float(deviation[0]), float(losses.min()))
    return Proposal(encoder.values(found[0]), reason, tags={_TAG: parameters.to_text()})


def _fitted(encoder: Encoder, history: History, features: Array, targets: Array) -> Parameters:
    """Fit from where the last fit ended; every now and then also from the prior, lest it stays in a poor place."""
    axes = len(encoder.axes)
    rows = _rows_to_fit(targets)
    last = _last_parameters(history.trials, axes)
    starts = [last] if last is not None else []
    if last is None or len(targets) % 10 == 0:
        starts.append(Parameters.prior(axes))
    steps = 12 if len(targets) <= 100 else 6  # with so many trials one more changes little
    fits = [fit(features[rows], encoder.groups, targets[rows], start, steps) for start in starts]
    return min(fits, key=lambda pair: pair[1])[0]


def _last_parameters(trials: Sequence[Trial], axes: int) -> Parameters | None:
    for trial in reversed(trials):
        if _TAG in trial.tags:
            return Parameters.from_text(str(trial.tags[_TAG]), axes)
    return None


def _rows_to_fit(targets: Array) -> Array:
    if len(targets) <= _FIT_POINTS:
        return np.arange(len(targets))
    order = np.argsort(targets, kind="stable")
    best, rest = order[: _FIT_POINTS // 2], order[_FIT_POINTS // 2 :]
    spread = rest[np.linspace(0, len(rest) - 1, _FIT_POINTS - len(best)).astype(int)]
    return np.sort(np.concatenate([best, spread]))


def _with_fantasies(
    encoder: Encoder, process: GaussianProcess, features: Array, targets: Array, pending: Array
) -> GaussianProcess:
    """The process as if each pending trial had scored what is expected of it."""
    fantasies, _ = process.predict(pending)
    return GaussianProcess(
        np.vstack([features, pending]), encoder.groups, np.concatenate([targets, fantasies]), process.parameters
    )


def _allowed(encoder: Encoder, history: History) -> Allowed | None:
    """What the study's constraints say of a position; None without constraints."""
    if not history.constraints:
        return None
    return lambda row: history.allows(encoder.values(row))


def _utility(
    process: GaussianProcess, best: float, rng: np.random.Generator, options: Options
) -> Callable[[Array], Array]:
    exploration = float(str(options["exploration"]))

    def improvement(features: Array) -> Array:
        mean, deviation = process.predict(features)
        return log_expected_improvement(mean, deviation, best - (exploration - 1.0) * 0.01)

    def bound(features: Array) -> Array:
        mean, deviation = process.predict(features)
        utility: Array = 2.0 * exploration * deviation - mean
        return utility

    def drawn(features: Array) -> Array:
        return -process.draw(features, rng)

    return {"improvement": improvement, "bound": bound, "thompson": drawn}[str(options["acquisition"])]


def _reason(sign: float, targets: Targets, mean: float, deviation: float, best: float) -> str:
    """What the model expects, in scores; `sign` turns losses into them."""
    low, middle, high = (sign * targets.score(mean + step * deviation) for step in (-1.0, 0.0, 1.0))
    best *= sign
    if not all(map(math.isfinite, (low, middle, high))):
        return "Most promising to the model"
    return (
        f"The model expects {middle:.4g} (between {min(low, high):.4g} and {max(low, high):.4g}); "
        f"best so far {best:.4g}"
    )


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value
