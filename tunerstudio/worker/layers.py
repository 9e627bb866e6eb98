"""One layer, optimizer or loss by its class name, with sentences for everything that can be wrong with it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from pydantic import JsonValue

from tunerstudio.study.data import Task
from tunerstudio.study.errors import ModelError, suggest
from tunerstudio.study.network import ResolvedLayer
from tunerstudio.worker.layer_errors import LayerError, misplaced, wrong_axes
from tunerstudio.worker.merging import merged
from tunerstudio.worker.objects import (
    SELF_ATTENTION,
    check_arguments,
    construct,
    made_arguments,
    make_class,
    parameters,
)
from tunerstudio.worker.objects import first_sentence as first_sentence

AUTO_LOSS: dict[Task, str] = {
    "binary": "binary_crossentropy",
    "multiclass": "sparse_categorical_crossentropy",
    "regression": "mse",
}
"""Loss by task where the document says `auto`."""


def make_layer(resolved: ResolvedLayer) -> Any:
    """The Keras layer.

    Raises:
        LayerError: Naming the layer, the argument and what would be right.
    """
    where = f"layer {resolved.name} ({resolved.layer})"
    try:
        found = _class(keras.layers, resolved.layer, keras.layers.Layer, "layer", "keras.layers")
        check_arguments(found, resolved.arguments, where)
        return construct(found, {**made_arguments(resolved.arguments, where), "name": keras_name(resolved.name)}, where)
    except ModelError as error:
        raise LayerError(resolved, str(error), details=error.details) from error


def keras_name(name: str) -> str:
    """`name` with what Keras does not take in the name of a layer replaced."""
    return re.sub(r"[^0-9A-Za-z_.-]+", "_", name)


def apply_resolved(resolved: ResolvedLayer, inputs: Sequence[Any], layer: Any = None) -> Any:
    """The output of a layer of a resolved network.

    Args:
        resolved: The layer; a merge takes several inputs.
        inputs: What it follows, in the order of `resolved.inputs`.
        layer: The Keras layer, if it was made before.

    Raises:
        LayerError: If it cannot be made, or cannot follow what comes before it.
    """
    layer = make_layer(resolved) if layer is None else layer
    return apply_layer(layer, inputs[0], resolved) if len(inputs) == 1 else merged(layer, inputs, resolved)


def apply_layer(layer: Any, tensor: Any, resolved: ResolvedLayer) -> Any:
    """The output of `layer` on `tensor`; LayerError if it cannot follow what comes before it."""
    axes = _wanted_axes(layer)
    if axes is not None and len(tensor.shape) != axes:
        raise wrong_axes(tensor, resolved, axes)
    try:
        if resolved.layer in SELF_ATTENTION:
            return layer([tensor, tensor]) if SELF_ATTENTION[resolved.layer] else layer(tensor, tensor)
        return layer(tensor)
    except Exception as error:  # Keras raises many kinds; each becomes the sentence of this layer
        raise misplaced(error, tensor, resolved) from error


def _wanted_axes(layer: Any) -> int | None:
    """Axes, batch included, that a layer is made for; some take others and give nonsense."""
    name = type(layer).__name__
    if ".image_preprocessing." in type(layer).__module__:
        return 4  # without a batch they would take the rows for the height
    dimensions = re.search(r"([123])D$", name)
    if dimensions is None or name.startswith("ConvLSTM"):
        return None
    return int(dimensions[1]) + 2


def optimizer_parts(resolved: Mapping[str, JsonValue]) -> tuple[str, dict[str, JsonValue]]:
    """Name and arguments of a resolved optimizer."""
    arguments = resolved.get("arguments")
    return str(resolved["name"]), arguments if isinstance(arguments, dict) else {}


def make_optimizer(name: JsonValue, arguments: Mapping[str, JsonValue]) -> Any:
    """The Keras optimizer.

    Raises:
        ModelError: Naming the optimizer and argument.
    """
    found = _class(keras.optimizers, str(name), keras.optimizers.Optimizer, "optimizer", "keras.optimizers")
    where = f"optimizer {name}"
    check_arguments(found, arguments, where)
    return construct(found, made_arguments(arguments, where), where)


def accepted_arguments(name: JsonValue, arguments: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Those of `arguments` that the optimizer `name` knows; all of them if there is no such optimizer."""
    found = getattr(keras.optimizers, str(name), None)
    if found is None:
        return dict(arguments)
    known = parameters(found)
    return {key: value for key, value in arguments.items() if key in known}


def make_loss(loss: JsonValue, task: Task) -> Any:
    """The loss for `compile`; `auto` follows the task. A name stays a name.

    Args:
        loss: `auto`, a name, or `{name, arguments}`.
        task: What is predicted.

    Raises:
        ModelError: If there is no such loss, or it does not fit the task's output layer.
    """
    if isinstance(loss, dict):
        return _loss_object(loss, task)
    name = str(loss)
    if name == "auto":
        return AUTO_LOSS[task]
    if task == "multiclass" and name in {"categorical_crossentropy", "CategoricalCrossentropy"}:
        return AUTO_LOSS[task]  # the same for class numbers, which is how targets are held here
    try:
        keras.losses.get(name)
    except ValueError as error:
        known = [key for key in vars(keras.losses) if key[0].isupper()]
        raise ModelError(
            f"model.loss: there is no loss {name!r}.{suggest(name, [*AUTO_LOSS.values(), *known])} "
            f"For this task {AUTO_LOSS[task]!r} is usual ('auto')."
        ) from error
    _check_fit(name, task)
    return name  # a function would hide the loss from the signature of the compiled program


def _loss_object(loss: dict[str, JsonValue], task: Task) -> Any:
    name, arguments = optimizer_parts(loss)
    if not arguments:
        return make_loss(name, task)
    _check_fit(name, task)
    return make_class(keras.losses, name, arguments, "loss", "model.loss")


def _check_fit(name: str, task: Task) -> None:
    if task == "binary" and "categoricalcrossentropy" in name.replace("_", "").lower():
        raise ModelError(f"model.loss: {name} does not fit two classes with one output; use binary_crossentropy.")


def _class(module: Any, name: str, base: type, word: str, place: str) -> Any:
    found = getattr(module, name, None)
    if not (inspect.isclass(found) and issubclass(found, base)):
        known = [key for key, value in vars(module).items() if inspect.isclass(value) and issubclass(value, base)]
        raise ModelError(f"there is no {word} {name!r} in {place}.{suggest(name, known)}")
    return found
