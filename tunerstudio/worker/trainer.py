"""What a road must be able to do."""

from __future__ import annotations

from typing import Any, Protocol

from tunerstudio.worker.checkpoint import Checkpointer
from tunerstudio.worker.training import FitPlan, FitResult, OnEpoch, StopRequest, TrainingArrays


class Trainer(Protocol):
    """A road."""

    def __call__(
        self,
        model: Any,
        arrays: TrainingArrays,
        plan: FitPlan,
        on_epoch: OnEpoch,
        stop: StopRequest,
        checkpointer: Checkpointer | None = None,
    ) -> FitResult:
        """Train the compiled Keras `model`, going on from the checkpoint if there is one.

        Raises:
            NotFiniteError: As soon as an epoch ends with a loss or objective that is NaN or infinite.
            ModelError: If the objective is not among the logged metrics, in the first epoch.
            OSError: If a checkpoint cannot be written.
        """
