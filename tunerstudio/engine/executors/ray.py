"""Trial workers as Ray actors, on a cluster of machines or on a Ray that is started on this one.

This module does not import Ray: a driver process does, see `ray_driver`. Each worker has a pipe of its own to the
driver, which looks to the session like the pipe of a local worker.
"""

from __future__ import annotations

import importlib.util
import itertools
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from tunerstudio.engine.executors.base import TrialWorker
from tunerstudio.engine.executors.local import WorkerDiedError, no_interrupts
from tunerstudio.engine.executors.ray_driver import drive
from tunerstudio.engine.executors.ray_messages import DEATH, GREETING, Settings
from tunerstudio.protocol.worker import Command, CommandFailed, Report, WorkerReady, decode_report, encode
from tunerstudio.study.errors import ModelError, Problem, StudyError
from tunerstudio.study.search import Executor

OPEN_LIMIT_S = 90.0
"""How long a cluster may take to answer, or to start."""

CLOSE_LIMIT_S = 10.0
"""How long the driver may take to leave the cluster."""

HAND_OVER_S = 2.0
"""A worker that idles for so long makes room when another one waits for a place,"""
IDLE_LIMIT_S = 60.0
"""and after so long in any case: others may want to use the cluster."""

_LOOK_S = 0.5


class NodeLostError(WorkerDiedError):
    """The machine of a worker, or the way to it, was lost: no fault of the trial, which can start again elsewhere."""

    is_blameless = True


class RayWorker:
    """One worker of a cluster; see `TrialWorker`.

    Attributes:
        number: 1-based, for people.
        connection: Readable when a report waits or the worker has ended.
        ready: Its greeting; None until it came.
        study_key: What `OpenStudy` it answered last.
        node: Name of the node; "" until it has a place.
        idle_since: By the monotonic clock, when it was given back.
    """

    def __init__(self, number: int, connection: Connection, log_path: Path) -> None:
        """Talk through `connection`."""
        self.number = number
        self.connection = connection
        self.ready: WorkerReady | None = None
        self.study_key: object = None
        self.node = ""
        self.idle_since = time.monotonic()
        self._log_path = log_path
        self._death: WorkerDiedError | None = None

    def send(self, command: Command) -> None:
        """Send a command; WorkerDiedError if nobody is there to take it."""
        try:
            self.connection.send_bytes(encode(command))
        except OSError as error:
            raise self._died() from error

    def receive(self) -> Report:
        """The next report; waits for it. WorkerDiedError if the worker or its node is lost."""
        if self._death is not None:
            raise self._death
        try:
            frame = self.connection.recv_bytes()
        except (EOFError, OSError) as error:
            # The driver tells why before it closes a pipe, unless it was lost itself.
            self._death = NodeLostError("the connection to the Ray cluster was lost")
            raise self._death from error
        kind, content = frame[:1], frame[1:]
        if kind == DEATH:
            text = content[1:].decode()
            self._death = NodeLostError(text) if content[:1] == b"1" else WorkerDiedError(text)
            raise self._death
        if kind == GREETING:
            node, content = content.split(b"\0", 1)
            self.node = node.decode()
        return decode_report(content)

    def _died(self) -> WorkerDiedError:
        """Why nobody takes commands any more: what is still to read tells."""
        while True:
            try:
                self.receive()
            except WorkerDiedError as death:
                return death

    def ask(self, command: Command) -> Report:
        """Send `command` and wait for its answer; errors as `TrialWorker.ask`."""
        self.wait_ready()
        self.send(command)
        answer = self.receive()
        if isinstance(answer, CommandFailed):
            raise ModelError(answer.message, answer.details)
        return answer

    def wait_ready(self) -> WorkerReady:
        """Wait until it has a place and the imports are done; as long as it takes, for nodes may be added."""
        while self.ready is None:
            try:
                if not self.connection.poll(_LOOK_S):
                    continue
            except OSError as error:
                raise self._died() from error
            report = self.receive()
            if isinstance(report, CommandFailed):
                raise WorkerDiedError(f"a worker on {self.node} could not start: {report.message}\n{report.details}")
            if not isinstance(report, WorkerReady):
                raise WorkerDiedError(f"a worker greeted with {report.type} instead of WorkerReady")
            self.ready = report
        return self.ready

    def log_tail(self, characters: int = 4000) -> str:
        """The last lines it printed, as far as they have arrived."""
        if not self._log_path.is_file():
            return ""
        with self._log_path.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 4 * characters))
            return log.read().decode("utf-8", errors="replace")[-characters:]

    @property
    def is_alive(self) -> bool:
        """Whether it can still answer, as far as is known."""
        return self._death is None and not self.connection.closed

    @property
    def pid(self) -> int | None:
        """None: a process of another machine can be neither measured nor signalled here."""
        return None

    def look(self) -> bool:
        """Of an idle worker: whether it lives. Its greeting is taken; late heartbeats are dropped."""
        try:
            while self.is_alive and self.connection.poll():
                report = self.receive()
                if isinstance(report, WorkerReady):
                    self.ready, self.idle_since = report, time.monotonic()
        except (OSError, WorkerDiedError):
            return False
        return self.is_alive

    @property
    def rank(self) -> int:
        """Workers of a low rank can start sooner: those that have greeted come first."""
        return 0 if self.ready is not None else 1

    def close(self) -> None:
        """End it: the driver sees the end of the pipe."""
        self.connection.close()


