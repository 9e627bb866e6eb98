"""The saved model: raw rows in, class names or values in the user's units out, in one `.keras` file.

It is made of built-in parts: the front that prepares the data, the network, and an end that names the classes or
undoes the scaling of the target. So it loads with `safe_mode=True` in any Python that has Keras and TensorFlow.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from tunerstudio.protocol.worker import ExportModel, ModelExported
from tunerstudio.study.preprocessing import TEST, VALIDATION, ImageInput, NumericInput, PreparedData, TargetPlan
from tunerstudio.worker.evaluation import Measures, evaluate, from_logits
from tunerstudio.worker.how_to_load import network_lines, own_parts
from tunerstudio.worker.hypermodels import NETWORK
from tunerstudio.worker.opened import NetworkStudy
from tunerstudio.worker.preprocessing import build_front, functional, unused_token
from tunerstudio.worker.probe import summary_text
from tunerstudio.worker.trial import build_seeded, parameters
from tunerstudio.worker.weights import load_weights

MODEL_FILE = "model.keras"


def export_network(study: NetworkStudy, command: ExportModel) -> ModelExported:
    """Write the saved model of one execution and evaluate it on the validation and test parts.

    Raises:
        ModelError: If the weights are gone or do not fit.
    """
    model = build_seeded(study, command.values, command.seed).model
    load_weights(model, Path(command.folder), command.execution)
    to = Path(command.to)
    network = uncompiled(model, study.hypermodel.own_objects())
    saved = assemble(study.data.plan, network, study.hypermodel.standardised_target, from_logits(model))
    save_model(saved, to / MODEL_FILE)
    own = own_parts(network)
    source = study.hypermodel.source
    if own and source is not None:
        shutil.copyfile(source, to / source.name)
    standardised = study.hypermodel.standardised_target
    Measures.of(model, standardised).write(to)

    def measure(part: int) -> dict[str, float]:
        rows = study.data.rows(part)
        return evaluate(model, study.features[rows], rows, study.data, standardised)

    return ModelExported(
        trial=command.trial,
        file=MODEL_FILE,
        parameters=parameters(network),
        validation=measure(VALIDATION),
        test=measure(TEST),
        summary=summary_text(network),
        how_to_load=network_lines(study.data, MODEL_FILE, own, source),
    )


def uncompiled(model: Any, own_objects: dict[str, Any]) -> Any:
    """The same network without optimizer, loss and metrics, which would stand in the file and need our code to load.

    A model of a class of the user's own cannot be copied: it is taken as it is. `own_objects` are the classes and
    functions that the network's configuration may name beside Keras's.
    """
    if not type(model).__module__.startswith("keras."):
        return model
    with keras.saving.custom_object_scope(own_objects):
        copy = type(model).from_config({**model.get_config(), "name": NETWORK})
    copy.set_weights(model.get_weights())
    return copy


def assemble(plan: PreparedData, network: Any, standardised: bool, logits: bool) -> Any:
    """Front, network and end as one model.

    Args:
        plan: How raw rows become features.
        network: Features -> prediction.
        standardised: Whether a regression's network predicts standardised values.
        logits: Whether a classifier's network ends without sigmoid or softmax.

    Returns:
        A functional model. Inputs: dictionary by column (or group) name. Outputs: {"probability": (rows, classes),
        "class": (rows,) text}, {target column: (rows, 1)}, or for an autoencoder {"reconstruction": (rows, columns) in
        the user's units, "error": (rows, 1) mean squared difference of what the network sees and gives}.
    """
    front = build_front(plan)
    inputs = dict(zip(front.input, front.inputs, strict=True)) if not isinstance(front.input, dict) else front.input
    raw = {name: keras.Input(tensor.shape[1:], name=tensor.name, dtype=tensor.dtype) for name, tensor in inputs.items()}
    prediction = ops.cast(network(front(raw)), "float32")
    if plan.target.reconstructs:
        outputs = _reconstruction(prediction, front(raw), plan)
    elif plan.target.task == "regression":
        outputs = _values(prediction, plan.target, standardised)
    else:
        outputs = _classes(prediction, plan.target, logits)
    return functional(raw, outputs, "model")


def _classes(prediction: Any, target: TargetPlan, logits: bool) -> dict[str, Any]:
    if prediction.shape[-1] == 1:
        one = ops.sigmoid(prediction) if logits else prediction
        probability = ops.concatenate([ops.subtract(1.0, one), one], axis=-1)
    else:
        probability = ops.softmax(prediction) if logits else prediction
    naming = layers.StringLookup(
        vocabulary=list(target.classes),
        invert=True,
        num_oov_indices=0,
        mask_token=None,
        oov_token=unused_token(target.classes),
        name="class",
    )
    return {"probability": probability, "class": naming(ops.argmax(probability, axis=-1))}


def _values(prediction: Any, target: TargetPlan, standardised: bool) -> dict[str, Any]:
    if standardised:
        scale, offset = np.asarray(target.scale, "float32"), np.asarray(target.offset, "float32")
        prediction = ops.add(ops.multiply(prediction, scale), offset)
    parts = [prediction] if target.outputs == 1 else ops.split(prediction, target.outputs, axis=-1)
    return dict(zip(target.columns, parts, strict=True))


def _reconstruction(prediction: Any, seen: Any, plan: PreparedData) -> dict[str, Any]:
    flat = seen if len(seen.shape) == 2 else layers.Flatten()(seen)
    error = ops.mean(ops.square(ops.subtract(flat, prediction)), axis=-1, keepdims=True)
    offset, scale = (np.asarray(numbers, "float32") for numbers in zip(*_units(plan), strict=True))
    return {"reconstruction": ops.add(ops.multiply(prediction, scale), offset), "error": error}


def _units(plan: PreparedData) -> Iterator[tuple[float, float]]:
    """Offset and scale of every column that is given back."""
    for spec in plan.inputs:
        if isinstance(spec, ImageInput):
            yield from ((0.0, spec.shape.maximum) for _ in spec.columns)
        elif isinstance(spec, NumericInput):
            yield from zip(spec.offset, spec.scale, strict=True)


def save_model(model: Any, path: Path) -> None:
    """Write a `.keras` file: temporary file, fsync, rename."""
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        model.save(temporary)
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
