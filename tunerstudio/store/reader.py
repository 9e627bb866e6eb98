"""Reading a study's history: a live search and a finished one by the same road."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tunerstudio.store.lock import is_in_use
from tunerstudio.store.rows import attempt_from, epoch_from, execution_from, resource_from, session_from, trial_from
from tunerstudio.store.schema import BEGUN, CODE_SUFFIX, DATABASE_FILE, StoreError, check_version, connect, told
from tunerstudio.study.trials import Attempt, Epoch, Execution, ResourceUse, SessionRecord, Trial, TrialState


@dataclass(frozen=True)
class LogLine:
    """One line of the study's log.

    Attributes:
        at: Seconds since the epoch (UTC).
        level: info, warning or error.
        text: What happened.
    """

    at: float
    level: str
    text: str


@dataclass(frozen=True)
class Cursor:
    """How far a reader has read; the default is the beginning."""

    generation: int = 0
    revision: int = 0
    epoch_row: int = 0
    log_row: int = 0


@dataclass(frozen=True)
class Changes:
    """What is new since a cursor.

    Attributes:
        cursor: To ask with next time.
        reset: True if earlier epochs were taken back (an interrupted trial starts anew): forget everything, then
            take what is here, which is the whole history.
        more: True if there is more than the limit; ask again at once.
    """

    cursor: Cursor
    reset: bool
    trials: list[Trial]
    epochs: list[Epoch]
    log: list[LogLine]
    more: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened."""
        return not (self.reset or self.trials or self.epochs or self.log)


def has_history(folder: Path) -> bool:
    """Whether the study in `folder` has a database in which something may stand.

    A writer that was killed while it made the database leaves an empty one: the next writer goes on with it.
    """
    path = folder / DATABASE_FILE
    return path.is_file() and not _is_blank(path)


def _is_blank(path: Path) -> bool:
    """Whether there is no table in a database; a damaged one is not blank."""
    try:
        connection = connect(path, read_only=True)
    except StoreError:
        return False
    try:
        with told(path, "read"):
            return not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    except StoreError:
        return False
    finally:
        connection.close()


