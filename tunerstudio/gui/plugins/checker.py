"""Runs a plugin through the quick suite, in a process of its own that may be killed: its code does as it likes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from tunerstudio.gui.service_process import service_environment

LIMIT_MS = 120_000
_MOST_TOLD = 5


class PluginChecker(QObject):
    """One check at a time.

    Signals:
        checked: (object, tuple) the folder of a plugin, and what is wrong with it, one sentence each.
    """

    checked = Signal(object, tuple)

    def __init__(self, parent: QObject | None = None, limit_ms: int = LIMIT_MS) -> None:
        """Nothing is checked yet; a check is given up after `limit_ms` milliseconds."""
        super().__init__(parent)
        self._folder: Path | None = None
        self._process = QProcess(self)
        environment = QProcessEnvironment()
        for name, value in service_environment().items():
            environment.insert(name, value)
        self._process.setProcessEnvironment(environment)
        self._process.finished.connect(self._finished)
        self._process.errorOccurred.connect(self._failed)
        self._limit = QTimer(self)
        self._limit.setSingleShot(True)
        self._limit.setInterval(limit_ms)
        self._limit.timeout.connect(self._give_up)

    @property
    def folder(self) -> Path | None:
        """Of the plugin that is being checked."""
        return self._folder

    def check(self, folder: Path) -> None:
        """Begin with the plugin in `folder`, unless another one is being checked."""
        if self._folder is None:
            self._folder = folder
            self._limit.start()
            self._process.start(
                sys.executable, ["-m", "tunerstudio", "plugin", "check", str(folder), "--quick", "--json"]
            )

    def stop(self) -> None:
        """Give up the check that is under way, without a word."""
        self._limit.stop()
        self._folder = None
        if self._process.state() is not QProcess.ProcessState.NotRunning:
            self._process.kill()
            self._process.waitForFinished()

    def _finished(self) -> None:
        output = bytes(self._process.readAllStandardOutput().data()).decode("utf-8", "replace")
        try:
            problems = tuple(str(problem) for problem in json.loads(output)["problems"])
        except (ValueError, KeyError, TypeError):
            problems = (self.tr("it ended the program that checked it"),)
        left = len(problems) - _MOST_TOLD
        more = (self.tr("and {n} more").format(n=left),) if left > 0 else ()
        self._tell((*problems[:_MOST_TOLD], *more))

    def _failed(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._tell((self.tr("the check could not be started: {why}").format(why=self._process.errorString()),))

    def _give_up(self) -> None:
        folder = self._folder
        self.stop()
        if folder is not None:
            limit = self._limit.interval() // 1000
            self.checked.emit(
                folder, (self.tr("it did not come to an end within {n} seconds, and was ended").format(n=limit),)
            )

    def _tell(self, problems: tuple[str, ...]) -> None:
        self._limit.stop()
        folder, self._folder = self._folder, None
        if folder is not None:
            self.checked.emit(folder, problems)
