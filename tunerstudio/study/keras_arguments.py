"""Arguments of layers and optimizers as Keras saves them, in the words of a study: only what is not the default."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from tunerstudio.study.arguments import Argument, LayerSpec, ObjectSpec
from tunerstudio.study.catalogue import ArgumentInfo, Catalogue, ClassInfo
from tunerstudio.study.keras_files import KerasModelError
from tunerstudio.study.model import Optimizer

_OF_EVERY_LAYER = frozenset(
    {"name", "trainable", "dtype", "batch_shape", "batch_input_shape", "input_shape", "sparse", "ragged", "optional"}
)
"""What stands in every saved layer and says nothing of the network."""

_SET_BY_KERAS = frozenset({"zero_output_for_mask"})
"""What Keras writes into layers by itself: a Bidirectional into those inside, where they give sequences."""

_WINDOWS = frozenset({"kernel_size", "pool_size", "strides", "dilation_rate", "size"})
"""Sizes along all axes of a picture, which may be one number."""

_CLOSE = 1e-6
"""Relative; saved numbers have gone through single precision."""


def layer_arguments(
    catalogue: Catalogue, info: ClassInfo, config: Mapping[str, Any], where: str
) -> dict[str, Argument]:
    """Arguments of a saved layer that differ from their defaults.

    Args:
        catalogue: Knows the classes.
        info: The layer's class.
        config: As it was saved.
        where: The layer, for errors.

    Raises:
        KerasModelError: If an argument is an object of a class of one's own, or is not known.
    """
    found: dict[str, Argument] = {}
    for name, value in config.items():
        argument = info.argument(name)
        if argument is None:
            if name in _OF_EVERY_LAYER | _SET_BY_KERAS or value in (None, False, [], {}):
                continue
            raise KerasModelError(f"{where} has the argument {name}={value!r}, which Keras does not know any more.")
        if name in _OF_EVERY_LAYER:
            continue
        given = _argument(catalogue, info, argument, value, f"{where}, {name}")
        if not _is_default(argument, given):
            found[name] = _shorter(name, given)
    if _is_mirror(found.get("layer"), found.get("backward_layer")):
        del found["backward_layer"]
    return found


def optimizer_of(catalogue: Catalogue, compiled: Mapping[str, Any] | None) -> Optimizer | None:
    """The optimizer that a saved model was compiled with; None if it is not known."""
    saved = (compiled or {}).get("optimizer")
    if not isinstance(saved, dict):
        return None
    info, config = catalogue.optimizer(str(saved.get("class_name"))), saved.get("config")
    if info is None or not isinstance(config, dict):
        return None
    arguments: dict[str, Argument] = {}
    for argument in info.arguments:
        if argument.name not in config:
            continue
        try:
            given = _argument(catalogue, info, argument, config[argument.name], info.name)
        except KerasModelError:
            continue  # a schedule of one's own: the default learning rate stands in for it
        if not _is_default(argument, given):
            arguments[argument.name] = given
    return Optimizer(name=info.name, arguments=arguments)


def _argument(catalogue: Catalogue, info: ClassInfo, argument: ArgumentInfo, value: Any, where: str) -> Argument:
    if not isinstance(value, Mapping):
        return _plain(value)
    if argument.type == "layer":
        return _inner_layer(catalogue, info, argument, value, where)
    name, inside = value.get("class_name"), value.get("config")
    if argument.type == "dtype" or name == "DTypePolicy":
        return str(inside["name"]) if isinstance(inside, Mapping) and "name" in inside else None
    known = catalogue.object_for(argument, str(name)) if isinstance(inside, Mapping) else None
    if known is None or not isinstance(inside, Mapping):
        raise KerasModelError(f"{where} is an object of a class of its own ({name}).")
    arguments: dict[str, Argument] = {}
    for own in known.arguments:
        if own.name in inside:
            given = _argument(catalogue, known, own, inside[own.name], where)
            if not _is_default(own, given):
                arguments[own.name] = given
    if arguments:
        return ObjectSpec(name=known.name, arguments=arguments)
    default = argument.default
    if isinstance(default, str) and catalogue.object_for(argument, default) == known:
        return default
    return _text_name(catalogue, argument, known)


def _inner_layer(
    catalogue: Catalogue, info: ClassInfo, argument: ArgumentInfo, value: Mapping[str, Any], where: str
) -> LayerSpec:
    known = next((one for one in catalogue.inner_layers(info, argument) if one.name == value.get("class_name")), None)
    if known is None or value.get("module") not in (None, "keras.layers"):
        raise KerasModelError(f"{where}: {value.get('class_name')} cannot stand inside {info.name} here.")
    return LayerSpec(layer=known.name, arguments=layer_arguments(catalogue, known, value.get("config", {}), where))


def _text_name(catalogue: Catalogue, argument: ArgumentInfo, known: ClassInfo) -> str:
    """`glorot_uniform` for GlorotUniform, where such a text is offered."""
    wanted = known.name.lower()
    return next((name for name in catalogue.names(argument) if name.replace("_", "").lower() == wanted), known.name)


def _shorter(name: str, given: Argument) -> Argument:
    """`3` for `[3, 3]`, where Keras takes either."""
    return _one_or_same(given) if name in _WINDOWS else given


def _is_mirror(forward: Argument, backward: Argument) -> bool:
    """Whether the second layer of a Bidirectional is the one that Keras makes by itself."""
    if not isinstance(forward, LayerSpec) or not isinstance(backward, LayerSpec) or forward.layer != backward.layer:
        return False
    turned = {"go_backwards": True, **forward.arguments}
    if forward.arguments.get("go_backwards"):
        turned.pop("go_backwards")
    return turned == backward.arguments


def _plain(value: Any) -> JsonValue:
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and math.isfinite(value):
        return float(f"{value:.6g}")
    return value if isinstance(value, str | int | bool) else None


def _is_default(argument: ArgumentInfo, given: Argument) -> bool:
    if given is None:
        return argument.default is None or argument.nullable is False
    default = argument.default
    if argument.name == "data_format" and given == "channels_last":
        return True  # Keras's own, which is not tuned
    if isinstance(given, float) and isinstance(default, int | float):
        return math.isclose(given, default, rel_tol=_CLOSE)
    if argument.type == "activation" and given == "linear" and default is None:
        return True
    return bool(_one_or_same(given) == _one_or_same(default))


def _one_or_same(value: Any) -> Any:
    """`[2, 2]` and `2` mean the same window."""
    return value[0] if isinstance(value, list) and value and all(one == value[0] for one in value) else value
