"""The shapes, weights and cost of a network without building it: no weight is allocated, however large.

Keras makes its variables later inside a `StatelessScope`; their shapes are known all the same. What a layer gives is
kept by class, arguments and input shape, so that hundreds of configurations of one space cost milliseconds each.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import keras
from keras.src.backend.common import global_state

from tunerstudio.study.hyperparameters import Scalar
from tunerstudio.study.model import BlocksModel
from tunerstudio.study.network import INPUT, ResolvedLayer, resolve_network
from tunerstudio.worker.layer_errors import LayerError, check_words
from tunerstudio.worker.layers import apply_resolved, make_layer
from tunerstudio.worker.shapes import shape_text

Shape = tuple[int | None, ...]

_BYTES = 4
"""Of a float32."""

_WAITING = "uninitialized_variables"
"""Where Keras keeps the variables that it will initialise when a scope ends."""


@dataclass(frozen=True)
class LayerFacts:
    """What is known of one layer behind inputs of given shapes.

    Attributes:
        shape: Of its output, batch first.
        weights: All of its numbers.
        trainable: Those that training changes.
        flops: Operations per row, forwards.
        outputs: Numbers that it gives per row.
    """

    shape: Shape
    weights: int
    trainable: int
    flops: float
    outputs: int


@dataclass(frozen=True)
class NetworkFacts:
    """What is known of one network.

    Attributes:
        weights, trainable, flops, outputs: Sums over its layers.
        largest: Name of the layer with most weights; "" without any.
        largest_field: Where that layer stands in the document.
    """

    weights: int
    trainable: int
    flops: float
    outputs: int
    largest: str = ""
    largest_field: str = ""

    def memory_mb(self, batch_size: int) -> float:
        """Estimated memory of training in 10^6 bytes, as `worker.measure.memory_mb` counts it."""
        numbers = self.weights + 3 * self.trainable + 2 * self.outputs * batch_size
        return numbers * _BYTES / 1e6


class Inference:
    """Infers networks of one model for many values."""

    def __init__(self, model: BlocksModel, shape: tuple[int, ...], outputs: int, words: int = 0) -> None:
        """For inputs of `shape` (without rows) and `outputs` units in the output layer.

        `words`: how many word numbers there are, if the input is a text.
        """
        self._words = words
        self._model, self._shape = model, shape
        self._head = ResolvedLayer("Dense", "output", {"units": outputs})
        self._known: dict[str, LayerFacts | LayerError] = {}

    def network(self, values: Mapping[str, Scalar]) -> NetworkFacts:
        """The network that `values` describe.

        Raises:
            LayerError: If a layer of it cannot be built.
        """
        facts = list(self.layers(values))
        largest, most = max(facts, key=lambda pair: pair[1].weights)
        return NetworkFacts(
            weights=sum(found.weights for _, found in facts),
            trainable=sum(found.trainable for _, found in facts),
            flops=sum(found.flops for _, found in facts),
            outputs=sum(found.outputs for _, found in facts) + math.prod(self._shape),
            largest=largest.name if most.weights else "",
            largest_field=largest.path,
        )

    def layers(self, values: Mapping[str, Scalar]) -> Iterator[tuple[ResolvedLayer, LayerFacts]]:
        """Each layer with what is known of it, in the order of building, the output layer last.

        Raises:
            LayerError: At the first layer that cannot be built.
        """
        resolved = resolve_network(self._model, values)
        shapes: dict[str, Shape] = {INPUT: (None, *self._shape)}
        with without_allocation():
            for layer in resolved.layers:
                check_words(layer, self._words)
                found = self._layer(layer, [shapes[name] for name in layer.inputs])
                shapes[layer.name] = found.shape
                yield layer, found
            head = replace(self._head, inputs=(resolved.output,))
            yield head, self._output(shapes[resolved.output])

    def _output(self, shape: Shape) -> LayerFacts:
        """The output layer, behind a Flatten where it is needed."""
        if None in shape[1:]:
            reason = f"the network ends with the shape {shape_text(shape)}, whose sizes are not all known"
            raise LayerError(self._head, reason, "Put a pooling layer at its end, or give the sizes.")
        if len(shape) != 2:
            shape = (None, math.prod(size or 1 for size in shape[1:]))
        return self._layer(self._head, [shape])

    def _layer(self, resolved: ResolvedLayer, shapes: Sequence[Shape]) -> LayerFacts:
        key = json.dumps([resolved.layer, resolved.arguments, resolved.projection, shapes], sort_keys=True)
        found = self._known.get(key)
        if found is None:
            try:
                found = layer_facts(resolved, shapes)
            except LayerError as error:
                found = error
            self._known[key] = found
        if isinstance(found, LayerError):
            # The same arguments may stand in another layer, which is then the one to name.
            own = found.reason.replace(found.resolved.name, resolved.name)
            raise LayerError(resolved, own, found.repair, found.details)
        return found


def layer_facts(resolved: ResolvedLayer, shapes: Sequence[Shape]) -> LayerFacts:
    """What a layer gives on inputs of `shapes`; a merge takes several, with its projection.

    Call it inside `without_allocation`.

    Raises:
        LayerError: If it cannot be built there.
    """
    inputs = [keras.KerasTensor(shape, dtype="float32") for shape in shapes]
    if len(shapes) == 1:
        layer = make_layer(resolved)
        output = apply_resolved(resolved, inputs, layer)
        return facts_of_layer(layer, shapes[0], tuple(output.shape))
    output = apply_resolved(resolved, inputs)
    made = list(_projections(output, inputs))
    shape = tuple(output.shape)
    own = [facts_of_layer(layer, shapes[0], shape) for layer in made]
    size = math.prod(axis or 1 for axis in shape[1:])
    return LayerFacts(
        shape=shape,
        weights=sum(one.weights for one in own),
        trainable=sum(one.trainable for one in own),
        flops=sum(one.flops for one in own) + size * len(shapes),
        outputs=size * (1 + len(made)),
    )


def _projections(output: Any, inputs: Sequence[Any]) -> Iterator[Any]:
    """Layers with weights between `inputs` and the output of a merge: the projection of a residual block."""
    for tensor in output._keras_history.operation._inbound_nodes[0].input_tensors:
        history = getattr(tensor, "_keras_history", None)
        if history is not None and history.operation is not None and not any(tensor is one for one in inputs):
            yield history.operation


def facts_of_layer(layer: Any, shape: Shape, output: Shape) -> LayerFacts:
    """What is known of a built layer that makes `output` of inputs of `shape`, both with the batch."""
    weights = sum(math.prod(weight.shape) for weight in layer.weights)
    trainable = sum(math.prod(weight.shape) for weight in layer.trainable_weights)
    size = math.prod(axis or 1 for axis in output[1:])
    return LayerFacts(output, weights, trainable, _flops(layer, weights, shape, output, size), size)


def _flops(layer: Any, weights: int, shape: Shape, output: Shape, size: int) -> float:
    """Operations per row: each weight is multiplied and added at every place that it is used at."""
    if isinstance(layer, keras.layers.Embedding):
        return float(size)
    recurrent = hasattr(layer, "cell") or isinstance(layer, keras.layers.Bidirectional)
    places = shape[1:-1] if recurrent or len(output) < len(shape) else output[1:-1]
    return 2.0 * weights * math.prod(axis or 1 for axis in places) + size


@contextmanager
def without_allocation() -> Iterator[None]:
    """Inside, layers know the shapes of their weights but hold none."""
    before = list(global_state.get_global_attribute(_WAITING) or [])
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    finally:
        # Keras would initialise, and so allocate, what waits here when the next such scope ends.
        global_state.set_global_attribute(_WAITING, before)
