"""Simulated annealing: the example of docs/writing-a-plugin.md."""

import numpy as np

from tunerstudio.algorithms.api import History, Options, Proposal, SearchSpace, random_values


def propose(space: SearchSpace, history: History, rng: np.random.Generator, options: Options) -> Proposal:
    """A step from one of the good configurations, smaller and smaller."""
    completed = history.completed()
    if len(completed) < 3:
        return Proposal(random_values(space, rng), "Drawn at random")

    start, end = float(str(options["start_temperature"])), float(str(options["end_temperature"]))
    temperature = start * (end / start) ** min(len(history.trials) / history.max_trials, 1.0)

    losses = history.losses()  # less is better, whatever the direction of the objective
    spread = (losses.max() - losses.min()) or 1.0
    weights = np.exp((losses.min() - losses) / spread / temperature)
    origin = completed[int(rng.choice(len(completed), p=weights / weights.sum()))]

    values = {**random_values(space, rng), **origin.values}
    for name in rng.permutation(sorted(origin.values))[: 1 + int(rng.random() < 0.5)]:
        hyperparameter = space[str(name)]
        place = hyperparameter.to_unit(values[str(name)]) + rng.normal(0.0, temperature)
        values[str(name)] = hyperparameter.from_unit(float(abs((place + 1) % 2 - 1)))  # reflected at both ends
    return Proposal(values, f"A step from trial {origin.number}, temperature {temperature:.2g}")
