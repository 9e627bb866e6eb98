"""What a search would begin with, found out before anybody has started it."""

from __future__ import annotations

from tunerstudio.algorithms.api import Proposal
from tunerstudio.engine.preparation import PreparedStudy
from tunerstudio.engine.scheduling import make_host
from tunerstudio.store.reader import StudyReader, has_history
from tunerstudio.store.writer import ALGORITHM_STATE
from tunerstudio.study.errors import TunerStudioError
from tunerstudio.study.hyperparameters import Values
from tunerstudio.study.trials import Trial, TrialState

THOUGHT_S = 10.0
"""How long an algorithm may think about a trial that nobody has asked for: a search that is started waits for it."""


def first_values(study: PreparedStudy, slots: int = 1) -> Values | None:
    """The values of the trial that the next session, with `slots` workers, would start first; None if unknown.

    Nothing is written down: what the algorithm answers here, it answers again when it is asked in earnest.
    """
    try:
        return _first_values(study, slots)
    except TunerStudioError:
        return None  # whatever it is, the search itself will say it


def _first_values(study: PreparedStudy, slots: int) -> Values | None:
    trials: list[Trial] = []
    state: str | None = None
    if has_history(study.folder):
        with StudyReader(study.folder) as reader:
            trials, state = reader.trials(), reader.meta(ALGORITHM_STATE)
    elif study.document.search.pruning.method != "none":
        return None  # a pruner wants to read the history
    waiting = [trial for trial in trials if trial.state is TrialState.QUEUED]
    if waiting:
        return min(waiting, key=lambda trial: trial.number).values
    host = make_host(study, study.document.search.budget.trials, state, trials, THOUGHT_S)
    host.slots = slots
    answer = host.next(trials, max((trial.number for trial in trials), default=0) + 1)
    return answer.values if isinstance(answer, Proposal) else None
