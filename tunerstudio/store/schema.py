"""The tables of `study.db` and their versions."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tunerstudio.study.errors import TunerStudioError

DATABASE_FILE = "study.db"
TRIALS_FOLDER = "trials"
SCHEMA_VERSION = 2

BEGUN = "begun"
"""Outcome of a command that is being carried out."""

CODE_SUFFIX = ".py"
"""What follows a document's key where the code that goes with it is kept."""

_VERSION_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (key TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE trials (
    number INTEGER PRIMARY KEY,
    state TEXT NOT NULL,
    "values" TEXT NOT NULL,          -- JSON object: value by hyperparameter
    score REAL, standard_error REAL,
    tags TEXT NOT NULL,              -- JSON object of the algorithm
    epochs_planned INTEGER NOT NULL, initial_epoch INTEGER NOT NULL, parent INTEGER,
    reason TEXT NOT NULL, message TEXT NOT NULL, details TEXT NOT NULL,
    road TEXT NOT NULL, parameters INTEGER, device TEXT NOT NULL, attempts INTEGER NOT NULL,
    created_at REAL NOT NULL, started_at REAL, ended_at REAL, duration_s REAL NOT NULL,
    note TEXT NOT NULL,
    document TEXT NOT NULL,          -- key of the document it was trained by
    revision INTEGER NOT NULL        -- grows with every change of the study; readers ask for what is newer
);
CREATE INDEX trials_by_revision ON trials (revision);
CREATE TABLE executions (
    trial INTEGER NOT NULL REFERENCES trials (number),
    idx INTEGER NOT NULL,
    state TEXT NOT NULL, seed INTEGER NOT NULL,
    score REAL, best_epoch INTEGER, epochs INTEGER NOT NULL,
    metrics TEXT NOT NULL,           -- JSON object: metrics at the best epoch
    PRIMARY KEY (trial, idx)
) WITHOUT ROWID;
CREATE TABLE epochs (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    trial INTEGER NOT NULL REFERENCES trials (number),
    execution INTEGER NOT NULL,
    epoch INTEGER NOT NULL,          -- 1-based
    at REAL NOT NULL,
    metrics TEXT NOT NULL,           -- JSON object; null: not a finite number
    UNIQUE (trial, execution, epoch)
);
CREATE VIEW metric_values AS
    SELECT trial, execution, epoch, at, json_each.key AS metric, json_each.value AS value
    FROM epochs, json_each(epochs.metrics);
CREATE TABLE log (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL, level TEXT NOT NULL, text TEXT NOT NULL
);
"""

_VERSION_2 = """
ALTER TABLE trials ADD COLUMN measures TEXT NOT NULL DEFAULT '{}';  -- JSON object: value by name
ALTER TABLE trials ADD COLUMN origin TEXT NOT NULL DEFAULT '';
CREATE TABLE sessions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL,
    pid INTEGER NOT NULL, machine TEXT NOT NULL, workers INTEGER NOT NULL, executor TEXT NOT NULL,
    started_at REAL NOT NULL, ended_at REAL
);
CREATE TABLE attempts (
    trial INTEGER NOT NULL REFERENCES trials (number),
    attempt INTEGER NOT NULL,
    worker INTEGER NOT NULL, node TEXT NOT NULL, device TEXT NOT NULL,
    started_at REAL NOT NULL, ended_at REAL, outcome TEXT NOT NULL,
    PRIMARY KEY (trial, attempt)
) WITHOUT ROWID;
CREATE TABLE resources (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL, worker INTEGER NOT NULL, trial INTEGER,
    rss_bytes INTEGER NOT NULL, cpu_percent REAL NOT NULL, gpu_percent REAL, gpu_bytes INTEGER
);
CREATE TABLE commands (
    id TEXT PRIMARY KEY,             -- of the letter in the mailbox
    at REAL NOT NULL,
    text TEXT NOT NULL,              -- JSON of the command
    outcome TEXT NOT NULL            -- "" if it was done, "begun", otherwise why not, in a sentence
) WITHOUT ROWID;
"""

_MIGRATIONS = {1: _VERSION_1, 2: _VERSION_2}
"""SQL that leads from version n - 1 to version n."""


class StoreError(TunerStudioError):
    """The database of a study cannot be used; the text says why and what to do."""


class DiskFullError(StoreError):
    """Nothing can be written at the moment; what was stored before is safe."""


@contextmanager
def told(path: Path, doing: str) -> Iterator[None]:
    """Turn what SQLite says inside into a StoreError: "PATH cannot be `doing`" with the reason and what to do."""
    try:
        yield
    except (sqlite3.ProgrammingError, sqlite3.IntegrityError, sqlite3.DataError):
        raise  # faults of the program, not of the file
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "")
        kind = DiskFullError if name == "SQLITE_FULL" or name.startswith("SQLITE_IOERR") else StoreError
        raise kind(f"{path} cannot be {doing}: {_reason(error)}") from error


def _reason(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_FULL":
        return "the disk is full. What was stored before is safe: free some space and run the study again."
    if name.startswith("SQLITE_IOERR"):
        return f"the disk is full or does not answer ({error}). What was stored before is safe."
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return (
            f"it is damaged ({error}). Put a copy back, or repair the study (`tunerstudio repair`): that keeps the "
            "damaged file, saves what can be read of it, and does not touch saved models."
        )
    return f"{error}."


def refuse_lost_history(folder: Path) -> None:
    """StoreError if the study in `folder` has trained trials, but its database is gone or empty.

    SQLite would make a new one without a word, and the search would begin again over the files of the old one.
    """
    path = folder / DATABASE_FILE
    if path.exists() and path.stat().st_size > 0:
        return
    trained = os.listdir(folder / TRIALS_FOLDER) if (folder / TRIALS_FOLDER).is_dir() else []
    if any(name.isdigit() for name in trained):
        what = "is empty" if path.exists() else "is missing"
        raise StoreError(
            f"{path} {what}, although {folder / TRIALS_FOLDER} holds trained trials. Put a copy back, or repair the "
            "study (`tunerstudio repair`): it then starts anew, and saved models are not touched."
        )


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """A connection whose rows answer to column names.

    Raises:
        StoreError: If the file cannot be opened.
    """
    with told(path, "opened"):
        try:
            return _connect(path, "mode=ro" if read_only else "mode=rwc")
        except sqlite3.OperationalError:
            wal = path.with_name(f"{path.name}-wal")
            if not read_only or (wal.exists() and wal.stat().st_size):
                raise
            # In a folder that cannot be written to, SQLite misses the files that it shares with a writer.
            return _connect(path, "immutable=1")


def _connect(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True, isolation_level=None, timeout=10.0)
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def check_version(connection: sqlite3.Connection, path: Path) -> int:
    """The schema version of the file; StoreError if it is newer than this program or not a database."""
    with told(path, "read"):
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise StoreError(f"{path} was written by a newer Tuner Studio (format {version}): please update the program")
    return version


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the tables to `SCHEMA_VERSION`, each step in a transaction of its own."""
    for version in range(check_version(connection, path) + 1, SCHEMA_VERSION + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {_MIGRATIONS[version]} PRAGMA user_version = {version}; COMMIT;")
