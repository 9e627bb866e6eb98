"""The single writer of `study.db`. Every method is one transaction: it happened, or it did not."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tunerstudio.store.lock import StudyLock
from tunerstudio.store.reader import StudyReader
from tunerstudio.store.rows import TRIAL_COLUMNS, execution_row, metrics_text, session_from, trial_row
from tunerstudio.store.schema import (
    CODE_SUFFIX,
    DATABASE_FILE,
    StoreError,
    connect,
    migrate,
    refuse_lost_history,
    told,
)
from tunerstudio.study.trials import Attempt, Epoch, Execution, ResourceUse, SessionRecord, Trial, TrialState

ALGORITHM_STATE = "algorithm_state"

_COLUMNS = ", ".join(f'"{name}"' for name in (*TRIAL_COLUMNS, "revision"))
_PLACES = ", ".join("?" * (len(TRIAL_COLUMNS) + 1))
_INSERT_TRIAL = f"INSERT OR REPLACE INTO trials ({_COLUMNS}) VALUES ({_PLACES})"

_LAST_SIGN = """
SELECT max(coalesce((SELECT max(at) FROM epochs WHERE trial = ?), 0),
           coalesce((SELECT max(at) FROM resources WHERE trial = ?), 0))
"""
_END_LOST_SESSIONS = """
UPDATE sessions SET state = 'ended', reason = 'interrupted', message = 'the program that ran it ended without a word',
    ended_at = max(started_at, coalesce((SELECT max(at) FROM resources WHERE at <= ?), started_at))
