"""What every pruner must do; `conformance.check_algorithm` runs these checks for plugins of that kind."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from pydantic import JsonValue

from tunerstudio.algorithms.discovery import AlgorithmInfo
from tunerstudio.algorithms.pruning import Pruner
from tunerstudio.study.search import Direction, Objective
from tunerstudio.study.trials import Epoch

_EPOCHS: Final = 27
_METRIC: Final = "val_loss"
_TRIALS: Final = 40


@dataclass(frozen=True)
class PrunerSubject:
    """The pruner under test.

    Attributes:
        info: Where it is.
        options: Other than the defaults.
    """

    info: AlgorithmInfo
    options: Mapping[str, JsonValue] = field(default_factory=dict)

    def pruner(self, direction: Direction = "min") -> Pruner:
        """A new host of it."""
        assert self.info.manifest is not None
        return Pruner(self.info.manifest, Objective(name=_METRIC, direction=direction), _EPOCHS, self.options)


def plain_curves(trials: int = _TRIALS, seed: int = 0) -> list[list[float]]:
    """Losses by trial and epoch that fall at the same pace to different ends: the order never changes."""
    ends = np.random.default_rng(seed).permutation(np.linspace(0.1, 0.9, trials))
    return [[float(end + 2.0 * 0.75**epoch) for epoch in range(1, _EPOCHS + 1)] for end in ends]


def train(pruner: Pruner, curves: Iterable[Iterable[float]], first: int = 1) -> Iterator[tuple[int, str | None]]:
    """Train one trial after the other; for each, the epochs it was given and why it ended."""
    for trial, curve in enumerate(curves, first):
        reason, epoch = None, 0
        for epoch, value in enumerate(curve, 1):
            reason = pruner.observe(trial, 0, epoch, value)
            if reason is not None:
                break
        yield epoch, reason


def check_repeatable(subject: PrunerSubject) -> list[str]:
    """Told the same epochs, it gives the same answers."""
    runs = [list(train(subject.pruner(), plain_curves())) for _ in range(2)]
    return [] if runs[0] == runs[1] else ["gave other answers to the same epochs"]


def check_restart(subject: PrunerSubject) -> list[str]:
    """Restored from the stored epochs, it answers as it would have answered."""
    curves = plain_curves()
    whole = list(train(subject.pruner(), curves))
    for stop in (1, 10, 25):
        again = subject.pruner()
        again.record(
            Epoch(trial, 0, epoch, {_METRIC: value}, 0.0)
            for trial, ((epochs, _), curve) in enumerate(zip(whole[:stop], curves, strict=False), 1)
            for epoch, value in enumerate(curve[:epochs], 1)
        )
        if list(train(again, curves[stop:], first=stop + 1)) != whole[stop:]:
            return [f"restored after trial {stop}, it gave other answers: it keeps something beside the curves"]
    return []


def check_direction(subject: PrunerSubject) -> list[str]:
    """A score that is to be great is judged like a loss that is to be small."""
    losses = list(train(subject.pruner(), plain_curves()))
    scores = list(train(subject.pruner("max"), [[-value for value in curve] for curve in plain_curves()]))
    return [] if [epochs for epochs, _ in losses] == [epochs for epochs, _ in scores] else ["mixes up the direction"]


def check_sense(subject: PrunerSubject) -> list[str]:
    """Where the order never changes, the best trial is kept and the bad ones are ended before the good ones."""
    curves = plain_curves()
    ended = list(train(subject.pruner(), curves))
    best = min(range(len(curves)), key=lambda index: curves[index][-1])
    if ended[best][1] is not None:
        return [f"ended the best of {len(curves)} trials at epoch {ended[best][0]}, though it led at every epoch"]
    cut = [curve[-1] for curve, (_, reason) in zip(curves, ended, strict=True) if reason is not None]
    if not cut:
        return [f"ended none of {len(curves)} trials, though half of them are plainly bad"]
    kept = [curve[-1] for curve, (_, reason) in zip(curves, ended, strict=True) if reason is None]
    return [] if np.mean(cut) > np.mean(kept) else ["ended better trials than it kept"]


def check_odd_curves(subject: PrunerSubject) -> list[str]:
    """It copes with NaN, infinity, equal and great values, a single trial, trials side by side and late starts."""
    problems = []
    odd: dict[str, list[list[float]]] = {
        "values that are not finite": [[math.nan] * _EPOCHS, [math.inf] * _EPOCHS, [1.0] * _EPOCHS, [-math.inf, 1.0]]
        * 3,
        "equal values": [[0.5] * _EPOCHS] * 8,
        "great values": [[1e30 * trial] * _EPOCHS for trial in range(1, 9)],
    }
    for name, curves in odd.items():
        reasons = [reason for _, reason in train(subject.pruner(), curves)]
        if all(reasons):
            problems.append(f"{name}: ended every trial")
    if any(reason for _, reason in train(subject.pruner(), [[1.0] * _EPOCHS])):
        problems.append("ended the only trial there was")
    beside = subject.pruner()
    for epoch in range(1, _EPOCHS + 1):
        for trial in range(1, 9):
            beside.observe(trial, 0, epoch, trial + 1 / epoch)
    late = subject.pruner()
    for epoch in range(10, _EPOCHS + 1):  # goes on from a parent
        late.observe(7, 0, epoch, 1.0)
    return problems


PrunerCheck = Callable[[PrunerSubject], list[str]]

PRUNER_CHECKS: Final[tuple[PrunerCheck, ...]] = (
    check_repeatable,
    check_restart,
    check_direction,
    check_sense,
    check_odd_curves,
)
"""Each check on its own."""
