"""What a session knows of its trials, in memory and in the store, and the telling of it.

Whatever happens to a trial is in the store before anybody is told.
"""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import psutil

from tunerstudio.analysis.clock import trained_s
from tunerstudio.engine.results import SessionListener
from tunerstudio.store.writer import ALGORITHM_STATE, StudyWriter
from tunerstudio.study.trials import Attempt, Epoch, ResourceUse, SessionRecord, SessionState, Trial, TrialState

FLUSH_INTERVAL_S = 0.1
"""Epochs are written in batches at most this old; a kill loses no more than that of a running execution."""

RESOURCES_INTERVAL_S = 2.0
"""Use of processor and memory is written in batches at most this old."""

SESSION_INTERVAL_S = 1.0
"""A state of the session that could not be written is tried again after so long."""

INTERRUPTED = "interrupted"
"""Outcome of an attempt whose engine ended before it."""


class Journal:
    """The trials of a study and the store behind them. Use it from one thread.

    Attributes:
        trials: By number, as the store has them.
        changes: Grows when what an algorithm may learn from has changed.
        failures: Failed attempts by trial, over all sessions.
        interruptions: Attempts of a trial, last in a row, whose engine was killed.
        trained_s: Seconds during which trials trained until the store was read.
        record: The session; None outside of one.
    """

    def __init__(
        self, writer: StudyWriter, listener: SessionListener | None = None, record: SessionRecord | None = None
    ) -> None:
        """Read the trials that are there."""
        self.writer = writer
        self._listener = listener or SessionListener()
        self.record = record
        self.trials: dict[int, Trial] = {}
        self.failures: Counter[int] = Counter()
        self.interruptions: Counter[int] = Counter()
        self.changes = 0
        self._counted: tuple[int, Counter[TrialState]] = (-1, Counter())
        self._epochs: list[Epoch] = []
        self._flushed_at = time.monotonic()
        self._uses: list[ResourceUse] = []
        self._uses_at = time.monotonic()
        self._is_session_stored, self._session_tried_at = True, 0.0
        self._engine = psutil.Process()
        self.reload()

    def reload(self) -> None:
        """Forget what is not in the store, and take what is."""
        self._epochs, self._uses = [], []
        with self.writer.reader() as reader:
            self.trials = {trial.number: trial for trial in reader.trials()}
            attempts = reader.attempts()
        self.failures.clear()
        self.interruptions.clear()
        for attempt in sorted(attempts, key=lambda attempt: (attempt.trial, attempt.attempt)):
            if attempt.outcome == "failed":
                self.failures[attempt.trial] += 1
            was_interrupted = attempt.outcome == INTERRUPTED
            self.interruptions[attempt.trial] = self.interruptions[attempt.trial] + 1 if was_interrupted else 0
        self.trained_s = trained_s(attempts, self.trials.values(), time.time())
        self.changes += 1

    def silence(self) -> None:
        """Tell nobody any more."""
        self._listener = SessionListener()

    # -- trials ---------------------------------------------------------------------------------------------------

    def in_order(self) -> list[Trial]:
        """All trials by number."""
        return sorted(self.trials.values(), key=lambda trial: trial.number)

    def in_state(self, state: TrialState) -> list[Trial]:
        """Trials in a state, by number."""
        return [trial for trial in self.in_order() if trial.state is state] if self.count(state) else []

    def count(self, *states: TrialState) -> int:
        """How many trials are in one of these states."""
        if self._counted[0] != self.changes:
            self._counted = self.changes, Counter(trial.state for trial in self.trials.values())
        return sum(self._counted[1][state] for state in states)

    def next_number(self, taken: int = 0) -> int:
        """A number that no trial has; greater than `taken`, which somebody reserved."""
        return max(taken, max(self.trials, default=0)) + 1

    def algorithm_state(self) -> str | None:
        """What the algorithm stored with its last proposal."""
        return self.writer.meta(ALGORITHM_STATE)

    def put(
        self,
        trial: Trial,
        algorithm_state: str | None = None,
        attempt: Attempt | None = None,
        log: tuple[str, str] | None = None,
    ) -> None:
        """Write down how a trial stands, with the epochs that wait, and tell."""
        epochs, self._epochs = self._epochs, []
        self.writer.put_trial(trial, algorithm_state, epochs, log, attempt)
        before = self.trials.get(trial.number)
        self.trials[trial.number] = trial
        if before is None or before.state is not trial.state:
            self.changes += 1
        if epochs:
            self._listener.on_epochs(epochs)
        self._listener.on_trial(trial)
        if log is not None:
            self._listener.on_log(*log)

    def set_note(self, number: int, note: str) -> None:
        """Write down the user's note on a trial."""
        self.writer.set_note(number, note)
        self.trials[number] = replace(self.trials[number], note=note)
        self._listener.on_trial(self.trials[number])

    # -- epochs and resources -------------------------------------------------------------------------------------

    def add_epoch(self, epoch: Epoch) -> None:
        """Take an epoch; it is written with the next batch."""
        self._epochs.append(epoch)

    def keep_epochs(self, trial: int, execution: int, history: Sequence[Epoch]) -> None:
        """Make `history` all that is known of an execution; see `StudyWriter.keep_epochs`."""
        self.flush(force=True)
        self.writer.keep_epochs(trial, execution, history)
        self._listener.on_epochs(list(history))

    def epochs_of(self, trial: int) -> list[Epoch]:
        """All epochs of a trial so far."""
        self.flush(force=True)
        with self.writer.reader() as reader:
            return reader.epochs(trial)

    def note_use(self, use: ResourceUse) -> None:
        """Take a worker's use of processor and memory; it is written with the next batch."""
        self._uses.append(use)

    @property
    def has_news(self) -> bool:
        """Whether epochs wait to be written."""
        return bool(self._epochs)

    def flush(self, force: bool = False) -> None:
        """Write what waits, if it is old enough."""
        now = time.monotonic()
        if self._epochs and (force or now - self._flushed_at >= FLUSH_INTERVAL_S):
            self.writer.add_epochs(self._epochs)
            epochs, self._epochs = self._epochs, []
            self._flushed_at = now
            self._listener.on_epochs(epochs)
        if self._uses and now - self._uses_at >= RESOURCES_INTERVAL_S:
            self.write_uses()
        if not self._is_session_stored and self.record and now - self._session_tried_at >= SESSION_INTERVAL_S:
            self._store_session(self.record)

    def write_uses(self) -> None:
        """Write what workers used since the last time, and what the engine uses now."""
        self.writer.add_resources([*self._uses, self._own_use()])
        self._uses, self._uses_at = [], time.monotonic()

    def _own_use(self) -> ResourceUse:
        with self._engine.oneshot():
            memory, processor = self._engine.memory_info().rss, self._engine.cpu_percent()
        return ResourceUse(row=0, at=time.time(), worker=0, trial=None, rss_bytes=memory, cpu_percent=processor)

    # -- session and log ------------------------------------------------------------------------------------------

    def log(self, level: str, text: str) -> None:
        """Append a line to the study's log."""
        self.writer.log(text, level)
        self._listener.on_log(level, text)

    def session(self, state: SessionState, reason: str = "", message: str = "", workers: int | None = None) -> None:
        """Write down how the session stands. Everybody is told even if the disk is full."""
        if self.record is None:
            return
        ended_at = time.time() if state is SessionState.ENDED else None
        workers = self.record.workers if workers is None else workers
        record = replace(self.record, state=state, reason=reason, message=message, workers=workers, ended_at=ended_at)
        if record == self.record:
            return
        self.record = record
        try:
            self._store_session(record)
        finally:
            self._listener.on_session(record)

    def _store_session(self, record: SessionRecord) -> None:
        """What could not be stored is tried again by `flush`: others read there whether they can resume the search."""
        self._is_session_stored, self._session_tried_at = False, time.monotonic()
        self.writer.put_session(record)
        self._is_session_stored = True


def open_session(writer: StudyWriter, workers: int, executor: str) -> SessionRecord:
    """Note that a session of this process begins."""
    return writer.open_session(os.getpid(), socket.gethostname(), workers, executor)
