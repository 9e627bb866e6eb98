"""Which trials end early and which networks are not trained at all: pruner and constraints beside the training."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from tunerstudio.algorithms.errors import AlgorithmError
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.pruning import Pruner
from tunerstudio.engine.trial_edits import OWN
from tunerstudio.store.reader import StudyReader
from tunerstudio.study.trials import Epoch, Trial


class Judge:
    """Judges running trials by what they report.

    Attributes:
        broken: Why no further trial can be judged; None as long as it works. The search pauses then.
    """

    def __init__(self, host: AlgorithmHost) -> None:
        """Judge by the constraints of `host` and by its pruner, if it has one."""
        self._host = host
        self.broken: AlgorithmError | None = None

    @property
    def released(self) -> Collection[int] | None:
        """Finished trials that the algorithm will never go on from; None: it does not say."""
        return self._host.released

    def built(self, trial: Trial) -> str | None:
        """Why a network that was built must not be trained; None if it may, as what a person asked for always may."""
        return None if trial.origin in OWN else self._host.refusal(trial)

    def epochs(self, epochs: Iterable[Epoch]) -> str | None:
        """Take note of epochs of a trial in order, up to one after which it should end; why it should."""
        pruner = self._host.pruner
        if pruner is None or self.broken is not None:
            return None
        for epoch in epochs:
            try:
                verdict = pruner.observe_metrics(epoch)
            except AlgorithmError as error:
                self.broken = error
                return None
            if verdict is not None:
                return verdict
        return None

    def begins_again(self, trial: int, execution: int | None = None) -> None:
        """What an execution of a trial (None: all of them) reported never happened."""
        if self._host.pruner is not None:
            self._host.pruner.forget(trial, execution)

    def catch_up(self, trial: int, epochs: Sequence[Epoch]) -> None:
        """Take note of what a running trial reported to another judge, without judging it."""
        if self._host.pruner is not None:
            self._host.pruner.forget(trial)
            self._host.pruner.record(epochs)


def record_stored(pruner: Pruner, reader: StudyReader, trials: Iterable[Trial]) -> None:
    """Tell a new pruner of all stored epochs of `trials`."""
    for trial in trials:
        pruner.record(reader.epochs(trial.number))
