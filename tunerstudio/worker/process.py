"""The trial worker as a process: reads commands from a pipe, runs them one by one, writes reports into the pipe.

Importing this module imports neither TensorFlow nor Keras: a spawned process and the engine that starts it stay light.
Order of `worker_main`: output goes to the log, the guard watches the parent, TensorFlow is imported, the device is
set up, `WorkerReady` is sent, and then commands are obeyed until `Shutdown`, the end of the pipe or of the parent.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import queue
import signal
import sys
import threading
import traceback
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from pydantic import ValidationError

from tunerstudio.protocol.worker import (
    CheckSpace,
    Command,
    CommandFailed,
    Report,
    RunTrial,
    Shutdown,
    StopCheck,
    StopTrial,
    decode_command,
    encode,
)
from tunerstudio.worker.output import cut_log, redirect_output, watch_log
from tunerstudio.worker.temporary import TemporaryFolder
from tunerstudio.worker.training import StopRequest

PARENT_DIED = 77
"""Exit code of a worker whose parent went away."""


@dataclass(frozen=True)
class Received:
    """A command that waits for its turn.

    Attributes:
        command: What to do; an unreadable one comes as the report that says so.
        stop: What a `StopTrial` for this very `RunTrial`, or a `StopCheck` for this very check, sets.
    """

    command: Command | CommandFailed
    stop: StopRequest = field(default_factory=StopRequest)


class Inbox:
    """Commands from the pipe, read by a thread of its own so that a stop arrives while a trial trains."""

    def __init__(self, connection: Connection) -> None:
        """Read from `connection` once `listen` runs."""
        self._connection = connection
        self._waiting: queue.SimpleQueue[Received] = queue.SimpleQueue()
        self._stops: dict[int | None, StopRequest] = {}
        self._lock = threading.Lock()

    def listen(self) -> None:
        """Read until the pipe ends; then stop what runs and shut down."""
        while True:
            try:
                content = self._connection.recv_bytes()
            except (EOFError, OSError):
                self._stop_all()
                self._waiting.put(Received(Shutdown()))
                return
            try:
                self._take(decode_command(content))
            except ValidationError as error:
                message = "The worker received an unknown command."
                self._waiting.put(Received(CommandFailed(command="", message=message, details=str(error))))

    def _take(self, command: Command) -> None:
        if isinstance(command, StopTrial | StopCheck):
            with self._lock:
                stop = self._stops.get(_stop_key(command))
            if stop is not None:
                stop.request(command.when if isinstance(command, StopTrial) else "now")
            return
        received = Received(command)
        if isinstance(command, RunTrial | CheckSpace):
            with self._lock:
                self._stops[_stop_key(command)] = received.stop
        elif isinstance(command, Shutdown):
            self._stop_all()
        self._waiting.put(received)

    def _stop_all(self) -> None:
        with self._lock:
            stops = list(self._stops.values())
        for stop in stops:
            stop.request("now")

    def next(self) -> Received:
        """The next command, waiting for it."""
        return self._waiting.get()

    def done(self, received: Received) -> None:
        """A command was obeyed: later stops for it are void."""
        if isinstance(received.command, RunTrial | CheckSpace):
            with self._lock:
                if self._stops.get(_stop_key(received.command)) is received.stop:
                    del self._stops[_stop_key(received.command)]


def _stop_key(command: RunTrial | StopTrial | CheckSpace | StopCheck) -> int | None:
    """What a stop and the command it is for have in common: the trial's number; None for the check of the space."""
    return command.trial if isinstance(command, RunTrial | StopTrial) else None


def worker_main(connection: Connection, log_path: str, threads: int | None, gpu: str | None) -> None:
    """Body of a worker process.

    Args:
        connection: Both ways: commands in, reports out.
        log_path: File that takes all output, appended.
        threads: Cores for one operation; None lets TensorFlow decide.
        gpu: What `CUDA_VISIBLE_DEVICES` shall be: one GPU such as "0", or "" for the CPU alone; None: as it is.
    """
    redirect_output(log_path)
    watch_log(log_path)
    # Ctrl+C in a terminal reaches every process of the group; the engine decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _guard_against_orphanhood()
    temporary = TemporaryFolder()
    threading.Thread(target=temporary.remove_others, name="tidy", daemon=True).start()
    try:
        _serve(connection, threads, gpu)
    except BrokenPipeError:
        print("The engine went away; this worker ends.", file=sys.stderr)  # noqa: T201  # the log is all that is left
    finally:
        connection.close()
        temporary.remove()
        cut_log(log_path)


def _serve(connection: Connection, threads: int | None, gpu: str | None) -> None:
    sending = threading.Lock()

    def send(report: Report) -> None:
        content = encode(report)
        with sending:  # the heartbeat sends, too
            connection.send_bytes(content)

    inbox = Inbox(connection)
    threading.Thread(target=inbox.listen, name="commands", daemon=True).start()
    _set_environment(threads, gpu)
    try:
        from tunerstudio.worker.preload import import_tensorflow

        import_tensorflow()
        from tunerstudio.worker.commands import CommandHandler, ready
        from tunerstudio.worker.heartbeat import Heartbeat

        send(ready(threads, gpu))
    except Exception as error:  # whatever a broken installation raises
        message = f"TensorFlow could not be started: {type(error).__name__}: {error}. Reinstall the program."
        send(CommandFailed(command="start", message=message, details=traceback.format_exc()))
        raise
    handler = CommandHandler(send, Heartbeat(send).beating)
    # TensorFlow's hundred thousands of objects stay for good: a collection need not walk them after every trial.
    gc.freeze()
    while not isinstance(command := (received := inbox.next()).command, Shutdown):
        if isinstance(command, CommandFailed):
            send(command)
        elif isinstance(command, RunTrial):
            handler.run_trial(command, received.stop)
            inbox.done(received)
        elif isinstance(command, CheckSpace):
            handler.check_space(command, received.stop)
            inbox.done(received)
        else:
            handler.handle(command)


def _guard_against_orphanhood() -> None:
    """End this process when its parent ends, however that happens."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(PARENT_DIED)

    threading.Thread(target=wait, name="parent guard", daemon=True).start()


def _set_environment(threads: int | None, gpu: str | None) -> None:
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu or "-1"
    if threads is not None:
        os.environ["OMP_NUM_THREADS"] = str(threads)
