"""Messages between the engine and a trial worker; version 1. One JSON object per message, over a pipe.

Commands are imperative, reports past tense. The worker's stdout and stderr go to log files, never into the pipe.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from tunerstudio.protocol.space import NetworkDescription, SpaceReport
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.hyperparameters import SearchSpace, Values

PROTOCOL_VERSION = 1


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OpenStudy(_Message):
    """Load the data and the model's code; answered by `StudyOpened` or `CommandFailed`."""

    type: Literal["OpenStudy"] = "OpenStudy"
    document: StudyDocument
    folder: str = Field(description="The study folder; relative paths of the document start here.")
    data_folder: str = Field(description="Prepared data: plan.json and arrays.")


class ProbeModel(_Message):
    """Build at `values` (null: defaults), train and validate one batch; answered by `ModelProbed`."""

    type: Literal["ProbeModel"] = "ProbeModel"
    values: Values | None = None


class RunTrial(_Message):
    """Train one trial; answered by reports and one `TrialEnded`."""

    type: Literal["RunTrial"] = "RunTrial"
    trial: int
    values: Values
    epochs: int = Field(description="Train each execution up to this epoch, initial_epoch included.")
    initial_epoch: int = 0
    executions: tuple[int, ...] = Field(description="Indices still to do.")
    seeds: tuple[int, ...] = Field(description="One per execution index (all of them).")
    folder: str = Field(description="The trial's folder; weights are written here as execution_<i>.weights.h5.")
    parent_folder: str | None = Field(default=None, description="Trial whose weights to start from.")
    checkpoint_every_s: float | None = Field(
        default=None, description="Write a checkpoint into `folder` after an epoch if the last is older; null: never."
    )


class CheckSpace(_Message):
    """Look at the whole search space without training; answered by `SpaceSeen` reports and one `SpaceChecked`."""

    type: Literal["CheckSpace"] = "CheckSpace"
    count: int = Field(default=200, ge=0, description="Random configurations, besides corners and edges.")


class StopCheck(_Message):
    """End the running check of the space; it answers `SpaceChecked` with what it has."""

    type: Literal["StopCheck"] = "StopCheck"


class DescribeNetwork(_Message):
    """Shapes and sizes of the layers at `values` (null: defaults), without building; answered by `NetworkDescribed`."""

    type: Literal["DescribeNetwork"] = "DescribeNetwork"
    values: Values | None = None


class StopTrial(_Message):
    """End the running trial after this epoch or at the next batch; it reports outcome `stopped`.

    With `epoch`, a checkpoint of that epoch is written first, if RunTrial asked for checkpoints.
    """

    type: Literal["StopTrial"] = "StopTrial"
    trial: int
    when: Literal["epoch", "now"]


class ExportModel(_Message):
    """Write the saved model of one execution into `to` and evaluate it; answered by `ModelExported`."""

    type: Literal["ExportModel"] = "ExportModel"
    trial: int
    values: Values
    execution: int
    seed: int
    folder: str = Field(description="The trial's folder with its weights.")
    to: str = Field(description="Folder of the saved model, existing and empty.")


class VerifyModel(_Message):
    """Load a saved model without the study's code and evaluate it on raw rows; answered by `ModelVerified`."""

    type: Literal["VerifyModel"] = "VerifyModel"
    model: str = Field(description="Path of the model file.")
    data_folder: str = Field(description="Prepared data whose raw validation rows to predict; no study is opened.")
    metrics: tuple[str, ...] = Field(description="Metric names without val_ to compute, such as accuracy or mae.")


class Shutdown(_Message):
    """End the process."""

    type: Literal["Shutdown"] = "Shutdown"


Command = Annotated[
    OpenStudy
    | ProbeModel
    | CheckSpace
    | StopCheck
    | DescribeNetwork
    | RunTrial
    | StopTrial
    | ExportModel
    | VerifyModel
    | Shutdown,
    Field(discriminator="type"),
]


class SpaceSeen(_Message):
    """A check of the space goes on."""

    type: Literal["SpaceSeen"] = "SpaceSeen"
    report: SpaceReport


class SpaceChecked(_Message):
    """A check of the space ended, by itself or by `StopCheck`."""

    type: Literal["SpaceChecked"] = "SpaceChecked"
    report: SpaceReport


class NetworkDescribed(_Message):
    """The layers at some values."""

    type: Literal["NetworkDescribed"] = "NetworkDescribed"
    description: NetworkDescription


class WorkerReady(_Message):
    """The imports are done."""

    type: Literal["WorkerReady"] = "WorkerReady"
    protocol: int = PROTOCOL_VERSION
    pid: int
    device: str = Field(description='Such as "CPU (2 cores)" or "GPU: NVIDIA H100".')
    device_reason: str = Field(default="", description="Why not the GPU, in a sentence; empty if it is used.")
    versions: dict[str, str] = Field(description="python, tensorflow, keras, keras_tuner, numpy.")


