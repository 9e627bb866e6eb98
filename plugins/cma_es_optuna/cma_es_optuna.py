"""Optuna's CmaEsSampler behind the host of this program.

Optuna keeps the state of the strategy pickled beside a trial. Here nothing pickled is stored: at each proposal the
generations, which stand in the tags, are told to a new sampler one after the other, and what it pickles on the way
stays in this process.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from optuna import Study
from optuna.distributions import CategoricalDistribution
from optuna.samplers import BaseSampler, CmaEsSampler, RandomSampler, TPESampler
from optuna.trial import TrialState as OptunaState

from tunerstudio.algorithms.api import Finished, History, Options, Proposal, SearchSpace, Trial
from tunerstudio.algorithms.optuna_space import OptunaSpace
from tunerstudio.algorithms.optuna_study import Teller, ask, new_study, only_configuration, seed_from, without_warnings

_GENERATION, _POINT = "cma_generation", "point"
_PREFIX: Final = {"plain": "cma:", "separable": "sepcma:", "margin": "cmawm:"}
"""How the names begin under which Optuna notes something at a trial, by strategy."""

_SAMPLED: Final = "x_for_tell"
"""Where it notes the point that was sampled before it was put on the grid; with a margin only."""


def propose(space: SearchSpace, history: History, rng: np.random.Generator, options: Options) -> Proposal | Finished:
    """A sample of the distribution as the finished generations have shaped it."""
    known = OptunaSpace(space, two_are_ordered=True)
    if not known.parameters:
        return only_configuration(space, history, rng)
    prefix = _PREFIX[str(options["strategy"])]
    teller = Teller(known, history, "kept", punish=bool(options["punish_failures"]))
    with without_warnings():
        study = new_study(_sampler(options, seed_from(rng)), history, ())
        _tell_all(study, teller, _samples(history.trials, known, prefix), prefix)
        values, tags = ask(study, known)
    noted = study.get_trials(deepcopy=False)[-1].system_attrs
    generation = noted.get(prefix + "generation")
    if generation is None:
        return Proposal(values, "Drawn at random before the first generation", tags=tags)
    if _SAMPLED in noted:
        tags[_POINT] = " ".join(map(repr, noted[_SAMPLED]))
    return Proposal(
        values, f"Sample of Optuna's CMA-ES, generation {generation + 1}", tags={**tags, _GENERATION: generation}
    )


def _sampler(options: Options, seed: int) -> CmaEsSampler:
    strategy, width, size = options["strategy"], options["sigma0"], options["popsize"]
    by_tpe = options["categories"] == "tpe"
    other: BaseSampler = TPESampler(seed=seed) if by_tpe else RandomSampler(seed=seed)
    return CmaEsSampler(
        seed=seed,
        independent_sampler=other,
        warn_independent_sampling=False,
        n_startup_trials=int(str(options["n_startup_trials"])),
        popsize=None if size is None else int(str(size)),
        sigma0=None if width is None else float(str(width)),
        use_separable_cma=strategy == "separable",
        with_margin=strategy == "margin",
        lr_adapt=strategy == "plain" and bool(options["lr_adapt"]),
    )


@dataclass(frozen=True)
class _Sample:
    """A trial, the generation that it is a sample of (-1: none), and what Optuna had noted at it."""

    trial: Trial
    generation: int
    notes: dict[str, Any]


def _samples(trials: Sequence[Trial], known: OptunaSpace, prefix: str) -> list[_Sample]:
    """All trials; one whose tags are of another strategy or another space is a sample of none."""
    numbers = [p for p in known.parameters.values() if not isinstance(p.distribution, CategoricalDistribution)]
    samples = []
    for trial in trials:
        generation = trial.tags.get(_GENERATION, -1)
        if not isinstance(generation, int):
            generation = -1
        notes: dict[str, Any] = {prefix + "generation": generation}
        if prefix == _PREFIX["margin"]:
            notes[_SAMPLED] = _numbers(str(trial.tags.get(_POINT, "")))
            if len(notes[_SAMPLED]) != len(numbers):
                generation = -1
        samples.append(_Sample(trial, generation, notes if generation >= 0 else {}))
    return samples


def _numbers(text: str) -> list[float]:
    """Finite numbers between blanks; none if there is anything else."""
    try:
        numbers = [float(word) for word in text.split()]
    except ValueError:
        return []
    return numbers if all(map(math.isfinite, numbers)) else []


def _tell_all(study: Study, teller: Teller, samples: Sequence[_Sample], prefix: str) -> None:
    """Tell the trials generation by generation; from the last full one is learned when the next trial is asked for."""
    generations = sorted({sample.generation for sample in samples})
    state: dict[str, Any] = {}
    for generation in generations:
        members = [sample for sample in samples if sample.generation == generation]
        told = [teller.trial(sample.trial, system={**sample.notes, **state}) for sample in members]
        study.add_trials(filter(None, told))
        if 0 <= generation < generations[-1]:
            state = _learned(study, prefix) or state


def _learned(study: Study, prefix: str) -> dict[str, Any]:
    """What the sampler notes at a trial when a generation is full: its strategy, after that generation."""
    asked = study.ask()
    assert asked.relative_params is not None  # it learns when it samples
    notes = study.get_trials(deepcopy=False)[-1].system_attrs
    study.tell(asked, state=OptunaState.FAIL)
    return {name: note for name, note in notes.items() if name.startswith(prefix + "optimizer")}
