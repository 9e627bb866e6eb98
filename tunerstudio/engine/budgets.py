"""When a search ends: trials, time of day, training time, plateau, target."""

from __future__ import annotations

import time
from collections.abc import Callable

from tunerstudio.analysis.endings import finish_time, since_best
from tunerstudio.engine.journal import Journal
from tunerstudio.engine.results import SessionResult
from tunerstudio.study.search import Objective, Search
from tunerstudio.study.trials import Trial, TrialState

MOST_ATTEMPTS = 10
"""A search for a number of completed trials gives up after so many times as many, if nearly all of them fail."""

FINISHED = (TrialState.COMPLETED, TrialState.PRUNED, TrialState.FAILED)
"""States that count for the budget."""


class Budgets:
    """The budget of a session over its study. It may be replaced while the search runs."""

    def __init__(self, search: Search, journal: Journal, target: int | None, started_at: float) -> None:
        """Of `search`; `target`: completed trials wanted instead; `started_at`: of the session, by the wall clock."""
        self._journal, self._target = journal, target
        self._stale: tuple[int, SessionResult | None] = (-1, None)
        self._search, self._budget, self.deadline = search, search.budget, self._deadline(search, started_at)

    def replace(self, search: Search) -> None:
        """Go by the budget of `search` from now on."""
        if search.budget.finish_by != self._budget.finish_by:
            self.deadline = self._deadline(search, time.time())
        self._search, self._budget = search, search.budget
        self._stale = (-1, None)

    @staticmethod
    def _deadline(search: Search, after: float) -> float | None:
        finish_by = search.budget.finish_by
        return None if finish_by is None else finish_time(finish_by, after)

    @property
    def most_trials(self) -> int:
        """Trials that the search may come to."""
        return max(self._budget.trials, self._target or 0)

    def used(self, in_work: int) -> SessionResult | None:
        """Why nothing new shall be proposed when `in_work` trials run or wait already; None if something shall."""
        completed = self._journal.count(TrialState.COMPLETED)
        finished = self._journal.count(*FINISHED)
        if self._target is not None:
            if completed + in_work >= self._target:
                return SessionResult("budget", f"{completed} trials are completed", completed)
            if finished + in_work >= MOST_ATTEMPTS * self.most_trials:
                message = f"{finished - completed} trials failed; gave up after {finished} trials"
                return SessionResult("failures", message, completed)
        elif finished + in_work >= self._budget.trials:
            return SessionResult("budget", f"the budget of {self._budget.trials} trials is used up", completed)
        if self._stale[0] != self._journal.changes:
            self._stale = self._journal.changes, self._satisfied(completed)
        return self._stale[1]

    def _satisfied(self, completed: int) -> SessionResult | None:
        objective, target, plateau = self._search.objective, self._budget.target, self._budget.plateau
        if self._target is not None or (target is None and plateau is None):
            return None  # a number of trials was asked for, whatever the study's own budget says
        scored = [trial for trial in self._journal.in_order() if trial.state in FINISHED]
        if target is not None:
            for trial in scored:
                if _reaches(trial, target, objective):
                    message = f"trial {trial.number} has reached the target: {objective.name} {trial.score:.6g}"
                    return SessionResult("target", message, completed)
        if plateau is not None and since_best(scored, objective, plateau.min_delta) >= plateau.trials:
            message = f"the best score has not improved over the last {plateau.trials} trials"
            return SessionResult("plateau", message, completed)
        return None

    def time_up(self, trained_s: Callable[[], float]) -> SessionResult | None:
        """Why no trial at all shall start any more; `trained_s` counts seconds of training over all sessions."""
        completed, limit = self._journal.count(TrialState.COMPLETED), self._budget.time_limit_s
        if limit is not None and trained_s() >= limit:
            return SessionResult("time", f"the time limit of {limit:g} s is used up", completed)
        if self.deadline is not None and time.time() >= self.deadline:
            message = f"the time to finish by, {self._budget.finish_by}, has come"
            return SessionResult("finish_by", message, completed)
        return None


def _reaches(trial: Trial, target: float, objective: Objective) -> bool:
    if trial.state is not TrialState.COMPLETED or trial.score is None:
        return False
    return trial.score == target or objective.better(trial.score, target)
