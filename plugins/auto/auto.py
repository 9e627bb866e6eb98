"""Auto: leaves every proposal to the shipped algorithm that suits the study, and says which and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from tunerstudio.algorithms.api import Answer, Finished, History, Options, Proposal, SearchSpace, Wait
from tunerstudio.algorithms.library import ShippedAlgorithm, shipped_algorithm

from .choice import Choice, Method, choose
from .mixture import mixed_history

_TAG: Final = "method"

_MODEL: Final = shipped_algorithm("gaussian_process")

_ALGORITHMS: Final[dict[Method, ShippedAlgorithm]] = {
    "grid": shipped_algorithm("grid"),
    "qmc": shipped_algorithm("qmc"),
    "gaussian_process": _MODEL,
    "mixture": _MODEL,
    "tpe": shipped_algorithm("tpe"),
    "nsga2": shipped_algorithm("nsga2"),
}


def propose(space: SearchSpace, history: History, rng: np.random.Generator, options: Options) -> Answer:
    """The proposal of the algorithm that suits best."""
    model_trials = options["model_trials"]
    assert isinstance(model_trials, int)
    choice = choose(space, history, model_trials)
    first = not any(trial.tags.get(_TAG) == choice.method for trial in history.trials)
    if options["start_with_defaults"] and not any(trial.number > 0 for trial in history.trials):
        return Proposal(space.defaults(), f"{choice.why}; the defaults come first", tags={_TAG: choice.method})
    answer = _answer(choice, space, history, rng)
    if isinstance(answer, Wait | Finished):
        return answer
    proposal = answer if isinstance(answer, Proposal) else Proposal(dict(answer))
    reason = f"{choice.why}; {_lowered(proposal.reason)}" if first and proposal.reason else proposal.reason
    return replace(proposal, reason=reason, tags={**proposal.tags, _TAG: choice.method})


def _answer(choice: Choice, space: SearchSpace, history: History, rng: np.random.Generator) -> Answer:
    algorithm = _ALGORITHMS[choice.method]
    if choice.method != "mixture":
        return algorithm.propose(space, history, rng)
    mixed, parts = mixed_history(history, rng)
    answer = algorithm.propose(space, mixed, rng)
    if isinstance(answer, Proposal) and "model" in answer.tags:
        first = history.objective.name if history.objective else "the objective"
        names = [first, *(second.name for second in history.also)]
        mixture = " and ".join(f"{part:.0%} {name}" for part, name in zip(parts, names, strict=True))
        return replace(answer, reason=f"Most promising to the model for a mixture of {mixture}")
    return answer


def _lowered(sentence: str) -> str:
    """To go on with in the middle of a sentence."""
    return sentence[0].lower() + sentence[1:]
