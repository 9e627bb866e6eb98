"""How fast this machine trains: two small trainings of the study's own networks, timed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from tunerstudio.study.hyperparameters import Scalar
from tunerstudio.worker.opened import NetworkStudy
from tunerstudio.worker.roads import ChooseRoad
from tunerstudio.worker.training import FitPlan, StopRequest, TrainingArrays
from tunerstudio.worker.trial import build_seeded

_EPOCHS = 3
"""Of a timing; the first one compiles."""

_ROWS = 2048
"""Most rows of a timing."""

_TRAINING = 3.0
"""Operations of a training step by those of a forward pass: forwards once, backwards twice."""

_LEAST_SPEED = 1e9
"""Operations per second that any machine reaches."""


@dataclass(frozen=True)
class Timing:
    """One timed training.

    Attributes:
        compile_s: What the first epoch took longer than the others.
        batch_s: Seconds per batch.
        batch_flops: Operations per batch, forwards and backwards.
    """

    compile_s: float
    batch_s: float
    batch_flops: float


@dataclass(frozen=True)
class Speed:
    """What a batch costs: a fixed part and a part per operation.

    Attributes:
        compile_s: Seconds until the first batch of a new architecture.
    """

    fixed_s: float
    seconds_per_flop: float
    compile_s: float

    def epoch_s(self, flops: float, rows: int, batch_size: int) -> float:
        """Seconds of an epoch over `rows` rows with `flops` operations per row, forwards."""
        batches = math.ceil(rows / batch_size)
        return batches * self.fixed_s + rows * flops * _TRAINING * self.seconds_per_flop


def speed_from(small: Timing, large: Timing | None) -> Speed:
    """The line through two timings; with one alone, half of its time is taken as fixed."""
    compile_s = max(small.compile_s, large.compile_s if large else 0.0)
    if large is not None and large.batch_flops > 2 * small.batch_flops and large.batch_s > small.batch_s:
        slope = (large.batch_s - small.batch_s) / (large.batch_flops - small.batch_flops)
        return Speed(max(0.0, small.batch_s - slope * small.batch_flops), slope, compile_s)
    slope = min(small.batch_s / 2 / max(1.0, small.batch_flops), 1 / _LEAST_SPEED)
    return Speed(max(0.0, small.batch_s - slope * small.batch_flops), slope, compile_s)


def timed(
    study: NetworkStudy,
    values: Mapping[str, Scalar],
    flops: float,
    choose_road: ChooseRoad,
    stop: StopRequest,
    clock: Callable[[], float] = time.perf_counter,
) -> Timing | None:
    """Train the network of `values` for a moment.

    Args:
        study: The study.
        values: A configuration that can be built and is not too large.
        flops: Operations per row, forwards.
        choose_road: Picks the trainer that a trial would take.
        stop: Ends it early.
        clock: Seconds from anywhere.

    Returns:
        None if it was stopped.

    Raises:
        TunerStudioError: If the network cannot be trained.
    """
    built = build_seeded(study, values, study.document.search.seed)
    plan = replace(study.fit_plan(values, study.document.search.seed, epochs=_EPOCHS), early_stopping=None)
    arrays = _head(study.arrays_for(built.model), plan)
    road = choose_road(built, arrays, plan, study.document)
    ends = [clock()]
    result = road.train(built.model, arrays, plan, lambda epoch, metrics: ends.append(clock()), stop)
    if result.stopped or len(ends) < 3:
        return None
    durations = [after - before for before, after in pairwise(ends)]
    best = min(durations[1:])
    batches = math.ceil(len(arrays.x_train) / plan.batch_size)
    return Timing(durations[0] - best, best / batches, flops * _TRAINING * min(plan.batch_size, len(arrays.x_train)))


def _head(arrays: TrainingArrays, plan: FitPlan) -> TrainingArrays:
    """Whole batches of the first rows, and one batch to validate on."""
    rows = max(plan.batch_size, _ROWS // plan.batch_size * plan.batch_size)
    weights, more = arrays.weights_train, arrays.weights_validation
    return TrainingArrays(
        arrays.x_train[:rows],
        arrays.y_train[:rows],
        arrays.x_validation[: plan.batch_size],
        arrays.y_validation[: plan.batch_size],
        None if weights is None else weights[:rows],
        None if more is None else more[: plan.batch_size],
    )
