"""The process side of a service client; lives in a thread of its own, so that the window never waits for a pipe.

Python's own `subprocess` instead of QProcess: a QProcess kills its child when it is destroyed, and a search shall be
able to outlive the window.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError
from PySide6.QtCore import QObject, Signal, Slot

import tunerstudio
from tunerstudio.protocol.service import Notice, Request, from_line

_END_PATIENCE_S = 3.0


def service_environment() -> dict[str, str]:
    """The environment of a child: the package can be imported from anywhere, text is UTF-8, nothing is buffered."""
    environment = dict(os.environ)
    package_parent = str(Path(tunerstudio.__file__).resolve().parent.parent)
    paths = [part for part in environment.get("PYTHONPATH", "").split(os.pathsep) if part]
    if package_parent not in paths:
        paths.insert(0, package_parent)
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    environment["PYTHONUTF8"] = "1"
    environment["PYTHONUNBUFFERED"] = "1"
    return environment


def own_session() -> dict[str, Any]:
    """What `subprocess.Popen` needs so that a child outlives the terminal and hears no Ctrl+C meant for others."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


class _Ear:
    """Takes what a reader's thread hears, until nobody wants it any more.

    The thread may outlive the object that started it, which must be destroyed in its own thread: so the thread holds
    this one alone.
    """

    def __init__(self, heard: Callable[[bytes | None], None]) -> None:
        """Call `heard` with every line, and with None after the last."""
        self._guard = threading.Lock()
        self._heard: Callable[[bytes | None], None] | None = heard

    def close(self) -> None:
        """Hear no more; `heard` is not being called when this returns."""
        with self._guard:
            self._heard = None

    def listen(self, process: subprocess.Popen[bytes]) -> None:
        """Read until the process ends."""
        assert process.stdout is not None
        for line in process.stdout:
            self._tell(line)
        process.wait()
        process.stdout.close()
        self._tell(None)

    def _tell(self, line: bytes | None) -> None:
        with self._guard:
            if self._heard is not None:
                self._heard(line)


class ServiceProcess(QObject):
    """One child process that speaks the service protocol on its stdin and stdout; stderr goes to a log file.

    Signals:
        message_received: (object) a message of the protocol.
        ended: (int, str) the process ended by itself: the number given to `open`, and why in words.
    """

    message_received = Signal(object)
    ended = Signal(int, str)
    _line_read = Signal(int, bytes)
    _output_ended = Signal(int)

    def __init__(self, command: Sequence[str], log_file: Path) -> None:
        """Run `command`; append its stderr to `log_file`."""
        super().__init__()
        self._command = list(command)
        self._log_file = log_file
        self._process: subprocess.Popen[bytes] | None = None
        self._ear: _Ear | None = None
        self._launch = 0
        self._line_read.connect(self._take)
        self._output_ended.connect(self._finished)

    @Slot(int)
    def open(self, launch: int) -> None:
        """Start the process, unless it runs; `launch` tells this one from earlier ones in `ended`."""
        if self._process is not None:
            return
        self._launch = launch
        try:
            self._log_file.parent.mkdir(parents=True, exist_ok=True)
            with self._log_file.open("ab") as log:
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=service_environment(),
                    **own_session(),
                )
        except OSError as error:
            self.ended.emit(launch, f"it could not be started: {error.strerror or error}")
            return
        self._ear = _Ear(lambda line: self._hear(launch, line))
        threading.Thread(target=self._ear.listen, args=(self._process,), name=f"reader {launch}", daemon=True).start()

    @Slot(bytes)
    def write(self, line: bytes) -> None:
        """Send one line; lost if the process has ended, which is told by `ended`."""
        stdin = None if self._process is None else self._process.stdin
        if stdin is None:
            return
        try:
            stdin.write(line)
            stdin.flush()
        except OSError:
            return  # it has ended, which its output tells

    @Slot()
    def close(self) -> None:
        """End the process (close its stdin, wait a little, kill it), then the thread. Not told by `ended`."""
        process = self._release()
        if process is not None:
            _close_quietly(process.stdin)
            try:
                process.wait(_END_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.thread().quit()

    @Slot()
    def kill(self) -> None:
        """End the process at once. Not told by `ended`."""
        process = self._release()
        if process is not None:
            process.kill()
            process.wait()
            _close_quietly(process.stdin)

    @Slot()
    def let_go(self) -> None:
        """Leave the process to itself: it is told so by the end of its stdin, and nobody listens to it any more.

        Its reader goes on, so that the process never waits for a full pipe while this program lives.
        """
        process = self._release()
        if process is not None:
            _close_quietly(process.stdin)

    def _release(self) -> subprocess.Popen[bytes] | None:
        process, self._process = self._process, None
        if self._ear is not None:
            self._ear.close()
            self._ear = None
        return process

    def _hear(self, launch: int, line: bytes | None) -> None:
        """Called in the reader's thread."""
        if line is None:
            self._output_ended.emit(launch)
        else:
            self._line_read.emit(launch, line)

    @Slot(int, bytes)
    def _take(self, launch: int, line: bytes) -> None:
        if self._process is None or launch != self._launch:
            return
        try:
            message = from_line(line)
        except ValidationError:
            text = line.decode("utf-8", "replace").rstrip()
            self.message_received.emit(Notice(name="log", data={"text": text}))
            return
        if not isinstance(message, Request):
            self.message_received.emit(message)

    @Slot(int)
    def _finished(self, launch: int) -> None:
        if launch != self._launch:
            return
        process = self._release()
        if process is None:
            return
        _close_quietly(process.stdin)
        code = process.returncode
        self.ended.emit(launch, f"it was ended by signal {-code}" if code < 0 else f"it ended with exit code {code}")


def _close_quietly(stream: IO[bytes] | None) -> None:
    """Close a pipe whose other side may be gone already."""
    if stream is None:
        return
    try:
        stream.close()
    except OSError:
        return  # what could not be sent was for nobody
