"""What decides the outcome of an execution: a checkpoint of other facts must not be gone on from."""

from __future__ import annotations

import json
from typing import Any

import keras
import tensorflow as tf

from tunerstudio.protocol.worker import RunTrial
from tunerstudio.worker.hypermodels import BuiltModel
from tunerstudio.worker.opened import NetworkStudy
from tunerstudio.worker.training import FitPlan


def execution_facts(
    study: NetworkStudy, command: RunTrial, built: BuiltModel, plan: FitPlan, road: str, rate: float | None
) -> dict[str, Any]:
    """Values, network, data, way of training and versions, as JSON values.

    `rate` is the learning rate that the execution began with (see `starting_rate`): it may have fallen since.
    Ranges of hyperparameters and the number of epochs are not among them: they may change while a trial rests.
    """
    early = plan.early_stopping
    return {
        "values": dict(command.values),
        "seed": plan.seed,
        "initial_epoch": plan.initial_epoch,
        "batch_size": plan.batch_size,
        "objective": plan.objective.model_dump(),
        "early_stopping": None if early is None else early.model_dump(),
        "reduce_rate": None if plan.reduce_rate is None else plan.reduce_rate.model_dump(),
        "class_weight": None if plan.class_weight is None else sorted(plan.class_weight.items()),
        "callbacks": [type(callback).__name__ for callback in plan.callbacks],
        "network": _network(study, built),
        "rate": rate,
        "data": study.data.plan.model_dump(mode="json"),
        "road": road,
        "versions": [tf.__version__, keras.__version__],
    }


def obstacle(built: BuiltModel, plan: FitPlan) -> str:
    """Why an execution cannot go on from a checkpoint, known before it is trained; "" if it can."""
    if built.fit is not None:
        return "the model's code has a fit of its own"
    if type(built.model).fit is not keras.Model.fit:
        return "the model's class has a fit() of its own"
    if plan.fit_arguments:
        return "arguments for fit are given"
    return ""


def starting_rate(model: Any) -> float | None:
    """The learning rate of a model that was just built; None for a schedule, or without an optimizer."""
    rate = getattr(model.optimizer, "_learning_rate", None)
    return float(rate.numpy()) if isinstance(rate, keras.Variable) else None


def _network(study: NetworkStudy, built: BuiltModel) -> list[Any]:
    model, source = built.model, study.hypermodel.source
    shapes = [list(variable.shape) for variable in model.variables]
    if source is not None:
        text = source.read_text(encoding="utf-8", errors="replace")
        return [shapes, text, study.document.model.model_dump(mode="json")]
    compiled = {key: value for key, value in (model.get_compile_config() or {}).items() if key != "optimizer"}
    optimizer = keras.saving.serialize_keras_object(model.optimizer)
    if starting_rate(model) is not None:
        optimizer["config"].pop("learning_rate", None)
    config = json.loads(json.dumps([model.get_config(), compiled, optimizer], default=str))
    return [shapes, _numbered(config, {name: number for number, name in enumerate(_names(config))})]


def _names(config: Any) -> dict[str, None]:
    """All names in a configuration in the order in which they come up; Keras numbers some of them by itself."""
    names: dict[str, None] = {}
    if isinstance(config, dict):
        if isinstance(config.get("name"), str):
            names[config["name"]] = None
        config = list(config.values())
    if isinstance(config, list):
        for part in config:
            names |= _names(part)
    return names


def _numbered(config: Any, numbers: dict[str, int]) -> Any:
    """A configuration with numbers for names, the same however many layers were made before."""
    if isinstance(config, dict):
        return {key: _numbered(value, numbers) for key, value in config.items()}
    if isinstance(config, list):
        return [_numbered(part, numbers) for part in config]
    return numbers.get(config, config) if isinstance(config, str) else config
