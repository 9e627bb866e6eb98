"""The host of one search algorithm: asks it for trials and guards everything it answers."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from pydantic import JsonValue
from threadpoolctl import ThreadpoolController

from tunerstudio.algorithms.api import Answer, Finished, History, Options, Proposal, Wait
from tunerstudio.algorithms.discovery import check_options, check_space
from tunerstudio.algorithms.errors import AlgorithmError
from tunerstudio.algorithms.guard import Guard
from tunerstudio.algorithms.legality import legal_values, plain
from tunerstudio.algorithms.loading import load_module
from tunerstudio.algorithms.manifest import Manifest
from tunerstudio.algorithms.oracle import OracleDriver, OracleSettings
from tunerstudio.algorithms.pruning import Pruner
from tunerstudio.algorithms.tried import TriedConfigurations, canonical
from tunerstudio.study.constraints import FIELD, broken_constraint, constraint_problems, parse_constraints
from tunerstudio.study.errors import Problem, StudyError
from tunerstudio.study.hyperparameters import SearchSpace, Values
from tunerstudio.study.search import Objective, SecondObjective
from tunerstudio.study.trials import Trial, TrialState

_ATTEMPTS: Final = 4
"""How often an algorithm is asked, each time with other random numbers, before the host helps itself."""

_ORACLE_ATTEMPTS: Final = 2
"""The same for an oracle, which learns from the answer to its repetition but may take seconds."""

_TOLD_REPAIRS: Final = 3
"""How many illegal values of one hyperparameter are told."""

_log = logging.getLogger(__name__)


class AlgorithmHost:
    """One search algorithm at work on one study.

    What it proposes depends on its arguments, the trials and the number of the new trial only; for an oracle also on
    `state()`. It is not thread-safe: one thread asks.

    Args:
        manifest: Of a usable algorithm.
        space: What may vary.
        objective: Metric and direction.
        seed: Any whole number from 0.
        max_trials: Budget of the study.
        max_epochs: Epochs per execution that the study allows.
        options: As in the study document; missing ones take their defaults.
        time_limit_s: How long one proposal may take.
        pruner: Of the study, whose learning curves the algorithm sees; None: nothing is ended early.
        constraints: Conditions that the values of every trial must keep to.
        also: Further objectives.
        earlier: Completed trials of earlier studies, numbered below 0, from which the algorithm learns.
        slots: How many trials run side by side.

    Attributes:
        slots: The same; may be set while the search runs.
        released: Finished trials that the algorithm will never go on from, as far as it said with the last proposal;
            None: it does not say.

    Raises:
        StudyError: If the options are wrong or the algorithm cannot search this space.
        AlgorithmError: If the plugin cannot be loaded.
    """

    def __init__(
        self,
        manifest: Manifest,
        space: SearchSpace,
        objective: Objective,
        seed: int,
        max_trials: int,
        max_epochs: int,
        options: Mapping[str, JsonValue] | None = None,
        time_limit_s: float = 300.0,
        pruner: Pruner | None = None,
        constraints: Sequence[str] = (),
        also: Sequence[SecondObjective] = (),
        earlier: Sequence[Trial] = (),
        slots: int = 1,
    ) -> None:
        complete, problems = check_options(manifest, options or {})
        problems += check_space(manifest, space)
        problems += constraint_problems(constraints, space.names())
        if problems:
            raise StudyError(problems)
        self.manifest = manifest
        self._space = space
        self._objective = objective
        self._seed = seed
        self._max_trials = max_trials
        self._max_epochs = max_epochs
        self._options: Options = dict(complete)
        self.pruner = pruner
        self.slots = slots
        self._also = tuple(also)
        self._earlier = [replace(trial, values=canonical(space, trial.values)) for trial in earlier]
        self._constraints = parse_constraints(constraints)
        self._tried = TriedConfigurations(space, self._allows if self._constraints else None)
        if self._tried.total == 0:
            raise StudyError([Problem(FIELD, "no configuration keeps to all constraints: loosen one of them")])
        self._notes: list[str] = []
        self._repairs: Counter[str] = Counter()
        self._guard = Guard(manifest.id, time_limit_s)
        self._module = self._guard.call(lambda: load_module(manifest), "was loaded")
        # The matrices of a search are small: on several threads, beside training, they take up to fifty times as long.
        self._threads = ThreadpoolController()
        self._oracle = self._create_oracle() if manifest.kind == "oracle" else None
        self._total = self._count_trials()
        self.released: frozenset[int] | None = frozenset() if self._possible_parents is not None else None

    def next(self, trials: Sequence[Trial], number: int) -> Proposal | Wait | Finished:
        """The next trial.

        Args:
            trials: All trials of the study so far, in any order and state.
            number: The number that the new trial will have.

        Returns:
            A proposal whose values are legal and, unless `repeats`, were not tried before; or `Wait` while a pending
            trial must end first; or `Finished`.

        Raises:
            AlgorithmError: If the algorithm raised, hung, exited or answered nonsense.
        """
        usable = self._tried.update(trials)
        if self._tried.exhausted and "uses_epochs" not in self.manifest.capabilities:
            return self._all_tried()
        history = self._history(usable)
        answer = self._untried_answer(history, number)
        self._release(answer, history)
        if isinstance(answer, Proposal) and self._oracle is not None:
            self._oracle.accept(number, answer.values)
        if isinstance(answer, Wait) and not any(not trial.state.is_finished for trial in trials):
            raise AlgorithmError(self.manifest.id, "waits for a trial to end, but none is running or queued")
        return answer

    def total_trials(self) -> int | None:
        """How many trials the algorithm runs in all if nothing stops it; None if it has no end of its own."""
        return self._total

    def _count_trials(self) -> int | None:
        function = getattr(self._module, "total_trials", None)
        if not callable(function):
            return None
        total = self._guard.call(
            lambda: function(self._space, self._max_epochs, dict(self._options)), "counted its trials"
        )
        if total is not None and (isinstance(total, bool) or not isinstance(total, int)):
            raise AlgorithmError(self.manifest.id, f"counted {total!r} trials; a whole number or None is needed")
        return total

    @property
    def _possible_parents(self) -> Callable[..., object] | None:
        function = getattr(self._module, "possible_parents", None)
        return function if callable(function) else None

    def _release(self, answer: Proposal | Wait | Finished, history: History) -> None:
        """Note which trials need no weights any more; those that finish from now on are not among them yet."""
        function = self._possible_parents
        if function is None:
            return
        finished = {trial.number for trial in history.trials if trial.state.is_finished}
        if isinstance(answer, Finished):
            self.released = frozenset(finished)
            return
        wanted = self._guard.call(
            lambda: function(self._space, history, dict(self._options)), "named the trials that it may go on from"
        )
        if not isinstance(wanted, Collection) or not all(isinstance(number, int) for number in wanted):
            raise AlgorithmError(self.manifest.id, f"named {wanted!r} as trials to go on from; numbers are needed")
        parent = {answer.parent} if isinstance(answer, Proposal) else set()
        self.released = frozenset(finished - set(wanted) - parent)

    def state(self) -> str | None:
        """What must be stored with the last proposal to go on after a kill, as JSON; None: nothing."""
        return self._oracle.state() if self._oracle else None

    def restore(self, state: str | None, trials: Sequence[Trial]) -> None:
        """Go on where `state` was taken; `trials` are those stored with it or later."""
        oracle = self._oracle
        if oracle is None:
            return
        usable = [*self._earlier, *self._tried.update(trials)]
        self._guard.call(lambda: oracle.restore(state, usable), "was restored")

    def take_notes(self) -> list[str]:
        """What had to be repaired since the last call, one sentence each, for the study's log."""
        notes, self._notes = self._notes, []
        return notes

    def _history(self, trials: Sequence[Trial]) -> History:
        cancelled = [trial for trial in trials if trial.state is TrialState.CANCELLED] if self._constraints else []
        refused = {trial.number for trial in cancelled if self.refusal(trial) is not None}
        return History(
            [*self._earlier, *trials],
            self._objective.direction,
            self._max_trials,
            self._max_epochs,
            self.pruner.curves if self.pruner else None,
            self._constraints,
            refused,
            self._objective,
            self._also,
            self.slots,
        )

    def _allows(self, values: Values) -> bool:
        return broken_constraint(self._constraints, values) is None

    def refusal(self, trial: Trial) -> str | None:
        """Why a trial whose network has been built must not be trained, in a sentence; None if it may.

        It is asked with `parameters` and, in `measures`, `memory_mb` set as far as they are known.
        """
        known = {} if trial.parameters is None else {"parameters": trial.parameters}
        broken = broken_constraint(self._constraints, {**trial.values, **trial.measures, **known})
        if broken is None:
            return None
        figures = {**trial.measures, **known, **trial.values}
        told = ", ".join(f"{name} = {figures.get(name, 0)}" for name in broken.names)
        return f"breaks the constraint {broken.text} ({told})"

    def note(self, sentences: Iterable[str]) -> None:
        """Add sentences to the notes."""
        self._notes.extend(sentences)

    def _create_oracle(self) -> OracleDriver:
        settings = OracleSettings(self._space, self._objective, self._seed, self._max_trials, dict(self._options))
        return self._guard.call(lambda: OracleDriver(self.manifest, self._module, settings), "was started")

    def _untried_answer(self, history: History, number: int) -> Proposal | Wait | Finished:
        last: Proposal | None = None
        for attempt in range(_ORACLE_ATTEMPTS if self._oracle else _ATTEMPTS):
            answer = self._ask(history, number, attempt)
            if not isinstance(answer, Proposal):
                return answer
            if self._is_acceptable(answer, history):
                return answer
            if last is not None and last.values == answer.values:
                break  # it ignores the random numbers: asking again is of no use
            last = answer
        assert last is not None
        return self._substitute(last, self._rng(number, _ATTEMPTS))

    def _is_acceptable(self, proposal: Proposal, history: History) -> bool:
        """Whether it keeps to the constraints and is new, or meant to come again; what goes on unchanged always may."""
        if proposal.repeats:
            parent = next((trial for trial in history.trials if trial.number == proposal.parent), None)
            return self._tried.allows(proposal.values) or (parent is not None and parent.values == proposal.values)
        return proposal.values not in self._tried and self._tried.allows(proposal.values)

    def _substitute(self, proposal: Proposal, rng: np.random.Generator) -> Proposal | Finished:
        values = self._tried.substitute(proposal.values, rng)
        if values is None:
            return self._all_tried()
        why = "was tried before" if self._tried.allows(proposal.values) else "breaks a constraint"
        reason = f"Nearest untried values to a proposal that {why}"
        # The weights that these values were meant for may not fit others.
        parent = None if proposal.repeats else proposal.parent
        return replace(proposal, values=values, reason=reason, parent=parent, repeats=False)

    def _all_tried(self) -> Finished:
        if self._tried.exhausted:
            return Finished(f"all {self._tried.total:g} configurations have been tried")
        return Finished("no further configuration was found that keeps to the constraints")

    def _rng(self, number: int, attempt: int) -> np.random.Generator:
        key = (attempt,) if attempt else ()
        return np.random.default_rng(np.random.SeedSequence([self._seed, number], spawn_key=key))

    def _ask(self, history: History, number: int, attempt: int) -> Proposal | Wait | Finished:
        rng = self._rng(number, attempt)
        answer = self._guard.call(lambda: self._answer(history, number, attempt, rng), "proposed a trial")
        if isinstance(answer, Wait | Finished):
            return answer
        if isinstance(answer, Mapping):
            answer = Proposal(dict(answer))
        if not isinstance(answer, Proposal) or not isinstance(answer.values, Mapping):
            raise AlgorithmError(
                self.manifest.id, f"answered {answer!r}; values, a Proposal, Wait or Finished are needed"
            )
        return self._legal(answer, history, rng)

    def _answer(self, history: History, number: int, attempt: int, rng: np.random.Generator) -> Answer:
        # Held back in the thread of the plugin: a limit of OpenMP is one of the thread that sets it.
        with self._threads.limit(limits=1):
            if self._oracle is not None:
                return self._oracle.propose(history, number, attempt)
            answer: Answer = self._module.propose(self._space, history, rng, dict(self._options))
            return answer

    def _legal(self, proposal: Proposal, history: History, rng: np.random.Generator) -> Proposal:
        legal = legal_values(self._space, proposal.values, rng)
        if legal.refused:
            # A random value in its place would hide for a whole search that the algorithm is broken.
            raise AlgorithmError(self.manifest.id, f"proposed illegal values: {'; '.join(legal.refused)}")
        for name, repair in zip(legal.repaired, legal.repairs, strict=True):
            self._tell_repair(name, repair)
        epochs = proposal.epochs
        if epochs is not None and not 1 <= epochs <= self._max_epochs:
            epochs = min(max(int(epochs), 1), self._max_epochs)
            self._note(f"asked for {proposal.epochs} epochs; took {epochs}")
        parent = proposal.parent
        if parent is not None and parent not in {trial.number for trial in history.trials if trial.number > 0}:
            parent = None
            self._note(f"named trial {proposal.parent} as parent, which does not exist")
        tags = {str(key): plain(value) for key, value in proposal.tags.items()}
        return replace(proposal, values=legal.values, epochs=epochs, parent=parent, tags=tags)

    def _tell_repair(self, name: str, repair: str) -> None:
        """Only the first ones of each hyperparameter: what is wrong once is often wrong in every trial."""
        self._repairs[name] += 1
        if self._repairs[name] < _TOLD_REPAIRS:
            self._note(f"proposed illegal values: {repair}")
        elif self._repairs[name] == _TOLD_REPAIRS:
            self._note(f"proposed illegal values: {repair}; further ones of {name!r} are repaired without a word")

    def _note(self, sentence: str) -> None:
        note = f"The search algorithm {self.manifest.id!r} {sentence}."
        self._notes.append(note)
        _log.info(note)
