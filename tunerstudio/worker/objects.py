"""Keras objects by the names that stand in a study: regularizers, constraints, initializers, schedules, inner layers.

A resolved argument is plain, or `{name: l2, arguments: {...}}`, or `{layer: LSTM, name: ..., arguments: {...}}`.
"""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import keras
from pydantic import JsonValue

from tunerstudio.study.errors import ModelError, suggest

_PLACES: tuple[tuple[str, Any], ...] = (
    ("initializer", keras.initializers),
    ("regularizer", keras.regularizers),
    ("constraint", keras.constraints),
    ("learning_rate", keras.optimizers.schedules),
)
"""Where the class of an object is looked for, by the end of the argument's name."""

CONSTANT = "constant"
"""A learning rate "schedule" that stays at its `initial_learning_rate`; beside real ones in a choice."""

SELF_ATTENTION = {
    "MultiHeadAttention": False,
    "GroupQueryAttention": False,
    "Attention": True,
    "AdditiveAttention": True,
}
"""Layers that take a query and a value, which are both the one input here; whether they take them as one list."""


def made_arguments(arguments: Mapping[str, JsonValue], where: str) -> dict[str, Any]:
    """Arguments ready for a constructor: objects in them are made.

    Raises:
        ModelError: Naming the part and what would be right.
    """
    return {name: made(name, value, where) for name, value in arguments.items()}


def made(name: str, value: JsonValue, where: str) -> Any:
    """One argument ready for a constructor; see `made_arguments`."""
    if not isinstance(value, dict):
        return value
    arguments = value.get("arguments")
    inside = arguments if isinstance(arguments, dict) else {}
    if "layer" in value:
        title = re.sub(r"[^0-9A-Za-z_.-]+", "_", str(value.get("name") or value["layer"]))
        return make_class(keras.layers, str(value["layer"]), {**inside, "name": title}, "layer", f"{where}, {name}")
    if set(value) == {"name", "arguments"}:
        module = next((module for ending, module in _PLACES if name.endswith(ending)), None)
        if module is None:
            raise ModelError(f"{where}: {name} takes no object with a name and arguments; give a plain value.")
        if module is keras.optimizers.schedules and value["name"] == CONSTANT:
            return inside.get("initial_learning_rate", 0.001)
        return make_class(module, str(value["name"]), inside, name.rsplit("_", 1)[-1], f"{where}, {name}")
    if "class_name" in value and name == "learning_rate":
        return _schedule(value, where)
    return value


def make_class(module: Any, name: str, arguments: Mapping[str, JsonValue], word: str, where: str) -> Any:
    """An object of the class `name` of a Keras module; `l2`, `L2` and `he_normal`, `HeNormal` mean the same.

    Raises:
        ModelError: If there is no such class, or it cannot be made with these arguments.
    """
    classes = {key: item for key, item in vars(module).items() if inspect.isclass(item) and key[0].isupper()}
    wanted = name.replace("_", "").lower()
    found = classes.get(name) or next((item for key, item in classes.items() if key.lower() == wanted), None)
    if found is None:
        raise ModelError(f"{where}: there is no {word} {name!r}.{suggest(name, classes)}")
    title = f"{where} {name}"
    check_arguments(found, arguments, title)
    return construct(found, made_arguments(arguments, title), title)


def parameters(found: Any) -> dict[str, inspect.Parameter]:
    """Named constructor arguments of a Keras class and its bases."""
    known: dict[str, inspect.Parameter] = {}
    for ancestor in found.__mro__:
        if ancestor.__module__.startswith("keras") and "__init__" in vars(ancestor):
            for key, parameter in inspect.signature(ancestor.__init__).parameters.items():
                if key != "self" and parameter.kind in _NAMED:
                    known.setdefault(key, parameter)
    return known


_NAMED = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


def check_arguments(found: Any, arguments: Mapping[str, JsonValue], where: str) -> None:
    """ModelError for an argument that the class does not have, and for one that it needs and is not given."""
    known = parameters(found)
    for key in arguments:
        if key not in known and key != "name":
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


def construct(found: Callable[..., Any], arguments: Mapping[str, Any], where: str) -> Any:
    """`found(**arguments)`; ModelError with Keras's reason in a sentence."""
    try:
        return found(**arguments)
    except Exception as error:  # Keras raises many kinds; each becomes the sentence of this part
        given = ", ".join(f"{key}={value!r}" for key, value in arguments.items() if key != "name")
        raise ModelError(
            f"{where} cannot be made with {given or 'no arguments'}: {first_sentence(error)}", traceback.format_exc()
        ) from error


def first_sentence(error: BaseException) -> str:
    """The first paragraph of an exception's text on one line, without Keras's internals."""
    text = str(error).strip() or type(error).__name__
    text = re.split(r"\n\s*\n|\n?Arguments received by|\n?Exception encountered", text)[0] or text
    return re.sub(r"\s+", " ", text).strip()[:400]


def _schedule(value: JsonValue, where: str) -> Any:
    """A learning-rate schedule as Keras writes it: {class_name: ..., config: {...}}."""
    assert isinstance(value, dict)
    try:
        return keras.optimizers.schedules.deserialize(value)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"{where}: the schedule {value['class_name']!r} cannot be made: {first_sentence(error)}"
        ) from error
