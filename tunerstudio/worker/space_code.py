"""What the user's own code builds for many values: sizes, shapes and errors, with weights that are never allocated."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import keras

from tunerstudio.protocol.space import LayerDescription
from tunerstudio.study.errors import ModelError
from tunerstudio.study.hyperparameters import Scalar
from tunerstudio.study.network import INPUT
from tunerstudio.worker.space_shapes import LayerFacts, NetworkFacts, facts_of_layer
from tunerstudio.worker.time_limits import TooSlowError, time_limit
from tunerstudio.worker.weightless import few_weights, weights_without_numbers

BUILD_LIMIT_S = 10.0
"""How long the code may take for one model."""


class _TooSlowModelError(ModelError):
    """The code took too long: once more would take as long."""


@dataclass(frozen=True)
class BuiltLayer:
    """A layer of a model that code has built.

    Attributes:
        inputs: Names of the layers it follows.
        facts: None where the shapes are not known: the layers of a subclassed model.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    weights: int
    facts: LayerFacts | None


class CodeInference:
    """Looks at the models of one `build(hp)`.

    Weights stay without numbers while the code builds. Code that needs the numbers (it loads or computes weights) is
    found out by its error and called again in earnest, with a limit to what it may make.
    """

    def __init__(self, build: Callable[[Mapping[str, Scalar]], Any], limit_s: float = BUILD_LIMIT_S) -> None:
        """`build` gives the compiled Keras model for some values, or raises ModelError."""
        self._build, self._limit_s = build, limit_s
        self._in_earnest = False

    def network(self, values: Mapping[str, Scalar]) -> NetworkFacts:
        """What is known of the model for `values`.

        Raises:
            ModelError: If the code raises, takes too long, or wants to make too large a model.
        """
        model = self._model(values)
        found = list(built_layers(model))
        largest = max(found, key=lambda layer: layer.weights, default=None)
        weights = int(model.count_params())
        trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
        known = [layer.facts for layer in found if layer.facts is not None]
        return NetworkFacts(
            weights=weights,
            trainable=trainable,
            flops=sum(facts.flops for facts in known) if known else 2.0 * weights,
            outputs=sum(facts.outputs for facts in known),
            largest=largest.name if largest is not None and largest.weights else "",
        )

    def layers(self, values: Mapping[str, Scalar]) -> list[LayerDescription]:
        """The layers of the model for `values`, each behind those that it follows; raises as `network`."""
        return [
            LayerDescription(
                name=layer.name,
                layer=layer.kind,
                inputs=layer.inputs,
                shape=None if layer.facts is None else layer.facts.shape[1:],
                weights=layer.weights,
            )
            for layer in built_layers(self._model(values))
        ]

    def _model(self, values: Mapping[str, Scalar]) -> Any:
        if not self._in_earnest:
            try:
                return self._made(values, weights_without_numbers())
            except _TooSlowModelError:
                raise
            except ModelError:
                pass  # perhaps because it needs numbers in its weights
        model = self._made(values, few_weights())
        self._in_earnest = True
        return model

    def _made(self, values: Mapping[str, Scalar], weights: AbstractContextManager[None]) -> Any:
        with weights:
            try:
                with time_limit(self._limit_s):
                    return self._build(values)
            except TooSlowError:
                text = f"the code has not built the model within {self._limit_s:g} seconds and was interrupted"
                raise _TooSlowModelError(text) from None


def built_layers(model: Any) -> Iterator[BuiltLayer]:
    """The layers of a built model from its input to its output; those of a subclassed model as a chain."""
    graph = getattr(model, "_functional", None) or model
    by_depth = getattr(graph, "_nodes_by_depth", None)
    if by_depth is None:
        yield from _chain(model)
        return
    nodes = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
    names = {id(node): INPUT if node.is_input else node.operation.name for node in nodes}
    seen: set[str] = set()
    for node in nodes:
        if node.is_input:
            continue
        layer, name = node.operation, names[id(node)]
        inputs = tuple(dict.fromkeys(names.get(id(parent), INPUT) for parent in node.parent_nodes))
        facts = _node_facts(node)
        if name in seen:  # the same layer once more: its weights are counted already
            facts = LayerFacts(facts.shape, 0, 0, facts.flops, facts.outputs)
        seen.add(name)
        yield BuiltLayer(name, type(layer).__name__, inputs or (INPUT,), facts.weights, facts)


def _node_facts(node: Any) -> LayerFacts:
    output = tuple(node.output_tensors[0].shape)
    if isinstance(node.operation, keras.layers.Layer):
        return facts_of_layer(node.operation, tuple(node.input_tensors[0].shape), output)
    size = math.prod(axis or 1 for axis in output[1:])
    return LayerFacts(output, 0, 0, float(size), size)


def _chain(model: Any) -> Iterator[BuiltLayer]:
    before = INPUT
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        weights = sum(math.prod(weight.shape) for weight in layer.weights)
        yield BuiltLayer(layer.name, type(layer).__name__, (before,), weights, None)
        before = layer.name
