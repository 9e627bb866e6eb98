"""Talking to a service process from plain Python: one request at a time, no threads, no Qt."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tunerstudio.protocol.service import Failure, Message, Notice, Progress, Reply, Request, from_line, to_line
from tunerstudio.study.errors import Problem, StudyError, TunerStudioError

OnProgress = Callable[[Progress], None]


class ServiceError(TunerStudioError):
    """A request that failed, or a service that ended. `details` holds its traceback, if there is one."""

    def __init__(self, message: str, details: str = "") -> None:
        """Keep `details` beside the sentence."""
        self.details = details
        super().__init__(message)


class ServiceProcess:
    """A service such as `tunerstudio.engine`, started on first use. Close it when done; also a context manager."""

    def __init__(self, module: str, log_path: Path) -> None:
        """Run `python -m module`; what it prints goes to `log_path`."""
        log_path.parent.mkdir(parents=True, exist_ok=True)
        self._log_path = log_path
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        self._requests = 0
        self._notices: deque[Notice] = deque()

    def __enter__(self) -> ServiceProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def request(self, method: str, on_progress: OnProgress | None = None, **params: Any) -> dict[str, Any]:
        """Send a request and wait for its answer; notices that come meanwhile are kept for `messages`.

        Raises:
            StudyError: If fields of the study are wrong.
            ServiceError: If the request failed otherwise, or the service ended.
        """
        self._requests += 1
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(to_line(Request(id=self._requests, method=method, params=params)))
            stdin.flush()
        except BrokenPipeError as error:
            raise self._ended() from error
        for message in self._received():
            if isinstance(message, Notice):
                self._notices.append(message)
            elif isinstance(message, Progress) and on_progress is not None:
                on_progress(message)
            elif isinstance(message, Reply) and message.id == self._requests:
                return message.result
            elif isinstance(message, Failure) and message.id == self._requests:
                raise error_from(message)
        raise self._ended()

    def messages(self) -> Iterator[Message]:
        """Notices that came while a request was answered, then everything as it comes; ends when the service does."""
        while self._notices:
            yield self._notices.popleft()
        yield from self._received()

    def _received(self) -> Iterator[Message]:
        stdout = self._process.stdout
        assert stdout is not None
        for line in stdout:
            yield from_line(line)

    def close(self) -> None:
        """Let the service end, and wait for it."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):  # a request that nobody was there to read
                    stream.close()
        self._process.wait()

    def _ended(self) -> ServiceError:
        return ServiceError(f"the service process ended with code {self._process.poll()}; see {self._log_path}")


def error_from(message: Failure) -> TunerStudioError:
    """What a failure is as an exception."""
    if message.problems:
        return StudyError([Problem(field, text) for field, text in message.problems])
    return ServiceError(message.message, message.details)
