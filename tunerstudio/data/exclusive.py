"""One at a time: a lock file that the operating system lets go of when its owner dies."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt

    _PAUSE_S = 0.05

    def _wait_for_lock(handle: IO[bytes]) -> None:
        while True:
            handle.seek(0)
            try:
                msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
            except OSError:
                time.sleep(_PAUSE_S)  # Windows has no lock that waits for ever
            else:
                return
else:
    import fcntl

    def _wait_for_lock(handle: IO[bytes]) -> None:
        fcntl.flock(handle.fileno(), fcntl.LOCK_EX)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Inside, nobody else who asks for `path` is: no other thread and no other program. Waits for its turn.

    The file is gone afterwards, unless somebody else waits for it.

    Raises:
        OSError: If the file cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = _locked(path)
    try:
        yield
    finally:
        with suppress(OSError):  # where an open file cannot be removed, it stays for the next time
            path.unlink()
        handle.close()


def _locked(path: Path) -> IO[bytes]:
    """The open and locked file. Its last owner may have removed it while we waited: then there is a new one."""
    while True:
        handle = path.open("ab")
        _wait_for_lock(handle)
        try:
            if os.path.samestat(os.fstat(handle.fileno()), path.stat()):
                return handle
        except FileNotFoundError:
            pass  # removed: the next turn makes another
        handle.close()
