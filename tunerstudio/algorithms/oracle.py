"""Drive any Keras Tuner oracle through `create_trial`, `update_trial` and `end_trial`, with the host's guards.

- Random numbers are set anew for each proposal from (seed, number, attempt): seeds do not overlap, 0 is a seed, and
  a proposal does not depend on what was drawn before the last kill.
- A failed trial, and one whose score is inf or NaN, is told as just worse than the worst score seen, so that the
  oracle's model learns to keep away; a cancelled one as FAILED, from which it learns nothing.
- A configuration proposed twice is answered at once with the score it had, without training.
- Nothing is written to disk and nothing printed. Every operation goes to a journal, from which the oracle is rebuilt.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import random
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

import numpy as np

from tunerstudio.algorithms.api import Finished, History, Options, Proposal, Wait
from tunerstudio.algorithms.errors import AlgorithmError
from tunerstudio.algorithms.legality import legal_values, plain
from tunerstudio.algorithms.manifest import Manifest
from tunerstudio.algorithms.oracle_space import OracleSpace
from tunerstudio.algorithms.tried import TriedConfigurations
from tunerstudio.study.hyperparameters import SearchSpace, Values, values_key
from tunerstudio.study.search import Objective
from tunerstudio.study.trials import Trial, TrialState

STATE_VERSION: Final = 1
_TUNER_PREFIX: Final = "tuner/"
"""Keras Tuner's Hyperband hides what it wants of its tuner among the values, under these keys."""


