"""Learning curves of all trials, as algorithms and pruners see them: losses, where less is better."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np

from tunerstudio.study.search import Direction
from tunerstudio.study.trials import Trial, TrialState


class LearningCurves:
    """The objective after every epoch of every trial, turned so that less is better, and its best so far.

    Epochs count from 1; those of a trial that goes on from a parent continue the parent's count. A value that is not
    a finite number counts as an infinite loss.

    Attributes:
        direction: Of the objective.
        max_epochs: Epochs per execution that the study allows.
    """

    def __init__(self, direction: Direction, max_epochs: int) -> None:
        self.direction = direction
        self.max_epochs = max_epochs
        self._losses: dict[tuple[int, int], dict[int, float]] = {}
        self._best: dict[tuple[int, int], dict[int, float]] = {}

    def add(self, trial: int, execution: int, epoch: int, value: float) -> float:
        """Take note of the objective `value` after an epoch; returns the trial's best loss so far.

        Epochs of an execution come in order; one that comes again replaces itself and all that followed.
        """
        curve = self._losses.setdefault((trial, execution), {})
        if epoch in curve or (curve and epoch < max(curve)):
            self.forget(trial, execution, after=epoch - 1)
        loss = -value if self.direction == "max" else value
        loss = loss if math.isfinite(loss) else math.inf
        before = self.best(trial, max(curve), execution) if curve else math.inf
        best = min(loss, math.inf if before is None else before)
        curve[epoch] = loss
        self._best.setdefault((execution, epoch), {})[trial] = best
        return best

    def forget(self, trial: int, execution: int | None = None, after: int = 0) -> None:
        """Drop the epochs of a trial behind epoch `after`, of one execution or of all: they never happened."""
        for (number, index), curve in self._losses.items():
            if number == trial and execution in (None, index):
                for epoch in [epoch for epoch in curve if epoch > after]:
                    del curve[epoch]
                    del self._best[index, epoch][trial]

    def losses(self, trial: int, execution: int = 0) -> np.ndarray:
        """Loss after each epoch of one execution, float64, in order."""
        return np.array(list(self._losses.get((trial, execution), {}).values()), dtype=np.float64)

    def epochs(self, trial: int, execution: int = 0) -> int:
        """Last epoch of an execution so far; 0 before the first."""
        return max(self._losses.get((trial, execution), {}), default=0)

    def best(self, trial: int, epoch: int, execution: int = 0) -> float | None:
        """Least loss of a trial up to `epoch`; None if it did not reach that epoch."""
        return self._best.get((execution, epoch), {}).get(trial)

    def at(self, epoch: int, without: Collection[int] = (), execution: int = 0) -> dict[int, float]:
        """Least loss up to `epoch` of every trial that reached it, by number, those of `without` left out."""
        # A copy at once: a proposal may be computed in another thread while epochs are reported.
        reached = dict(self._best.get((execution, epoch), {}))
        return {trial: loss for trial, loss in reached.items() if trial not in without} if without else reached


def expected_losses(trials: Sequence[Trial], curves: LearningCurves | None, direction: Direction) -> list[float]:
    """Losses of finished trials that can be compared with each other; less is better.

    A trial that was PRUNED has its score from fewer epochs. What it would have reached is estimated: its loss when it
    was cut, plus the median of what the completed trials still gained from that epoch on; never better than the best
    of them. Without curves its score is taken as it is.

    Args:
        trials: Each COMPLETED or PRUNED and with a score.
        curves: Of these trials; None if they are not known.
        direction: Of the objective.
    """
    sign = -1.0 if direction == "max" else 1.0
    completed = {t.number: sign * t.score for t in trials if t.state is TrialState.COMPLETED and t.score is not None}
    best = min(completed.values(), default=-math.inf)
    gains: dict[int, float] = {}
    losses = []
    for trial in trials:
        loss = sign * (trial.score or 0.0)
        if trial.state is TrialState.PRUNED and curves is not None and completed:
            cut = curves.epochs(trial.number)
            if cut not in gains:
                gains[cut] = _later_gain(curves, cut, completed)
            loss = max(loss + gains[cut], best)
        losses.append(loss)
    return losses


def _later_gain(curves: LearningCurves, epoch: int, completed: dict[int, float]) -> float:
    """Median change of the loss (negative: it fell) from `epoch` to the end over completed trials."""
    reached = {number: loss for number, loss in curves.at(epoch).items() if math.isfinite(loss)}
    changes = [final - reached[number] for number, final in completed.items() if number in reached]
    return min(float(np.median(changes)), 0.0) if changes else 0.0
