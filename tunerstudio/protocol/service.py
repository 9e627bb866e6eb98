"""Messages between the window and its service processes (engine, data): one JSON object per line on stdin/stdout.

The window sends a `Request`; the service answers with any number of `Progress` and one `Reply` or `Failure` of the
same id. A `Notice` tells of something that nobody asked for, such as a finished epoch.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Request(_Message):
    """Ask for `method` with `params`."""

    type: Literal["request"] = "request"
    id: int
    method: str
    params: dict[str, Any] = Field(default_factory=dict)


class Reply(_Message):
    """The answer."""

    type: Literal["reply"] = "reply"
    id: int
    result: dict[str, Any] = Field(default_factory=dict)


class Failure(_Message):
    """The request could not be done."""

    type: Literal["failure"] = "failure"
    id: int
    message: str = Field(description="For a person; one or more sentences.")
    problems: tuple[tuple[str, str], ...] = Field(
        default=(), description="(field, message) pairs, if fields are wrong."
    )
    details: str = Field(default="", description="Traceback for the log.")


class Progress(_Message):
    """A request goes on."""

    type: Literal["progress"] = "progress"
    id: int
    fraction: float | None = Field(default=None, description="0 to 1; null: unknown.")
    text: str = ""


class Notice(_Message):
    """Something happened.

    The engine's: `device` {device, reason, versions}; `changed` {folder} (the store has news);
    `search` {folder, state: starting|running|stopping|ended, reason, message} ; `log` {text}.
    """

    type: Literal["notice"] = "notice"
    name: str
    data: dict[str, Any] = Field(default_factory=dict)


Message = Annotated[Request | Reply | Failure | Progress | Notice, Field(discriminator="type")]

_MESSAGES: TypeAdapter[Message] = TypeAdapter(Message)


def to_line(message: BaseModel) -> bytes:
    """One line, newline included."""
    return message.model_dump_json().encode() + b"\n"


def from_line(line: bytes) -> Message:
    """The message in a line; pydantic's ValidationError if it is none."""
    return _MESSAGES.validate_json(line)
