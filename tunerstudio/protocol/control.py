"""What a person may ask of a search from any program: the window, the command line, a script.

Commands lie as files in the study's mailbox (`store.mailbox`) until the session takes them; without a running session
they are carried out by whoever posts them (`engine.edits`). Each gets one line in the table `commands` of the store.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from tunerstudio.study.hyperparameters import Values
from tunerstudio.study.search import Budget


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StopSearch(_Command):
    """End the session after the running epochs, or now; running trials keep a checkpoint and wait as QUEUED."""

    type: Literal["StopSearch"] = "StopSearch"
    when: Literal["epoch", "now"] = "epoch"


class PauseSearch(_Command):
    """Pause after the running epochs: workers are given back (the GPU is free), the session waits for ResumeSearch."""

    type: Literal["PauseSearch"] = "PauseSearch"


class ResumeSearch(_Command):
    """Go on after PauseSearch, or after the session paused itself (failures, a full disk, a broken plugin)."""

    type: Literal["ResumeSearch"] = "ResumeSearch"


class SetWorkers(_Command):
    """Train so many trials side by side from now on; fewer take effect as running trials end."""

    type: Literal["SetWorkers"] = "SetWorkers"
    workers: int = Field(ge=1, le=64)


class SetBudget(_Command):
    """Replace the budget of the study, and write it into study.yaml."""

    type: Literal["SetBudget"] = "SetBudget"
    budget: Budget


class ReloadStudy(_Command):
    """Read study.yaml again: changed ranges, algorithm options, retries. Refused if the scores would not compare."""

    type: Literal["ReloadStudy"] = "ReloadStudy"


class PauseTrial(_Command):
    """Pause a running trial after its epoch, with a checkpoint (state PAUSED); a queued one is not started."""

    type: Literal["PauseTrial"] = "PauseTrial"
    trial: int


class ResumeTrial(_Command):
    """Queue a paused trial again; it goes on from its checkpoint."""

    type: Literal["ResumeTrial"] = "ResumeTrial"
    trial: int


class StopTrialEarly(_Command):
    """End a trial after its epoch and keep the score that it has (state PRUNED)."""

    type: Literal["StopTrialEarly"] = "StopTrialEarly"
    trial: int


class SkipTrial(_Command):
    """End a trial now without a score (state CANCELLED)."""

    type: Literal["SkipTrial"] = "SkipTrial"
    trial: int


class RetryTrial(_Command):
    """Queue a new trial with the values of a failed or cancelled one."""

    type: Literal["RetryTrial"] = "RetryTrial"
    trial: int


class EnqueueTrial(_Command):
    """Queue a trial of the user's own values; missing ones take their defaults. It comes before new proposals."""

    type: Literal["EnqueueTrial"] = "EnqueueTrial"
    values: Values
    note: str = ""


class SetNote(_Command):
    """Write the user's note on a trial."""

    type: Literal["SetNote"] = "SetNote"
    trial: int
    note: str


ControlCommand = Annotated[
    StopSearch
    | PauseSearch
    | ResumeSearch
    | SetWorkers
    | SetBudget
    | ReloadStudy
    | PauseTrial
    | ResumeTrial
    | StopTrialEarly
    | SkipTrial
    | RetryTrial
    | EnqueueTrial
    | SetNote,
    Field(discriminator="type"),
]

_COMMANDS: TypeAdapter[ControlCommand] = TypeAdapter(ControlCommand)


def command_from_json(content: bytes | str) -> ControlCommand:
    """A command from JSON; pydantic's ValidationError if it is none."""
    return _COMMANDS.validate_json(content)


def command_from(content: object) -> ControlCommand:
    """A command from plain data; pydantic's ValidationError if it is none."""
    return _COMMANDS.validate_python(content)
