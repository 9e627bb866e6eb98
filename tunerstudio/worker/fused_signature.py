"""When two models can share one compiled program: the signature of an architecture.

Two models with the same signature differ only in values that a program takes as input: weights, statistics, states of
random generators and of the optimizer, learning rate.
"""

from __future__ import annotations

import hashlib
import json
import re
import types
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
from keras.src.models.functional import Functional

from tunerstudio.study.network import snake_case
from tunerstudio.worker.fused_numbers import Place, forget_numbers, numbers_at, places_of
from tunerstudio.worker.fused_particulars import Particulars
from tunerstudio.worker.fused_sizes import may_differ, shapes_of, size_arguments

_VALUE_MARKS = frozenset(
    {"__tensor__", "__numpy__", "__tuple__", "__slice__", "__complex__", "__bytes__", "__keras_tensor__"}
)


@dataclass(frozen=True)
class Architecture:
    """What a compiled program depends on.

    Attributes:
        structure: Digest of all but the sizes and numbers that one program may leave open.
        particulars: Those sizes and numbers.
    """

    structure: str
    particulars: Particulars


def architecture_signature(model: keras.Model) -> str | None:
    """A digest of all that decides the model's compiled program, sizes included; see `architecture_of`."""
    found = architecture_of(model)
    return None if found is None else _digest([found.structure, found.particulars.sizes, found.particulars.numbers])


def architecture_of(model: keras.Model) -> Architecture | None:
    """All that decides the model's compiled program, shapes and types of the data apart.

    Args:
        model: Built and compiled.

    Returns:
        None if the configuration does not tell everything: own classes and functions, and layers that keep state
        outside their variables. Such a model's program must not serve another model.
    """
    if any(_has_hidden_state(layer) for layer in model._flatten_layers()):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that functions of the user's are unsafe to load: none is loaded
            network = model.get_config()
            training = model.get_compile_config()
        if not training or not (_is_pure_keras(network) and _is_pure_keras(training)):
            return None
        free, places = _layers_of_free_size(model), places_of(model) if _is_graph(model) else []
        _forget_sizes(network, free)
        if _is_graph(model):
            forget_numbers(model, network, training)
        facts = [_without_names(network), _without_rate(training), _variable_facts(model, free, places)]
        structure = _digest([*facts, _shapes_of_outputs(model), _shapes_for_others(model, free)])
    except (NotImplementedError, TypeError, ValueError):
        return None
    return Architecture(structure, Particulars(shapes_of(model.variables), numbers_at(places)))


