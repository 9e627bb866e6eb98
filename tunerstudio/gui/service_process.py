"""The process side of a service client; lives in a thread of its own, so that the window never waits for a pipe."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError
from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal, Slot

import tunerstudio
from tunerstudio.protocol.service import Notice, Request, from_line

_END_PATIENCE_MS = 3000


def service_environment() -> QProcessEnvironment:
    """The environment of a child: the package can be imported from anywhere, text is UTF-8, nothing is buffered."""
    environment = QProcessEnvironment.systemEnvironment()
    package_parent = str(Path(tunerstudio.__file__).resolve().parent.parent)
    paths = [part for part in environment.value("PYTHONPATH").split(os.pathsep) if part]
    if package_parent not in paths:
        paths.insert(0, package_parent)
    environment.insert("PYTHONPATH", os.pathsep.join(paths))
    environment.insert("PYTHONUTF8", "1")
    environment.insert("PYTHONUNBUFFERED", "1")
    return environment


class ServiceProcess(QObject):
    """One child process that speaks the service protocol on its stdin and stdout; stderr goes to a log file.

    Signals:
        message_received: (object) a message of the protocol.
        ended: (int, str) the process ended by itself: the number given to `open`, and why in words.
    """

    message_received = Signal(object)
    ended = Signal(int, str)

    def __init__(self, command: Sequence[str], log_file: Path) -> None:
        """Run `command`; append its stderr to `log_file`."""
        super().__init__()
        self._command = list(command)
        self._log_file = log_file
        self._process: QProcess | None = None
        self._launch = 0

    @Slot(int)
    def open(self, launch: int) -> None:
        """Start the process, unless it runs; `launch` tells this one from earlier ones in `ended`."""
        if self._process is not None:
            return
        self._launch = launch
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        process = QProcess(self)
        process.setProgram(self._command[0])
        process.setArguments(self._command[1:])
        process.setProcessEnvironment(service_environment())
        process.setStandardErrorFile(str(self._log_file), QProcess.OpenModeFlag.Append)
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(self._finished)
        process.errorOccurred.connect(self._failed)
        self._process = process
        process.start()

    @Slot(bytes)
    def write(self, line: bytes) -> None:
        """Send one line; lost if the process has ended, which is told by `ended`."""
        if self._process is not None:
            self._process.write(line)

    @Slot()
    def close(self) -> None:
        """End the process (close its stdin, wait a little, kill it), then the thread. Not told by `ended`."""
        process = self._release()
        if process is not None:
            process.closeWriteChannel()
            if not process.waitForFinished(_END_PATIENCE_MS):
                process.kill()
                process.waitForFinished(_END_PATIENCE_MS)
            process.deleteLater()
        self.thread().quit()

    @Slot()
    def kill(self) -> None:
        """End the process at once. Not told by `ended`."""
        process = self._release()
        if process is None:
            return
        process.kill()
        process.waitForFinished(_END_PATIENCE_MS)
        process.deleteLater()

    def _release(self) -> QProcess | None:
        process, self._process = self._process, None
        if process is not None:
            process.readyReadStandardOutput.disconnect(self._read)
            process.finished.disconnect(self._finished)
            process.errorOccurred.disconnect(self._failed)
        return process

    @Slot()
    def _read(self) -> None:
        process = self._process
        while process is not None and process.canReadLine():
            self._take(bytes(process.readLine().data()))
            process = self._process

    def _take(self, line: bytes) -> None:
        try:
            message = from_line(line)
        except ValidationError:
            text = line.decode("utf-8", "replace").rstrip()
            self.message_received.emit(Notice(name="log", data={"text": text}))
            return
        if not isinstance(message, Request):
            self.message_received.emit(message)

    @Slot(int, QProcess.ExitStatus)
    def _finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._read()
        self._forget()
        crashed = status == QProcess.ExitStatus.CrashExit
        self.ended.emit(
            self._launch, f"it was ended by signal {code}" if crashed else f"it ended with exit code {code}"
        )

    @Slot(QProcess.ProcessError)
    def _failed(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._process is not None:
            reason = self._process.errorString()
            self._forget()
            self.ended.emit(self._launch, f"it could not be started: {reason}")

    def _forget(self) -> None:
        if self._process is not None:
            self._process.deleteLater()
            self._process = None
