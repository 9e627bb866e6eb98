"""What the fused road cannot do, in sentences for the trial's log."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from tunerstudio.worker.fused_data import place
from tunerstudio.worker.fused_program import Program, has_own_steps
from tunerstudio.worker.layers import first_sentence
from tunerstudio.worker.rows_on_disk import RowsOnDisk, fills_memory
from tunerstudio.worker.training import FitPlan, TrainingArrays

_OWN_METHODS = ("fit", "evaluate", "make_train_function", "make_test_function", "reset_metrics")
_BATCH_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_batch_begin",
    "on_test_batch_end",
)
_EPOCH_LEVEL_CALLBACKS = (keras.callbacks.TerminateOnNaN, keras.callbacks.History)
GPU_BYTES = 4 * 2**30
"""Data up to this size is placed on a GPU."""


def unsupported_reason(model: keras.Model, arrays: TrainingArrays, plan: FitPlan) -> str | None:
    """Why this model must be trained with Keras's fit, in a sentence; None if the fused road gives the same."""
    return _model_reason(model) or _plan_reason(plan) or _size_reason(arrays) or _own_steps_reason(model, arrays)


def _model_reason(model: keras.Model) -> str | None:
    if model.run_eagerly:
        return "The model is compiled with run_eagerly."
    if model._distribute_strategy is not None:
        return "The model is spread over several devices."
    for method in _OWN_METHODS:
        if getattr(type(model), method) is not getattr(keras.Model, method):
            return f"The model's class has a {method}() of its own."
    for layer in model._flatten_layers():
        if getattr(layer, "stateful", False):
            return f"The layer {layer.name} keeps its state from one batch to the next."
    return None


def _plan_reason(plan: FitPlan) -> str | None:
    if plan.fit_arguments:
        names = ", ".join(sorted(plan.fit_arguments))
        return f"Arguments for fit are given: {names}."
    for callback in plan.callbacks:
        if works_per_batch(callback):
            return f"The callback {type(callback).__name__} works per batch."
    return None


def works_per_batch(callback: Any) -> bool:
    """Whether a callback does something before or after each batch."""
    if isinstance(callback, _EPOCH_LEVEL_CALLBACKS):
        return False
    if isinstance(callback, keras.callbacks.ModelCheckpoint):
        return bool(callback.save_freq != "epoch")
    if isinstance(callback, (keras.callbacks.BackupAndRestore, keras.callbacks.TensorBoard)):
        return True
    hooks = (getattr(callback, name, None) for name in _BATCH_HOOKS)
    base = {getattr(keras.callbacks.Callback, name) for name in _BATCH_HOOKS}
    return any(hook is not None and getattr(hook, "__func__", hook) not in base for hook in hooks)


def _own_steps_reason(model: keras.Model, arrays: TrainingArrays) -> str | None:
    """Try whether a model's own train_step can be compiled into a loop; a few rows are enough for that."""
    if not has_own_steps(model):
        return None
    few = TrainingArrays(arrays.x_train[:2], arrays.y_train[:2], arrays.x_validation[:2], arrays.y_validation[:2])
    data = place(few, None)
    try:
        Program(model, data.train, data.validation)
    except Exception as error:  # noqa: BLE001  # code of the user's may raise anything; fit then shows what it does
        return f"The model's own train_step cannot be compiled into a loop: {first_sentence(error)}"
    return None


def _size_reason(arrays: TrainingArrays) -> str | None:
    parts = (arrays.x_train, arrays.y_train, arrays.x_validation, arrays.y_validation)
    size = sum(part.nbytes for part in parts)
    has_gpu, place = bool(tf.config.list_physical_devices("GPU")), "memory a second time"
    if has_gpu and size > GPU_BYTES:
        place = "the GPU"
    elif not any(isinstance(part, RowsOnDisk) for part in parts) and (has_gpu or not fills_memory(*parts)):
        return None
    return f"The data ({size / 2**30:.1f} GiB) does not fit into {place}."
