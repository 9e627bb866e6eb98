"""Where branches come together: merges of parallel blocks, and the sum of a residual block with its projection."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras

from tunerstudio.study.network import ResolvedLayer
from tunerstudio.worker.layer_errors import mismatch, unequal_skip

_CONVOLUTIONS = {3: "Conv1D", 4: "Conv2D", 5: "Conv3D"}
"""Layers for a projection, by the number of axes, batch included."""


def merged(layer: Any, inputs: Sequence[Any], resolved: ResolvedLayer) -> Any:
    """The output of the merge `layer` on `inputs`.

    Args:
        layer: A Keras merging layer, such as Add.
        inputs: One tensor per branch; for a residual block the skip, then the blocks' output.
        resolved: Where it comes from.

    Raises:
        LayerError: If the shapes of the branches do not go together; says what would help.
    """
    if resolved.projection:
        inputs = [projected(inputs[0], inputs[1], resolved), inputs[1]]
    try:
        return layer(list(inputs))
    except Exception as error:  # Keras raises many kinds; each becomes the sentence of this merge
        raise mismatch(inputs, resolved, error) from error


def projected(skip: Any, end: Any, resolved: ResolvedLayer) -> Any:
    """The input of a residual block, made fit the block's output by a linear layer where that is needed.

    Raises:
        LayerError: If no such layer can make it fit.
    """
    same = tuple(skip.shape) == tuple(end.shape)
    if resolved.projection == "never" or (same and resolved.projection == "auto"):
        if same:
            return skip
        raise unequal_skip(skip, end, resolved, "Set projection to auto.")
    if len(skip.shape) != len(end.shape):
        raise unequal_skip(skip, end, resolved, "Take the layer that flattens or pools out of the block.")
    units, name = end.shape[-1], f"{layer_name(resolved)}_projection"
    strides = _strides(skip, end, resolved)
    if all(stride == 1 for stride in strides):
        return keras.layers.Dense(units, use_bias=False, name=name)(skip)
    make = getattr(keras.layers, _CONVOLUTIONS[len(skip.shape)])
    return make(units, 1, strides=strides, padding="same", use_bias=False, name=name)(skip)


def layer_name(resolved: ResolvedLayer) -> str:
    """What the projection's name starts with."""
    return "".join(letter if letter.isalnum() or letter in "_.-" else "_" for letter in resolved.name)


def _strides(skip: Any, end: Any, resolved: ResolvedLayer) -> tuple[int, ...]:
    """Steps of the projection along each axis between batch and channels."""
    strides = []
    for before, after in zip(skip.shape[1:-1], end.shape[1:-1], strict=True):
        if before == after:
            strides.append(1)
            continue
        stride = 0 if None in (before, after) else math.ceil(before / after)
        if stride < 2 or math.ceil(before / stride) != after or len(skip.shape) not in _CONVOLUTIONS:
            raise unequal_skip(skip, end, resolved, "Set padding to same in the layers of the block.")
        strides.append(stride)
    return tuple(strides)
