"""A place for one trial worker on a node of a cluster: what runs inside a Ray actor.

The actor starts an ordinary worker process on its node and passes commands and reports on. What a command needs is
unpacked here first and its paths are rewritten; what the worker writes goes back with the reports. The user's code runs
in the process alone: when it crashes, the actor tells how.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path

import ray

from tunerstudio.engine.executors.entry import PRELOAD_MODULE
from tunerstudio.engine.executors.ray_cache import DataCache, node_cache
from tunerstudio.engine.executors.ray_child import run_on_node
from tunerstudio.engine.executors.ray_files import Changes, Watch, own_folder, write_files
from tunerstudio.engine.executors.ray_messages import Batch, NodeFacts, Parcel
from tunerstudio.engine.outcome import describe_exit
from tunerstudio.protocol.worker import (
    Checkpointed,
    Command,
    EpochEnded,
    ExecutionEnded,
    OpenStudy,
    ResourcesUsed,
    RunTrial,
    TrialEnded,
    decode_command,
    decode_report,
    encode,
)
from tunerstudio.study.model import CodeModel
from tunerstudio.version import VERSION

WAIT_S = 1.0
"""How long `reports` waits for news."""

GATHER_S = 0.05
"""How long epochs wait for more of them: each batch costs a call over the network, and tiny networks need 3 ms each."""

LOG_PART_BYTES = 16_384
"""Most of a worker's output that goes along with one batch."""

_SCRATCH = "tunerstudio-worker-"


class NodeHost:
    """Runs one worker process at a time; see `ray_driver` for who calls it, from two threads at most."""

    def __init__(self, names: dict[str, str]) -> None:
        """`names`: of the cluster's nodes for people, by Ray's id, as far as they were given any."""
        self._names = names
        self._scratch = own_folder(_SCRATCH)
        self._cache = DataCache(node_cache())
        self._context: ForkServerContext | SpawnContext
        if "forkserver" in multiprocessing.get_all_start_methods():
            self._context = multiprocessing.get_context("forkserver")
            self._context.set_forkserver_preload([PRELOAD_MODULE])
        else:
            self._context = multiprocessing.get_context("spawn")
        self._news = threading.Condition()
        self._child: _Child | None = None

    def facts(self) -> NodeFacts:
        """Where this is."""
        node = ray.get_runtime_context().get_node_id()
        return NodeFacts(node, self._names.get(node) or platform.node(), VERSION)

    def has_data(self, key: str) -> bool:
        """Whether the prepared data `key` are on this node."""
        return self._cache.has(key)

    def start(self, threads: int | None, gpu: str | None) -> None:
        """Start a worker process; its greeting comes with the reports."""
        self.end()
        folder = Path(tempfile.mkdtemp(dir=self._scratch))
        child = _Child(self._context, folder, threads, gpu, self._news)
        with self._news:
            self._child = child

    def command(self, number: int, content: bytes, parcel: Parcel) -> None:
        """Pass on the command `number`, unless that was done before (an answer can get lost on the way)."""
        child = self._child
        if child is None or number <= child.commands:
            return
        child.send(self._placed(child, decode_command(content), parcel))
        child.commands = number

    def reports(self, acknowledged: int) -> Batch:
        """News of the worker, waiting for them a little; those after the batch `acknowledged`."""
        child = self._child
        if child is None:
            return Batch(acknowledged + 1, Changes(), (), b"", "the worker was ended")
        return child.batch(acknowledged)

    def end(self) -> None:
        """End the worker process."""
        with self._news:
            child, self._child = self._child, None
        if child is not None:
            child.kill()

    def leave(self) -> None:
        """Leave nothing behind but the data; the actor is not used any more."""
        self.end()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _placed(self, child: _Child, command: Command, parcel: Parcel) -> Command:
        """The command as the worker on this node understands it."""
        if isinstance(command, OpenStudy):
            return self._placed_study(child, command, parcel)
        if isinstance(command, RunTrial):
            child.unwatch()
            folder, parent = child.folder / "trial", child.folder / "parent"
            _write_anew(folder, parcel.folder)
            if parcel.parent is not None:
                _write_anew(parent, parcel.parent)
            child.watch = Watch(folder)
            changed = {"folder": str(folder), "parent_folder": None if parcel.parent is None else str(parent)}
            return command.model_copy(update=changed)
        return command

    def _placed_study(self, child: _Child, command: OpenStudy, parcel: Parcel) -> OpenStudy:
        if parcel.data is not None:
            references = parcel.data
            self._cache.fetch(
                parcel.data_key,
                lambda: {name: (bytes(ray.get(piece)) for piece in parts) for name, parts in references.items()},
            )
        folder = child.folder / "study"
        document = command.document
        if parcel.code is not None and isinstance(document.model, CodeModel):
            name, content = parcel.code
            _write_anew(folder, {name: content})
            document = document.model_copy(update={"model": document.model.model_copy(update={"file": name})})
        else:
            folder.mkdir(exist_ok=True)
        # Tracebacks shall name the user's own file.
        child.paths = (str(folder), command.folder)
        data = str(self._cache.folder(parcel.data_key))
        return command.model_copy(update={"document": document, "folder": str(folder), "data_folder": data})


