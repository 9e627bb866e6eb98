"""Checkpoints of an execution: when to write one, and how to go on from one as if nothing had happened."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tunerstudio.protocol.worker import Checkpointed, EpochEnded, ExecutionResumed, Report, RunTrial
from tunerstudio.worker.checkpoint_file import (
    Groups,
    UnreadableCheckpointError,
    checkpoint_path,
    read_checkpoint,
    write_checkpoint,
)
from tunerstudio.worker.checkpoint_state import (
    fits,
    hidden_state,
    put,
    put_callbacks,
    put_python_random_state,
    python_random_state,
    take,
    take_callbacks,
)
from tunerstudio.worker.training import StopRequest
from tunerstudio.worker.watch import EpochWatch

VERSION = 1
"""Of the file; a file of another version is not used."""


class Checkpointer:
    """The checkpoint of one execution.

    A trainer calls `resume` before it trains, `resume_callbacks` when training has begun, and `epoch_ended` after
    every epoch that another one follows.

    Attributes:
        history: All epochs of the execution that were reported, those before an interruption included.
        resumed: How many epochs were done before: the 0-based number of the first one to train; None at the beginning.
    """

    def __init__(
        self,
        command: RunTrial,
        execution: int,
        send: Callable[[Report], None],
        facts: Callable[[], object],
        obstacle: str = "",
    ) -> None:
        """Of one execution of `command`.

        Args:
            command: With the trial's folder and how often to write.
            execution: Its index.
            send: Tells the engine.
            facts: All that decides what the execution gives, as JSON values; only asked for when it is needed.
            obstacle: Why this execution can never go on from a checkpoint, in half a sentence; "" if it can.
        """
        self.history: list[EpochEnded] = []
        self.resumed: int | None = None
        self._command, self._execution, self._send = command, execution, send
        self._facts, self._obstacle = facts, obstacle
        self._path = checkpoint_path(Path(command.folder), execution)
        self._signature: str | None = None
        self._callbacks: tuple[list[dict[str, Any]], Sequence[np.ndarray]] | None = None
        self._last = time.monotonic()

    def resume(self, model: Any, watch: EpochWatch) -> list[np.ndarray] | None:
        """Go on from the file, if there is one that fits: `model` and `watch` then stand as they did.

        Args:
            model: The model that trains, with all its state built.
            watch: That of the execution.

        Returns:
            The best weights so far; None if the execution starts at its beginning.
        """
        self._last = time.monotonic()
        if self._obstacle or not self._path.exists():
            return None
        try:
            header, groups = read_checkpoint(self._path)
        except UnreadableCheckpointError as error:
            self._note(f"its checkpoint cannot be read ({error})")
            return None
        if not self._is_ours(header) or not fits(model, groups):
            self._note("its checkpoint belongs to other values, data or code")
            return None
        put(model, groups)
        put_python_random_state(header["random"], groups["numpy"][0])
        watch.restore(header["watch"])
        self.history = [EpochEnded.model_validate(epoch) for epoch in header["history"]]
        self.resumed = header["epoch"]
        self._callbacks = header["callbacks"], groups["callbacks"]
        self._send(
            ExecutionResumed(
                trial=self._command.trial,
                execution=self._execution,
                epoch=header["epoch"],
                history=tuple(self.history),
            )
        )
        return groups["best"]

    def resume_callbacks(self, callbacks: Sequence[Any]) -> None:
        """Let the plan's callbacks remember what they did; after their `on_train_begin`."""
        if self._callbacks is not None:
            put_callbacks(callbacks, *self._callbacks)

    def epoch_ended(
        self,
        epoch: int,
        stop: StopRequest,
        model: Any,
        watch: EpochWatch,
        callbacks: Sequence[Any],
        best_weights: Callable[[], Sequence[np.ndarray]],
    ) -> None:
        """Write a checkpoint of the 1-based `epoch` if it is time, or if the execution is to stop after it.

        Raises:
            OSError: If it cannot be written.
        """
        every_s = self._command.checkpoint_every_s
        if every_s is None or epoch >= self._command.epochs or stop.now:
            return
        if not stop.after_epoch and time.monotonic() - self._last < every_s:
            return
        obstacle = self._obstacle or hidden_state(model, callbacks)
        if obstacle:
            self._say(f"no checkpoint is written: {obstacle}. If it is interrupted, it starts from its beginning.")
            self._command = self._command.model_copy(update={"checkpoint_every_s": None})
            return
        states, weights = take_callbacks(callbacks)
        groups: Groups = {**take(model), "best": list(best_weights()), "callbacks": weights}
        write_checkpoint(self._path, self._header(epoch, watch, states), groups)
        self._last = time.monotonic()
        self._send(Checkpointed(trial=self._command.trial, execution=self._execution, epoch=epoch))

    def _header(self, epoch: int, watch: EpochWatch, callbacks: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "version": VERSION,
            "signature": self._own_signature(),
            "epoch": epoch,
            "history": [report.model_dump() for report in self.history],
            "watch": watch.state(),
            "callbacks": callbacks,
            "random": python_random_state(),
        }

    def _is_ours(self, header: dict[str, Any]) -> bool:
        return (
            header.get("version") == VERSION
            and header.get("signature") == self._own_signature()
            and header["epoch"] <= self._command.epochs
        )

    def _own_signature(self) -> str:
        if self._signature is None:
            self._signature = hashlib.sha256(json.dumps(self._facts(), sort_keys=True).encode()).hexdigest()
        return self._signature

    def _note(self, reason: str) -> None:
        self._say(f"it starts from its beginning: {reason}.")

    def _say(self, text: str) -> None:
        where = f"Trial {self._command.trial}, execution {self._execution + 1}"
        print(f"{where}: {text}", file=sys.stderr)  # noqa: T201  # standard error is the worker's log