@dataclass(frozen=True)
class OracleSettings:
    """What an oracle is made from."""

    space: SearchSpace
    objective: Objective
    seed: int
    max_trials: int
    options: Options

    def digest(self, manifest: Manifest) -> str:
        """Equal as long as a stored state still fits."""
        parts = [manifest.id, manifest.version, self.space.model_dump_json(), self.objective.model_dump_json()]
        text = json.dumps([*parts, self.seed, self.options], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class OracleDriver:
    """One oracle and what it has been told.

    Args:
        manifest: Of the plugin.
        module: Of the plugin; its `create_oracle` is called here.
        settings: What to search.
    """

    def __init__(self, manifest: Manifest, module: ModuleType, settings: OracleSettings) -> None:
        import keras_tuner  # late, because it imports TensorFlow: only a study that uses an oracle waits for that

        self._keras_tuner = keras_tuner
        self._manifest = manifest
        self._module = module
        self._settings = settings
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._space = OracleSpace(self._settings.space, self._keras_tuner)
        self._journal: list[list[Any]] = []
        self._ids: dict[int, str] = {}
        self._ended: set[int] = set()
        self._running: dict[int, str] = {}
        self._scores: dict[str, float] = {}
        self._penalised: set[str] = set()
        self._tried = TriedConfigurations(self._settings.space)
        self._rng = np.random.default_rng(0)
        self._oracle = self._create()

    def propose(self, history: History, number: int, attempt: int) -> Proposal | Wait | Finished:
        """Tell what is new in `history` and ask for trial `number`.

        Args:
            history: Trials that are legal in this space.
            number: Of the new trial.
            attempt: 0 at first; then the values of the attempt before were a repetition, which is answered here.
        """
        if attempt:
            pending = self._answer_repetition(history, number)
            if pending is not None:
                return pending
        else:
            self._tell(history.trials)
        status = self._ask(number, attempt)
        if status == "IDLE":
            return Wait()
        if status != "RUNNING":
            return Finished(f"{self._manifest.name} has nothing left to propose")
        return self._proposal(number)

    def accept(self, number: int, values: Values) -> None:
        """Trial `number` will run with `values`, which are the oracle's own made legal or a substitute."""
        own = self._legal(self._proposal(number).values)
        replaced = None if values_key(own) == values_key(values) else values
        self._take(number, replaced)
        self._journal.append(["take", number, replaced])

    def state(self) -> str:
        """All that is needed to go on, as JSON."""
        own = self._oracle.get_state() if self._manifest.resume == "state" else None
        digest = self._settings.digest(self._manifest)
        state = {"version": STATE_VERSION, "digest": digest, "journal": self._journal, "oracle": own}
        return json.dumps(state, default=_to_json)

    def restore(self, state: str | None, trials: Sequence[Trial]) -> None:
        """Go on from `state`; if it is of other settings or None, learn from the finished `trials` alone."""
        self._start_afresh()
        stored = json.loads(state) if state else {}
        fits = stored.get("version") == STATE_VERSION and stored.get("digest") == self._settings.digest(self._manifest)
        if not fits:
            self._tell(trials)
            return
        journal = stored["journal"]
        for entry in journal:
            self._replay(entry, ask_again=self._manifest.resume == "replay")
        self._journal = journal
        if self._manifest.resume == "state":
            with self._quiet():
                self._oracle.set_state(stored["oracle"])
            # A stored state must not override what the study says now.
            self._oracle.hyperparameters = self._space.hyperparameters

    # --- creating -------------------------------------------------------------------------------------------------

    def _create(self) -> Any:
        settings = self._settings
        objective = self._keras_tuner.Objective(settings.objective.name, settings.objective.direction)
        # Keras Tuner takes seed 0 for "no seed".
        seed = 1 + int(np.random.SeedSequence(settings.seed).generate_state(1)[0]) % (2**31 - 1)
        with self._quiet():
            oracle = self._module.create_oracle(
                self._space.hyperparameters, objective, settings.max_trials, seed, dict(settings.options)
            )
        if not isinstance(oracle, self._keras_tuner.Oracle):
            raise AlgorithmError(self._manifest.id, f"created {oracle!r}, which is no keras_tuner.Oracle")
        oracle.verbose = 0
        oracle.max_trials = None  # the budget is the engine's
        oracle.max_consecutive_failed_trials = None
        oracle.save = _nothing
        oracle._save_trial = _nothing
        if type(oracle)._random_values is self._keras_tuner.Oracle._random_values:
            oracle._random_values = self._random_values
        return oracle

    def _random_values(self) -> dict[str, Any] | None:
        """In place of Keras Tuner's, which gives up early and whose seeds overlap."""
        values = self._tried.untried(self._rng)
        return None if values is None else self._space.encode(values)

    # --- asking ---------------------------------------------------------------------------------------------------

    def _ask(self, number: int, attempt: int) -> str:
        self._refresh_penalties()
        with self._quiet(), _own_random_numbers():
            self._set_random_numbers(number, attempt)
            trial = self._oracle.create_trial(f"{number}.{attempt}")
        entry = ["ask", number, attempt, trial.status, trial.trial_id, dict(trial.hyperparameters.values)]
        if not self._journal or self._journal[-1] != entry:  # an idle oracle is asked again and again
            self._journal.append(entry)
        if trial.status == "RUNNING":
            self._ids[number] = trial.trial_id
        return str(trial.status)

    def _proposal(self, number: int) -> Proposal:
        values, wishes = _split(self._oracle.trials[self._ids[number]].hyperparameters.values)
        numbers = {trial_id: number for number, trial_id in self._ids.items()}
        parent = numbers.get(wishes.pop("tuner/trial_id", ""))
        return Proposal(
            self._space.decode(values),
            f"Promoted from trial {parent}" if parent is not None else f"Proposed by {self._manifest.name}",
            epochs=wishes.get("tuner/epochs"),
            parent=parent,
            tags={key: plain(value) for key, value in wishes.items()},
            repeats=parent is not None,
        )

    def _take(self, number: int, values: Values | None) -> None:
        trial = self._oracle.trials[self._ids[number]]
        if values is not None:
            wishes = _split(trial.hyperparameters.values)[1]
            trial.hyperparameters.values = {**self._space.encode(values), **wishes}
            self._oracle._record_values(trial)
        self._running[number] = self._remember(trial)

    def _answer_repetition(self, history: History, number: int) -> Proposal | None:
        """End the repetition with the score its twin has; if that still runs, keep it as it is."""
        repeated = self._proposal(number)
        key = values_key(self._legal(repeated.values))
        twin = next((trial for trial in history.trials if values_key(trial.values) == key), None)
        if twin is None or not twin.state.is_finished:
            return repeated
        trial_id = self._ids.pop(number)
        score, kind = _outcome(twin)
        self._end(trial_id, score, kind)
        self._journal.append(["repetition", trial_id, score, kind])
        return None

    # --- telling --------------------------------------------------------------------------------------------------

    def _tell(self, trials: Sequence[Trial]) -> None:
        for trial in sorted(trials, key=lambda trial: trial.number):
            if trial.number not in self._ids:
                self._add(trial.number, trial.values)
                self._journal.append(["add", trial.number, trial.values])
            elif self._running.get(trial.number, "") != values_key(trial.values):  # a person has edited it
                self._take(trial.number, trial.values)
                self._journal.append(["take", trial.number, trial.values])
            if trial.state.is_finished and trial.number not in self._ended:
                score, kind = _outcome(trial)
                self._ended.add(trial.number)
                self._end(self._ids[trial.number], score, kind)
                self._journal.append(["end", trial.number, score, kind])

    def _add(self, number: int, values: Values) -> None:
        """A trial that the oracle did not propose."""
        self._insert(f"added-{number}", self._space.encode(values))
        self._ids[number] = f"added-{number}"
        self._running[number] = values_key(values)
        self._oracle.start_order.append(f"added-{number}")
        self._oracle.ongoing_trials[f"{number}.0"] = self._oracle.trials[f"added-{number}"]

    def _insert(self, trial_id: str, values: dict[str, Any]) -> None:
        hyperparameters = self._space.hyperparameters.copy()
        hyperparameters.values = dict(values)
        trial = self._keras_tuner.engine.trial.Trial(hyperparameters, trial_id, status="RUNNING")
        self._oracle.trials[trial_id] = trial
        self._oracle._record_values(trial)
        self._remember(trial)

    def _remember(self, trial: Any) -> str:
        values, _ = _split(trial.hyperparameters.values)
        legal = self._legal(self._space.decode(values))
        self._tried.add(legal)
        return values_key(legal)

    def _legal(self, values: Values) -> Values:
        return legal_values(self._settings.space, values, np.random.default_rng(0)).values

    def _end(self, trial_id: str, score: float | None, kind: str) -> None:
        told = self._mark(trial_id, score, kind)
        with self._quiet():
            if told is not None:
                self._oracle.update_trial(trial_id, {self._settings.objective.name: told}, step=0)
            self._oracle.end_trial(self._oracle.trials[trial_id])

    def _mark(self, trial_id: str, score: float | None, kind: str) -> float | None:
        """Set the status of the oracle's trial; the score to tell, or None for a cancelled one."""
        trial = self._oracle.trials[trial_id]
        if kind == "cancelled":
            trial.status, trial.message = "FAILED", "cancelled"
            return None
        if score is None:
            self._penalised.add(trial_id)
        else:
            self._scores[trial_id] = score
        trial.status = "COMPLETED"
        return self._penalty() if score is None else score

    def _score(self, trial_id: str, score: float | None, kind: str) -> None:
        """Write an outcome on the oracle's trial without telling the oracle, whose own state will say so."""
        told = self._mark(trial_id, score, kind)
        if told is None:
            return
        trial = self._oracle.trials[trial_id]
        objective = self._settings.objective
        trial.metrics.register(objective.name, direction=objective.direction)
        trial.metrics.update(objective.name, told, step=0)
        trial.score, trial.best_step = told, 0

    def _penalty(self) -> float:
        """A score just worse than all seen."""
        scores = list(self._scores.values()) or [0.0]
        spread = max(scores) - min(scores) or abs(scores[0]) or 1.0
        return (
            min(scores) - 1e-6 * spread if self._settings.objective.direction == "max" else max(scores) + 1e-6 * spread
        )

    def _refresh_penalties(self) -> None:
        for trial_id in self._penalised:
            self._oracle.trials[trial_id].score = self._penalty()

    # --- rebuilding -----------------------------------------------------------------------------------------------

    def _replay(self, entry: list[Any], ask_again: bool) -> None:
        """Do one entry of the journal again; without `ask_again` only its results, for an oracle that keeps state."""
        kind, *rest = entry
        if kind == "add":
            self._add(*rest)
        elif kind == "take":
            self._take(*rest)
        elif kind == "ask":
            self._replay_ask(ask_again, *rest)
        else:
            key, score, outcome = rest
            if kind == "end":
                self._ended.add(key)
            else:
                self._ids = {number: trial_id for number, trial_id in self._ids.items() if trial_id != key}
            trial_id = self._ids[key] if kind == "end" else key
            if ask_again:
                self._end(trial_id, score, outcome)
            else:
                self._score(trial_id, score, outcome)

    def _replay_ask(
        self, ask_again: bool, number: int, attempt: int, status: str, trial_id: str, values: dict[str, Any]
    ) -> None:
        if ask_again:
            now = self._ask(number, attempt)
            if now == "RUNNING" and self._oracle.trials[self._ids[number]].hyperparameters.values != values:
                raise AlgorithmError(
                    self._manifest.id,
                    f"does not repeat itself: it proposed other values for trial {number} than before the restart, "
                    "so the search cannot go on as it was; use another algorithm for the rest of the trials",
                )
        elif status == "RUNNING":
            self._insert(trial_id, values)
            self._ids[number] = trial_id

    # --- guards ---------------------------------------------------------------------------------------------------

    def _set_random_numbers(self, number: int, attempt: int) -> None:
        sequence = np.random.SeedSequence([self._settings.seed, number], spawn_key=(attempt,))
        words = [int(word) for word in sequence.generate_state(4)]
        self._rng = np.random.default_rng(sequence)
        random.seed(words[0])
        np.random.seed(words[1])
        for name, value in vars(self._oracle).items():
            if isinstance(value, np.random.RandomState):
                setattr(self._oracle, name, np.random.RandomState(words[2]))
            elif isinstance(value, np.random.Generator):
                setattr(self._oracle, name, np.random.default_rng(words[2]))
            elif isinstance(value, random.Random):
                value.seed(words[2])
        self._oracle._seed_state = words[3]

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        """Without warnings, and with the lock released in the end."""
        from keras_tuner.src.engine import oracle as oracle_module

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            # Keras Tuner holds the lock for ever after an exception, and the oracle for the life of the process.
            if "_oracle" in vars(self):
                oracle_module.LOCKS.pop(self._oracle, None)
                oracle_module.THREADS.pop(self._oracle, None)


def _outcome(trial: Trial) -> tuple[float | None, str]:
    """Score and kind of a finished trial; a score of None is a penalty."""
    if trial.state is TrialState.CANCELLED:
        return None, "cancelled"
    if trial.state is TrialState.FAILED or trial.score is None or not math.isfinite(trial.score):
        return None, "failed"
    return trial.score, "scored"


def _split(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Hyperparameters, and what the oracle wants of its tuner."""
    wishes = {key: value for key, value in values.items() if key.startswith(_TUNER_PREFIX)}
    return {key: value for key, value in values.items() if key not in wishes}, wishes


@contextlib.contextmanager
def _own_random_numbers() -> Iterator[None]:
    """Give the process its global random numbers back afterwards."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def _nothing(*args: Any) -> None:
    """In place of methods that write files."""


def _to_json(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, set | frozenset | tuple):
        return sorted(value, key=str)
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f'{type(value).__name__} is not JSON: an oracle with resume = "state" must keep plain data')
