"""Repairing a study whose database is damaged, empty or gone: what SQLite can still read goes into a new one."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tunerstudio.store.lock import StudyLock
from tunerstudio.store.rows import execution_from, metrics_from, trial_from
from tunerstudio.store.schema import DATABASE_FILE, TRIALS_FOLDER, StoreError, check_version, connect, migrate, told

_ENDINGS = ("", "-wal", "-shm")
"""A database in use consists of so many files; the log of recent changes is one of them."""

_TABLES = (
    "meta",
    "documents",
    "trials",
    "executions",
    "epochs",
    "log",
    "sessions",
    "attempts",
    "resources",
    "commands",
)
_WITHOUT_ROWID = frozenset({"meta", "documents", "executions", "attempts", "commands"})

_MOST_PROBES = 200_000
"""Rows in the damaged middle of a table are asked for one by one, up to so many."""

_LEAST_ROW_BYTES = 20
"""No row takes less: tells how many there may be where the damage hides their number."""

_MAGIC = b"SQLite format 3\0"
_MOST_ADDED_BYTES = 100_000_000_000
"""A header that promises a longer file than this is damaged itself."""


@dataclass(frozen=True)
class Repaired:
    """What a repair found.

    Attributes:
        trials, epochs: So many could be read.
        lost: What could not, one sentence each; empty if the database was whole.
        kept: The damaged database, under its new name; None if there was none.
        was_whole: Whether nothing was wrong: the database is the same as before.
    """

    trials: int
    epochs: int
    lost: tuple[str, ...]
    kept: Path | None
    was_whole: bool = False


def repair(folder: Path) -> Repaired:
    """Make a new `study.db` of what can be read of the old one, which is kept beside it. Models are not touched.

    A database in which nothing is wrong is left as it is.

    Without any trial left to read, the trained files in `trials/` belong to nothing: they are put aside too, so that
    the search can start anew.

    Raises:
        StoreError: If the study is in use, was written by a newer program, or nothing can be written.
    """
    lock = StudyLock(folder)
    try:
        return _repair(folder, time.strftime("%Y%m%d-%H%M%S"))
    except OSError as error:
        raise StoreError(f"{folder} cannot be repaired: {error}") from error
    finally:
        lock.release()


def _repair(folder: Path, stamp: str) -> Repaired:
    path, fresh = folder / DATABASE_FILE, folder / f".{DATABASE_FILE}.repair"
    _refuse_newer(path)
    _remove(fresh)
    lost: list[str] = []
    try:
        with closing(connect(fresh, read_only=False)) as target, told(fresh, "written to"):
            migrate(target, fresh)
            if path.exists() and path.stat().st_size:
                _recover(path, folder / f".{DATABASE_FILE}.copy", target, lost)
            else:
                lost.append(f"{DATABASE_FILE} {'is empty' if path.exists() else 'is gone'}: no trial could be read")
            trials, epochs = _settle(target)
        if not lost and (trials or not (folder / TRIALS_FOLDER).is_dir()) and _is_sound(path, trials, epochs):
            return Repaired(trials, epochs, (), None, was_whole=True)
        kept = _put_aside(path, stamp)
        fresh.replace(path)
    finally:
        _remove(fresh)
    if trials == 0 and (folder / TRIALS_FOLDER).is_dir():
        aside = folder / f"{TRIALS_FOLDER}-{stamp}"
        (folder / TRIALS_FOLDER).rename(aside)
        lost.append(f"the trained files of unknown trials were put into {aside.name}")
    return Repaired(trials, epochs, tuple(lost), kept)


def _refuse_newer(path: Path) -> None:
    if not path.exists():
        return
    try:
        with closing(connect(path, read_only=True)) as connection:
            version = check_version(connection, path)
    except StoreError as error:
        if "newer Tuner Studio" in str(error):
            raise
        return  # that is what the repair is for
    assert version >= 0


def _is_sound(path: Path, trials: int, epochs: int) -> bool:
    """Whether SQLite finds nothing wrong with a database, and it holds no more than could be read."""
    try:
        with closing(connect(path, read_only=True)) as connection:
            check_version(connection, path)
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            questions = ("SELECT count(*) FROM trials", "SELECT count(*) FROM epochs")
            counts = [connection.execute(question).fetchone()[0] for question in questions]
    except (StoreError, sqlite3.DatabaseError):
        return False
    return bool(found == "ok") and counts == [trials, epochs]


def _recover(path: Path, copy: Path, target: sqlite3.Connection, lost: list[str]) -> None:
    """Read a copy, for reading may write: changes that are only in the log are taken into the file first."""
    _remove(copy)
    try:
        for ending in _ENDINGS:
            part = path.with_name(path.name + ending)
            if part.exists():
                shutil.copyfile(part, copy.with_name(copy.name + ending))
        _lengthen(copy)
        try:
            source = connect(copy, read_only=False)
        except StoreError:
            lost.append(f"{path.name} is no database any more: nothing in it could be read")
            return
        with closing(source):
            for table in _TABLES:
                _copy_table(source, target, table, lost)
    finally:
        _remove(copy)


def _lengthen(path: Path) -> None:
    """Give a file that was cut off the length that its header promises; otherwise SQLite reads nothing of it."""
    with path.open("r+b") as file:
        header = file.read(100)
        if len(header) < 100 or not header.startswith(_MAGIC):
            return
        page = int.from_bytes(header[16:18], "big")
        promised = int.from_bytes(header[28:32], "big") * (65536 if page == 1 else page)
        there = file.seek(0, os.SEEK_END)
        if there < promised < there + _MOST_ADDED_BYTES:
            file.truncate(promised)  # the new part is a hole: it takes no space on the disk


def _copy_table(source: sqlite3.Connection, target: sqlite3.Connection, table: str, lost: list[str]) -> None:
    wanted = [row["name"] for row in target.execute(f"PRAGMA table_info({table})")]
    try:
        there = {row["name"] for row in source.execute(f"PRAGMA table_info({table})")}
    except sqlite3.DatabaseError:
        there = set()
    columns = [name for name in wanted if name in there]
    if not columns:
        if table in ("trials", "epochs"):
            lost.append(f"the table {table} could not be read at all")
        return
    names = ", ".join(f'"{name}"' for name in columns)
    insert = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})"
    damage: list[str] = []
    target.execute("BEGIN")
    for row in _rows(source, table, names, damage):
        if _is_whole(table, row):
            target.execute(insert, tuple(row))
        else:
            damage.append("a row makes no sense")
    target.execute("COMMIT")
    if damage:
        lost.append(f"some rows of the table {table} could not be read ({damage[0]})")


def _rows(source: sqlite3.Connection, table: str, names: str, damage: list[str]) -> Iterator[sqlite3.Row]:
    """Rows from the beginning until the damage, then from the end back to it, then one by one between."""
    yield from _until_damage(source, f"SELECT {names} FROM {table}", damage)
    if not damage:
        return
    if table in _WITHOUT_ROWID:
        keys = [row["name"] for row in source.execute(f"PRAGMA table_info({table})") if row["pk"]]
        order = ", ".join(f'"{key}" DESC' for key in keys)
        yield from _until_damage(source, f"SELECT {names} FROM {table} ORDER BY {order}", damage)
        return
    yield from _until_damage(source, f"SELECT {names} FROM {table} ORDER BY rowid DESC", damage)
    last = _last_rowid(source, table)
    for row in range(1, min(last, _MOST_PROBES) + 1):
        yield from _until_damage(source, f"SELECT {names} FROM {table} WHERE rowid = {row}", damage)


def _until_damage(source: sqlite3.Connection, question: str, damage: list[str]) -> Iterator[sqlite3.Row]:
    try:
        yield from source.execute(question)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        damage.append(str(error))


def _last_rowid(source: sqlite3.Connection, table: str) -> int:
    for question in (f"SELECT max(rowid) FROM {table}", f"SELECT seq FROM sqlite_sequence WHERE name = '{table}'"):
        try:
            row = source.execute(question).fetchone()
        except sqlite3.DatabaseError:
            continue
        if row is not None and row[0] is not None:
            return int(row[0])
    pages, page = (source.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return int(pages) * int(page) // _LEAST_ROW_BYTES


def _is_whole(table: str, row: sqlite3.Row) -> bool:
    """Whether a row can be read as what it stands for: damage may lie inside a cell."""
    try:
        if table == "trials":
            trial_from(row, ())
        elif table == "executions":
            execution_from(row)
        elif table == "epochs":
            metrics_from(row["metrics"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return False
    return True


def _settle(target: sqlite3.Connection) -> tuple[int, int]:
    """Drop what belongs to trials that are lost; how many trials and epochs there are."""
    target.execute("BEGIN")
    for table in ("executions", "epochs", "attempts"):
        target.execute(f"DELETE FROM {table} WHERE trial NOT IN (SELECT number FROM trials)")
    generation = target.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()
    newer = str(int(generation[0]) + 1 if generation else 1)
    target.execute("INSERT OR REPLACE INTO meta VALUES ('generation', ?)", (newer,))
    revision = target.execute("SELECT coalesce(max(revision), 0) + 1 FROM trials").fetchone()[0]
    target.execute("INSERT OR IGNORE INTO meta VALUES ('revision', ?)", (str(revision),))
    target.execute("COMMIT")
    trials = target.execute("SELECT count(*) FROM trials").fetchone()[0]
    epochs = target.execute("SELECT count(*) FROM epochs").fetchone()[0]
    return int(trials), int(epochs)


def _put_aside(path: Path, stamp: str) -> Path | None:
    kept: Path | None = None
    for ending in _ENDINGS:
        part = path.with_name(path.name + ending)
        if part.exists():
            aside = path.with_name(f"{path.name}.damaged-{stamp}{ending}")
            part.rename(aside)
            kept = kept or aside
    return kept


def _remove(path: Path) -> None:
    for ending in (*_ENDINGS, "-journal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
