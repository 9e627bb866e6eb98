"""What the parts of the Ray executor tell each other. Plain data: the engine, its driver and the nodes import it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tunerstudio.engine.executors.ray_files import Changes

REPORT = b"R"
"""First byte of a frame: a report of the worker follows."""
GREETING = b"G"
"""First byte of a frame: the node's name, a zero byte and the worker's greeting follow."""
DEATH = b"D"
"""First byte of a frame: the worker failed; `1` (the trial had no part in it) or `0` and a sentence follow."""


@dataclass(frozen=True)
class Settings:
    """How a driver reaches its cluster.

    Attributes:
        address: Host and port of the cluster's head, or "auto"; None: start one on this machine.
        cpus: What one worker takes of its node.
        gpus: The same.
        log_folder: Where the last lines of the workers are kept, a path.
    """

    address: str | None
    cpus: float
    gpus: float
    log_folder: str


@dataclass(frozen=True)
class NodeFacts:
    """Where a worker is.

    Attributes:
        id: Ray's name for the node.
        name: The node's name for people.
        version: Of this program there.
    """

    id: str
    name: str
    version: str


@dataclass(frozen=True)
class Parcel:
    """Files that a node needs for a command.

    Attributes:
        data_key: Of prepared data that the node must have.
        data: Their content if the node does not have it: references to pieces, by file.
        code: Name and content of the user's file of a code model.
        folder: Files of the trial's own folder.
        parent: Weights of the parent trial; None if there is no parent.
    """

    data_key: str = ""
    data: dict[str, list[Any]] | None = None
    code: tuple[str, bytes] | None = None
    folder: dict[str, bytes] = field(default_factory=dict)
    parent: dict[str, bytes] | None = None


@dataclass(frozen=True)
class Batch:
    """News of a worker.

    Attributes:
        number: Counts up; a batch that was not acknowledged is sent again.
        changes: Files of the trial that must be in place before the reports are read.
        reports: As the worker sent them.
        log: What it printed meanwhile, or the end of that.
        death: Why it ended, in a sentence; None: it lives.
    """

    number: int
    changes: Changes
    reports: tuple[bytes, ...]
    log: bytes
    death: str | None = None
