"""Ends the program that runs a search by force: the last resort when it does not answer a stop."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import Final

import psutil

from tunerstudio.store.lock import LOCK_FILE, is_in_use
from tunerstudio.study.errors import TunerStudioError

_PATIENCE_S: Final = 20.0
_POLL_S: Final = 0.05


def end_by_force(folder: Path) -> int:
    """Kill whoever holds the lock of the study in `folder` on this machine.

    What is finished is safe; what trained goes on from its checkpoints in the next session.

    Returns:
        Its process id.

    Raises:
        TunerStudioError: If nobody knows which process it is, it runs elsewhere, or it cannot be ended.
    """
    try:
        owner = json.loads((folder / LOCK_FILE).read_text(encoding="utf-8"))
        pid, machine = int(owner["pid"]), str(owner["machine"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TunerStudioError(f"{folder / LOCK_FILE} does not say which process runs the search") from error
    if machine != socket.gethostname():
        raise TunerStudioError(f"process {pid} on {machine} runs the search: end it on that machine")
    if pid == os.getpid():
        raise TunerStudioError("this very program holds the study")
    try:
        psutil.Process(pid).kill()
    except psutil.NoSuchProcess:
        pass  # somebody was faster
    except psutil.AccessDenied as error:
        raise TunerStudioError(f"process {pid} runs the search and belongs to somebody else") from error
    until = time.monotonic() + _PATIENCE_S
    while is_in_use(folder):
        if time.monotonic() > until:
            raise TunerStudioError(f"process {pid} was ended, but the study is still in use")
        time.sleep(_POLL_S)
    return pid
