"""One trial: build, train each execution, report every epoch, keep the best weights."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras

from tunerstudio.protocol.worker import EpochEnded, ExecutionEnded, Report, RunTrial, TrialBuilt, TrialEnded
from tunerstudio.study.constraints import measured_names
from tunerstudio.study.hyperparameters import Scalar
from tunerstudio.worker.checkpoint import Checkpointer
from tunerstudio.worker.checkpoint_facts import execution_facts, obstacle, starting_rate
from tunerstudio.worker.checkpoint_file import checkpoint_path, remove_leftovers
from tunerstudio.worker.failures import explain
from tunerstudio.worker.fused_seed import set_keras_seed
from tunerstudio.worker.hypermodels import BuiltModel
from tunerstudio.worker.measure import measured_values, memory_mb
from tunerstudio.worker.opened import NetworkStudy
from tunerstudio.worker.roads import ChooseRoad, Road
from tunerstudio.worker.training import FitPlan, FitResult, NotFiniteError, StopRequest
from tunerstudio.worker.weights import load_parent, save_weights

Send = Callable[[Report], None]
"""Sends a report to the engine."""


def run_trial(command: RunTrial, send: Send, run: Callable[[], bool]) -> None:
    """Do `run`, which says whether the trial came to its end; whatever happens, the last report is a `TrialEnded`."""
    try:
        completed = run()
        ended = TrialEnded(trial=command.trial, outcome="completed" if completed else "stopped")
    except BrokenPipeError:
        raise  # nobody listens any more: not a failure of the trial
    except Exception as error:  # noqa: BLE001  # a failed trial is a result, whatever raised it
        message, details = explain(error, "The training failed")
        ended = TrialEnded(trial=command.trial, outcome="failed", message=message, details=details)
    send(ended)


def run_executions(
    study: NetworkStudy, command: RunTrial, choose_road: ChooseRoad, send: Send, stop: StopRequest
) -> bool:
    """Build and train each execution of the command; whether all came to their end.

    Raises:
        TunerStudioError: If the model cannot be built or does not log the objective.
        NotFiniteError: If the training diverges.
    """
    remove_leftovers(Path(command.folder))
    for position, execution in enumerate(command.executions):
        if stop.after_epoch:
            return False
        checkpoint = checkpoint_path(Path(command.folder), execution)
        try:
            result, measures = _run_execution(study, command, execution, choose_road, position == 0, send, stop)
        except NotFiniteError:
            checkpoint.unlink(missing_ok=True)  # going on from there would end the same way
            raise
        if result.stopped:
            return False
        send(
            ExecutionEnded(
                trial=command.trial,
                execution=execution,
                score=result.score,
                best_epoch=result.best_epoch,
                epochs=result.epochs,
                metrics=finite(result.metrics),
                measures=measures,
            )
        )
        checkpoint.unlink(missing_ok=True)
    return True


def _run_execution(
    study: NetworkStudy,
    command: RunTrial,
    execution: int,
    choose_road: ChooseRoad,
    first: bool,
    send: Send,
    stop: StopRequest,
) -> tuple[FitResult, dict[str, float]]:
    """What the training gave, and what was measured of the trained network."""
    seed = command.seeds[execution]
    built = build_seeded(study, command.values, seed)
    if command.parent_folder is not None:
        load_parent(built.model, Path(command.parent_folder), execution)
    rate = starting_rate(built.model)
    plan = study.fit_plan(command.values, seed, command.epochs, command.initial_epoch)
    arrays = study.arrays_for(built.model)
    road = choose_road(built, arrays, plan, study.document)
    if first:
        send(_built(command, study, built.model, road, plan))

    checkpointer = Checkpointer(
        command,
        execution,
        send,
        facts=lambda: execution_facts(study, command, built, plan, road.name, rate),
        obstacle=obstacle(built, plan),
    )

    def on_epoch(epoch: int, metrics: dict[str, float]) -> None:
        report = EpochEnded(
            trial=command.trial, execution=execution, epoch=epoch, metrics=finite(metrics), at=time.time()
        )
        checkpointer.history.append(report)
        send(report)

    try:
        result = road.train(built.model, arrays, plan, on_epoch, stop, checkpointer)
    except Exception as error:
        blamed = study.hypermodel.blame(error)
        if blamed is not None:
            raise blamed from error
        raise
    if result.stopped:
        return result, {}
    save_weights(built.model, Path(command.folder), execution)
    wanted = {second.name for second in study.document.search.also}
    return result, measured_values(built.model, arrays.x_validation, wanted)


def build_seeded(study: NetworkStudy, values: Mapping[str, Scalar], seed: int) -> BuiltModel:
    """A compiled model whose weights follow from `seed`."""
    if study.hypermodel.source is None:
        set_keras_seed(seed % 2**32)
    else:  # the user's code may draw from TensorFlow's own generator
        keras.utils.set_random_seed(seed % 2**32)
    return study.hypermodel.build(values)


def _built(command: RunTrial, study: NetworkStudy, model: Any, road: Road, plan: FitPlan) -> TrialBuilt:
    """What is known of the network before it trains; as much as the constraints ask for."""
    asked = measured_names(study.document.search.constraints)
    if asked and not model.built:
        model.build((None, *study.arrays.x_train.shape[1:]))
    return TrialBuilt(
        trial=command.trial,
        parameters=parameters(model),
        road=road.name,
        road_reason=road.reason,
        memory_mb=memory_mb(model, plan.batch_size) if "memory_mb" in asked else None,
    )


def parameters(model: object) -> int | None:
    """Number of weights of a Keras model; None before it is built."""
    built = getattr(model, "built", False)
    return int(model.count_params()) if built else None  # type: ignore[attr-defined]  # Keras is untyped


def finite(metrics: dict[str, float]) -> dict[str, float]:
    """`metrics` without NaN and infinity, which JSON cannot say: such a metric has no value there."""
    return {name: value for name, value in metrics.items() if math.isfinite(value)}
