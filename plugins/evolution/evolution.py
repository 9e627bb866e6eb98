"""Regularised evolution (Real et al. 2019): children of the best of a few, and the old die out.

A pure function of the history: the population is the latest trials with a score, whoever proposed them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunerstudio.algorithms.api import Finished, History, Options, Proposal, SearchSpace, Trial, Values, untried_values
from tunerstudio.algorithms.encoding import Array, Axis, Encoder
from tunerstudio.algorithms.failures import FailureMap

_ATTEMPTS = 10
"""So many children are bred at most until one of them is nearer to trials that went well than to failed ones."""


def propose(space: SearchSpace, history: History, rng: np.random.Generator, options: Options) -> Proposal | Finished:
    """A random trial while the population grows, then a child."""
    encoder = Encoder(space)
    scored, losses = history.observed()
    if len(scored) < min(_whole(options["population"]), max(history.max_trials // 3, 2)) or not encoder.axes:
        values = untried_values(space, history, rng)
        if values is None:
            return Finished("all configurations have been tried")
        return Proposal(values, "Drawn at random for the first population")
    loss = {trial.number: float(value) for trial, value in zip(scored, losses, strict=True)}
    population = scored[-_whole(options["population"]) :]
    failures = FailureMap(encoder, history)
    for _ in range(_ATTEMPTS):
        child = _bred(encoder, population, loss, rng, options)
        if not failures.is_likely(child.position):
            break
    return Proposal(child.values(encoder), child.reason(encoder))


@dataclass(frozen=True)
class _Child:
    """A new configuration and where it comes from.

    Attributes:
        parents: Two; the child has something of the second one only if it is `crossed`.
        inherited: Position before anything changed.
        position: Its own.
    """

    parents: list[Trial]
    crossed: bool
    inherited: Array
    position: Array

    def values(self, encoder: Encoder) -> Values:
        """Its values; those that are its parents' are exactly theirs."""
        values = encoder.values(self.position)
        for parent in self.parents:
            # A number that goes through its place in the range comes back a little different in its last digits.
            place = encoder.position(parent.values)
            kept = [axis.name for axis, old, new in zip(encoder.axes, place, self.position, strict=True) if old == new]
            values.update({name: parent.values[name] for name in kept})
        return values

    def reason(self, encoder: Encoder) -> str:
        """Whose child it is, and what is new about it."""
        places = zip(encoder.axes, self.inherited, self.position, strict=True)
        names = [axis.name for axis, old, new in places if not _same(old, new)]
        return _reason(self.parents, self.crossed, names)


def _bred(
    encoder: Encoder, population: list[Trial], loss: dict[int, float], rng: np.random.Generator, options: Options
) -> _Child:
    """A child of the winners of two contests."""
    first = _winner(population, loss, rng, _whole(options["contest"]))
    others = [trial for trial in population if trial is not first]
    parents = [first, _winner(others, loss, rng, _whole(options["contest"]))]
    crossed = bool(rng.random() < _number(options["crossover"]))
    positions = encoder.positions([trial.values for trial in parents])
    mixed = positions[0].copy()
    if crossed:
        from_other = rng.random(len(mixed)) < 0.5
        mixed[from_other] = positions[1][from_other]
    inherited = encoder.settle(mixed[None, :], rng)[0].copy()
    changed = _mutate(encoder, inherited, rng, options, at_least=0 if crossed else 1)
    return _Child(parents, crossed, inherited, encoder.settle(changed[None, :], rng)[0])


def _winner(population: list[Trial], loss: dict[int, float], rng: np.random.Generator, contest: int) -> Trial:
    """The best of a few."""
    drawn = rng.choice(len(population), size=min(contest, len(population)), replace=False)
    return min((population[int(index)] for index in drawn), key=lambda trial: (loss[trial.number], -trial.number))


def _mutate(encoder: Encoder, row: Array, rng: np.random.Generator, options: Options, at_least: int) -> Array:
    """`row` with some of its active hyperparameters changed."""
    active = np.flatnonzero(~np.isnan(row))
    chance = min(_number(options["changes"]) / len(active), 1.0)
    chosen = active[rng.random(len(active)) < chance]
    if len(chosen) < at_least:
        chosen = rng.choice(active, size=1)
    changed = row.copy()
    for index in chosen:
        changed[index] = _moved(encoder.axes[index], row[index], rng, _number(options["step"]))
    return changed


def _moved(axis: Axis, place: float, rng: np.random.Generator, step: float) -> float:
    """Another position on one axis: near by if it is ordered, else any."""
    if not axis.listed:
        return float(abs((place + rng.normal(0.0, step) + 1) % 2 - 1))  # reflected at both ends
    count = len(axis.values)
    if not axis.ordered:
        return float((int(place) + int(rng.integers(1, count))) % count)
    move = rng.normal(0.0, max(step * (count - 1), 1.0))
    target = round(place + move) if abs(move) > 0.5 else place + np.sign(move)
    inside = float(np.clip(target, 0, count - 1))
    return inside if inside != place else float(place - np.sign(move))


def _reason(parents: list[Trial], crossed: bool, names: list[str]) -> str:
    other = f"with another {', '.join(names)}" if names else "with nothing else changed"
    first, second = (_name(parent) for parent in parents)
    return f"Child of {first} and {second}, {other}" if crossed else f"As {first}, {other}"


def _name(trial: Trial) -> str:
    return f"trial {trial.number}" if trial.number > 0 else "a trial of an earlier study"


def _same(old: float, new: float) -> bool:
    return bool(old == new or (np.isnan(old) and np.isnan(new)))


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value


def _number(value: object) -> float:
    assert isinstance(value, int | float)
    return float(value)
