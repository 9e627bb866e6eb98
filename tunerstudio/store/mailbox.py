"""Commands to a search as files in the study's folder: any program of the user may post, the session takes them.

No socket, no port, no password: who may write into the folder may command. A file appears whole (written beside,
then renamed) and is deleted once it is answered: a program that dies before leaves it to the next one.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from tunerstudio.protocol.control import ControlCommand, command_from_json
from tunerstudio.store.schema import StoreError

MAILBOX_FOLDER = "commands"
_SUFFIX = ".json"


@dataclass(frozen=True)
class Letter:
    """A command that was posted.

    Attributes:
        id: Of the line that the table `commands` gets when it is done or refused.
        posted_at: Seconds since the epoch (UTC), by the clock of the poster.
        command: None if the file does not hold one.
    """

    id: str
    posted_at: float
    command: ControlCommand | None


def post(folder: Path, command: ControlCommand) -> str:
    """Put `command` into the mailbox of the study in `folder`; returns its id.

    Raises:
        StoreError: If the folder cannot be written to.
    """
    box = folder / MAILBOX_FOLDER
    # Names sort by time, so that commands are taken in the order in which they were posted.
    identity = f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}"
    temporary = box / f".{identity}.tmp"
    try:
        box.mkdir(exist_ok=True)
        temporary.write_bytes(command.model_dump_json().encode())
        temporary.replace(box / f"{identity}{_SUFFIX}")
    except OSError as error:
        raise StoreError(f"{box} cannot be written to ({error.strerror}): the search could not be told") from error
    return identity


def read(folder: Path, without: Container[str] = ()) -> list[Letter]:
    """All commands in the mailbox but those `without`, by id; oldest first. They stay there."""
    box = folder / MAILBOX_FOLDER
    try:
        names = sorted(name for name in os.listdir(box) if name.endswith(_SUFFIX) and not name.startswith("."))
    except OSError:
        return []  # there is none yet; one that cannot be read must not end the search
    wanted = [box / name for name in names if name.removesuffix(_SUFFIX) not in without]
    return [letter for path in wanted if (letter := _read_one(path)) is not None]


def remove(folder: Path, identity: str) -> None:
    """Take a command out of the mailbox; OSError if it stays."""
    (folder / MAILBOX_FOLDER / f"{identity}{_SUFFIX}").unlink(missing_ok=True)


def _read_one(path: Path) -> Letter | None:
    identity = path.name.removesuffix(_SUFFIX)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError:
        content = b""  # such as a file of another user: no command, and told so
    try:
        command = command_from_json(content)
    except ValidationError:
        command = None
    stamp = identity.partition("-")[0]
    return Letter(identity, int(stamp) / 1e9 if stamp.isdigit() else 0.0, command)
