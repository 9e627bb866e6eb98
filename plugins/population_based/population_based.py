"""Population-based training (Jaderberg et al. 2017) as a pure function of the history.

Every stage of every network is a trial that goes on from the weights of another one: mostly its own of the stage
before, but a network among the worst goes on as a copy of one among the best, with other values. Which population,
stage and place a trial has stands in its tags. A network that failed is replaced as the worst are.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from tunerstudio.algorithms.api import (
    Finished,
    Float,
    History,
    Options,
    Proposal,
    SearchSpace,
    Trial,
    TrialState,
    Values,
    Wait,
    untried_values,
)

_TRIES = 20
"""How often a copy is changed anew if it breaks a constraint, before it keeps the values that it copies."""

Stage = dict[int, Trial]
"""Trials of one stage by their place in the population."""


def propose(
    space: SearchSpace, history: History, rng: np.random.Generator, options: Options
) -> Proposal | Wait | Finished:
    """The next network of the first stage that is not full, once the stage before is over."""
    ends = _ends(history.max_epochs, options)
    for population in _populations(options):
        before: Stage = {}
        for stage, epochs in enumerate(ends):
            trials = _stage(history, population, stage)
            places = range(_whole(options["population"])) if stage == 0 else sorted(before)
            free = [place for place in places if place not in trials]
            tags = {"population": population, "stage": stage, "place": free[0] if free else 0}
            if stage == 0 and free:
                values = untried_values(space, history, rng)
                if values is not None:
                    return Proposal(values, f"Drawn at random: up to epoch {epochs}", epochs=epochs, tags=tags)
                if not trials:
                    return _over(history, "all configurations have been tried")
            elif free and _completed(history, before):
                return _go_on(space, history, before, rng, options, epochs, tags)
            if any(not trial.state.is_finished for trial in trials.values()):
                return Wait()
            before = trials
    return _over(history, "all stages of the population are trained")


def total_trials(space: SearchSpace, max_epochs: int, options: Options) -> int | None:
    """Trials of all stages; None without an end."""
    if options["populations"] is None:
        return None
    size = min(_whole(options["population"]), space.count())
    return int(size) * len(_ends(max_epochs, options)) * _whole(options["populations"])


def possible_parents(space: SearchSpace, history: History, options: Options) -> set[int]:
    """Trials of the last two stages of each population, as far as the stage after them is not full."""
    ends = _ends(history.max_epochs, options)
    found: set[int] = set()
    for population in {int(trial.tags["population"]) for trial in history.trials if "population" in trial.tags}:
        stages = [_stage(history, population, stage) for stage in range(len(ends))]
        for trials, following in itertools.pairwise(stages):
            if len(following) < len(trials):
                found |= {trial.number for trial in trials.values()}
    return found


def _ends(max_epochs: int, options: Options) -> list[int]:
    """Up to which epoch each stage trains."""
    wanted = options["interval"]
    interval = wanted if isinstance(wanted, int) else math.ceil(max_epochs / 10)
    return [min(end, max_epochs) for end in range(interval, max_epochs + interval, interval)]


def _populations(options: Options) -> Iterator[int]:
    wanted = options["populations"]
    return iter(range(wanted)) if isinstance(wanted, int) else itertools.count()


def _stage(history: History, population: int, stage: int) -> Stage:
    return {
        int(trial.tags["place"]): trial
        for trial in history.trials
        if trial.tags.get("population") == population and trial.tags.get("stage") == stage
    }


def _completed(history: History, trials: Stage) -> list[Trial]:
    """Those that others may go on from, best first."""
    numbers = {trial.number for trial in trials.values()}
    return [trial for trial in history.best_first() if trial.number in numbers]


def _go_on(
    space: SearchSpace,
    history: History,
    before: Stage,
    rng: np.random.Generator,
    options: Options,
    epochs: int,
    tags: dict[str, int],
) -> Proposal:
    """The next stage of one network: its own weights, or those of a better one."""
    own, ranked = before.get(tags["place"]), _completed(history, before)
    replaced = math.floor(len(ranked) * float(str(options["share"])))
    staying = ranked[: len(ranked) - replaced]
    if own is not None and own in staying:
        rank = ranked.index(own) + 1
        reason = f"Goes on from trial {own.number}, number {rank} of {len(ranked)}: up to epoch {epochs}"
        return Proposal(dict(own.values), reason, epochs=epochs, parent=own.number, tags=dict(tags), repeats=True)
    donor = ranked[int(rng.integers(max(replaced, 1)))]
    tries = (_changed(space, donor.values, rng, options) for _ in range(_TRIES))
    values = next(filter(history.allows, tries), dict(donor.values))
    told = ", ".join(
        f"{name} {_short(donor.values[name])} → {_short(value)}" for name, value in _differing(donor, values)
    )
    why = "which failed" if own is None or own.state is not TrialState.COMPLETED else "which was among the worst"
    instead = f" instead of trial {own.number}, {why}" if own is not None else ""
    reason = f"Goes on from trial {donor.number}{instead}: up to epoch {epochs}, {told or 'with the same values'}"
    return Proposal(values, reason, epochs=epochs, parent=donor.number, tags=dict(tags), repeats=True)


def _changed(space: SearchSpace, values: Values, rng: np.random.Generator, options: Options) -> Values:
    """`values` with those changed that no weight depends on."""
    also = {name.strip() for name in str(options["also_change"]).split(",")}
    changed = dict(values)
    for name, value in values.items():
        hyperparameter = space[name]
        if not isinstance(hyperparameter, Float) and name not in also:
            continue
        place = hyperparameter.to_unit(value) + rng.normal(0.0, float(str(options["step"])))
        drawn = float(rng.random())
        if rng.random() < float(str(options["redraw"])):
            place = drawn
        changed[name] = hyperparameter.from_unit(float(abs((place + 1) % 2 - 1)))  # reflected at both ends
    return changed


def _differing(donor: Trial, values: Values) -> list[tuple[str, bool | int | float | str]]:
    return [(name, value) for name, value in values.items() if donor.values[name] != value]


def _short(value: bool | int | float | str) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _over(history: History, why: str) -> Wait | Finished:
    return Wait() if history.pending() else Finished(why)


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value
