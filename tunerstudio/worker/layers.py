"""One layer, optimizer or loss by its class name, with sentences for everything that can be wrong with it."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Mapping
from typing import Any

import keras
from pydantic import JsonValue

from tunerstudio.study.data import Task
from tunerstudio.study.errors import ModelError, suggest
from tunerstudio.study.network import ResolvedLayer

_AXES = {
    2: "(rows, features)",
    3: "(rows, steps, features)",
    4: "(rows, height, width, channels)",
    5: "(rows, depth, height, width, channels)",
}

AUTO_LOSS: dict[Task, str] = {
    "binary": "binary_crossentropy",
    "multiclass": "sparse_categorical_crossentropy",
    "regression": "mse",
}
"""Loss by task where the document says `auto`."""


def make_layer(resolved: ResolvedLayer) -> Any:
    """The Keras layer.

    Raises:
        ModelError: Naming the layer, the argument and what would be right.
    """
    where = f"layer {resolved.name} ({resolved.layer})"
    found = _class(keras.layers, resolved.layer, keras.layers.Layer, "layer", "keras.layers")
    _check_arguments(found, resolved.arguments, where)
    name = re.sub(r"[^0-9A-Za-z_.-]+", "_", resolved.name)
    return _construct(found, {**resolved.arguments, "name": name}, where)


def apply_layer(layer: Any, tensor: Any, resolved: ResolvedLayer) -> Any:
    """The output of `layer` on `tensor`; ModelError if it cannot follow what comes before it."""
    try:
        return layer(tensor)
    except Exception as error:  # Keras raises many kinds; each becomes the sentence of this layer
        raise ModelError(_misplaced(error, tensor, resolved), traceback.format_exc()) from error


def _misplaced(error: Exception, tensor: Any, resolved: ResolvedLayer) -> str:
    shape = _shape_text(tensor.shape)
    text = f"layer {resolved.name} ({resolved.layer}) cannot follow what comes before it, of shape {shape}"
    wanted = re.search(r"expected (?:min_)?ndim=(\d+)", str(error))
    if wanted:
        axes = _AXES.get(int(wanted[1]), f"{wanted[1]} axes")
        if int(wanted[1]) > len(tensor.shape):
            return f"{text}: it needs {axes}. Put a Reshape layer before it, or set the image shape of the data."
        return f"{text}: it needs {axes}. Put a Flatten or pooling layer before it."
    return f"{text}: {first_sentence(error)}"


def make_optimizer(name: JsonValue, arguments: Mapping[str, JsonValue]) -> Any:
    """The Keras optimizer.

    Raises:
        ModelError: Naming the optimizer and argument.
    """
    found = _class(keras.optimizers, str(name), keras.optimizers.Optimizer, "optimizer", "keras.optimizers")
    where = f"optimizer {name}"
    # An optimizer that is itself tunable shares its fields: those of the others (momentum for Adam) are left out.
    _check_arguments(found, arguments, where)
    plain = {key: _schedule(value, where) for key, value in arguments.items()}
    return _construct(found, plain, where)


def accepted_arguments(name: JsonValue, arguments: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Those of `arguments` that the optimizer `name` knows; all of them if there is no such optimizer."""
    found = getattr(keras.optimizers, str(name), None)
    if found is None:
        return dict(arguments)
    known = _parameters(found)
    return {key: value for key, value in arguments.items() if key in known}


def make_loss(name: str, task: Task) -> str:
    """The name for `compile`; `auto` follows the task.

    Raises:
        ModelError: If there is no such loss, or it does not fit the task's output layer.
    """
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
    if task == "binary" and "categorical_crossentropy" in name:
        raise ModelError(f"model.loss: {name} does not fit two classes with one output; use binary_crossentropy.")
    return name  # a function would hide the loss from the signature of the compiled program


def first_sentence(error: BaseException) -> str:
    """The first paragraph of an exception's text on one line, without Keras's internals."""
    text = str(error).strip() or type(error).__name__
    text = re.split(r"\n\s*\n|\n?Arguments received by|\n?Exception encountered", text)[0] or text
    return re.sub(r"\s+", " ", text).strip()[:400]


def _class(module: Any, name: str, base: type, word: str, place: str) -> Any:
    found = getattr(module, name, None)
    if not (inspect.isclass(found) and issubclass(found, base)):
        known = [key for key, value in vars(module).items() if inspect.isclass(value) and issubclass(value, base)]
        raise ModelError(f"there is no {word} {name!r} in {place}.{suggest(name, known)}")
    return found


def _parameters(found: Any) -> dict[str, inspect.Parameter]:
    """Named constructor arguments of a Keras class and its bases."""
    known: dict[str, inspect.Parameter] = {}
    for ancestor in found.__mro__:
        if ancestor.__module__.startswith("keras") and "__init__" in vars(ancestor):
            for key, parameter in inspect.signature(ancestor.__init__).parameters.items():
                if key != "self" and parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
                    known.setdefault(key, parameter)
    return known


def _check_arguments(found: Any, arguments: Mapping[str, JsonValue], where: str) -> None:
    known = _parameters(found)
    for key in arguments:
        if key not in known:
            raise ModelError(f"{where} has no argument {key!r}.{suggest(key, known)}")
    own = inspect.signature(found.__init__).parameters
    missing = [
        key
        for key, parameter in own.items()
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        and parameter.default is inspect.Parameter.empty
        and key not in {"self", *arguments}
    ]
    if missing:
        raise ModelError(f"{where} needs a value for {', '.join(missing)}.")


def _construct(found: Any, arguments: Mapping[str, Any], where: str) -> Any:
    try:
        return found(**arguments)
    except Exception as error:  # Keras raises many kinds; each becomes the sentence of this part
        given = ", ".join(f"{key}={value!r}" for key, value in arguments.items() if key != "name")
        raise ModelError(
            f"{where} cannot be made with {given or 'no arguments'}: {first_sentence(error)}", traceback.format_exc()
        ) from error


def _schedule(value: JsonValue, where: str) -> Any:
    """A learning-rate schedule written as {class_name: ..., config: {...}}; anything else as it is."""
    if not (isinstance(value, dict) and "class_name" in value):
        return value
    try:
        return keras.optimizers.schedules.deserialize(value)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"{where}: the schedule {value['class_name']!r} cannot be made: {first_sentence(error)}"
        ) from error


def _shape_text(shape: Any) -> str:
    return "(" + ", ".join(["rows", *("?" if size is None else str(size) for size in shape[1:])]) + ")"
