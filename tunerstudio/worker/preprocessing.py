"""Raw rows -> features, by Keras's own layers and operations.

The same model is applied once to all rows before a search and stands in front of every saved model; since it is made
of built-in parts alone, a saved model loads anywhere without this program.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from tunerstudio.study.preprocessing import ArrayInput, CategoricalInput, ImageInput, InputPlan, PreparedData, TextInput
from tunerstudio.worker.prepared import PreparedFolder

FRONT = "preprocessing"
"""Name of the front in a saved model."""

_ROWS_AT_ONCE = 4096


def build_front(plan: PreparedData) -> Any:
    """A functional model {input name: (None, columns) or (None, *shape)} -> features float32 (None, ...).

    Inputs are float32, or string for names and text. A single image, array or text keeps its shape; several inputs
    are flattened and joined in plan order. With windows every input has an axis of steps, (None, past) or
    (None, past, columns), and the features are (None, past, ...).
    """
    inputs = {spec.name: _keras_input(spec, index, plan.past) for index, spec in enumerate(plan.inputs)}
    encoded = [_encode(spec, inputs[spec.name]) for spec in plan.inputs]
    if plan.past:
        steps = [part if len(part.shape) == 3 else layers.Reshape((plan.past, 1))(part) for part in encoded]
        joined = layers.Concatenate(name="features")(steps) if len(steps) > 1 else steps[0]
        return functional(inputs, joined, FRONT)
    if len(encoded) > 1:
        flat = [part if len(part.shape) == 2 else layers.Flatten()(part) for part in encoded]
        encoded = [layers.Concatenate(name="features")(flat)]
    return functional(inputs, encoded[0], FRONT)


def functional(inputs: dict[str, Any], outputs: Any, name: str) -> Any:
    """A functional model with named inputs; quiet where a key cannot be a Keras name (see `_keras_input`)."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="When providing `inputs` as a dict", category=UserWarning)
        return keras.Model(inputs, outputs, name=name)


def _keras_input(spec: InputPlan, index: int, past: int) -> Any:
    shape = spec.shape if isinstance(spec, ArrayInput) else (len(spec.columns),)
    if past:
        shape = (past,) if shape == (1,) else (past, *shape)
    dtype = "string" if isinstance(spec, CategoricalInput | TextInput) else "float32"
    # Keras forbids "/" in names; the dictionary's key, which users see, is the column's own name.
    name = spec.name if "/" not in spec.name else f"input_{index}_{spec.name.replace('/', '_')}"
    return keras.Input(shape, name=name, dtype=dtype)


def _encode(spec: InputPlan, tensor: Any) -> Any:
    if isinstance(spec, CategoricalInput):
        return layers.StringLookup(
            vocabulary=list(spec.vocabulary),
            output_mode="one_hot",
            num_oov_indices=1,
            mask_token=None,
            oov_token=unused_token(spec.vocabulary),
        )(tensor)
    if isinstance(spec, TextInput):
        return _words(spec, tensor)
    if isinstance(spec, ImageInput):
        filled = ops.where(ops.isnan(tensor), 0.0, tensor)
        scaled = layers.Rescaling(1.0 / spec.shape.maximum)(filled)
        return layers.Reshape((spec.shape.height, spec.shape.width, spec.shape.channels))(scaled)
    if isinstance(spec, ArrayInput):
        filled = ops.where(ops.isnan(tensor), spec.offset, tensor)
        return ops.divide(ops.subtract(filled, spec.offset), spec.scale)
    filled = ops.where(ops.isnan(tensor), _vector(spec.fill), tensor)
    # Subtracting first keeps the digits of columns such as years, where scale is small beside offset.
    return ops.divide(ops.subtract(filled, _vector(spec.offset)), _vector(spec.scale))


def _words(spec: TextInput, tensor: Any) -> Any:
    arguments: dict[str, Any] = {"vocabulary": list(spec.vocabulary)}
    if spec.length is None:
        present = layers.TextVectorization(output_mode="multi_hot", **arguments)(tensor)
        return layers.Reshape((len(spec.vocabulary) + 1,))(present)
    numbers = layers.TextVectorization(output_sequence_length=spec.length, **arguments)(tensor)
    return ops.cast(numbers, "float32")


def _vector(numbers: tuple[float, ...]) -> np.ndarray:
    return np.asarray(numbers, dtype="float32")


def unused_token(vocabulary: tuple[str, ...]) -> str:
    """A word for "unknown" that is not in `vocabulary`; Keras refuses one that is."""
    token = "[UNK]"
    while token in vocabulary:
        token += "_"
    return token


def to_tensors(raw: dict[str, np.ndarray]) -> dict[str, Any]:
    """NumPy arrays as tensors; text needs it, because Keras does not take NumPy's text types."""
    return {name: tf.constant(np.ascontiguousarray(values)) for name, values in raw.items()}


def apply_front(front: Any, data: PreparedFolder) -> Iterator[np.ndarray]:
    """Features of all rows in order, a few thousand rows at a time."""
    compiled = tf.function(lambda inputs: front(inputs), reduce_retracing=True)
    for start in range(0, data.plan.rows, _ROWS_AT_ONCE):
        yield compiled(to_tensors(data.raw(slice(start, start + _ROWS_AT_ONCE)))).numpy()


def features(data: PreparedFolder) -> np.ndarray:
    """Features of all rows, float32 (rows, ...), read-only; computed once per prepared folder and kept there."""
    path = _cache_path(data)
    if not path.exists():
        _compute(data, path)
    loaded: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return loaded


def _cache_path(data: PreparedFolder) -> Path:
    """The plan's digest is in the name: features of another plan are never taken for these."""
    digest = hashlib.sha256(data.plan.model_dump_json().encode()).hexdigest()[:16]
    return data.folder / f"features-{digest}.npy"


def _compute(data: PreparedFolder, path: Path) -> None:
    front = build_front(data.plan)
    shape = (data.plan.rows, *front.output.shape[1:])
    # Two workers may do this at once: each writes its own file, and the last rename wins with the same content.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as handle:
            np.lib.format.write_array_header_1_0(
                handle, {"descr": "<f4", "fortran_order": False, "shape": tuple(int(n) for n in shape)}
            )
            for block in apply_front(front, data):
                handle.write(np.ascontiguousarray(block, dtype="<f4").tobytes())
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
