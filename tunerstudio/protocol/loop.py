"""The loop of a service process: requests in, answers out, one JSON object per line.

Handlers run one after the other in the thread that called `serve`. Other threads may send at any time through the
same `Channel`.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any, BinaryIO

from pydantic import BaseModel, ValidationError

from tunerstudio.protocol.service import Failure, Progress, Reply, Request, from_line, to_line
from tunerstudio.study.errors import StudyError, TunerStudioError

UNKNOWN_REQUEST = -1
"""Id of a `Failure` that answers a line which is no request."""


class ChannelClosedError(Exception):
    """The other side no longer listens; a service has nothing left to do."""


class Channel:
    """The outgoing side of a service. Any thread may send; lines never mix."""

    def __init__(self, stream: BinaryIO) -> None:
        """Write to `stream`, which nobody else may write to."""
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, message: BaseModel) -> None:
        """Write one message and flush it.

        Raises:
            ChannelClosedError: If the other side is gone.
        """
        line = to_line(message)
        with self._lock:
            try:
                self._stream.write(line)
                self._stream.flush()
            except (OSError, ValueError) as error:  # ValueError: the stream was closed on our side
                raise ChannelClosedError(str(error)) from error


class Reporter:
    """Tells how far one request is; handed to its handler and callable as `report(fraction, text)`.

    Attributes:
        request: Id of the request.
    """

    def __init__(self, channel: Channel, request: int) -> None:
        """Report on `request` through `channel`."""
        self.request = request
        self._channel = channel

    def __call__(self, fraction: float | None, text: str = "") -> None:
        """Send a `Progress`: `fraction` is 0 to 1, or None if unknown."""
        self._channel.send(Progress(id=self.request, fraction=fraction, text=text))


Handler = Callable[[dict[str, Any], Reporter], dict[str, Any]]


def claim_stdout() -> BinaryIO:
    """The real standard output, kept for messages alone: from here on every print goes to standard error."""
    sys.stdout.flush()
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return own


def serve(handlers: Mapping[str, Handler], channel: Channel, lines: Iterable[bytes]) -> None:
    """Answer requests until `lines` ends (stdin closed) or nobody listens.

    A handler gets the request's params and a `Reporter`, and returns the result. A TunerStudioError becomes a
    `Failure` with its text, a StudyError also with its problems; any other exception a `Failure` with a plain
    sentence and the traceback as details. The loop goes on after every failure.
    """
    try:
        for line in lines:
            if line.strip():
                channel.send(answer(handlers, channel, line))
    except ChannelClosedError:
        return


def answer(handlers: Mapping[str, Handler], channel: Channel, line: bytes) -> Reply | Failure:
    """The answer to one line; see `serve`. A service that works in several threads calls it itself."""
    try:
        request = from_line(line)
    except ValidationError as error:
        return Failure(id=UNKNOWN_REQUEST, message="A line that is no message was received.", details=str(error))
    if not isinstance(request, Request):
        return Failure(id=UNKNOWN_REQUEST, message=f"A {request.type} was received where only requests are answered.")
    handler = handlers.get(request.method)
    if handler is None:
        known = ", ".join(sorted(handlers))
        return Failure(id=request.id, message=f"There is no method {request.method!r} here; there are {known}.")
    try:
        return Reply(id=request.id, result=handler(request.params, Reporter(channel, request.id)))
    except ChannelClosedError:
        raise
    except Exception as error:  # noqa: BLE001  # a service outlives whatever a handler meets
        return failure(request.id, request.method, error)


def failure(request: int, method: str, error: Exception) -> Failure:
    """What to answer when `method` raised `error`."""
    details = "".join(traceback.format_exception(error))
    if isinstance(error, StudyError):
        problems = tuple((problem.field, problem.message) for problem in error.problems)
        return Failure(id=request, message=str(error), problems=problems, details=details)
    if isinstance(error, TunerStudioError):
        return Failure(id=request, message=str(error), details=getattr(error, "details", "") or details)
    if isinstance(error, MemoryError):
        return Failure(id=request, message=f"There is not enough memory for {method!r}.", details=details)
    sentence = f"An unexpected error stopped {method!r}: {type(error).__name__}: {error}. The log holds the details."
    return Failure(id=request, message=sentence, details=details)