class _Child:
    """A worker process, and what it has said and written since anybody asked."""

    def __init__(
        self,
        context: ForkServerContext | SpawnContext,
        folder: Path,
        threads: int | None,
        gpu: str | None,
        news: threading.Condition,
    ) -> None:
        self.folder = folder
        self.commands = 0
        self.watch: Watch | None = None
        self.paths = ("", "")
        self._news = news
        self._reports: list[bytes] = []
        self._death: str | None = None
        self._last: Batch | None = None
        self._log = folder / "worker.log"
        self._log_read = 0
        self._connection, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(
            target=run_on_node, args=(theirs, str(self._log), threads, gpu), name="worker", daemon=True
        )
        with _without_main_module():
            self._process.start()
        theirs.close()
        threading.Thread(target=self._listen, args=(self._connection,), name="reports", daemon=True).start()

    def _listen(self, connection: Connection) -> None:
        while True:
            try:
                content = connection.recv_bytes()
            except (EOFError, OSError):
                break
            with self._news:
                self._reports.append(content)
                self._news.notify_all()
        self._process.join(5.0)
        with self._news:
            self._death = describe_exit(self._process.exitcode)
            self._news.notify_all()

    def send(self, command: Command) -> None:
        """Pass a command on; if the process has ended, the reports tell."""
        try:
            self._connection.send_bytes(encode(command))
        except OSError:
            return

    def batch(self, acknowledged: int) -> Batch:
        """See `NodeHost.reports`."""
        with self._news:
            if self._last is not None and self._last.number != acknowledged:
                return self._last
            self._news.wait_for(lambda: self._reports or self._death is not None, WAIT_S)
            self._news.wait_for(lambda: self._death is not None or not self._can_wait(), GATHER_S)
            # A dead worker's last reports come before the news of its death.
            death = self._death
            reports, self._reports = self._reports, []
        changes = self._written() if any(_brings_files(report) for report in reports) else Changes()
        # A path in a report is part of a JSON text.
        here, there = (json.dumps(path, ensure_ascii=False)[1:-1].encode() for path in self.paths)
        reports = [report.replace(here, there) if here else report for report in reports]
        self._last = Batch(acknowledged + 1, changes, tuple(reports), self._printed(), death)
        return self._last

    def _can_wait(self) -> bool:
        """Whether nobody needs to know at once what was reported."""
        return all(isinstance(decode_report(content), EpochEnded | ResourcesUsed) for content in self._reports)

    def _written(self) -> Changes:
        return Changes() if self.watch is None else self.watch.changes()

    def unwatch(self) -> None:
        """Forget the last trial's folder."""
        self.watch = None

    def _printed(self) -> bytes:
        if not self._log.is_file():
            return b""
        with self._log.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            # A worker may start its log anew when it gets long.
            start = self._log_read if self._log_read <= size else 0
            log.seek(max(start, size - LOG_PART_BYTES))
            content = log.read(LOG_PART_BYTES)
            self._log_read = size
        return content

    def kill(self) -> None:
        """End the process at once and remove what it wrote here."""
        self._process.kill()
        self._process.join(10.0)
        self._connection.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _brings_files(content: bytes) -> bool:
    """Whether a report means that files of the trial are on disk or gone."""
    return isinstance(decode_report(content), Checkpointed | ExecutionEnded | TrialEnded)


def _write_anew(folder: Path, files: dict[str, bytes]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_files(folder, files)


@contextmanager
def _without_main_module() -> Iterator[None]:
    """Keep Ray's own start-up script, this process's main module, out of the worker, which would import it."""
    main = sys.modules["__main__"]
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    main.__spec__ = None
    main.__file__ = None
    try:
        yield
    finally:
        main.__spec__ = spec
        main.__file__ = file
