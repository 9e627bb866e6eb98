"""The first lines that run in a worker process. Kept free of imports: the forkserver copies it into every worker."""

from __future__ import annotations

import importlib
from multiprocessing.connection import Connection

WORKER_MODULE = "tunerstudio.worker.process"
PRELOAD_MODULE = "tunerstudio.worker.preload"


def run_worker(connection: Connection, log_path: str, threads: int | None, gpu: str | None) -> None:
    """Become a trial worker.

    The module is named, not imported, by the engine: nothing of TensorFlow may enter the engine process.
    """
    importlib.import_module(WORKER_MODULE).worker_main(connection, log_path, threads, gpu)
