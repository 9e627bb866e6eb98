"""Between the engine's pipe and a worker on the cluster: commands out, reports and files back."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

import ray
from ray.exceptions import ActorUnavailableError, OutOfMemoryError, RayActorError, RayError

from tunerstudio.engine.executors.ray_files import pieces, read_files, take_inventory, write_files
from tunerstudio.engine.executors.ray_messages import DEATH, GREETING, REPORT, Batch, Parcel, Settings
from tunerstudio.engine.executors.ray_places import END_LIMIT_S, CancelledError, Place, Places
from tunerstudio.protocol.worker import OpenStudy, RunTrial, decode_command
from tunerstudio.study.model import CodeModel
from tunerstudio.version import VERSION

UNAVAILABLE_LIMIT_S = 60.0
"""How long a node may be out of reach before it counts as lost; Ray mostly knows earlier."""

START_LIMIT_S = 300.0
"""How long a worker that has a place may take to import TensorFlow."""

RETRY_S = 0.5

LOG_LIMIT_BYTES = 1_000_000
"""What is kept of a worker's output on the engine's machine."""

_Answer = TypeVar("_Answer")


class Relay:
    """One worker of the pool: asks for a place, starts the worker there and passes everything on until either ends."""

    def __init__(self, number: int, connection: Connection, places: Places, settings: Settings) -> None:
        """Serve the worker `number`, whose engine has the other end of `connection`."""
        self._number, self._connection, self._places, self._settings = number, connection, places, settings
        self._closed, self._sending = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"worker {number}", daemon=True)
        self._place: Place | None = None
        self._folder: Path | None = None
        self._log_path = Path(settings.log_folder) / f"ray-worker-{number}.log"

    def start(self) -> None:
        """Work in two threads of its own."""
        self._thread.start()
        threading.Thread(target=self._pass_commands, name=f"commands {self._number}", daemon=True).start()

    def close(self) -> None:
        """End the worker; see `join`."""
        self._closed.set()

    def join(self, timeout_s: float) -> bool:
        """Wait until the worker has ended and its place is free; whether that is so."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # -- reports --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        healthy = False
        try:
            place = self._places.take(self._closed)
            self._place = place
            if place.facts.version != VERSION:
                self._send_death(True, _versions_differ(place))
                return
            threads = max(1, int(self._settings.cpus))
            self._retrying(lambda: ray.get(place.actor.start.remote(threads, None if self._settings.gpus else "")))
            self._pass_reports(place)
            healthy = self._end(place)
        except CancelledError:
            return
        except RayError as error:
            self._send_death(*self._lost(error))
        except (OSError, ValueError) as error:
            self._send_death(False, f"the files of a trial could not be written on this machine: {error}")
        finally:
            if self._place is not None:
                self._places.give_back(self._place, healthy)
            self._connection.close()

    def _pass_reports(self, place: Place) -> None:
        number, greeted, began = 0, False, time.monotonic()
        while not self._closed.is_set():
            if not greeted and time.monotonic() - began > START_LIMIT_S:
                self._send_death(True, f"a worker on {place.facts.name} did not start within {START_LIMIT_S:g} s")
                return
            batch = self._next_batch(place, number)
            number = batch.number
            self._keep_log(batch.log)
            if self._folder is not None:
                write_files(self._folder, batch.changes.files, batch.changes.removed)
            for report in batch.reports:
                self._send(REPORT + report if greeted else GREETING + place.facts.name.encode() + b"\0" + report)
                greeted = True
            if batch.death is not None:
                self._send_death(False, f"{batch.death} (on the node {place.facts.name})")
                return

    def _next_batch(self, place: Place, acknowledged: int) -> Batch:
        batch: Batch = self._retrying(lambda: ray.get(place.actor.reports.remote(acknowledged)))
        return batch

    def _keep_log(self, content: bytes) -> None:
        if not content:
            return
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        with self._log_path.open("ab") as log:
            if log.tell() + len(content) > LOG_LIMIT_BYTES:
                log.truncate(0)
            log.write(content)

    def _send(self, frame: bytes) -> None:
        try:
            with self._sending:  # both threads have something to tell
                self._connection.send_bytes(frame)
        except OSError:
            self._closed.set()

    def _send_death(self, blameless: bool, text: str) -> None:
        self._send(DEATH + (b"1" if blameless else b"0") + text.encode())

    def _lost(self, error: RayError) -> tuple[bool, str]:
        """Whether the trial had no part in it, and a sentence."""
        name = "of the cluster" if self._place is None else self._place.facts.name
        reason = str(error).strip().splitlines()
        short = next((line for line in reversed(reason) if line.strip()), type(error).__name__)
        if isinstance(error, OutOfMemoryError):
            return False, f"the node {name} ran short of memory, and Ray ended the trial there"
        if isinstance(error, RayActorError):
            if self._place is None:
                return True, (
                    "a node of the cluster could not start a worker; the same version of tunerstudio[ray] must be "
                    f"installed on every node. Ray says: {short}"
                )
            return True, f"the node {name} was lost"
        return True, f"the node {name} could not do what a worker needs: {short}"

    def _retrying(self, call: Callable[[], _Answer]) -> _Answer:
        """The answer of `call`; a node that is out of reach for a moment is asked again."""
        began = time.monotonic()
        while True:
            try:
                return call()
            except ActorUnavailableError:
                if time.monotonic() - began > UNAVAILABLE_LIMIT_S or self._closed.wait(RETRY_S):
                    raise

    def _end(self, place: Place) -> bool:
        """End the worker; whether its place can take another one."""
        try:
            ray.get(place.actor.end.remote(), timeout=END_LIMIT_S)
        except RayError:
            return False
        return True

    # -- commands -------------------------------------------------------------------------------------------------

    def _pass_commands(self) -> None:
        number = 0
        while True:
            try:
                content = self._connection.recv_bytes()
            except (EOFError, OSError):
                self._closed.set()
                return
            place = self._place
            if place is None:
                continue  # only a shutdown comes before the greeting, and the end of the pipe says the same
            number += 1
            try:
                parcel = self._packed(content, place)
                # Read where the results go to before any can come.
                self._deliver(place, number, content, parcel)
            except RayError as error:
                self._send_death(*self._lost(error))
                self._closed.set()
                return
            except OSError as error:
                self._send_death(False, f"the files that a trial needs could not be read: {error}")
                self._closed.set()
                return

    def _deliver(self, place: Place, number: int, content: bytes, parcel: Parcel) -> None:
        self._retrying(lambda: ray.get(place.actor.command.remote(number, content, parcel)))

    def _packed(self, content: bytes, place: Place) -> Parcel:
        """The files that the worker needs for a command."""
        command = decode_command(content)
        if isinstance(command, OpenStudy):
            return self._packed_study(command, place)
        if isinstance(command, RunTrial):
            self._folder = Path(command.folder)
            parent = None
            if command.parent_folder is not None:
                parent = read_files(Path(command.parent_folder), suffix=".weights.h5")
            return Parcel(folder=read_files(self._folder), parent=parent)
        return Parcel()

    def _packed_study(self, command: OpenStudy, place: Place) -> Parcel:
        folder = Path(command.data_folder)
        inventory = take_inventory(folder)
        data: dict[str, list[Any]] | None = None
        if not self._retrying(lambda: ray.get(place.actor.has_data.remote(inventory.key))):
            data = {name: [ray.put(piece) for piece in pieces(folder / name)] for name in inventory.names}
        code = None
        if isinstance(command.document.model, CodeModel):
            file = Path(command.folder) / command.document.model.file
            if file.is_file():
                code = (os.path.basename(file), file.read_bytes())
        return Parcel(data_key=inventory.key, data=data, code=code)


def _versions_differ(place: Place) -> str:
    return (
        f"the node {place.facts.name} has Tuner Studio {place.facts.version}, this machine has {VERSION}: install "
        "the same version on both"
    )
