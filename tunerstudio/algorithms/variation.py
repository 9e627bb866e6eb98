"""A child of two configurations: crossover and mutation that know scales, categories and conditions."""

from __future__ import annotations

import numpy as np

from tunerstudio.study.hyperparameters import Boolean, Choice, Fixed, Float, Int, SearchSpace, Values


def child_values(
    space: SearchSpace,
    mother: Values,
    father: Values,
    rng: np.random.Generator,
    crossover: float = 0.9,
    mutations: float = 1.0,
    step: float = 0.15,
) -> Values:
    """Values between or from those of two legal configurations, some of them changed.

    Args:
        space: What may vary.
        mother: Legal values.
        father: Legal values.
        rng: Of the proposal.
        crossover: Probability that the two are mixed; else the child starts as a copy of `mother`.
        mutations: How many hyperparameters are changed on average; one at least where nothing is mixed.
        step: Standard deviation of a change of a number, as a part of its range.
    """
    mixed = rng.random() < crossover
    varying = [h.name for h in space.hyperparameters if not isinstance(h, Fixed) and h.name in mother]
    chance = mutations / max(len(varying), 1)
    changed = {name for name in varying if rng.random() < chance}
    if not mixed and not changed and varying:
        changed = {varying[int(rng.integers(len(varying)))]}
    child: Values = {}
    for hyperparameter in space.hyperparameters:
        if not space.is_active(hyperparameter, child):
            continue
        name = hyperparameter.name
        parents = [parent[name] for parent in (mother, father) if name in parent]
        if not parents:
            child[name] = hyperparameter.from_unit(float(rng.random()))
            continue
        places = [hyperparameter.to_unit(value) for value in parents]
        place = places[0] if not mixed else _between(hyperparameter, places, rng)
        if name in changed:
            place = _moved(hyperparameter, place, rng, step)
        child[name] = hyperparameter.from_unit(place)
    return child


def _is_ordered(hyperparameter: Int | Float | Choice | Boolean | Fixed) -> bool:
    return isinstance(hyperparameter, Int | Float) or (
        isinstance(hyperparameter, Choice) and hyperparameter.is_ordered()
    )


def _between(
    hyperparameter: Int | Float | Choice | Boolean | Fixed, places: list[float], rng: np.random.Generator
) -> float:
    """A place from or around the parents': one of theirs half of the time, else a little beyond or between them."""
    first, second = places[0], places[-1]
    if not _is_ordered(hyperparameter) or rng.random() < 0.5:
        return first if rng.random() < 0.5 else second
    return float(np.clip(first + rng.uniform(-0.25, 1.25) * (second - first), 0.0, 1.0))


def _moved(
    hyperparameter: Int | Float | Choice | Boolean | Fixed, place: float, rng: np.random.Generator, step: float
) -> float:
    if not _is_ordered(hyperparameter):
        return float(rng.random())
    moved = place + rng.normal(0.0, max(step, 1.0 / max(hyperparameter.count(), 1.0)))
    return float(abs((moved + 1) % 2 - 1))  # reflected at both ends
