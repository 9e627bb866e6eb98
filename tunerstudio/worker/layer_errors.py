"""A layer or merge that cannot be built where it stands: which, why, and what would help."""

from __future__ import annotations

import re
import traceback
from collections.abc import Sequence
from typing import Any

from tunerstudio.study.errors import ModelError
from tunerstudio.study.network import INPUT, ResolvedLayer
from tunerstudio.worker.objects import first_sentence
from tunerstudio.worker.shapes import shape_text

_AXES = {
    2: "(rows, features)",
    3: "(rows, steps, features)",
    4: "(rows, height, width, channels)",
    5: "(rows, depth, height, width, channels)",
}

_TOO_SMALL = re.compile(r"negative|output size would be|must be positive|size of the input|zero|<= ?0", re.IGNORECASE)


class LayerError(ModelError):
    """A layer that cannot be built.

    Attributes:
        resolved: The layer.
        reason: What is wrong, without a full stop.
        repair: What would help, a sentence; "" if nothing is known.
    """

    def __init__(self, resolved: ResolvedLayer, reason: str, repair: str = "", details: str = "") -> None:
        """The text is reason and repair."""
        self.resolved, self.reason, self.repair = resolved, reason, repair
        super().__init__(f"{reason}. {repair}" if repair else reason, details)


def misplaced(error: Exception, tensor: Any, resolved: ResolvedLayer) -> LayerError:
    """Why a layer cannot follow `tensor`, from what Keras said."""
    shape = shape_text(tensor.shape)
    text = f"layer {resolved.name} ({resolved.layer}) cannot follow what comes before it, of shape {shape}"
    details = traceback.format_exc()
    wanted = re.search(r"expected (?:min_)?ndim=(\d+)", str(error))
    if wanted:
        return wrong_axes(tensor, resolved, int(wanted[1]), details)
    reason = first_sentence(error).rstrip(".")
    if _TOO_SMALL.search(reason) and len(tensor.shape) > 2:
        return LayerError(resolved, f"{text}: there is nothing left of it", _smaller(resolved), details)
    return LayerError(resolved, f"{text}: {reason}", "", details)


def wrong_axes(tensor: Any, resolved: ResolvedLayer, wanted: int, details: str = "") -> LayerError:
    """That a layer is made for `wanted` axes, batch included, and gets others."""
    shape = shape_text(tensor.shape)
    text = f"layer {resolved.name} ({resolved.layer}) cannot follow what comes before it, of shape {shape}"
    axes = _AXES.get(wanted, f"{wanted} axes")
    if wanted > len(tensor.shape):
        repair = "Put a Reshape layer before it, or set the image shape of the data."
    else:
        repair = "Put a Flatten or pooling layer before it."
    return LayerError(resolved, f"{text}: it needs {axes}", repair, details)


def _smaller(resolved: ResolvedLayer) -> str:
    """What helps where the layers before have shrunk height and width away."""
    steps = "smaller pool_size" if "Pool" in resolved.layer else "smaller kernel_size or strides"
    given = resolved.arguments.get("padding")
    padding = "Set padding to same, " if given != "same" and "Pad" not in resolved.layer else ""
    text = f"{padding}take a {steps} here, or fewer layers before it that shrink the height and width."
    return text[0].upper() + text[1:]


def mismatch(inputs: Sequence[Any], resolved: ResolvedLayer, error: Exception) -> LayerError:
    """Why branches cannot be merged, from their shapes."""
    shapes = " and ".join(shape_text(tensor.shape) for tensor in inputs)
    text = f"block {resolved.name}: branches of the shapes {shapes} cannot be merged by {resolved.layer}"
    details = traceback.format_exc()
    if len({len(tensor.shape) for tensor in inputs}) > 1:
        repair = "Put a Flatten or pooling layer at the end of the branch with more axes."
        return LayerError(resolved, f"{text}: all need the same number of axes", repair, details)
    if len({tuple(tensor.shape[1:-1]) for tensor in inputs}) > 1:
        repair = "Set padding to same and the strides of all branches alike."
        return LayerError(resolved, f"{text}: all need the same height and width", repair, details)
    if len({tensor.shape[-1] for tensor in inputs}) > 1:
        repair = "Give the last layers of all branches the same units or filters, or merge by concatenate."
        return LayerError(resolved, f"{text}: all need the same last axis", repair, details)
    return LayerError(resolved, f"{text}: {first_sentence(error)}", "", details)


def unequal_skip(skip: Any, end: Any, resolved: ResolvedLayer, repair: str) -> LayerError:
    """Why the input of a residual block cannot be added to its output."""
    before, after = shape_text(skip.shape), shape_text(end.shape)
    reason = f"block {resolved.name}: its input of shape {before} cannot be added to its output of shape {after}"
    return LayerError(resolved, reason, repair)


def check_words(layer: ResolvedLayer, words: int) -> None:
    """LayerError if an embedding of the input has no place for some of its `words` word numbers."""
    places = layer.arguments.get("input_dim")
    if layer.layer == "Embedding" and layer.inputs == (INPUT,) and isinstance(places, int) and places < words:
        reason = f"layer {layer.name} (Embedding) has places for {places} words, but the text has {words}"
        raise LayerError(
            layer, reason, f"Set input_dim to {words} or more, or make fewer words known (data.text.words)."
        )