WHERE state != 'ended'
"""


class StudyWriter:
    """Opens (or makes) the database, takes the study's lock, and puts back what an interrupted session left.

    Use it from one thread.

    Raises:
        StoreError: If the study is in use, read-only, damaged or newer than the program.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        """Open the study in `folder`; `clock` gives seconds since the epoch."""
        self._clock = clock
        self._lock = StudyLock(folder)
        self._path = path = folder / DATABASE_FILE
        try:
            refuse_lost_history(folder)
            self._connection = connect(path, read_only=False)
            try:
                with told(path, "written to"):
                    self._prepare(path)
            except StoreError:
                self._connection.close()
                raise
        except StoreError:
            self._lock.release()
            raise
        self._folder = folder

    def _prepare(self, path: Path) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        # FULL: a committed trial survives a power cut, not only a crash of the program.
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        migrate(self._connection, path)

    def close(self) -> None:
        """Close the database and let go of the study."""
        self._connection.close()
        self._lock.release()

    def __enter__(self) -> StudyWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def reader(self) -> StudyReader:
        """A reader of the same study."""
        return StudyReader(self._folder)

    @contextmanager
    def _transaction(self) -> Iterator[int]:
        """A transaction; yields the revision of its changes. StoreError if it could not be written."""
        with told(self._path, "written to"):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                revision = int(self.meta("revision") or 0) + 1
                self._set_meta("revision", str(revision))
                yield revision
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # on some faults SQLite has taken it back already
                    self._connection.execute("ROLLBACK")
                raise

    def meta(self, key: str) -> str | None:
        """A note kept beside the trials."""
        with told(self._path, "read"):
            row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row["value"])

    def set_meta(self, key: str, value: str) -> None:
        """Keep a note beside the trials."""
        with self._transaction():
            self._set_meta(key, value)

    def _set_meta(self, key: str, value: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def put_document(self, text: str, code: str | None = None) -> str:
        """Keep a study document, so that every trial can say what it was trained by; returns its key.

        Args:
            text: YAML.
            code: The Python file of a code model, which is kept beside it.
        """
        key = hashlib.sha256(f"{text}{code or ''}".encode()).hexdigest()[:16]
        with self._transaction():
            self._connection.execute("INSERT OR IGNORE INTO documents VALUES (?, ?)", (key, text))
            if code is not None:
                self._connection.execute("INSERT OR IGNORE INTO documents VALUES (?, ?)", (f"{key}{CODE_SUFFIX}", code))
        return key

    def requeue_interrupted(self) -> list[int]:
        """Queue again every trial that an earlier session left RUNNING; its attempt ends as `interrupted`.

        Nobody wrote down when that was: the last sign of life of the trial stands for it, not the time of today.
        Epochs stay: the trial goes on from its checkpoint, and whoever starts it takes back the epochs that the
        checkpoint does not cover (`keep_epochs`).

        Returns:
            Numbers of the trials that were queued again.
        """
        with told(self._path, "read"):
            rows = self._connection.execute(
                "SELECT number FROM trials WHERE state = ? ORDER BY number", (TrialState.RUNNING.value,)
            ).fetchall()
        running = [row["number"] for row in rows]
        if running:
            with self._transaction() as revision:
                self._end_attempts()
                for number in running:
                    self._requeue(number, revision)
        return running

    def _end_attempts(self) -> None:
        """Note when attempts ended that were interrupted, and count their time as time of training."""
        for row in self._connection.execute("SELECT * FROM attempts WHERE outcome = ''").fetchall():
            trial, began = row["trial"], row["started_at"]
            last = self._connection.execute(_LAST_SIGN, (trial, trial)).fetchone()[0]
            ended = max(began, min(last, self._clock()))
            self._connection.execute(
                "UPDATE attempts SET outcome = 'interrupted', ended_at = ? WHERE trial = ? AND attempt = ?",
                (ended, trial, row["attempt"]),
            )
            self._connection.execute(
                "UPDATE trials SET duration_s = duration_s + ? WHERE number = ?", (ended - began, trial)
            )

    def _requeue(self, number: int, revision: int) -> None:
        self._connection.execute(
            "DELETE FROM executions WHERE trial = ? AND state != ?", (number, TrialState.COMPLETED.value)
        )
        self._connection.execute(
            "UPDATE trials SET state = ?, revision = ? WHERE number = ?", (TrialState.QUEUED.value, revision, number)
        )

    def unfinished_executions(self, trial: int) -> list[int]:
        """Executions of a trial that have epochs but no score: what an interrupted attempt left."""
        with told(self._path, "read"):
            rows = self._connection.execute(
                "SELECT DISTINCT execution FROM epochs WHERE trial = ? AND execution NOT IN"
                " (SELECT idx FROM executions WHERE trial = ? AND state = ?) ORDER BY execution",
                (trial, trial, TrialState.COMPLETED.value),
            ).fetchall()
        return [row["execution"] for row in rows]

    def keep_epochs(self, trial: int, execution: int, history: Sequence[Epoch]) -> None:
        """Make `history` all that is known of an execution: other epochs of it never happened.

        Epochs that are there already keep their rows, so that readers hear of new ones only; if some have to go, the
        generation grows and readers start anew.
        """
        last = max((epoch.epoch for epoch in history), default=0)
        with self._transaction():
            removed = self._connection.execute(
                "DELETE FROM epochs WHERE trial = ? AND execution = ? AND epoch > ?", (trial, execution, last)
            ).rowcount
            self._add_epochs(history, "INSERT OR IGNORE")
            if removed:
                self._set_meta("generation", str(int(self.meta("generation") or 0) + 1))

    def put_trial(
        self,
        trial: Trial,
        algorithm_state: str | None = None,
        epochs: Sequence[Epoch] = (),
        log: tuple[str, str] | None = None,
        attempt: Attempt | None = None,
    ) -> None:
        """Insert or replace a trial with its executions and, in the same transaction, what belongs to it.

        Args:
            trial: The trial as it now is.
            algorithm_state: What the algorithm must find again; None: unchanged.
            epochs: Epochs that are not stored yet.
            log: Level and text of a line for the log.
            attempt: A start of this trial, or how it ended.

        Raises:
            StoreError: If the trial has finished already: finished trials never change.
        """
        with told(self._path, "read"):
            row = self._connection.execute("SELECT state FROM trials WHERE number = ?", (trial.number,)).fetchone()
        if row is not None and TrialState(row["state"]).is_finished:
            raise StoreError(f"trial {trial.number} has finished ({row['state']}) and cannot change")
        with self._transaction() as revision:
            self._connection.execute("PRAGMA defer_foreign_keys = ON")
            self._connection.execute(_INSERT_TRIAL, (*trial_row(trial), revision))
            self._put_executions(trial.number, trial.executions)
            self._add_epochs(epochs)
            if log is not None:
                self._log(*log)
            if attempt is not None:
                self._put_attempt(attempt)
            if algorithm_state is not None:
                self._set_meta(ALGORITHM_STATE, algorithm_state)

    def _put_executions(self, trial: int, executions: Sequence[Execution]) -> None:
        self._connection.executemany(
            "INSERT OR REPLACE INTO executions VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [execution_row(trial, execution) for execution in executions],
        )

    def add_epochs(self, epochs: Iterable[Epoch]) -> None:
        """Append epochs."""
        with self._transaction():
            self._add_epochs(epochs)

    def _add_epochs(self, epochs: Iterable[Epoch], how: str = "INSERT") -> None:
        self._connection.executemany(
            f"{how} INTO epochs (trial, execution, epoch, at, metrics) VALUES (?, ?, ?, ?, ?)",
            [(e.trial, e.execution, e.epoch, e.at, metrics_text(e.metrics)) for e in epochs],
        )

    def open_session(self, pid: int, machine: str, workers: int, executor: str) -> SessionRecord:
        """A new session in state STARTING; earlier ones whose program was killed are over."""
        with self._transaction():
            self._connection.execute(_END_LOST_SESSIONS, (self._clock(),))
            number = self._connection.execute(
                "INSERT INTO sessions (state, reason, message, pid, machine, workers, executor, started_at)"
                " VALUES ('starting', '', '', ?, ?, ?, ?, ?)",
                (pid, machine, workers, executor, self._clock()),
            ).lastrowid
        with told(self._path, "read"):
            row = self._connection.execute("SELECT * FROM sessions WHERE number = ?", (number,)).fetchone()
        return session_from(row)

    def put_session(self, session: SessionRecord) -> None:
        """Write down how a session stands."""
        with self._transaction():
            self._connection.execute(
                "UPDATE sessions SET state = ?, reason = ?, message = ?, workers = ?, ended_at = ? WHERE number = ?",
                (
                    session.state.value,
                    session.reason,
                    session.message,
                    session.workers,
                    session.ended_at,
                    session.number,
                ),
            )

    def put_attempt(self, attempt: Attempt) -> None:
        """Write down a start of a trial, or how it ended."""
        with self._transaction():
            self._put_attempt(attempt)

    def _put_attempt(self, attempt: Attempt) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", dataclasses.astuple(attempt)
        )

    def add_resources(self, uses: Sequence[ResourceUse], keep_rows: int = 100_000) -> None:
        """Append use of processor and memory (`row` is given by the database); forget all but the latest rows."""
        with self._transaction():
            self._connection.executemany(
                "INSERT INTO resources (at, worker, trial, rss_bytes, cpu_percent, gpu_percent, gpu_bytes)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                [dataclasses.astuple(use)[1:] for use in uses],
            )
            self._connection.execute(
                "DELETE FROM resources WHERE row <= (SELECT max(row) FROM resources) - ?", (keep_rows,)
            )

    def put_command(self, identity: str, text: str, outcome: str) -> None:
        """Write down what became of a posted command; `outcome`: "" it was done, BEGUN, otherwise why not."""
        with self._transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO commands VALUES (?, ?, ?, ?)", (identity, self._clock(), text, outcome)
            )

    def set_note(self, number: int, note: str) -> None:
        """Write the user's note on a trial; the only thing that may change on a finished one."""
        with self._transaction() as revision:
            self._connection.execute(
                "UPDATE trials SET note = ?, revision = ? WHERE number = ?", (note, revision, number)
            )

    def log(self, text: str, level: str = "info") -> None:
        """Append a line to the study's log."""
        with self._transaction():
            self._log(level, text)

    def _log(self, level: str, text: str) -> None:
        self._connection.execute("INSERT INTO log (at, level, text) VALUES (?, ?, ?)", (self._clock(), level, text))
