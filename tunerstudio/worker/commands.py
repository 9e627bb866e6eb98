"""What each command does. One at a time, in the main thread of the worker."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol

from tunerstudio.protocol.worker import (
    CheckSpace,
    Command,
    CommandFailed,
    DescribeNetwork,
    ExportModel,
    ModelExported,
    ModelProbed,
    ModelVerified,
    NetworkDescribed,
    OpenStudy,
    ProbeModel,
    Report,
    RunTrial,
    SpaceChecked,
    SpaceSeen,
    StudyOpened,
    VerifyModel,
    WorkerReady,
)
from tunerstudio.study.errors import TunerStudioError
from tunerstudio.study.hyperparameters import Scalar, SearchSpace
from tunerstudio.study.model import BlocksModel, CodeModel
from tunerstudio.worker import devices
from tunerstudio.worker.export import export_network
from tunerstudio.worker.failures import explain
from tunerstudio.worker.memory import TrialMemory
from tunerstudio.worker.opened import NetworkStudy, open_blocks, open_code
from tunerstudio.worker.prepared import PreparedFolder
from tunerstudio.worker.probe import probe
from tunerstudio.worker.roads import Roads
from tunerstudio.worker.space_check import SpaceCheck
from tunerstudio.worker.space_network import describe_network
from tunerstudio.worker.training import StopRequest
from tunerstudio.worker.trial import Send, run_executions, run_trial
from tunerstudio.worker.verify import verify_network


class StudyActions(Protocol):
    """What the commands mean for one kind of study; all may raise TunerStudioError."""

    @property
    def space(self) -> SearchSpace | None:
        """What code declared; None for other models."""

    def run(self, command: RunTrial, send: Send, stop: StopRequest) -> bool:
        """Train; whether the trial came to its end."""

    def probe(self, values: Mapping[str, Scalar] | None) -> ModelProbed:
        """A dry run."""

    def export(self, command: ExportModel) -> ModelExported:
        """Write a saved model."""

    def check_space(self, command: CheckSpace, send: Send, stop: StopRequest) -> SpaceChecked:
        """Look at the whole search space."""

    def describe(self, values: Mapping[str, Scalar] | None) -> NetworkDescribed:
        """Layers with their shapes."""


class NetworkActions:
    """See `StudyActions`; for Keras models."""

    def __init__(self, study: NetworkStudy, roads: Roads) -> None:
        """Act on `study`, training by `roads`."""
        self._study, self._roads = study, roads
        self.space = study.space

    def run(self, command: RunTrial, send: Send, stop: StopRequest) -> bool:
        """Train every execution."""
        return run_executions(self._study, command, self._roads.choose, send, stop)

    def probe(self, values: Mapping[str, Scalar] | None) -> ModelProbed:
        """Train and validate one batch."""
        return probe(self._study, values, self._roads.choose)

    def export(self, command: ExportModel) -> ModelExported:
        """Write a `.keras` file."""
        return export_network(self._study, command)

    def check_space(self, command: CheckSpace, send: Send, stop: StopRequest) -> SpaceChecked:
        """Build nothing, infer everything."""
        check = SpaceCheck(
            self._study, self._roads.choose, stop, lambda report: send(SpaceSeen(report=report)), command.count
        )
        return SpaceChecked(report=check.run())

    def describe(self, values: Mapping[str, Scalar] | None) -> NetworkDescribed:
        """Layers with their shapes, as far as they can be inferred."""
        return NetworkDescribed(description=describe_network(self._study, values))


Watched = Callable[[int, StopRequest], AbstractContextManager[None]]
"""(trial, its stop request) -> a context that the trial trains in."""

_FAILED = {
    "OpenStudy": "The study could not be opened",
    "ProbeModel": "The model could not be tried",
    "CheckSpace": "The search space could not be checked",
    "DescribeNetwork": "The network could not be described",
    "ExportModel": "The model could not be saved",
    "VerifyModel": "The saved model could not be checked",
}


def ready(threads: int | None, gpu: str | None) -> WorkerReady:
    """Set the device up and describe it."""
    device, reason = devices.configure(threads, gpu)
    return WorkerReady(pid=os.getpid(), device=device, device_reason=reason, versions=devices.versions())


class CommandHandler:
    """Obeys commands about one study; `OpenStudy` comes first."""

    def __init__(self, send: Send, watched: Watched | None = None) -> None:
        """Answer through `send`; a trial trains inside `watched`, if that is given."""
        self._send = send
        self._watched = watched or (lambda trial, stop: nullcontext())
        self._study: StudyActions | None = None
        self._roads = Roads()
        self._memory = TrialMemory()

    def run_trial(self, command: RunTrial, stop: StopRequest) -> None:
        """Train one trial; ends with one `TrialEnded`, whatever happens."""

        def run() -> bool:
            with self._watched(command.trial, stop):
                return self._opened().run(command, self._send, stop)

        try:
            run_trial(command, self._send, run)
        finally:
            self._memory.trial_ended()

    def check_space(self, command: CheckSpace, stop: StopRequest) -> None:
        """Look at the whole space; ends with `SpaceChecked` or `CommandFailed`."""
        self._answer_with(command, lambda: self._opened().check_space(command, self._send, stop))

    def handle(self, command: Command) -> None:
        """Do any other command and answer it, with `CommandFailed` if it cannot be done."""
        self._answer_with(command, lambda: self._answer(command))

    def _answer_with(self, command: Command, work: Callable[[], Report]) -> None:
        try:
            report = work()
        except Exception as error:  # noqa: BLE001  # the sentence goes to the user, the worker lives on
            message, details = explain(error, _FAILED.get(command.type, "The command failed"))
            report = CommandFailed(command=command.type, message=message, details=details)
        self._send(report)

    def _opened(self) -> StudyActions:
        if self._study is None:
            raise TunerStudioError("The worker was asked to work before a study was opened.")
        return self._study

    def _answer(self, command: Command) -> Report:
        if isinstance(command, OpenStudy):
            self._study = None
            self._study = open_study(command, self._roads)
            return StudyOpened(space=self._study.space)
        if isinstance(command, VerifyModel):
            return verify(command)
        study = self._opened()
        if isinstance(command, ProbeModel):
            return study.probe(command.values)
        if isinstance(command, DescribeNetwork):
            return study.describe(command.values)
        if isinstance(command, ExportModel):
            return study.export(command)
        raise TunerStudioError(f"The worker does not know the command {command.type}.")


def open_study(command: OpenStudy, roads: Roads) -> StudyActions:
    """Load data and code.

    Raises:
        TunerStudioError: If that is not possible.
    """
    document, model, data_folder = command.document, command.document.model, Path(command.data_folder)
    if isinstance(model, BlocksModel):
        return NetworkActions(open_blocks(document, model, data_folder), roads)
    if isinstance(model, CodeModel):
        return NetworkActions(open_code(document, model, Path(command.folder), data_folder), roads)
    # Only studies with an estimator pay for scikit-learn.
    from tunerstudio.worker.estimator import open_estimator
    from tunerstudio.worker.estimator_actions import EstimatorActions

    return EstimatorActions(open_estimator(document, model, data_folder))


def verify(command: VerifyModel) -> ModelVerified:
    """Load a saved model, without any study, and measure it on raw rows.

    Raises:
        TunerStudioError: If it cannot be loaded from its file alone.
    """
    path, data = Path(command.model), PreparedFolder.open(Path(command.data_folder))
    if path.suffix == ".keras":
        measured = verify_network(path, data)
    else:
        from tunerstudio.worker.estimator_export import verify_estimator

        measured = verify_estimator(path, data)
    return ModelVerified(validation={name: measured[name] for name in command.metrics if name in measured})
