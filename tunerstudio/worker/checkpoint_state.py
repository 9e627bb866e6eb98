"""What an execution consists of between two epochs, taken out of a model and put into another one."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.common import global_state
from keras.src.random import seed_generator

from tunerstudio.worker.fused_program import optimizer_state_of, state_of

_CALLBACK_STATE: dict[type, tuple[str, ...]] = {
    keras.callbacks.EarlyStopping: ("wait", "stopped_epoch", "best", "best_epoch", "best_weights"),
    keras.callbacks.ReduceLROnPlateau: ("wait", "cooldown_counter", "best"),
    keras.callbacks.SwapEMAWeights: ("_ema_weights_in_model",),
    keras.callbacks.LearningRateScheduler: (),
    keras.callbacks.TerminateOnNaN: (),
}
"""What Keras's callbacks remember from one epoch to the next."""


def hidden_state(model: Any, callbacks: Sequence[Any]) -> str:
    """Why the state between two epochs cannot be saved, in half a sentence; "" if it can.

    What the user's code keeps in Python objects cannot be seen; all that Keras and TensorFlow know of is.
    """
    for callback in callbacks:
        if type(callback) not in _CALLBACK_STATE:
            return f"the callback {type(callback).__name__} may remember something from one epoch to the next"
    for part in (model, *model._flatten_layers(include_self=False)):
        for value in vars(part).values():
            if isinstance(value, keras.optimizers.Optimizer) and value is not model.optimizer:
                return f"the model's class has the optimizer {value.name} beside the one it was compiled with"
            if isinstance(value, tf.Variable):
                return f"{part.name} has a tf.Variable that Keras does not know of; use add_weight instead"
    return ""


def take(model: Any) -> dict[str, list[np.ndarray]]:
    """Copies of all state of a model in training: weights, statistics, random generators, the optimizer's."""
    return {
        "model": [variable.value.numpy() for variable in state_of(model)],
        "optimizer": [variable.value.numpy() for variable in optimizer_state_of(model)],
        "generator": [variable.value.numpy() for variable in _global_generator()],
        "numpy": [_numpy_state()[1]],
    }


def fits(model: Any, taken: Mapping[str, Sequence[np.ndarray]]) -> bool:
    """Whether `put` can put `taken` into this model, and its best weights too; sizes that are open take any."""
    pairs = [*_pairs(model, taken)]
    if taken["best"]:
        pairs.append((model.weights, taken["best"]))
    return all(len(variables) == len(arrays) and all(map(_has_shape, variables, arrays)) for variables, arrays in pairs)


def put(model: Any, taken: Mapping[str, Sequence[np.ndarray]]) -> None:
    """Give a model the state that `take` took; ask `fits` before."""
    for variables, arrays in _pairs(model, taken):
        for variable, array in zip(variables, arrays, strict=True):
            variable.value.assign(array)
    if taken["generator"]:
        seed_generator.global_seed_generator().state.value.assign(taken["generator"][0])


def python_random_state() -> dict[str, Any]:
    """State of Python's and NumPy's own generators as JSON values, NumPy's key apart; the user's code may draw."""
    version, key, gauss = random.getstate()
    _, _, *numbers = _numpy_state()
    return {"python": [version, list(key), gauss], "numpy": numbers}


def put_python_random_state(state: Mapping[str, Any], numpy_key: np.ndarray) -> None:
    """Put back what `python_random_state` and `take` took."""
    version, key, gauss = state["python"]
    random.setstate((version, tuple(key), gauss))
    np.random.set_state(("MT19937", numpy_key, *state["numpy"]))


def take_callbacks(callbacks: Sequence[Any]) -> tuple[list[dict[str, Any]], list[np.ndarray]]:
    """What callbacks remember: JSON values for each, and the weights that one of them keeps."""
    states: list[dict[str, Any]] = []
    weights: list[np.ndarray] = []
    for callback in callbacks:
        state: dict[str, Any] = {}
        for name in _CALLBACK_STATE[type(callback)]:
            value = getattr(callback, name, None)
            if name == "best_weights":
                state[name] = [len(weights), len(weights) + len(value)] if value is not None else None
                weights.extend(value or ())
            else:
                state[name] = value if isinstance(value, bool | int | None) else float(value)
        states.append(state)
    return states, weights


def put_callbacks(callbacks: Sequence[Any], states: Sequence[dict[str, Any]], weights: Sequence[np.ndarray]) -> None:
    """Let callbacks remember what `take_callbacks` took; after their `on_train_begin`, which makes them forget."""
    for callback, state in zip(callbacks, states, strict=True):
        for name, value in state.items():
            is_place = name == "best_weights" and value is not None
            setattr(callback, name, list(weights[value[0] : value[1]]) if is_place else value)


def _pairs(model: Any, taken: Mapping[str, Sequence[np.ndarray]]) -> Iterator[tuple[list[Any], Sequence[np.ndarray]]]:
    yield state_of(model), taken["model"]
    yield optimizer_state_of(model), taken["optimizer"]


def _numpy_state() -> tuple[str, np.ndarray, int, int, float]:
    """Name, key, position and a number in store of NumPy's own generator."""
    return cast("tuple[str, np.ndarray, int, int, float]", np.random.get_state())


def _has_shape(variable: Any, array: np.ndarray) -> bool:
    sizes = tuple(variable.shape)
    return len(sizes) == array.ndim and all(size in (None, own) for size, own in zip(sizes, array.shape, strict=True))


def _global_generator() -> list[Any]:
    """The generator of layers that draw without one of their own, if any has drawn yet."""
    generator = global_state.get_global_attribute(seed_generator.GLOBAL_SEED_GENERATOR)
    return [] if generator is None else [generator.state]
