"""Numbers that may differ without another program: dropout rates, regularisers, momentum, weight decay.

In the model that a program trains they are replaced by variables, which take their values from each model that is
loaded. A number that Keras tests against 0 or 1 while it is traced answers as all numbers between those do; any other
question to it is an error, so that no value can get into a program unseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import keras
import tensorflow as tf

Place = tuple[Any, str]
"""An object of Keras's and the name of the attribute that holds a number."""

Numbers = tuple[float | None, ...]
"""The numbers of a model in order; None where they may differ."""

OPEN = "between 0 and 1"
"""What stands in a configuration in place of a number that may differ."""

_OF_LAYERS: dict[str, tuple[str, ...]] = {
    "Dropout": ("rate",),
    "GaussianNoise": ("stddev",),
    "SpatialDropout1D": ("rate",),
    "SpatialDropout2D": ("rate",),
}
_OF_REGULARIZERS: dict[str, tuple[str, ...]] = {"L1": ("l1",), "L2": ("l2",), "L1L2": ("l1", "l2")}
# Not beta_2: 1 - beta_2 in single precision is wrong by 1e-5 of itself.
_OF_OPTIMIZERS: dict[str, tuple[str, ...]] = {
    "Adam": ("beta_1", "weight_decay"),
    "AdamW": ("beta_1", "weight_decay"),
    "RMSprop": ("rho", "momentum", "weight_decay"),
    "SGD": ("momentum", "weight_decay"),
}


def places_of(model: keras.Model) -> list[Place]:
    """Where the numbers of a compiled model are, in an order that its structure decides."""
    found: list[Place] = []
    for layer in model.layers:
        found.extend(_places(layer, _OF_LAYERS))
        for name in _regularizer_names(layer):
            found.extend(_places(getattr(layer, name), _OF_REGULARIZERS))
    if model.optimizer is not None:
        found.extend(_places(model.optimizer, _OF_OPTIMIZERS))
    return found


def numbers_at(places: list[Place]) -> tuple[float, ...]:
    """The numbers that are there now."""
    return tuple(float(getattr(owner, name)) for owner, name in places)


def forget_numbers(model: keras.Model, network: dict[str, Any], training: dict[str, Any]) -> None:
    """Take the numbers at `places_of(model)` out of the configurations of the model and of its `compile`."""
    layers = {layer.name: layer for layer in model.layers}
    for item in network.get("layers", ()):
        layer = layers.get(item["config"].get("name"))
        if layer is None:
            continue
        _forget(item, _OF_LAYERS)
        for name in _regularizer_names(layer):
            _forget(item["config"][name], _OF_REGULARIZERS)
    if isinstance(training.get("optimizer"), dict):
        _forget(training["optimizer"], _OF_OPTIMIZERS)


def open_numbers(places: list[Place], pattern: Numbers) -> list[tuple[int, OpenNumber]]:
    """Put variables in the places where `pattern` is None; their indices among the places, and the variables."""
    opened = []
    for index, ((owner, name), fixed) in enumerate(zip(places, pattern, strict=True)):
        if fixed is None:
            number = OpenNumber(float(getattr(owner, name)), trainable=False, autocast=False, name=f"open_{name}")
            object.__setattr__(owner, name, number)  # Keras would count it among the layer's weights
            opened.append((index, number))
    return opened


class OpenNumber(keras.Variable):  # type: ignore[misc]  # Keras is untyped
    """A number between 0 and 1, both excluded, that is not known when a program is traced."""

    __hash__ = object.__hash__

    def get_shape(self) -> tf.TensorShape:
        """As TensorFlow's own tensors have it."""
        return tf.TensorShape(())

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        self._bound(other)
        return False

    def __ne__(self, other: object) -> bool:
        self._bound(other)
        return True

    def __gt__(self, other: object) -> bool:
        return self._bound(other) == 0

    def __lt__(self, other: object) -> bool:
        return self._bound(other) == 1

    __ge__, __le__ = __gt__, __lt__

    def __float__(self) -> float:
        return self._unknown("a float")

    def __int__(self) -> int:
        return self._unknown("an int")

    def _bound(self, other: object) -> float:
        return other if isinstance(other, (int, float)) and other in (0, 1) else self._unknown(other)

    def _unknown(self, other: object) -> NoReturn:
        raise TypeError(f"the value of {self.name} is not known to a program and cannot be compared with {other!r}")


def _places(owner: Any, known: dict[str, tuple[str, ...]]) -> Iterator[Place]:
    if not type(owner).__module__.startswith("keras.src."):
        return
    for name in known.get(type(owner).__name__, ()):
        if _may_differ(getattr(owner, name)):
            yield owner, name


def _may_differ(value: Any) -> bool:
    return value is not None and not isinstance(value, bool) and 0.0 < float(value) < 1.0


def _forget(item: dict[str, Any], known: dict[str, tuple[str, ...]]) -> None:
    for name in known.get(str(item.get("class_name")), ()):
        if _may_differ(item["config"].get(name)):
            item["config"][name] = OPEN


def _regularizer_names(layer: Any) -> list[str]:
    """Those that the layer itself holds, not a cell inside it."""
    return sorted(name for name, value in vars(layer).items() if name.endswith("_regularizer") and value is not None)
