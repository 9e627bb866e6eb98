"""What a worker prints: into its log, which does not grow beyond all bounds."""

from __future__ import annotations

import faulthandler
import os
import sys
import threading

LIMIT_BYTES = 20_000_000
"""A log that has grown beyond this is cut."""

KEPT_BYTES = 10_000_000
"""What is left of a log that was cut: its end."""

LOOK_INTERVAL_S = 0.5

CUT = b"[Earlier output was removed: the log had grown too large.]\n"


def redirect_output(log_path: str) -> None:
    """Send file descriptors 1 and 2 to the log: TensorFlow's C++ code and user code write there too."""
    descriptor = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    # A windowed program may have no sys.stdout; a fork inherits one that belongs to the parent's terminal or test.
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    faulthandler.enable(sys.stderr)


def watch_log(log_path: str) -> None:
    """Cut the log whenever it has grown too large, from a thread of its own, as long as the process lives.

    Nobody who prints ever waits for it, as they would for a pipe whose reader is busy: all descriptors append, so that
    the file can be cut beneath them.
    """
    threading.Thread(target=_watch, args=(log_path,), name="log watch", daemon=True).start()


def _watch(log_path: str) -> None:
    never = threading.Event()
    while not never.wait(LOOK_INTERVAL_S):
        cut_log(log_path)


def cut_log(log_path: str, limit: int = LIMIT_BYTES, kept: int = KEPT_BYTES) -> None:
    """Leave the last `kept` bytes of a log that is larger than `limit` bytes; what is printed meanwhile may be lost."""
    try:
        size = os.stat(log_path).st_size
        if size <= limit:
            return
        with open(log_path, "r+b") as log:
            log.seek(size - kept)
            end = log.read(kept)
            log.truncate(0)
        with open(log_path, "ab") as log:
            log.write(CUT + end)
    except FileNotFoundError:
        return  # its folder was removed; the worker prints into the void
    except OSError as error:  # a full disk, for example: the log is not worth a trial
        print(f"The log could not be cut: {error}", file=sys.stderr)  # noqa: T201  # it is the log
