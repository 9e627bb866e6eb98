"""What the end of a worker process means, in English."""

from __future__ import annotations

import signal

_SIGNALS = {
    "SIGKILL": "was killed by the system, most likely because memory ran out",
    "SIGSEGV": "crashed with a segmentation fault (a fault in native code)",
    "SIGABRT": "was aborted by native code (often memory that could not be had)",
    "SIGBUS": "crashed with a bus error (often a full disk or memory)",
    "SIGILL": "met an instruction that this processor does not have",
    "SIGFPE": "crashed with an arithmetic fault in native code",
    "SIGTERM": "was asked to end by another program",
}


def describe_exit(code: int | None) -> str:
    """A sentence on why a worker process ended; `code` is its exit code, negative for a signal, None if unknown."""
    if code is None:
        return "the worker process stopped answering"
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"the worker process {_SIGNALS.get(name, 'was ended by a signal')} ({name})"
    if code == 255:
        return "the worker process ended and its exit code was lost"
    return f"the worker process ended by itself with exit code {code}"
