"""Talking to a service process from plain Python: one request at a time, no threads, no Qt."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tunerstudio.protocol.service import Failure, Message, Notice, Progress, Reply, Request, from_line, to_line
from tunerstudio.study.errors import Problem, StudyError, TunerStudioError

OnNotice = Callable[[Notice], None]
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

    def __enter__(self) -> ServiceProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def request(self, method: str, on_progress: OnProgress | None = None, **params: Any) -> dict[str, Any]:
        """Send a request and wait for its answer; notices that come meanwhile are passed over.

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
        for message in self.messages():
            if isinstance(message, Progress) and on_progress is not None:
                on_progress(message)
            elif isinstance(message, Reply) and message.id == self._requests:
                return message.result
            elif isinstance(message, Failure) and message.id == self._requests:
                raise error_from(message)
        raise self._ended()

    def messages(self) -> Iterator[Message]:
        """Everything the service sends, as it comes; ends when the service does."""
        stdout = self._process.stdout
        assert stdout is not None
        for line in stdout:
            yield from_line(line)

    def close(self) -> None:
        """Let the service end, and wait for it."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.wait()

    def _ended(self) -> ServiceError:
        return ServiceError(f"the service process ended with code {self._process.poll()}; see {self._log_path}")


def error_from(message: Failure) -> TunerStudioError:
    """What a failure is as an exception."""
    if message.problems:
        return StudyError([Problem(field, text) for field, text in message.problems])
    return ServiceError(message.message, message.details)
