"""Ends the program that runs a search by force: the last resort when it does not answer a stop."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Final

import psutil

from tunerstudio.store.lock import is_in_use, last_owner
from tunerstudio.study.errors import TunerStudioError

_PATIENCE_S: Final = 20.0
_POLL_S: Final = 0.05
_CLOCK_S: Final = 2.0
"""Of whole seconds, and of the system's idea of when a process began."""


def end_by_force(folder: Path) -> int:
    """Kill whoever holds the lock of the study in `folder` on this machine.

    What is finished is safe; what trained goes on from its checkpoints in the next session.

    Returns:
        Its process id.

    Raises:
        TunerStudioError: If nobody knows which process it is, it runs elsewhere, or it cannot be ended.
    """
    owner = last_owner(folder)
    if owner is None:
        raise TunerStudioError(f"the lock of {folder} does not say which process runs the search")
    pid = owner.pid
    if owner.machine != socket.gethostname():
        raise TunerStudioError(f"process {pid} on {owner.machine} runs the search: end it on that machine")
    if pid == os.getpid():
        raise TunerStudioError("this very program holds the study")
    try:
        process = psutil.Process(pid)
        if process.create_time() > owner.since_s + _CLOCK_S:
            # The number went to another program since, and the one that has the lock has not yet said who it is.
            raise TunerStudioError(f"process {pid} does not run the search: try again in a moment")
        process.kill()
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
