"""Which algorithm suits a study, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from tunerstudio.algorithms.api import UNCOUNTABLE, Fixed, History, SearchSpace

Method = Literal["grid", "qmc", "gaussian_process", "tpe", "mixture", "nsga2"]

FEW: Final = 24
"""Spaces of so few configurations are tried in order: a model would have nothing to choose from before the end."""

MANY_AXES: Final = 60
"""Beyond, the local search of the Gaussian process takes longer than it is worth."""


@dataclass(frozen=True)
class Choice:
    """An algorithm and the reason for it.

    Attributes:
        method: Which one; "mixture": a Gaussian process on changing mixtures of several objectives.
        why: A sentence without full stop.
    """

    method: Method
    why: str


def choose(space: SearchSpace, history: History, model_trials: int) -> Choice:
    """The algorithm for the next trial; it changes when there are scores at last, or too many for a model."""
    axes = sum(1 for h in space.hyperparameters if not isinstance(h, Fixed) and h.count() > 1)
    count = space.count()
    late = len(history.trials) >= model_trials
    if history.also:
        return _of_several_objectives(history, axes, late)
    if count <= min(FEW, history.max_trials):
        return Choice("grid", f"Auto tries all {count:.0f} configurations in order: the budget is enough for each")
    if history.slots > 1 and history.slots >= history.max_trials and not history.observed()[0]:
        why = f"Auto spreads the trials evenly: all {history.max_trials} start side by side, before there is a score"
        return Choice("qmc", why)
    if axes > MANY_AXES:
        why = f"Auto takes TPE: {axes} hyperparameters are too many for a Gaussian process"
        return Choice("tpe", why)
    if late:
        why = f"Auto goes on with TPE: after {model_trials} trials a Gaussian process takes too long"
        return Choice("tpe", why)
    why = f"Auto takes a Gaussian process, which learns most from few trials: {history.max_trials} of {_size(count)}"
    if history.slots > 1:
        why += f", {history.slots} side by side that count as what is expected of them until they end"
    cut = ", and trials that are ended early count as what they would have reached" if history.curves else ""
    return Choice("gaussian_process", why + cut)


def _of_several_objectives(history: History, axes: int, late: bool) -> Choice:
    objectives = 1 + len(history.also)
    if late or axes > MANY_AXES:
        reason = f"{len(history.trials)} trials" if late else f"{axes} hyperparameters"
        return Choice(
            "nsga2", f"Auto takes NSGA-II: {objectives} objectives, and {reason} are too many for a Gaussian process"
        )
    why = f"Auto takes a Gaussian process on changing mixtures of the {objectives} objectives: few trials must do"
    return Choice("mixture", why)


def _size(count: float) -> str:
    """Number of configurations in words."""
    if count == UNCOUNTABLE:
        return "endlessly many configurations"
    return f"{count:,.0f} configurations" if count < 1e6 else f"{count / 1e6:,.0f} million configurations"
