"""A dry run before the first trial: build, train and validate one batch, and see which metrics are logged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from tunerstudio.protocol.worker import ModelProbed
from tunerstudio.study.hyperparameters import Scalar
from tunerstudio.study.network import search_space
from tunerstudio.study.search import Objective
from tunerstudio.worker.fit_road import combined_weights
from tunerstudio.worker.hypermodels import BuiltModel
from tunerstudio.worker.opened import NetworkStudy
from tunerstudio.worker.roads import ChooseRoad, Road
from tunerstudio.worker.training import FitPlan, NotFiniteError, StopRequest, TrainingArrays
from tunerstudio.worker.trial import build_seeded, parameters


def probe(study: NetworkStudy, values: Mapping[str, Scalar] | None, choose_road: ChooseRoad) -> ModelProbed:
    """Build at `values` (None: the defaults) and train one batch.

    Raises:
        TunerStudioError: If the model cannot be built.
    """
    chosen = search_space(study.document, study.space).defaults() if values is None else dict(values)
    built = build_seeded(study, chosen, study.document.search.seed)
    plan = study.fit_plan(chosen, study.document.search.seed, epochs=1)
    arrays = study.arrays_for(built.model)
    road = choose_road(built, arrays, plan, study.document)
    batch = _one_batch(arrays, plan.batch_size)
    logged = _ahead_of_trials(road, built, batch, plan) or _train_one_batch(built, batch, plan)
    return ModelProbed(
        parameters=parameters(built.model),
        metrics=tuple(logged),
        road=road.name,
        road_reason=road.reason,
        summary=summary_text(built.model),
    )


def _one_batch(arrays: TrainingArrays, batch_size: int) -> TrainingArrays:
    def head(rows: np.ndarray | None) -> np.ndarray | None:
        return None if rows is None else rows[:batch_size]

    return TrainingArrays(
        arrays.x_train[:batch_size],
        arrays.y_train[:batch_size],
        arrays.x_validation[:batch_size],
        arrays.y_validation[:batch_size],
        head(arrays.weights_train),
        head(arrays.weights_validation),
    )


def _ahead_of_trials(road: Road, built: BuiltModel, arrays: TrainingArrays, plan: FitPlan) -> list[str]:
    """Names of the metrics of an epoch by the compiled program that the trials will use; empty if that is not it.

    The program is then there when the first trial begins. The loss stands in for an objective that may be unknown.
    """
    if road.name != "fused":
        return []
    seen: dict[str, float] = {}
    any_plan = replace(plan, objective=Objective(name="loss", direction="min"), early_stopping=None)
    try:
        road.train(built.model, arrays, any_plan, lambda epoch, metrics: seen.update(metrics), StopRequest())
    except NotFiniteError:
        return []
    return list(seen)


def _train_one_batch(built: BuiltModel, arrays: TrainingArrays, plan: FitPlan) -> list[str]:
    """Names of the metrics of an epoch; not through a trainer, which would refuse an unknown objective."""
    validation: tuple[Any, ...] = (arrays.x_validation, arrays.y_validation)
    if arrays.weights_validation is not None:
        validation = (*validation, arrays.weights_validation)
    weights, class_weight = combined_weights(arrays, plan)
    seen: dict[str, Any] = {}
    watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.update(logs or {}))
    extra = {"sample_weight": weights, "class_weight": class_weight}
    returned = (built.fit or built.model.fit)(
        arrays.x_train,
        arrays.y_train,
        validation_data=validation,
        epochs=1,
        batch_size=plan.batch_size,
        callbacks=[watch],
        verbose=0,
        **{name: value for name, value in extra.items() if value is not None},
    )
    if isinstance(returned, dict):
        seen.update(returned)
    elif not seen or (built.fit is not None and isinstance(returned, int | float | np.floating)):
        # A fit of the user's own may return the objective as a number, whatever its epochs log.
        seen.update(getattr(returned, "history", None) or {plan.objective.name: returned})
    return list(seen)


def summary_text(model: Any) -> str:
    """Keras's summary of a model, without colours."""
    lines: list[str] = []
    model.summary(line_length=90, print_fn=lambda text, line_break=True: lines.append(text))
    return "\n".join(lines)
