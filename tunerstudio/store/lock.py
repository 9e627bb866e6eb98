"""One writer per study: a lock that the operating system lets go of when its owner dies."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tunerstudio.store.schema import StoreError

LOCK_FILE = ".lock"

_TIME = "%Y-%m-%d %H:%M:%S"

_ATTEMPTS = 10
_PAUSE_S = 0.02
"""`is_in_use` holds the lock for a moment: a writer that comes just then tries again."""

if sys.platform == "win32":
    import msvcrt

    # Windows locks are mandatory: lock one byte far behind the owner's note so that others can read the note.
    _LOCKED_BYTE = 4096

    def _try_lock(handle: IO[str], shared: bool = False) -> bool:
        handle.seek(_LOCKED_BYTE)
        try:
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(handle: IO[str], shared: bool = False) -> bool:
        try:
            fcntl.flock(handle.fileno(), (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class StudyLock:
    """Held by the engine that writes a study.

    Raises:
        StoreError: If another program holds it (says which, on which machine, since when), or the folder is read-only.
    """

    def __init__(self, folder: Path) -> None:
        """Take the lock of the study in `folder`."""
        path = folder / LOCK_FILE
        try:
            self._handle = path.open("a+", encoding="utf-8")
        except OSError as error:
            raise StoreError(f"{folder} cannot be written to ({error.strerror}): copy the study elsewhere") from error
        if not self._take():
            self._handle.seek(0)
            owner = _describe(_owner(self._handle.read(1000)))
            self._handle.close()
            raise StoreError(f"this study is in use by {owner}: stop that search first, or only look at the results")
        self._handle.seek(0)
        self._handle.truncate()
        note = {"pid": os.getpid(), "machine": socket.gethostname(), "since": time.strftime(_TIME)}
        self._handle.write(json.dumps(note))
        self._handle.flush()

    def _take(self) -> bool:
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(_PAUSE_S)
            if _try_lock(self._handle):
                return True
        return False

    def release(self) -> None:
        """Let go."""
        self._handle.close()


def is_in_use(folder: Path) -> bool:
    """Whether a program, this one included, holds the lock of the study in `folder` at this moment."""
    try:
        with (folder / LOCK_FILE).open("r", encoding="utf-8") as handle:
            # Shared: two programs that look at the same moment must not take each other for a writer.
            return not _try_lock(handle, shared=True)
    except OSError:
        return False  # nobody has ever written here, or nobody can


@dataclass(frozen=True)
class Owner:
    """Who took a lock.

    Attributes:
        pid: Process id.
        machine: Where it runs.
        since: When it took the lock, local time, whole seconds.
    """

    pid: int
    machine: str
    since: str

    @property
    def since_s(self) -> float:
        """`since` in seconds since the epoch."""
        return time.mktime(time.strptime(self.since, _TIME))


def last_owner(folder: Path) -> Owner | None:
    """The last program that took the lock of the study in `folder`; None if that is not known."""
    try:
        return _owner((folder / LOCK_FILE).read_text(encoding="utf-8"))
    except OSError:
        return None


def _owner(note: str) -> Owner | None:
    try:
        content = json.loads(note)
        owner = Owner(int(content["pid"]), str(content["machine"]), str(content["since"]))
        time.strptime(owner.since, _TIME)
    except (ValueError, KeyError, TypeError):
        return None
    return owner


def _describe(owner: Owner | None) -> str:
    if owner is None:
        return "another program"
    return f"another program (process {owner.pid} on {owner.machine} since {owner.since})"
