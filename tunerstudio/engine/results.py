"""What a session tells: how it goes on, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tunerstudio.study.trials import Epoch, SessionRecord, Trial

Reason = Literal[
    "budget", "exhausted", "time", "finish_by", "plateau", "target", "failures", "plugin", "disk", "stopped", "paused"
]


@dataclass(frozen=True)
class SessionResult:
    """How a session ended, or why it paused.

    Attributes:
        reason: budget (done), exhausted (every configuration tried), time, finish_by, plateau, target, failures (too
            many in a row, or a broken plugin), disk (full), stopped or paused (by the user).
        message: The same in a sentence.
        completed: Completed trials of the study, earlier sessions included.
    """

    reason: Reason
    message: str
    completed: int


@dataclass
class SessionListener:
    """Who wants to know; all are called in the session's thread, after the store has it."""

    on_trial: Callable[[Trial], None] = lambda trial: None
    on_epochs: Callable[[list[Epoch]], None] = lambda epochs: None
    on_log: Callable[[str, str], None] = lambda level, text: None
    on_session: Callable[[SessionRecord], None] = lambda record: None