class StudyReader:
    """A read-only view of `study.db`; any number may be open. Use it from one thread.

    A trial that runs according to the database, while no program has the study in use, is read as QUEUED: it was left
    by a session that was killed, and the next one starts it again.

    Raises:
        StoreError: If there is no database, it is damaged, or it is newer than the program.
    """

    def __init__(self, folder: Path) -> None:
        """Open the database of the study in `folder`."""
        self._folder = folder
        self._path = path = folder / DATABASE_FILE
        if not has_history(folder):
            raise StoreError(f"{folder} has no history yet: run the search first")
        self._connection = connect(path, read_only=True)
        try:
            self._version = check_version(self._connection, path)
            if self._version < 1:
                raise StoreError(f"{path} is not a study's database")
        except StoreError:
            self._connection.close()
            raise

    def __enter__(self) -> StudyReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def trials(self) -> list[Trial]:
        """All trials by number."""
        with self._told():
            return self._trials_since(0)

    def epochs(self, trial: int) -> list[Epoch]:
        """All epochs of one trial, by execution and epoch."""
        with self._told():
            rows = self._connection.execute(
                "SELECT * FROM epochs WHERE trial = ? ORDER BY execution, epoch", (trial,)
            ).fetchall()
        return [epoch_from(row) for row in rows]

    def meta(self, key: str) -> str | None:
        """A note of the engine, such as `algorithm_state` or `space`."""
        return self._text("SELECT value FROM meta WHERE key = ?", key)

    def document(self, key: str) -> str | None:
        """The study document with this key, as YAML text."""
        return self._text("SELECT text FROM documents WHERE key = ?", key)

    def code(self, key: str) -> str | None:
        """The Python file of a code model that went with the document `key`; None if there was none."""
        return self._text("SELECT text FROM documents WHERE key = ?", f"{key}{CODE_SUFFIX}")

    def session(self) -> SessionRecord | None:
        """The latest session; None before the first. It runs only if the study is in use (`lock.is_in_use`)."""
        rows = self._rows("SELECT * FROM sessions ORDER BY number DESC LIMIT 1")
        return session_from(rows[0]) if rows else None

    def attempts(self, trial: int | None = None) -> list[Attempt]:
        """What ran where, by time: of one trial, or of all."""
        where = "" if trial is None else "WHERE trial = ?"
        rows = self._rows(f"SELECT * FROM attempts {where} ORDER BY started_at", () if trial is None else (trial,))
        return [attempt_from(row) for row in rows]

    def resources(self, since_row: int = 0, limit: int = 20_000) -> list[ResourceUse]:
        """Use of processor and memory that was noted after row `since_row`, oldest first."""
        rows = self._rows("SELECT * FROM resources WHERE row > ? ORDER BY row LIMIT ?", (since_row, limit))
        return [resource_from(row) for row in rows]

    def command_outcome(self, identity: str) -> str | None:
        """What became of a posted command: "" it was done, a sentence why not, None: it has not been answered yet."""
        rows = self._rows("SELECT outcome FROM commands WHERE id = ? AND outcome != ?", (identity, BEGUN))
        return str(rows[0]["outcome"]) if rows else None

    def command_begun(self, identity: str) -> bool:
        """Whether a session has begun to carry out a posted command, or has done so."""
        return bool(self._rows("SELECT 1 FROM commands WHERE id = ?", (identity,)))

    def _rows(self, question: str, parameters: tuple[object, ...] = ()) -> list[sqlite3.Row]:
        """Rows of a table that version 1 did not have: none, if the database is that old."""
        if self._version < 2 and self._refresh_version() < 2:
            return []
        with self._told():
            return self._connection.execute(question, parameters).fetchall()

    def _refresh_version(self) -> int:
        """The version now: a session that starts brings an old database up to date under its readers."""
        self._version = check_version(self._connection, self._path)
        return self._version

    def _text(self, question: str, key: str) -> str | None:
        with self._told():
            row = self._connection.execute(question, (key,)).fetchone()
        return None if row is None else str(row[0])

    def _told(self) -> AbstractContextManager[None]:
        return told(self._path, "read")

    def changes(self, since: Cursor, limit: int = 20_000) -> Changes:
        """What is new since `since`, read as one consistent snapshot.

        Args:
            since: The cursor of the last answer, or `Cursor()`.
            limit: Most epochs and log lines in one answer.
        """
        with self._told(), self._snapshot():
            generation = int(self.meta("generation") or 0)
            reset = generation != since.generation and since != Cursor()
            start = Cursor() if reset else since
            revision = int(self.meta("revision") or 0)
            trials = self._trials_since(start.revision) if revision > start.revision else []
            epochs = self._connection.execute(
                "SELECT * FROM epochs WHERE row > ? ORDER BY row LIMIT ?", (start.epoch_row, limit)
            ).fetchall()
            log = self._connection.execute(
                "SELECT * FROM log WHERE row > ? ORDER BY row LIMIT ?", (start.log_row, limit)
            ).fetchall()
        cursor = Cursor(
            generation,
            revision,
            epochs[-1]["row"] if epochs else start.epoch_row,
            log[-1]["row"] if log else start.log_row,
        )
        return Changes(
            cursor,
            reset,
            trials,
            [epoch_from(row) for row in epochs],
            [LogLine(row["at"], row["level"], row["text"]) for row in log],
            more=limit in {len(epochs), len(log)},
        )

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")

    def _trials_since(self, revision: int) -> list[Trial]:
        rows = self._connection.execute(
            "SELECT * FROM trials WHERE revision > ? ORDER BY number", (revision,)
        ).fetchall()
        executions: dict[int, list[Execution]] = {}
        for row in self._connection.execute(
            "SELECT e.* FROM executions e JOIN trials t ON t.number = e.trial WHERE t.revision > ? ORDER BY trial, idx",
            (revision,),
        ):
            executions.setdefault(row["trial"], []).append(execution_from(row))
        trials = [trial_from(row, executions.get(row["number"], ())) for row in rows]
        if any(trial.state is TrialState.RUNNING for trial in trials) and not is_in_use(self._folder):
            # Whoever ran them was killed: the next session starts them again.
            return [replace(t, state=TrialState.QUEUED) if t.state is TrialState.RUNNING else t for t in trials]
        return trials