class StudyOpened(_Message):
    """Data and code are loaded."""

    type: Literal["StudyOpened"] = "StudyOpened"
    space: SearchSpace | None = Field(default=None, description="Of a code model: what build(hp) declared.")


class ModelProbed(_Message):
    """One batch was trained and validated."""

    type: Literal["ModelProbed"] = "ModelProbed"
    parameters: int | None
    metrics: tuple[str, ...] = Field(description="Names that each epoch will log, val_ ones included.")
    road: str = ""
    road_reason: str = Field(default="", description="Why Keras's fit is used, if it is.")
    summary: str = Field(default="", description="The network, as text.")


class TrialBuilt(_Message):
    """The network of a trial stands."""

    type: Literal["TrialBuilt"] = "TrialBuilt"
    trial: int
    parameters: int | None
    road: str
    road_reason: str = ""
    memory_mb: float | None = Field(default=None, description="Estimate, if a constraint asks for it.")


class EpochEnded(_Message):
    """One epoch of one execution ended."""

    type: Literal["EpochEnded"] = "EpochEnded"
    trial: int
    execution: int
    epoch: int = Field(description="1-based; continues the parent's count.")
    metrics: dict[str, float]
    at: float


class ExecutionResumed(_Message):
    """An execution goes on from its checkpoint: epochs up to `epoch` are as listed, later ones never happened."""

    type: Literal["ExecutionResumed"] = "ExecutionResumed"
    trial: int
    execution: int
    epoch: int = Field(description="1-based epoch of the checkpoint.")
    history: tuple[EpochEnded, ...] = Field(description="All epochs of this execution up to the checkpoint.")


class Checkpointed(_Message):
    """A checkpoint is on disk."""

    type: Literal["Checkpointed"] = "Checkpointed"
    trial: int
    execution: int
    epoch: int


class ResourcesUsed(_Message):
    """A heartbeat about once a second while a trial trains, from a thread of its own."""

    type: Literal["ResourcesUsed"] = "ResourcesUsed"
    trial: int
    at: float
    rss_bytes: int
    cpu_percent: float = Field(description="100: one core busy.")
    gpu_percent: float | None = None
    gpu_bytes: int | None = None
    progress: int = Field(description="Grows with every batch or epoch; standing still means no progress.")


class ExecutionEnded(_Message):
    """One execution ended with a score; its best weights are on disk."""

    type: Literal["ExecutionEnded"] = "ExecutionEnded"
    trial: int
    execution: int
    score: float
    best_epoch: int
    epochs: int = Field(description="Epochs trained in this execution, the parent's not counted.")
    metrics: dict[str, float] = Field(description="All metrics at the best epoch.")
    measures: dict[str, float] = Field(default={}, description="Further objectives measured of the network, by name.")


class TrialEnded(_Message):
    """The trial ended."""

    type: Literal["TrialEnded"] = "TrialEnded"
    trial: int
    outcome: Literal["completed", "failed", "stopped"]
    message: str = ""
    details: str = ""


class ModelExported(_Message):
    """A saved model was written."""

    type: Literal["ModelExported"] = "ModelExported"
    trial: int
    file: str = Field(description="Name of the model file inside the folder.")
    parameters: int | None
    validation: dict[str, float] = Field(description="Metrics on the validation part.")
    test: dict[str, float] = Field(description="Metrics on the test part; empty without one.")
    summary: str = ""
    how_to_load: str = Field(default="", description="Python lines that load it and predict one row.")


class ModelVerified(_Message):
    """A saved model was loaded from its file alone and evaluated."""

    type: Literal["ModelVerified"] = "ModelVerified"
    validation: dict[str, float]


class CommandFailed(_Message):
    """A command other than RunTrial could not be done."""

    type: Literal["CommandFailed"] = "CommandFailed"
    command: str
    message: str
    details: str = ""


Report = Annotated[
    WorkerReady
    | StudyOpened
    | ModelProbed
    | SpaceSeen
    | SpaceChecked
    | NetworkDescribed
    | TrialBuilt
    | EpochEnded
    | ExecutionResumed
    | Checkpointed
    | ResourcesUsed
    | ExecutionEnded
    | TrialEnded
    | ModelExported
    | ModelVerified
    | CommandFailed,
    Field(discriminator="type"),
]

_COMMANDS: TypeAdapter[Command] = TypeAdapter(Command)
_REPORTS: TypeAdapter[Report] = TypeAdapter(Report)


def encode(message: BaseModel) -> bytes:
    """A message as JSON bytes."""
    return message.model_dump_json().encode()


def decode_command(content: bytes) -> Command:
    """A command from JSON bytes; pydantic's ValidationError if it is none."""
    return _COMMANDS.validate_json(content)


def decode_report(content: bytes) -> Report:
    """A report from JSON bytes; pydantic's ValidationError if it is none."""
    return _REPORTS.validate_json(content)
