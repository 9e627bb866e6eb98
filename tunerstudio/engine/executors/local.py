"""Trial workers as processes of this machine: one process and one pipe each.

Where the system can fork, workers come from a forkserver that has TensorFlow imported already, so that a further
worker is ready in about a second. A shared queue is avoided on purpose: it can deadlock when a worker is killed.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for_connections
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import cast

from tunerstudio.engine.executors.base import TrialWorker
from tunerstudio.engine.executors.entry import PRELOAD_MODULE, run_worker
from tunerstudio.engine.executors.gpus import least_used, visible_gpus
from tunerstudio.engine.outcome import describe_exit
from tunerstudio.protocol.worker import (
    Command,
    CommandFailed,
    Report,
    Shutdown,
    WorkerReady,
    decode_report,
    encode,
)
from tunerstudio.study.errors import ModelError, TunerStudioError
from tunerstudio.study.machine import usable_cores

START_LIMIT_S = 180.0
"""How long a worker may take to import TensorFlow; slow disks exist."""


CLOSE_WAIT_S = 0.5
"""How long closing waits for a worker that is being started."""

LOG_LIMIT_BYTES = 10_000_000
"""A worker's log that has grown beyond this starts anew with the next worker."""


class WorkerDiedError(TunerStudioError):
    """A worker process ended without being asked to; the text says how.

    Attributes:
        is_blameless: Whether the trial it trained had no part in it, as when the machine was lost.
    """

    is_blameless = False


@dataclass(frozen=True)
class Share:
    """What a worker may use of the machine.

    Attributes:
        threads: Cores for one operation; None: TensorFlow's choice.
        gpu: As `CUDA_VISIBLE_DEVICES` names it; None: all there are, or none.
    """

    threads: int | None = None
    gpu: str | None = None


class Worker:
    """One worker process.

    Attributes:
        number: 1-based, for people.
        log_path: What it prints.
        ready: Its greeting; None until it came.
        study_key: What `OpenStudy` it answered last; the engine compares it before opening again.
        node: Name of this machine.
        share: Threads and GPU that it was started with.
    """

    def __init__(
        self, number: int, process: BaseProcess, connection: Connection, log_path: Path, share: Share | None = None
    ) -> None:
        """Wrap a started process."""
        self.number = number
        self.node = socket.gethostname()
        self.share = share or Share()
        self.log_path = log_path
        self.ready: WorkerReady | None = None
        self.study_key: object = None
        self._process = process
        self.connection = connection

    def send(self, command: Command) -> None:
        """Send a command; WorkerDiedError if nobody is there to take it."""
        try:
            self.connection.send_bytes(encode(command))
        except (BrokenPipeError, ConnectionResetError, OSError) as error:
            raise self.death() from error

    def receive(self) -> Report:
        """The next report; waits for it. WorkerDiedError if the process has ended, or sends what is no report."""
        try:
            return decode_report(self.connection.recv_bytes())
        except (EOFError, ConnectionResetError, OSError) as error:
            raise self.death() from error
        except ValueError as error:
            self._process.kill()  # code of a user has written into the pipe: nothing in it can be trusted any more
            raise WorkerDiedError("the worker process sent something that is no report, and was ended") from error

    def ask(self, command: Command) -> Report:
        """Send `command` and wait for its answer.

        Raises:
            ModelError: If the worker says that it cannot be done.
            WorkerDiedError: If it died over it.
        """
        self.wait_ready()
        self.send(command)
        answer = self.receive()
        if isinstance(answer, CommandFailed):
            raise ModelError(answer.message, answer.details)
        return answer

    def wait_ready(self) -> WorkerReady:
        """Wait until the imports are done."""
        if self.ready is None:
            if not self.connection.poll(START_LIMIT_S):
                self.kill()
                raise WorkerDiedError(f"a worker did not start within {START_LIMIT_S:g} s; see {self.log_path}")
            report = self.receive()
            if isinstance(report, CommandFailed):
                raise WorkerDiedError(f"a worker could not start: {report.message}\n{report.details}")
            if not isinstance(report, WorkerReady):
                raise WorkerDiedError(f"a worker greeted with {report.type} instead of WorkerReady")
            self.ready = report
        return self.ready

    def death(self) -> WorkerDiedError:
        """Why the process ended, in a sentence with the end of its log."""
        self._process.join(5.0)
        return WorkerDiedError(describe_exit(self._process.exitcode))

    def log_tail(self, characters: int = 4000) -> str:
        """The last lines it printed."""
        if not self.log_path.is_file():
            return ""
        with self.log_path.open("rb") as log:  # user code may print gigabytes: only the end is read
            log.seek(max(0, log.seek(0, os.SEEK_END) - 4 * characters))
            return log.read().decode("utf-8", errors="replace")[-characters:]

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.is_alive()

    @property
    def pid(self) -> int | None:
        """Process id."""
        return self._process.pid

    def close(self, grace_s: float = 3.0) -> None:
        """Ask the process to end; kill it after `grace_s` seconds."""
        try:
            self.connection.send_bytes(encode(Shutdown()))
        except OSError:
            grace_s = 0.0  # nobody listens any more
        self._process.join(grace_s)
        self.kill()

    def interrupt(self) -> None:
        """End the process; the thread that waits for its answer gets WorkerDiedError, and gives the worker back."""
        self._process.kill()

    def kill(self) -> None:
        """End the process at once."""
        if self._process.is_alive():
            self._process.kill()
        self._process.join(10.0)
        self.connection.close()


