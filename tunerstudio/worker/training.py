"""What every trainer takes and gives: the seam between a trial and the road its fit takes.

Two roads implement `trainer.Trainer`: `fit_road` (Keras's own `fit`) and `fused_road` (a whole epoch as one compiled
function). They give the same curves; `roads.choose_road` picks one and says why.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tunerstudio.study.search import EarlyStopping, Objective, RateReduction


@dataclass(frozen=True)
class TrainingArrays:
    """Preprocessed arrays of one study; shared by all trials and never written to.

    Attributes:
        x_train, x_validation: float32, shape (rows, ...); `RowsOnDisk` if they do not fit into memory.
        y_train, y_validation: int64 (rows,) class numbers, float32 (rows, 1) for binary, or (rows, targets).
        weights_train, weights_validation: float32 (rows,) sample weights, or None.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    weights_train: np.ndarray | None = None
    weights_validation: np.ndarray | None = None


@dataclass(frozen=True)
class FitPlan:
    """How one execution is trained.

    Attributes:
        epochs: Last epoch, 1-based, `initial_epoch` included.
        initial_epoch: Epochs already done by the parent.
        batch_size: Rows per step.
        seed: For shuffling; weights and dropout are seeded by the caller before building.
        objective: Metric and direction; picks the best epoch.
        class_weight: Weight by class number, or None.
        early_stopping: On the objective, with a plain patience; None: train all epochs.
        reduce_rate: On the objective, with plain numbers; None: the learning rate stays.
        callbacks: The user's Keras callbacks (code models); empty for blocks.
        fit_arguments: Further arguments for Keras's fit (code models only; force the fit road).
    """

    epochs: int
    initial_epoch: int
    batch_size: int
    seed: int
    objective: Objective
    class_weight: dict[int, float] | None = None
    early_stopping: EarlyStopping | None = None
    reduce_rate: RateReduction | None = None
    callbacks: Sequence[Any] = ()
    fit_arguments: dict[str, Any] = field(default_factory=dict)


class StopRequest:
    """Set by the thread that listens for commands, polled by trainers after every batch or compiled call.

    Attributes:
        polls: How often a trainer has asked; while this stands still, no batch has ended.
    """

    def __init__(self) -> None:
        """Nothing is requested."""
        self._epoch = threading.Event()
        self._now = threading.Event()
        self.polls = 0

    def request(self, when: str) -> None:
        """Ask to stop: `epoch` (after this one) or `now` (at the next batch)."""
        (self._now if when == "now" else self._epoch).set()

    def clear(self) -> None:
        """Forget earlier requests, before a new trial."""
        self._epoch.clear()
        self._now.clear()

    @property
    def after_epoch(self) -> bool:
        """Whether to end when this epoch has ended."""
        self.polls += 1
        return self._epoch.is_set() or self._now.is_set()

    @property
    def now(self) -> bool:
        """Whether to end at the next batch."""
        self.polls += 1
        return self._now.is_set()


class NotFiniteError(Exception):
    """The loss or the objective became NaN or infinite.

    Attributes:
        metric: Its name.
        epoch: 1-based epoch in which it was seen.
        value: nan, inf or -inf.
    """

    def __init__(self, metric: str, epoch: int, value: float) -> None:
        """Say it in a sentence."""
        self.metric, self.epoch, self.value = metric, epoch, value
        super().__init__(f"{metric} became {value} at epoch {epoch}: the training diverged")


@dataclass(frozen=True)
class FitResult:
    """What one execution gave.

    Attributes:
        stopped: True if a stop request ended it before its time; then the other fields hold what there was.
        best_epoch: 1-based; 0 if no epoch ended.
        score: The objective at the best epoch; nan if no epoch ended.
        metrics: All metrics at the best epoch.
        epochs: Epochs trained (initial ones not counted).
        best_weights: `model.get_weights()` at the best epoch; the model itself holds them too when the trainer returns.
    """

    stopped: bool
    best_epoch: int
    score: float
    metrics: dict[str, float]
    epochs: int
    best_weights: list[np.ndarray]


OnEpoch = Callable[[int, dict[str, float]], None]
"""Called after each epoch with its 1-based number and all metrics as Python floats."""
