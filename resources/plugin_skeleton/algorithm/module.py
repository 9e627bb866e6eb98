"""$name: a search algorithm for Tuner Studio."""

import numpy as np

from tunerstudio.algorithms.api import History, Options, Proposal, SearchSpace, random_values


def propose(space: SearchSpace, history: History, rng: np.random.Generator, options: Options) -> Proposal:
    """The next trial. It depends on the arguments alone: draw random numbers from `rng` only."""
    if len(history.completed()) < int(str(options["initial_trials"])):
        return Proposal(random_values(space, rng), "Drawn at random")

    best = history.best_first()[0]
    values = {**random_values(space, rng), **best.values}
    name = str(rng.choice(sorted(best.values)))
    hyperparameter = space[name]
    place = hyperparameter.to_unit(best.values[name]) + rng.normal(0.0, float(str(options["step"])))
    values[name] = hyperparameter.from_unit(min(max(place, 0.0), 1.0))
    return Proposal(values, f"Trial {best.number} with another {name}")
