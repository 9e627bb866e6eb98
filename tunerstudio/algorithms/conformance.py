"""What every search algorithm must do: a suite for plugin authors, which all of ours pass.

from tunerstudio.algorithms.conformance import check_algorithm
from tunerstudio.algorithms.discovery import inspect_folder

assert check_algorithm(inspect_folder(Path("my-plugin"))) == []
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from pydantic import JsonValue

from tunerstudio.algorithms.api import (
    Boolean,
    Choice,
    Condition,
    Fixed,
    Float,
    Int,
    SearchSpace,
    Trial,
    TrialState,
    Values,
    values_key,
)
from tunerstudio.algorithms.conformance_pruners import PRUNER_CHECKS, PrunerSubject
from tunerstudio.algorithms.discovery import AlgorithmInfo
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.simulation import Score, Simulation, hashed_score
from tunerstudio.study.errors import TunerStudioError
from tunerstudio.study.search import Objective

_EPOCHS: Final = 27
_LIMIT_S: Final = 30.0
"""How long a proposal may take here; a study is more patient."""

CONTINUOUS: Final = SearchSpace(
    hyperparameters=(Float(name="a", min=0, max=1), Float(name="b", min=1e-4, max=1, sampling="log"))
)
"""Two decimal numbers, one on a logarithmic scale."""

HUNDRED: Final = SearchSpace(hyperparameters=(Int(name="a", min=1, max=10), Float(name="b", min=0, max=0.9, step=0.1)))
"""A space of 100 configurations."""

CONDITIONAL: Final = SearchSpace(
    hyperparameters=(
        Choice(name="kind", choices=("dense", "conv", "none")),
        Int(name="units", min=8, max=64, step=8, conditions=(Condition(parent="kind", values=("dense",)),)),
        Boolean(name="pool", conditions=(Condition(parent="kind", values=("conv",)),)),
        Float(name="rate", min=0, max=0.5, step=0.1, conditions=(Condition(parent="pool", values=(True,)),)),
    )
)
"""Conditions on conditions; 8 + 1 + 6 + 1 configurations."""


@dataclass(frozen=True)
class Subject:
    """The algorithm under test.

    Attributes:
        info: Where it is.
        options: Other than the defaults.
        spaces: How many random spaces are tried.
    """

    info: AlgorithmInfo
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    spaces: int = 1000

    def claims(self, capability: str) -> bool:
        """Whether its manifest claims `capability`."""
        return self.info.manifest is not None and capability in self.info.manifest.capabilities

    def host(self, space: SearchSpace, seed: int = 0, trials: int = 100, slots: int = 1) -> AlgorithmHost:
        """A new host of it, for a score that is to be small."""
        assert self.info.manifest is not None
        objective = Objective(name="val_loss", direction="min")
        return AlgorithmHost(
            self.info.manifest, space, objective, seed, trials, _EPOCHS, self.options, _LIMIT_S, slots=slots
        )

    def search(
        self, space: SearchSpace, seed: int = 0, slots: int = 1, score: Score = hashed_score, trials: int = 100
    ) -> Simulation:
        """A simulated search with it."""
        return Simulation(self.host(space, seed, trials, slots), score, slots, _EPOCHS)


def check_algorithm(
    info: AlgorithmInfo,
    options: Mapping[str, JsonValue] | None = None,
    spaces: int = 1000,
    say: Callable[[str], None] = lambda sentence: None,
) -> list[str]:
    """Run the whole suite for its kind of plugin.

    Args:
        info: A plugin, usable or not.
        options: Options other than the defaults.
        spaces: How many random spaces are tried; fewer for an algorithm that takes long.
        say: Told what is checked next.

    Returns:
        What it does wrong, one sentence each; empty if it passes.
    """
    if not info.usable:
        return list(info.problems)
    checks: list[tuple[Callable[..., list[str]], object]]
    if info.is_pruner:
        checks = [(check, PrunerSubject(info, options or {})) for check in PRUNER_CHECKS]
    else:
        checks = [(check, Subject(info, options or {}, spaces)) for check in CHECKS]
    problems: dict[str, None] = {}
    for check, subject in checks:
        say(_sentence(check))
        try:
            problems.update(dict.fromkeys(check(subject)))
        except TunerStudioError as error:
            problems[str(error)] = None  # what cannot be loaded fails every check, for the same reason
    return list(problems)


def _sentence(check: Callable[..., list[str]]) -> str:
    """What a check looks at: the first sentence of its docstring."""
    return (check.__doc__ or check.__name__).split("\n", 1)[0]


def check_random_spaces(subject: Subject) -> list[str]:
    """Proposals are legal as they come, in spaces of all kinds; small spaces are tried to both ends."""
    found: dict[str, list[int]] = {}
    for index in range(subject.spaces):
        space = random_space(np.random.default_rng(index), conditional=subject.claims("conditional"))
        search = subject.search(space, seed=index)
        search.run(40 if space.count() <= 40 else 6)
        notes = search.host.take_notes()
        if notes:
            found.setdefault(notes[0], []).append(index)
        missed = _missed_ends(space, search) if search.finished and not subject.claims("uses_epochs") else ""
        if missed:
            found.setdefault(f"never tried {missed}", []).append(index)
    return [f"{_spaces(indices)}: {problem}" for problem, indices in found.items()]


def _spaces(indices: list[int]) -> str:
    more = f" and {len(indices) - 1} more" if len(indices) > 1 else ""
    return f"random space {indices[0]}{more}"


def check_exhaustion(subject: Subject) -> list[str]:
    """In a space of 100 configurations it tries each once and then says that it has finished."""
    search = subject.search(HUNDRED, trials=200)
    search.run(500)
    fresh = [trial for trial in search.trials if trial.number not in search.repeats]
    distinct = {values_key(trial.values) for trial in fresh}
    if not search.finished:
        return ["went on after 500 trials in a space of 100 configurations"]
    if len(distinct) != len(fresh):
        return [f"proposed {len(fresh) - len(distinct)} configurations twice in a space of 100"]
    if len(distinct) != 100 and not subject.claims("uses_epochs"):
        return [f"ended after {len(distinct)} of 100 configurations"]
    return []


def check_failing_region(subject: Subject) -> list[str]:
    """With a > 0.8 failing, right beside the best values, all trials run and a model learns to keep away."""

    def score(values: Values, epochs: int) -> float | None:
        return None if float(values["a"]) > 0.8 else 1.0 - float(values["a"])

    search = subject.search(CONTINUOUS, score=score, trials=40)
    search.run(40)
    search.end_all()
    if len(search.trials) < 40:
        return [f"ended after {len(search.trials)} of 40 trials because some failed: {search.finished}"]
    proposed = search.trials[15:]
    bad = sum(float(trial.values["a"]) > 0.8 for trial in proposed)
    if subject.claims("model_based") and bad > 0.3 * len(proposed):
        return [f"put {bad} of {len(proposed)} proposals where training fails"]
    return []


def check_seeds(subject: Subject) -> list[str]:
    """The same seed, 0 too, gives the same trials; other seeds give others (but a model may come to agree)."""
    runs = [_keys(subject.search(CONTINUOUS, seed=seed).run(12)) for seed in (0, 0, 1, 2, 3)]
    if runs[0] != runs[1]:
        return ["gave other trials for the same seed"]
    if subject.claims("deterministic"):
        return []
    compared = 4 if subject.claims("model_based") else 12
    shared = [
        seed
        for seed, run in zip((1, 2, 3), runs[2:], strict=True)
        if set(run[:compared]) & set(runs[0][:compared]) or run == runs[0]
    ]
    return [f"seed {seed} gave some of the trials of seed 0" for seed in shared]


def check_restart(subject: Subject) -> list[str]:
    """Interrupted at any trial and restored, it proposes what it would have proposed."""
    problems = []
    for space, slots in ((CONTINUOUS, 1), (CONTINUOUS, 3), (CONDITIONAL, 2)):
        whole = _keys(subject.search(space, slots=slots, trials=12).run(12))
        for stop in (1, 6, 10):
            search = subject.search(space, slots=slots, trials=12)
            search.run(stop)
            state = search.host.state()
            search.host = subject.host(space, trials=12, slots=slots)
            search.host.restore(state, search.trials)
            if _keys(search.run(12)) != whole:
                problems.append(f"restored after trial {stop} with {slots} slots, it went on with other trials")
    return problems


def check_parallel(subject: Subject) -> list[str]:
    """Four trials at a time, none of them twice."""
    if not subject.claims("parallel"):
        return []
    problems = []
    for space in (CONTINUOUS, HUNDRED, CONDITIONAL):
        search = subject.search(space, slots=4)
        search.run(30)
        fresh = [trial for trial in search.trials if trial.number not in search.repeats]
        if len(set(_keys(fresh))) != len(fresh):
            problems.append("proposed a configuration twice with four trials at a time")
    return problems


def check_parents(subject: Subject) -> list[str]:
    """It goes on from no trial of which it has said that it will not, whose weights may be gone."""

    def score(values: Values, epochs: int) -> float | None:
        drawn = hashed_score({**values, "epochs": epochs}, epochs)
        return None if drawn > 0.9 else drawn

    if not subject.claims("uses_epochs"):
        return []
    search = subject.search(CONTINUOUS, slots=3, score=score)
    released: set[int] = set()
    while len(search.trials) < 200 and not search.finished:
        search.step()
        parent = search.trials[-1].parent
        if parent in released:
            return [f"went on from trial {parent}, which was not among its possible_parents() before"]
        released |= search.host.released or frozenset()
    return []


def check_odd_histories(subject: Subject) -> list[str]:
    """It copes with trials of others, with cancelled ones, equal scores, great scores, and nothing but failures."""
    problems: dict[str, list[str]] = {}
    values: Values = {"a": 0.5, "b": 0.1}
    histories = {
        "trials of other origin": [
            Trial(1, TrialState.COMPLETED, values, score=0.5),
            Trial(2, TrialState.COMPLETED, {"other": 1}, score=0.1),
            Trial(3, TrialState.CANCELLED, {"a": 0.25, "b": 0.5}),
            Trial(4, TrialState.PRUNED, {"a": 0.75, "b": 0.2}, score=0.9),
            Trial(5, TrialState.QUEUED, {"a": 0.7, "b": 0.2}),
        ],
        "equal scores": [_trial(n, 1.0) for n in range(1, 21)],
        "great scores": [_trial(n, 1e30 * n) for n in range(1, 21)],
        "nothing but failures": [_trial(n, None) for n in range(1, 21)],
    }
    for name, trials in histories.items():
        search = subject.search(CONTINUOUS)
        search.trials = list(trials)
        try:
            search.run(len(trials) + 3)
        except TunerStudioError as error:
            problems.setdefault(str(error), []).append(name)
            continue
        if len(search.trials) < len(trials) + 3:
            problems.setdefault(f"proposed nothing more: {search.finished}", []).append(name)
    return [f"history of {', '.join(names)}: {problem}" for problem, names in problems.items()]


def check_tiny_spaces(subject: Subject) -> list[str]:
    """A space of a single configuration gives one trial and then the end."""
    problems = []
    for space in (SearchSpace(), SearchSpace(hyperparameters=(Fixed(name="a", value="x"),))):
        search = subject.search(space)
        search.run(10)
        fresh = [trial for trial in search.trials if trial.number not in search.repeats]
        if len(fresh) != 1 or not search.finished:
            problems.append(f"gave {len(fresh)} trials in a space of one configuration")
    return problems


Check = Callable[[Subject], list[str]]

CHECKS: Final[tuple[Check, ...]] = (
    check_random_spaces,
    check_exhaustion,
    check_failing_region,
    check_seeds,
    check_restart,
    check_parallel,
    check_parents,
    check_odd_histories,
    check_tiny_spaces,
)
"""Each check on its own."""


def random_space(rng: np.random.Generator, conditional: bool = True) -> SearchSpace:
    """A search space of one to five hyperparameters of all kinds, some of them under conditions."""
    made: list[Int | Float | Choice | Boolean | Fixed] = []
    for index in range(int(rng.integers(1, 6))):
        conditions: tuple[Condition, ...] = ()
        parents = [h for h in made if isinstance(h, Choice | Boolean)]
        if conditional and parents and rng.random() < 0.5:
            parent = parents[int(rng.integers(len(parents)))]
            allowed = list(parent.values())
            conditions = (Condition(parent=parent.name, values=(allowed[int(rng.integers(len(allowed)))],)),)
        made.append(_random_hyperparameter(rng, f"h{index}", conditions))
    return SearchSpace(hyperparameters=tuple(made))


def _random_hyperparameter(
    rng: np.random.Generator, name: str, conditions: tuple[Condition, ...]
) -> Int | Float | Choice | Boolean | Fixed:
    low, width = int(rng.integers(1, 9)), int(rng.integers(1, 60))
    high, step = low + width, int(rng.integers(1, width + 1))
    makers: list[Callable[[], Int | Float | Choice | Boolean | Fixed]] = [
        lambda: Int(name=name, min=low - 5, max=high, step=step, conditions=conditions),
        lambda: Int(name=name, min=low, max=high, sampling="log", conditions=conditions),
        lambda: Int(name=name, min=low, max=high * 8, step=2, sampling="log", conditions=conditions),
        lambda: Float(name=name, min=low, max=high, sampling="reverse_log", conditions=conditions),
        lambda: Float(name=name, min=-low / 10, max=high / 10, conditions=conditions),
        lambda: Float(name=name, min=0, max=high / 10, step=step / 10, conditions=conditions),
        lambda: Float(name=name, min=1e-5 * low, max=0.1, sampling="log", conditions=conditions),
        lambda: Float(name=name, min=1e-4, max=0.1, step=10, sampling="log", conditions=conditions),
        lambda: Choice(name=name, choices=("relu", "tanh", "elu")[: 1 + low % 3], conditions=conditions),
        lambda: Choice(name=name, choices=(True, 1, 0.5, "one"), conditions=conditions),
        lambda: Choice(name=name, choices=(16, 32, 64, 128), conditions=conditions),
        lambda: Boolean(name=name, default=bool(low % 2), conditions=conditions),
        lambda: Fixed(name=name, value=low, conditions=conditions),
    ]
    return makers[int(rng.integers(len(makers)))]()


def _missed_ends(space: SearchSpace, search: Simulation) -> str:
    for hyperparameter in space.hyperparameters:
        listed = list(hyperparameter.values())
        seen = [trial.values[hyperparameter.name] for trial in search.trials if hyperparameter.name in trial.values]
        if seen and (listed[0] not in seen or listed[-1] not in seen):
            return f"{hyperparameter.name} = {listed[0]!r} or {listed[-1]!r}"
    return ""


def _keys(trials: list[Trial]) -> list[str]:
    return [values_key(trial.values) for trial in trials]


def _trial(number: int, score: float | None) -> Trial:
    state = TrialState.FAILED if score is None else TrialState.COMPLETED
    return Trial(number, state, {"a": number / 25, "b": 10 ** (-number / 10)}, score=score)