class Lease:
    """One worker of a pool for the time of a `with`: taken when it is first asked for, given back at the end."""

    def __init__(self, pool: WorkerPool, fresh: bool = False) -> None:
        """Of `pool`; `fresh`: one that has never opened a study."""
        self._pool, self._fresh = pool, fresh
        self._worker: Worker | None = None

    def worker(self) -> Worker:
        """The worker, the same at every call."""
        if self._worker is None:
            self._worker = self._pool.acquire(self._fresh)
        return self._worker

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._worker is None:
            return
        if kind is None or issubclass(kind, TunerStudioError):
            self._pool.release(self._worker)
        else:
            # Its answer may still come, and would be taken for the answer to another question.
            self._pool.discard(self._worker)


class WorkerPool:
    """Warm workers, handed out one at a time. Safe to use from several threads."""

    def __init__(self, log_folder: Path, threads: int | None = None, gpus: Sequence[str] | None = None) -> None:
        """Make an empty pool.

        Args:
            log_folder: Where workers write what they print.
            threads: For each worker; None: `share_cores` decides, and before that TensorFlow.
            gpus: Handed out to workers, the least used first; None: those that the machine has.
        """
        self._context: ForkServerContext | SpawnContext
        if "forkserver" in multiprocessing.get_all_start_methods():
            self._context = multiprocessing.get_context("forkserver")
            self._context.set_forkserver_preload([PRELOAD_MODULE])
        else:
            self._context = multiprocessing.get_context("spawn")
        self._log_folder = log_folder
        self._threads, self._cores_are_shared = threads, threads is None
        self._gpus = None if gpus is None else tuple(gpus)
        self._numbers = itertools.count(1)
        self._guard = threading.Lock()
        self._idle: list[Worker] = []
        self._busy: list[Worker] = []
        self._closed = False

    @property
    def gpus(self) -> tuple[str, ...]:
        """GPUs that workers get, one each as long as there are enough."""
        if self._gpus is None:
            self._gpus = visible_gpus()
        return self._gpus

    def share_cores(self, workers: int) -> None:
        """Let each worker that is taken from now on use its share of the cores, if so many train side by side."""
        if self._cores_are_shared:
            self._threads = None if workers == 1 else max(1, usable_cores() // workers)

    def warm_up(self, count: int = 1) -> None:
        """See that there are `count` workers; returns at once, although the first one takes seconds to start."""
        threading.Thread(target=self._fill, args=(count,), name="warm up", daemon=True).start()

    def _fill(self, count: int) -> None:
        while not self._closed:
            with self._guard:
                if self._closed or len(self._idle) + len(self._busy) >= count:
                    return
                self._idle.append(self._start())

    def acquire(self, fresh: bool = False) -> Worker:
        """A live worker for the caller alone; `fresh`: one that has never opened a study."""
        with self._guard:
            self._drop_dead()
            candidates = [worker for worker in self._idle if not fresh or worker.study_key is None]
            # Threads cannot be changed once TensorFlow has begun to compute.
            suitable = [worker for worker in candidates if worker.share.threads == self._threads]
            if suitable:
                worker = suitable[0]
                self._idle.remove(worker)
            else:
                self._drop_unsuitable()
                worker = self._start()
            self._busy.append(worker)
            return worker

    def lease(self, fresh: bool = False) -> Lease:
        """A worker for the time of a `with`; see `Lease`."""
        return Lease(self, fresh)

    def release(self, worker: TrialWorker) -> None:
        """Give a worker back; a dead one is forgotten."""
        assert isinstance(worker, Worker)  # of this very pool
        with self._guard:
            if worker in self._busy:
                self._busy.remove(worker)
            if worker.is_alive and not self._closed:
                self._idle.append(worker)
            else:
                worker.kill()

    def discard(self, worker: TrialWorker) -> None:
        """Give back a worker that must not be used again."""
        assert isinstance(worker, Worker)  # of this very pool
        worker.kill()
        self.release(worker)

    def tend(self) -> list[tuple[str, str]]:
        """Nothing to tell: a process of this machine needs to wait for nobody."""
        return []

    def close(self) -> None:
        """End all workers."""
        self._closed = True
        if not self._guard.acquire(timeout=CLOSE_WAIT_S):
            return  # one is being started: it ends as soon as it has, and with this process at the latest
        try:
            workers = [*self._idle, *self._busy]
            self._idle.clear()
            self._busy.clear()
        finally:
            self._guard.release()
        for worker in workers:
            worker.close()

    def _drop_dead(self) -> None:
        for worker in [worker for worker in self._idle if not worker.is_alive]:
            self._idle.remove(worker)
            worker.kill()

    def _drop_unsuitable(self) -> None:
        """End the workers that wait with another share of the cores: they would only hold memory."""
        for worker in [worker for worker in self._idle if worker.share.threads != self._threads]:
            self._idle.remove(worker)
            worker.kill()

    def _share_of_next(self, taken: Sequence[Share]) -> Share:
        return Share(self._threads, least_used(self.gpus, [share.gpu for share in taken]))

    def _start(self) -> Worker:
        number = next(self._numbers)
        self._log_folder.mkdir(parents=True, exist_ok=True)
        log_path = self._log_folder / f"worker-{number}.log"
        if log_path.is_file() and log_path.stat().st_size > LOG_LIMIT_BYTES:
            os.truncate(log_path, 0)
        ours, theirs = self._context.Pipe()
        share = self._share_of_next([worker.share for worker in (*self._idle, *self._busy)])
        arguments = (theirs, str(log_path), share.threads, share.gpu)
        process = self._context.Process(target=run_worker, args=arguments, name=f"worker-{number}", daemon=True)
        with no_interrupts():
            process.start()
        theirs.close()
        worker = Worker(number, process, ours, log_path, share)
        if self._closed:
            worker.kill()
        return worker


@contextmanager
def no_interrupts() -> Iterator[None]:
    """Processes that start inside do not get Ctrl+C, which reaches every process of a terminal's group.

    A fork server that imports TensorFlow would die of it, and no worker could start any more: when to stop is for
    the engine to decide.
    """
    if sys.platform == "win32":
        yield
        return
    # It lets signals through again when it has started, so it has to be there before.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def wait_for_any(connections: Sequence[Connection], timeout_s: float | None) -> list[Connection]:
    """Those of `connections` that have something to read, or have closed; empty after `timeout_s`."""
    return cast("list[Connection]", wait_for_connections(connections, timeout_s))
