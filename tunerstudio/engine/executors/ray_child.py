"""The first lines of a trial worker on a node. Free of imports, like `entry`: a fork server copies it."""

from __future__ import annotations

import signal
import sys
from multiprocessing.connection import Connection

from tunerstudio.engine.executors.entry import run_worker

_PR_SET_PDEATHSIG = 1


def run_on_node(connection: Connection, log_path: str, threads: int | None, gpu: str | None) -> None:
    """Become a trial worker that ends with its node's fork server, even while native code holds the interpreter."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    run_worker(connection, log_path, threads, gpu)
