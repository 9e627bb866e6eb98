"""What the plugins of Optuna's genetic samplers have in common.

The generation of a trial stands in its tags; trials of other origin belong to the first. The parents of a generation
are selected anew at each proposal from the generations before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from optuna import Study
from optuna.samplers import BaseGASampler
from optuna.samplers.nsgaii import (
    BaseCrossover,
    BaseMutation,
    BLXAlphaCrossover,
    PolynomialMutation,
    SBXCrossover,
    SPXCrossover,
    UNDXCrossover,
    UniformCrossover,
    VSBXCrossover,
)
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from tunerstudio.algorithms.api import Finished, History, Options, Proposal, SearchSpace, Trial
from tunerstudio.algorithms.optuna_space import OptunaSpace
from tunerstudio.algorithms.optuna_study import Teller, ask, new_study, only_configuration, seed_from, without_warnings

_GENERATION: Final = "generation"

_CROSSOVERS: Final[dict[str, Callable[[], BaseCrossover]]] = {
    "blx_alpha": BLXAlphaCrossover,
    "spx": SPXCrossover,
    "sbx": SBXCrossover,
    "vsbx": VSBXCrossover,
    "undx": UNDXCrossover,
}
"""Beside "uniform"."""


class GenerationsInTags(BaseGASampler):
    """To be mixed into a genetic sampler: generations come from the attributes that trials were told with.

    Attributes:
        generation: Of the trial that is asked for.
    """

    generation: int = 0

    def get_trial_generation(self, study: Study, trial: FrozenTrial) -> int:
        """The one that was set."""
        return self.generation

    def get_population(self, study: Study, generation: int) -> list[FrozenTrial]:
        """Trials of a generation that have ended."""
        ended = study.get_trials(deepcopy=False, states=(OptunaState.COMPLETE,))
        return [trial for trial in ended if trial.user_attrs[_GENERATION] == generation]


def propose_genetic(
    space: SearchSpace,
    history: History,
    rng: np.random.Generator,
    options: Options,
    sampler: Callable[..., GenerationsInTags],
    **more: Any,
) -> Proposal | Finished:
    """What a genetic sampler suggests.

    Args:
        space: What may vary.
        history: All that is known.
        rng: Of the proposal.
        options: Those that all of these plugins have.
        sampler: Makes one.
        more: Further arguments for it.
    """
    known = OptunaSpace(space)
    if not known.parameters:
        return only_configuration(space, history, rng)
    teller = Teller(known, history, "kept", punish=bool(options["punish_failures"]))
    told = list(teller.told(lambda trial: {_GENERATION: _generation(trial)}))
    size = int(str(options["population_size"]))
    with without_warnings():
        asked = sampler(seed=seed_from(rng), population_size=size, **_breeding(options), **more)
        asked.generation = generation = _next_generation(told, size)
        values, tags = ask(new_study(asked, history, told), known)
    reason = f"Child of generation {generation}" if generation else "Drawn at random for the first generation"
    return Proposal(values, reason, tags={**tags, _GENERATION: generation})


def _breeding(options: Options) -> dict[str, Any]:
    """Arguments that say how children come about."""
    swapping = float(str(options["swapping_prob"]))
    crossover = _CROSSOVERS.get(str(options["crossover"]), lambda: UniformCrossover(swapping))()
    mutation: BaseMutation | None = PolynomialMutation() if options["mutation"] == "polynomial" else None
    return {
        "crossover": crossover,
        "crossover_prob": float(str(options["crossover_prob"])),
        "swapping_prob": swapping,
        "mutation": mutation,
        "mutation_prob": options["mutation_prob"],
    }


def _generation(trial: Trial) -> int:
    noted = trial.tags.get(_GENERATION, 0)
    return noted if isinstance(noted, int) else 0


def _next_generation(told: Sequence[FrozenTrial], size: int) -> int:
    """The newest generation while fewer than `size` of its trials have ended, else one more."""
    ended = [trial.user_attrs[_GENERATION] for trial in told if trial.state is OptunaState.COMPLETE]
    newest: int = max(ended, default=0)
    return newest + 1 if ended.count(newest) >= size else newest
