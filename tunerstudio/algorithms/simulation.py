"""Run a search without training: a function of the values stands for the network. For tests and benchmarks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tunerstudio.algorithms.api import Finished, Proposal, Trial, TrialState, Values, Wait, values_key
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.pruning import Pruner
from tunerstudio.study.trials import Execution

Score = Callable[[Values, int], float | None]
"""(values, epochs) -> score, or None if training fails."""


@dataclass
class Simulation:
    """A search in the making.

    Attributes:
        host: Asked for trials; may be replaced between two steps, as after a restart.
        score: Stands for training.
        slots: How many trials run at the same time.
        max_epochs: Epochs of a trial for which the algorithm does not say.
        change: What a person or a table does to proposed values before they run; None: nothing.
        pruner: Sees the score after every epoch and may end a trial; None: all are trained to the end. The host
            should have its curves.
        trials: So far, by number.
        finished: Why there is nothing more to propose; "" as long as there is.
        repeats: Numbers of the trials whose values are meant to come again.
    """

    host: AlgorithmHost
    score: Score
    slots: int = 1
    max_epochs: int = 27
    change: Callable[[Values], Values] | None = None
    pruner: Pruner | None = None
    trials: list[Trial] = field(default_factory=list)
    finished: str = ""
    repeats: set[int] = field(default_factory=set)

    def run(self, trials: int) -> list[Trial]:
        """Go on until there are so many trials, or nothing more is proposed; pending ones stay pending."""
        while len(self.trials) < trials and not self.finished:
            self.step()
        return self.trials

    def step(self) -> None:
        """Start one trial, first ending the oldest pending one if all slots are taken or the algorithm waits."""
        if len(self._pending()) >= self.slots:
            self.end_oldest()
        number = len(self.trials) + 1
        answer = self.host.next(self.trials, number)
        while isinstance(answer, Wait):
            self.end_oldest()
            answer = self.host.next(self.trials, number)
        if isinstance(answer, Finished):
            self.finished = answer.reason
        else:
            self._start(number, answer)

    def end_oldest(self) -> None:
        """Let the pending trial that started first end."""
        number = self._pending()[0].number
        trial = self.trials[number - 1]
        self.trials[number - 1] = self._trained(trial) if self.pruner is None else self._judged(trial, self.pruner)

    def _trained(self, trial: Trial) -> Trial:
        score = self.score(trial.values, trial.epochs_planned)
        return replace(trial, state=TrialState.FAILED if score is None else TrialState.COMPLETED, score=score)

    def _judged(self, trial: Trial, pruner: Pruner) -> Trial:
        """The trial trained epoch by epoch, as far as the pruner lets it."""
        score, epoch, reason = None, 0, None
        while epoch < trial.epochs_planned and reason is None:
            epoch += 1
            score = self.score(trial.values, epoch)
            if score is None:
                break
            reason = pruner.observe(trial.number, 0, epoch, score)
        state = TrialState.FAILED if score is None else TrialState.PRUNED if reason else TrialState.COMPLETED
        execution = Execution(0, TrialState.COMPLETED, seed=0, score=score, epochs=epoch)
        return replace(trial, state=state, score=score, message=reason or "", executions=(execution,))

    def end_all(self) -> list[Trial]:
        """Let every pending trial end."""
        while self._pending():
            self.end_oldest()
        return self.trials

    def _pending(self) -> list[Trial]:
        return [trial for trial in self.trials if not trial.state.is_finished]

    def _start(self, number: int, proposal: Proposal) -> None:
        if proposal.repeats:
            self.repeats.add(number)
        self.trials.append(
            Trial(
                number,
                TrialState.RUNNING,
                self.change(proposal.values) if self.change else dict(proposal.values),
                tags=dict(proposal.tags),
                epochs_planned=proposal.epochs or self.max_epochs,
                parent=proposal.parent,
                reason=proposal.reason,
            )
        )


def hashed_score(values: Values, epochs: int) -> float:
    """A score between 0 and 1 that looks random and is always the same for the same values."""
    return int.from_bytes(hashlib.sha256(values_key(values).encode()).digest()[:4]) / 2**32
