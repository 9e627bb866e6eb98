"""CMA-ES as a pure function of the history: the strategy learns anew from the generations that stand in the tags.

Each proposal notes its run and the sampled point, from which the values follow. The trials of a run, in the order in
which they were proposed, make up its generations; parallel trials may be samples of the generation before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tunerstudio.algorithms.api import (
    Finished,
    History,
    Options,
    Proposal,
    Scalar,
    SearchSpace,
    Trial,
    TrialState,
    untried_values,
)
from tunerstudio.algorithms.encoding import Array, Encoder
from tunerstudio.algorithms.failures import FailureMap

from .strategy import Strategy

_RUN, _POINT, _START = "run", "point", "start"

_ATTEMPTS = 10
"""So many samples are drawn at most until one is nearer to trials that went well than to failed ones."""


def propose(space: SearchSpace, history: History, rng: np.random.Generator, options: Options) -> Proposal | Finished:
    """A sample of the distribution as the finished generations have shaped it."""
    encoder = Encoder(space)
    if not encoder.axes:
        left = untried_values(space, history, rng)
        return Finished("all configurations have been tried") if left is None else Proposal(left)
    layout = Layout(encoder)
    start = _noted_start(history.trials, 0)
    first = layout.start(space, rng, options) if start is None else start
    run, strategy, origin = _learned(layout, history, first, options, rng)
    failures = FailureMap(encoder, history)
    for _ in range(_ATTEMPTS):
        point, values = strategy.sample(rng)
        position = encoder.settle(layout.position(point, values), rng)[0]
        if not failures.is_likely(position):
            break
    tags: dict[str, Scalar] = {_RUN: run, _POINT: _text([*point, *values]), _START: _text(origin)}
    generation = strategy.generation + 1
    where = f"generation {generation}" if run == 0 else f"generation {generation} of start {run + 1}"
    reason = f"Sample of {where}, width {strategy.width:.2g} of the range"
    return Proposal(encoder.values(position), reason, tags=tags)


@dataclass(frozen=True)
class _Sample:
    """A trial of this algorithm; `loss` is infinite if it failed, None if it has not ended."""

    number: int
    loss: float | None
    point: Array


class Layout:
    """Which hyperparameters have a direction, and how points become positions.

    Args:
        encoder: Of the space.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.ordered = [index for index, axis in enumerate(encoder.axes) if axis.ordered]
        self.unordered = [index for index, axis in enumerate(encoder.axes) if not axis.ordered]
        self.categories = [len(encoder.axes[index].values) for index in self.unordered]

    def start(self, space: SearchSpace, rng: np.random.Generator, options: Options) -> Array:
        """The first centre."""
        if not options["start_at_defaults"]:
            return np.full(len(self.ordered), 0.5)
        axes = (self._encoder.axes[index].hyperparameter for index in self.ordered)
        return np.array([axis.to_unit(axis.default_value()) for axis in axes])

    def position(self, point: Array, values: Array) -> Array:
        """One row of positions; listed values get equal parts of the unit range."""
        row = np.empty((1, len(self._encoder.axes)))
        for place, index in zip(point, self.ordered, strict=True):
            count = len(self._encoder.axes[index].values)
            row[0, index] = min(math.floor(place * count), count - 1) if count else place
        row[0, self.unordered] = values
        return row


def _learned(
    layout: Layout, history: History, first: Array, options: Options, rng: np.random.Generator
) -> tuple[int, Strategy, Array]:
    """The run that goes on (0: the first), its strategy, and where it started."""
    samples = _samples(history)
    run, start = 0, first
    while True:
        strategy = _strategy(layout, start, options, run)
        _learn(strategy, samples.get(run, []), len(layout.ordered))
        if not (options["restarts"] and strategy.settled):
            return run, strategy, start
        run += 1
        noted = _noted_start(history.trials, run)
        start = rng.random(len(layout.ordered)) if noted is None else noted


def _strategy(layout: Layout, start: Array, options: Options, run: int) -> Strategy:
    wanted = options["population"]
    size = len(layout.ordered) + len(layout.unordered)
    population = wanted if isinstance(wanted, int) else 4 + int(3 * math.log(size))
    width = options["start_width"]
    assert isinstance(width, float)
    return Strategy(start, width, layout.categories, population * 2 ** min(run, 5))


def _learn(strategy: Strategy, samples: list[_Sample], split: int) -> None:
    """Take the samples generation by generation, as far as all of one have ended."""
    for begin in range(0, len(samples), strategy.population):
        generation = samples[begin : begin + strategy.population]
        if len(generation) < strategy.population or any(sample.loss is None for sample in generation):
            return
        ranked = sorted(generation, key=lambda sample: (sample.loss, sample.number))
        points = np.array([sample.point for sample in ranked])
        strategy.learn(points[:, :split], points[:, split:].astype(int))


def _samples(history: History) -> dict[int, list[_Sample]]:
    """Trials that this algorithm proposed and nobody cancelled, by run."""
    scored, values = history.observed()
    losses = dict(zip((trial.number for trial in scored), map(float, values), strict=True))
    samples: dict[int, list[_Sample]] = {}
    for trial in history.trials:
        if _POINT in trial.tags and trial.state is not TrialState.CANCELLED:
            bad = math.inf if trial.state.is_finished else None
            sample = _Sample(trial.number, losses.get(trial.number, bad), _numbers(trial.tags[_POINT]))
            samples.setdefault(int(trial.tags[_RUN]), []).append(sample)
    return samples


def _noted_start(trials: Sequence[Trial], run: int) -> Array | None:
    return next((_numbers(trial.tags[_START]) for trial in trials if trial.tags.get(_RUN) == run), None)


def _text(numbers: Sequence[float] | Array) -> str:
    return " ".join(f"{number:.6g}" for number in numbers)


def _numbers(text: object) -> Array:
    return np.array([float(word) for word in str(text).split()])