class RayPool:
    """Workers on a cluster, handed out one at a time. Safe to use from several threads."""

    def __init__(self, executor: Executor, log_folder: Path) -> None:
        """Run workers as `executor` says; returns at once, see `wait_open`.

        Raises:
            StudyError: If Ray is not installed.
        """
        if importlib.util.find_spec("ray") is None:
            message = (
                "trials on a cluster need Ray, which is not installed here: pip install 'tunerstudio[ray]', or choose "
                "the executor local"
            )
            raise StudyError([Problem("search.executor.kind", message)])
        self._executor, self._log_folder = executor, log_folder
        self._guard = threading.RLock()
        self._numbers = itertools.count(1)
        self._idle: list[RayWorker] = []
        self._busy: dict[int, RayWorker] = {}
        self._waiting = 0
        self._is_open = False
        self._room = 0
        self._closed = False
        self._failure = ""
        self._notes: list[tuple[str, str]] = []
        self._start_driver()

    def _start_driver(self) -> None:
        executor = self._executor
        settings = Settings(executor.address, executor.cpus_per_trial, executor.gpus_per_trial, str(self._log_folder))
        context = multiprocessing.get_context("spawn")
        self._control, theirs = context.Pipe()
        self._driver: SpawnProcess = context.Process(
            target=drive, args=(theirs, settings), name="ray driver", daemon=True
        )
        with no_interrupts():
            self._driver.start()
        theirs.close()

    def wait_open(self, given_up: Callable[[], bool] = lambda: False) -> None:
        """Wait until the cluster has answered, or `given_up` says that nobody waits any more.

        Raises:
            StudyError: If it does not answer.
        """
        deadline = time.monotonic() + OPEN_LIMIT_S
        while not (self._is_open or given_up()):
            with self._guard:
                self._read_control(wait_s=0.1)
                if self._failure:
                    raise StudyError([Problem("search.executor.address", self._failure)])
            if time.monotonic() > deadline:
                message = f"{self._cluster} did not answer within {OPEN_LIMIT_S:g} s"
                raise StudyError([Problem("search.executor.address", message)])

    @property
    def driver_pid(self) -> int | None:
        """Process id of the driver."""
        return self._driver.pid

    @property
    def room(self) -> int:
        """How many trials the cluster can train side by side if nobody else uses it, as last heard."""
        return self._room

    @property
    def _cluster(self) -> str:
        address = self._executor.address
        return "Ray on this machine" if address is None else f"the Ray cluster at {address}"

    def warm_up(self, count: int = 1) -> None:
        """Ask for `count` workers; returns at once."""
        with self._guard:
            while len(self._idle) + len(self._busy) < count and not self._failure:
                self._idle.append(self._start())

    def acquire(self, fresh: bool = False) -> RayWorker:
        """A worker for the caller alone, perhaps still waiting for a place; see `Pool`.

        Raises:
            StudyError: If the cluster is lost; the next call tries to reach it again.
        """
        with self._guard:
            self._read_control()
            if self._failure:
                message, self._failure = self._failure, ""
                self._end_driver()
                self._start_driver()
                raise StudyError([Problem("search.executor.address", message)])
            self._drop_dead()
            candidates = [worker for worker in self._idle if not fresh or worker.study_key is None]
            worker = min(candidates, key=lambda candidate: candidate.rank) if candidates else self._start()
            if worker in self._idle:
                self._idle.remove(worker)
            self._busy[worker.number] = worker
            return worker

    def release(self, worker: TrialWorker) -> None:
        """Give a worker back; a dead one is forgotten."""
        with self._guard:
            own = self._busy.pop(worker.number, None)
            if own is None:
                return
            if own.is_alive and not self._closed:
                own.idle_since = time.monotonic()
                self._idle.append(own)
            else:
                own.close()

    def discard(self, worker: TrialWorker) -> None:
        """Give back a worker that must not be used again; ends it."""
        with self._guard:
            own = self._busy.pop(worker.number, None)
        if own is not None:
            own.close()

    def tend(self) -> list[tuple[str, str]]:
        """See `Pool`; workers that idle make room for those that wait, and in the end for others."""
        with self._guard:
            self._read_control()
            self._drop_dead()
            limit = HAND_OVER_S if self._waiting else IDLE_LIMIT_S
            now = time.monotonic()
            for worker in [w for w in self._idle if w.ready is not None and now - w.idle_since > limit]:
                self._idle.remove(worker)
                worker.close()
            notes, self._notes = self._notes, []
            return notes

    def close(self) -> None:
        """End all workers and leave the cluster; a cluster that was started here ends."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            idle, self._idle = self._idle, []
        self._end_driver()
        for worker in idle:
            worker.close()

    def _end_driver(self) -> None:
        # Workers' pipes end with it, which wakes whoever waits for one.
        self._control.close()
        self._driver.join(CLOSE_LIMIT_S)
        if self._driver.is_alive():
            self._driver.kill()
            self._driver.join()

    def _drop_dead(self) -> None:
        for worker in [worker for worker in self._idle if not worker.look()]:
            self._idle.remove(worker)
            worker.close()

    def _start(self) -> RayWorker:
        number = next(self._numbers)
        ours, theirs = multiprocessing.get_context("spawn").Pipe()
        try:
            self._control.send((number, theirs))
        except OSError:
            self._failure = self._failure or f"the connection to {self._cluster} was lost"
        theirs.close()
        log_path = self._log_folder / f"ray-worker-{number}.log"
        log_path.unlink(missing_ok=True)
        return RayWorker(number, ours, log_path)

    def _read_control(self, wait_s: float = 0.0) -> None:
        if self._closed or self._failure:
            return
        try:
            while self._control.poll(wait_s):
                wait_s = 0.0
                self._take(*self._control.recv())
        except (EOFError, OSError):
            self._failure = self._failure or f"the connection to {self._cluster} was lost"

    def _take(self, kind: str, *content: object) -> None:
        if kind == "open":
            self._is_open, self._room = True, int(str(content[0]))
            self._notes.append(("info", f"trials run on {self._cluster}"))
        elif kind == "failed":
            self._failure = f"{self._cluster} cannot be used: {content[0]}"
        elif kind == "note":
            self._notes.append((str(content[0]), str(content[1])))
        elif kind == "waiting":
            self._waiting = int(str(content[0]))
        elif kind == "room":
            self._room = int(str(content[0]))