def _digest(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _is_graph(model: keras.Model) -> bool:
    return isinstance(model, (keras.Sequential, Functional))


def _layers_of_free_size(model: keras.Model) -> dict[str, Any]:
    """Layers by name whose sizes a program may leave open."""
    if not _is_graph(model) or not may_differ(model.optimizer):
        return {}
    return {layer.name: layer for layer in model.layers if size_arguments(layer) is not None}


def _forget_sizes(network: dict[str, Any], free: dict[str, Any]) -> None:
    """Take the sizes of the layers `free` out of a configuration."""
    for item in network.get("layers", ()):
        layer = free.get(item["config"].get("name"))
        if layer is None:
            continue
        item.pop("build_config", None)
        for argument in size_arguments(layer) or ():
            item["config"].pop(argument)
        for tensor in _dictionaries(item.get("inbound_nodes", ())):
            if tensor.get("class_name") == "__keras_tensor__":
                tensor["config"].pop("shape")


def _shapes_of_outputs(model: keras.Model) -> Any:
    """Losses and metrics look at the shape of what they get."""
    return [list(tensor.shape) for tensor in getattr(model, "outputs", None) or ()]


def _shapes_for_others(model: keras.Model, free: dict[str, Any]) -> list[Any]:
    """What the layers that are not `free` get."""
    others = (layer for layer in model.layers if free and layer.name not in free)
    nodes = (node for layer in others for node in layer._inbound_nodes)
    return [list(tensor.shape) for node in nodes for tensor in node.input_tensors]


def _has_hidden_state(layer: Any) -> bool:
    module = type(layer).__module__
    if not module.startswith("keras.src.") or module.startswith("keras.src.layers.preprocessing."):
        return True
    # A lambda as an activation is not told apart in the configuration.
    functions = (value for value in vars(layer).values() if isinstance(value, types.FunctionType))
    return any(not function.__module__.startswith("keras.") for function in functions)


def _is_pure_keras(config: object) -> bool:
    """Whether every object in a serialized configuration is Keras's own."""
    for item in _dictionaries(config):
        kind = str(item.get("class_name", "__none__"))
        if kind.startswith("__") and kind != "__lambda__":
            continue  # a plain value, such as __tensor__ or __keras_tensor__
        module = item.get("module") or ""
        is_ours = module.startswith("tunerstudio.worker.")  # metrics whose get_config tells everything
        if not is_ours and (module.split(".")[0] != "keras" or item.get("registered_name")):
            return False
    return True


def _dictionaries(config: object) -> Iterator[dict[str, Any]]:
    if isinstance(config, dict):
        yield config
        for value in config.values():
            yield from _dictionaries(value)
    elif isinstance(config, (list, tuple)):
        for value in config:
            yield from _dictionaries(value)


def _without_names(config: dict[str, Any]) -> Any:
    """The network without seeds, which are values, and without names that Keras numbered by itself."""
    renamed: dict[str, str] = {str(config.get("name")): "model"}
    for item in _dictionaries(config):
        inner = item.get("config")
        name = inner.get("name") if isinstance(inner, dict) else None
        if isinstance(name, str) and re.fullmatch(rf"{_automatic_name(item['class_name'])}(_\d+)?", name):
            renamed.setdefault(name, f"{item['class_name']} {len(renamed)}")
    return _replaced(config, renamed)


def _automatic_name(class_name: str) -> str:
    """A pattern for the name that Keras gives: `re_lu` for ReLU, `input_layer`, `conv2d`."""
    keras_name = re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", class_name)).lower()
    return f"(?:{re.escape(keras_name)}|{re.escape(snake_case(class_name))})"


def _replaced(config: Any, renamed: dict[str, str]) -> Any:
    if isinstance(config, dict):
        return {key: _replaced(value, renamed) for key, value in config.items() if not _is_value(key, value)}
    if isinstance(config, (list, tuple)):
        return [_replaced(value, renamed) for value in config]
    return renamed.get(config, config) if isinstance(config, str) else config


def _is_value(key: str, value: object) -> bool:
    """Whether an argument only decides values that a program takes as input: seeds, weights to begin with."""
    return (key == "seed" and (value is None or isinstance(value, int))) or key.endswith("_initializer")


def _without_rate(training: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `compile` without the optimizer's name and plain learning rate."""
    return {**training, "optimizer": _optimizer_without_rate(training.get("optimizer"))}


def _optimizer_without_rate(config: Any) -> Any:
    if not isinstance(config, dict):
        return config
    return {
        key: _optimizer_without_rate(value)
        for key, value in config.items()
        if key != "name" and not (key == "learning_rate" and isinstance(value, (int, float)))
    }


def _variable_facts(model: keras.Model, free: dict[str, Any], places: list[Place]) -> list[Any]:
    """What layers may have changed on their variables after construction."""
    told = {id(owner) for owner, _ in places}
    open_ones = {id(variable) for layer in free.values() for variable in layer.variables}
    return [
        (
            len(variable.shape) if id(variable) in open_ones else list(variable.shape),
            str(variable.dtype),
            variable.trainable,
            _regularizer(variable.regularizer, told),
        )
        for variable in model.variables
    ]


def _regularizer(part: Any, told: set[int]) -> Any:
    """All of a regulariser; its kind alone if the layer's configuration tells the rest."""
    if part is None or id(part) in told:
        return type(part).__name__
    return keras.saving.serialize_keras_object(part)
