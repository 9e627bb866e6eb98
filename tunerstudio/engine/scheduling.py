"""What starts next: trials that wait, then what the algorithm proposes. Proposals are computed beside the training."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tunerstudio.algorithms.api import Finished, Proposal, Wait
from tunerstudio.algorithms.errors import AlgorithmError
from tunerstudio.algorithms.host import AlgorithmHost
from tunerstudio.algorithms.pruning import pruner_for
from tunerstudio.engine.background import Errand
from tunerstudio.engine.journal import Journal
from tunerstudio.engine.judging import record_stored
from tunerstudio.engine.preparation import PreparedStudy
from tunerstudio.engine.warm_start import earlier_trials
from tunerstudio.store.reader import StudyReader
from tunerstudio.study.model import EstimatorModel
from tunerstudio.study.trials import Trial, TrialState

AHEAD_ABOVE_S = 0.05
"""With several workers, a further proposal is computed ahead if the last one took longer than this: it does not know
the results of trials that still run, which is a price to pay only where it saves something."""


PROPOSAL_LIMIT_S = 300.0
"""How long an algorithm may think about one trial."""

SLOW_S = 10.0
"""After so long, the user is told what is waited for."""


@dataclass(frozen=True)
class NewTrial:
    """A trial that the algorithm proposed, with what it must find again after a kill."""

    trial: Trial
    algorithm_state: str | None


@dataclass(frozen=True)
class _Asked:
    number: int
    changes: int
    began: float
    errand: Errand[tuple[Proposal | Wait | Finished, str | None, list[str]]]


def make_host(
    study: PreparedStudy,
    max_trials: int,
    state: str | None,
    trials: list[Trial],
    time_limit_s: float = PROPOSAL_LIMIT_S,
) -> AlgorithmHost:
    """The algorithm of a study at work, as far as `trials` and its stored `state` lead. May take seconds.

    Args:
        study: Checked before.
        max_trials: Budget.
        state: As stored.
        trials: All of the study.
        time_limit_s: How long one proposal may take.
    """
    search, epochs = study.document.search, study.document.training.epochs
    earlier, notes = earlier_trials(study)
    pruner = pruner_for(search, study.manifest, epochs)
    if pruner is not None:
        with StudyReader(study.folder) as reader:
            record_stored(pruner, reader, trials)
    host = AlgorithmHost(
        study.manifest,
        study.space,
        objective=search.objective,
        seed=search.seed,
        max_trials=max_trials,
        max_epochs=epochs,
        options=study.options,
        time_limit_s=time_limit_s,
        pruner=pruner,
        constraints=search.constraints,
        also=search.also,
        earlier=earlier,
    )
    host.note(notes)
    host.restore(state, legal_trials(study, trials))
    return host


def legal_trials(study: PreparedStudy, trials: list[Trial]) -> list[Trial]:
    """Trials in order, without those whose values the space of today does not allow."""
    return [trial for trial in trials if not study.space.problems(trial.values)]


class Scheduler:
    """Asks the algorithm, one proposal at a time, in a thread of its own.

    Attributes:
        ready: A proposal that nobody has taken yet.
        nothing: Why the algorithm proposes nothing at the moment; None: it was not asked, or it does.
        broken: Why it cannot go on.
    """

    def __init__(self, study: PreparedStudy, host: AlgorithmHost, journal: Journal, ring: Callable[[], None]) -> None:
        """Ask `host`; `ring` is called when an answer is there."""
        self._journal, self._ring = journal, ring
        self._asked: _Asked | None = None
        self._last_took_s = 0.0
        self.adopt(study, host)

    def adopt(self, study: PreparedStudy, host: AlgorithmHost) -> None:
        """Go on with another algorithm or space."""
        self._study, self.host = study, host
        self.ready: NewTrial | None = None
        self.broken: AlgorithmError | None = None
        self._nothing: tuple[int, str] | None = None
        self._legal: dict[int, bool] = {}

    @property
    def nothing(self) -> str | None:
        """Why there is no proposal, as long as no trial has changed since; None: it is worth asking."""
        if self._nothing is None or self._nothing[0] != self._journal.changes:
            return None
        return self._nothing[1]

    @property
    def is_asking(self) -> bool:
        """Whether a proposal is being computed."""
        return self._asked is not None

    @property
    def waited_for(self) -> str:
        """What keeps the search waiting, in a sentence, once that takes long; "" as long as it is quick."""
        if self._asked is None or time.monotonic() - self._asked.began < SLOW_S:
            return ""
        return (
            f"{self._study.manifest.name} has been thinking about trial {self._asked.number} for more than"
            f" {SLOW_S:g} s; it is given up after {PROPOSAL_LIMIT_S:g} s"
        )

    @property
    def reserved(self) -> int:
        """The number of the trial that is being proposed, or waits to be taken; 0: none."""
        if self._asked is not None:
            return self._asked.number
        return self.ready.trial.number if self.ready is not None else 0

    @property
    def ahead(self) -> int:
        """How many proposals beyond the free slots are worth having with several workers."""
        return 1 if self._last_took_s > AHEAD_ABOVE_S else 0

    def waiting(self) -> list[Trial]:
        """Queued trials, first come first served."""
        return self._journal.in_state(TrialState.QUEUED)

    def ask(self) -> None:
        """Begin to compute a proposal from what is known now, unless one is on its way."""
        if self._asked is not None or self.ready is not None or self.broken is not None or self.nothing is not None:
            return
        host, number = self.host, self._journal.next_number()
        known = self._legal_trials()

        def propose() -> tuple[Proposal | Wait | Finished, str | None, list[str]]:
            answer = host.next(known, number)
            return answer, host.state(), host.take_notes()

        errand = Errand("propose a trial", propose, self._ring)
        self._asked = _Asked(number, self._journal.changes, time.monotonic(), errand)

    def _legal_trials(self) -> list[Trial]:
        """As `legal_trials`; each trial is checked once, for its values stay."""
        trials, space = self._journal.in_order(), self._study.space
        for trial in trials:
            if trial.number not in self._legal:
                self._legal[trial.number] = not space.problems(trial.values)
        return [trial for trial in trials if self._legal[trial.number]]

    def collect(self) -> None:
        """Take the answer, if there is one."""
        if self._asked is None or not self._asked.errand.is_done:
            return
        asked, self._asked = self._asked, None
        self._last_took_s = time.monotonic() - asked.began
        try:
            answer, state, notes = asked.errand.result()
        except AlgorithmError as error:
            self.broken = error
            return
        for note in notes:
            self._journal.log("info", note)
        if isinstance(answer, Finished):
            self._nothing = asked.changes, answer.reason
        elif isinstance(answer, Wait):
            self._nothing = asked.changes, "the search algorithm has nothing left to propose"
        else:
            self.ready = NewTrial(self._trial_from(answer, asked.number), state)

    def take(self) -> NewTrial | None:
        """The proposal that is ready, for good."""
        ready, self.ready = self.ready, None
        return ready

    def abandon(self) -> None:
        """Forget a proposal that is on its way: the same one comes again after a new start."""
        if self._asked is not None:
            self._asked.errand.abandon()
            self._asked = None
        self.ready = None

    def _trial_from(self, proposal: Proposal, number: int) -> Trial:
        parent = self._journal.trials.get(proposal.parent) if proposal.parent is not None else None
        return Trial(
            number=number,
            state=TrialState.QUEUED,
            values=proposal.values,
            tags=proposal.tags,
            epochs_planned=proposal.epochs or usual_epochs(self._study),
            # A parent's best epoch is what is on disk, but its plan is what counts.
            initial_epoch=0 if parent is None else parent.epochs_planned,
            parent=proposal.parent,
            reason=proposal.reason,
            created_at=time.time(),
        )


def usual_epochs(study: PreparedStudy) -> int:
    """Epochs of a trial for which nobody says otherwise; a fold of an estimator is fitted once."""
    return 1 if isinstance(study.document.model, EstimatorModel) else study.document.training.epochs
