"""From configurations that can and cannot be built to problems, and to ranges that would leave the bad ones out."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tunerstudio.protocol.space import CheckedConfiguration, Narrowing, SearchForecast, SpaceProblem
from tunerstudio.study.errors import ModelError
from tunerstudio.study.hyperparameters import Float, Int, Scalar, SearchSpace, Values, same_value
from tunerstudio.worker.code_errors import CodeError
from tunerstudio.worker.layer_errors import LayerError

_EVIDENCE = 2
"""Failing configurations from which on a range is suggested to be narrowed."""

_DRAWS = 200
"""Searches that are imagined for a forecast."""

_UNCERTAIN = (0.8, 1.3)
"""A search has been seen to take between these multiples of what its epochs alone take."""


@dataclass
class Failure:
    """One way in which configurations fail; see `SpaceProblem`."""

    layer: str
    where: str
    reason: str
    repair: str
    line: int | None = None
    examples: list[CheckedConfiguration] = field(default_factory=list)

    def is_like(self, other: Failure) -> bool:
        """Whether both fail at the same place for the same reason, whatever the numbers in it."""
        return (self.where, self.line, _kind(self.reason)) == (other.where, other.line, _kind(other.reason))


def failure_from(error: ModelError) -> Failure:
    """Where and why a network cannot be built, as far as the error knows."""
    if isinstance(error, LayerError):
        return Failure(error.resolved.name, error.resolved.path, error.reason, error.repair)
    if isinstance(error, CodeError):
        return Failure(error.place, "model.file", error.reason, "", error.line)
    return Failure("", "", str(error).rstrip("."), "")


def _kind(reason: str) -> str:
    """A reason without its numbers."""
    return "".join(letter for letter in reason if not letter.isdigit() and letter not in ".,")


def problems(
    failures: Sequence[Failure], checked: Sequence[CheckedConfiguration], space: SearchSpace
) -> tuple[SpaceProblem, ...]:
    """The failures as problems, in their order."""
    drawn = max(1, sum(one.kind == "random" for one in checked))
    good = [one.values for one in checked if one.problem is None]
    return tuple(
        SpaceProblem(
            layer=failure.layer,
            field=failure.where,
            reason=failure.reason,
            repair=failure.repair,
            line=failure.line,
            count=len(failure.examples),
            share=sum(one.kind == "random" for one in failure.examples) / drawn,
            example=failure.examples[0].values,
            narrowings=tuple(_narrowings(space, [one.values for one in failure.examples], good)),
        )
        for failure in failures
    )


def _narrowings(space: SearchSpace, bad: Sequence[Values], good: Sequence[Values]) -> Iterable[Narrowing]:
    """Single hyperparameters that tell all of the bad from the good."""
    if len(bad) < _EVIDENCE or not good:
        return
    for hyperparameter in space.hyperparameters:
        name = hyperparameter.name
        wrong = [values[name] for values in bad if name in values]
        right = [values[name] for values in good if name in values]
        if len(wrong) < len(bad) or not right:
            continue  # some fail without it: it is not the reason
        if isinstance(hyperparameter, Int | Float):
            yield from _narrower_range(name, [float(v) for v in wrong], [float(v) for v in right])
        elif not any(same_value(left, other) for left in wrong for other in right):
            yield _fewer_choices(name, list(hyperparameter.values()), wrong)


def _narrower_range(name: str, wrong: Sequence[float], right: Sequence[float]) -> Iterable[Narrowing]:
    if min(wrong) > max(right):
        most = max(right)
        line = f"{_spelled(name)} <= {most:g}"
        yield Narrowing(
            hyperparameter=name, maximum=most, constraint=line, sentence=f"Keep {name} at {most:g} or less."
        )
    elif max(wrong) < min(right):
        least = min(right)
        line = f"{_spelled(name)} >= {least:g}"
        yield Narrowing(
            hyperparameter=name, minimum=least, constraint=line, sentence=f"Keep {name} at {least:g} or more."
        )


def _fewer_choices(name: str, options: Sequence[Scalar], wrong: Sequence[Scalar]) -> Narrowing:
    kept = tuple(one for one in options if not any(same_value(one, bad) for bad in wrong))
    dropped = [one for one in options if any(same_value(one, bad) for bad in wrong)]
    without = ", ".join(map(str, dropped))
    return Narrowing(
        hyperparameter=name,
        choices=kept,
        constraint=f"{_spelled(name)} not in [{', '.join(map(repr, dropped))}]",
        sentence=f"Leave {without} out of {name}.",
    )


def _spelled(name: str) -> str:
    """A hyperparameter's name as a constraint writes it."""
    return name if name.isidentifier() else f'hp["{name}"]'


def forecast(
    checked: Sequence[CheckedConfiguration],
    trials: int,
    epochs: tuple[int, int],
    fits: int,
    workers: int,
    compile_s: float,
) -> SearchForecast | None:
    """How long a search takes.

    Args:
        checked: Configurations with their seconds per epoch.
        trials: Of the budget.
        epochs: Least and most that one fit trains.
        fits: Executions per trial.
        workers: Trials side by side.
        compile_s: Seconds for each new architecture.

    Returns:
        None without any configuration that was timed.
    """
    times = [one.seconds_per_epoch for one in checked if one.kind == "random" and one.seconds_per_epoch is not None]
    times = times or [one.seconds_per_epoch for one in checked if one.seconds_per_epoch is not None]
    if not times:
        return None
    rng = random.Random(0)
    totals = sorted(sum(rng.choices(times, k=trials)) for _ in range(_DRAWS))
    low, high = totals[_DRAWS // 10] * epochs[0], totals[-_DRAWS // 10] * epochs[1]
    return SearchForecast(
        trials=trials,
        low_s=_UNCERTAIN[0] * low * fits / workers,
        high_s=_UNCERTAIN[1] * (high * fits + compile_s * trials) / workers,
    )
