"""What each command does. One at a time, in the main thread of the worker."""

from __future__ import annotations

import os
from pathlib import Path

from tunerstudio.protocol.worker import (
    Command,
    CommandFailed,
    OpenStudy,
    ProbeModel,
    Report,
    RunTrial,
    StudyOpened,
    TrialEnded,
    WorkerReady,
)
from tunerstudio.study.errors import ModelError, TunerStudioError
from tunerstudio.study.model import BlocksModel
from tunerstudio.worker import devices
from tunerstudio.worker.failures import explain
from tunerstudio.worker.opened import NetworkStudy, open_blocks
from tunerstudio.worker.probe import probe
from tunerstudio.worker.training import StopRequest
from tunerstudio.worker.trial import Send, run_trial


def ready(threads: int | None, gpu: str | None) -> WorkerReady:
    """Set the device up and describe it."""
    device, reason = devices.configure(threads, gpu)
    return WorkerReady(pid=os.getpid(), device=device, device_reason=reason, versions=devices.versions())


class CommandHandler:
    """Obeys commands about one study; `OpenStudy` comes first."""

    def __init__(self, send: Send) -> None:
        """Answer through `send`."""
        self._send = send
        self._study: NetworkStudy | None = None

    def run_trial(self, command: RunTrial, stop: StopRequest) -> None:
        """Train one trial; ends with one `TrialEnded`, whatever happens."""
        if self._study is None:
            message = "The worker was asked to train before a study was opened."
            self._send(TrialEnded(trial=command.trial, outcome="failed", message=message))
            return
        run_trial(self._study, command, self._send, stop)

    def handle(self, command: Command) -> None:
        """Do any other command and answer it, with `CommandFailed` if it cannot be done."""
        try:
            report = self._answer(command)
        except Exception as error:  # noqa: BLE001  # the sentence goes to the user, the worker lives on
            message, details = explain(error)
            report = CommandFailed(command=command.type, message=message, details=details)
        self._send(report)

    def _answer(self, command: Command) -> Report:
        if isinstance(command, OpenStudy):
            self._study = None
            self._study = _open(command)
            return StudyOpened(space=self._study.space)
        study = self._study
        if study is None:
            raise TunerStudioError("The worker has no open study.")
        if isinstance(command, ProbeModel):
            return probe(study, command.values)
        raise TunerStudioError(f"The worker does not know the command {command.type}.")


def _open(command: OpenStudy) -> NetworkStudy:
    document, model = command.document, command.document.model
    if isinstance(model, BlocksModel):
        return open_blocks(document, model, Path(command.data_folder))
    raise ModelError(f"model.kind: {model.kind} models are not known to this worker.")
