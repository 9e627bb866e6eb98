"""Sizes that may differ without another program: units of a dense layer, filters of a convolution.

A program is traced with variables whose differing axes are unknown, so that one graph serves networks of the same
structure. Only layers that are known to read sizes from their inputs and weights when they are traced, and from
nowhere else, take part; all others keep every size in the signature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import keras
import tensorflow as tf

Shape = tuple[int | None, ...]
"""Sizes of one variable; None where they may differ."""

Shapes = tuple[Shape, ...]
"""Of all variables of a model, in order."""

_SIZE_ARGUMENTS: dict[str, frozenset[str]] = {
    **dict.fromkeys(("Dense",), frozenset({"units"})),
    **dict.fromkeys(("Conv1D", "Conv2D", "Conv3D"), frozenset({"filters"})),
    **dict.fromkeys(
        (
            "Activation",
            "Add",
            "AveragePooling1D",
            "AveragePooling2D",
            "BatchNormalization",
            "Dropout",
            "ELU",
            "Flatten",
            "GaussianNoise",
            "GlobalAveragePooling1D",
            "GlobalAveragePooling2D",
            "GlobalMaxPooling1D",
            "GlobalMaxPooling2D",
            "InputLayer",
            "LeakyReLU",
            "MaxPooling1D",
            "MaxPooling2D",
            "ReLU",
            "SpatialDropout1D",
            "SpatialDropout2D",
        ),
        frozenset[str](),
    ),
}
"""Keras's layers that may be traced with unknown sizes, and their arguments that are such sizes."""

_OPTIMIZERS = frozenset({"SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam", "Lion", "Ftrl"})
"""Optimizers whose steps are element by element."""


def size_arguments(layer: Any) -> frozenset[str] | None:
    """Which arguments of a layer are sizes that may differ; None if the layer must keep all of its sizes."""
    found = _SIZE_ARGUMENTS.get(type(layer).__name__)
    if found is None or not type(layer).__module__.startswith("keras.src.layers."):
        return None
    if getattr(layer, "quantization_mode", None) or getattr(layer, "lora_rank", None):
        return None
    if getattr(layer, "groups", 1) != 1 or getattr(layer, "data_format", "channels_last") != "channels_last":
        return None
    return found


def may_differ(optimizer: Any) -> bool:
    """Whether an optimizer works on weights of unknown size."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    plain = inner is None or (type(inner).__name__ in _OPTIMIZERS and not inner.gradient_accumulation_steps)
    return plain and (inner is None or type(inner).__module__.startswith("keras.src.optimizers."))


def shapes_of(variables: Iterable[Any]) -> Shapes:
    """Their sizes."""
    return tuple(tuple(variable.shape) for variable in variables)


def open_sizes(model: keras.Model, pattern: Shapes) -> None:
    """Make the sizes of a built and compiled model unknown to TensorFlow where `pattern` says so.

    The model can be trained by a traced program afterwards and takes weights of any such size; it must not be saved.
    """
    for variable, shape in zip(model.variables, pattern, strict=True):
        if None in shape:
            _reopen(variable, shape)
    for layer in model._flatten_layers():
        if "filters" in (size_arguments(layer) or ()) and layer.kernel.shape[-1] is None:
            layer.filters = -1  # Keras reshapes the bias to this size; TensorFlow finds it out when it is -1
    if model.optimizer is not None:
        _reopen_slots(model.optimizer)


def _reopen_slots(optimizer: Any) -> None:
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    for variable in inner.variables:
        if len(variable.shape):
            _reopen(variable, (None,) * len(variable.shape))
    # Slots are found by the identity of the variables that were replaced.
    key: Callable[[Any], Any] = inner._var_key
    inner._trainable_variables_indices = {key(own): place for place, own in enumerate(inner._trainable_variables)}


def _reopen(variable: Any, shape: Shape) -> None:
    old = variable._value
    variable._value = tf.Variable(
        old.read_value(), dtype=old.dtype, trainable=old.trainable, shape=tf.TensorShape(shape), name=old.name[:-2]
    )
    variable._shape = shape
