"""From hyperparameter values to a compiled Keras model."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import keras

from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import ModelError
from tunerstudio.study.hyperparameters import Choice, Float, Int, Scalar, SearchSpace
from tunerstudio.study.model import BlocksModel
from tunerstudio.study.network import INPUT, ResolvedLayer, resolve_compile, resolve_network, search_space
from tunerstudio.study.preprocessing import TargetPlan
from tunerstudio.worker.fused_relatives import Relatives
from tunerstudio.worker.layer_errors import check_words
from tunerstudio.worker.layers import (
    accepted_arguments,
    apply_layer,
    apply_resolved,
    first_sentence,
    make_layer,
    make_loss,
    make_optimizer,
    optimizer_parts,
)
from tunerstudio.worker.metrics import make_metrics

NETWORK = "network"
"""Name of the network in a saved model."""

FitFunction = Callable[..., Any]
"""Takes what `keras.Model.fit` takes."""


@dataclass(frozen=True)
class BuiltModel:
    """A compiled model and how it wants to be trained.

    Attributes:
        model: The compiled Keras model.
        fit: A `fit` of the user's own (`HyperModel.fit`), or None for the model's.
        relatives: Other models of the same search; None where they are not known.
    """

    model: Any
    fit: FitFunction | None = None
    relatives: Relatives | None = None


class Hypermodel(Protocol):
    """What builds a compiled Keras model from hyperparameter values."""

    @property
    def standardised_target(self) -> bool:
        """Whether a regression's target is fed standardised (else in the user's units)."""

    @property
    def source(self) -> Path | None:
        """The user's file, if it is code."""

    def build(self, values: Mapping[str, Scalar]) -> BuiltModel:
        """A new compiled model; ModelError with a sentence if it cannot be built."""

    def own_objects(self) -> dict[str, Any]:
        """Classes and functions of the user's code by name; empty for blocks."""

    def blame(self, error: Exception) -> ModelError | None:
        """The line of the user's code that an error in training comes from; None if it does not."""


def other_values(space: SearchSpace, values: Mapping[str, Scalar], names: Collection[str]) -> dict[str, Scalar]:
    """`values` with those called `names` changed to other ones that are allowed: small ones, if possible."""
    return {name: _other(space[name], value) if name in names else value for name, value in values.items()}


def _other(hyperparameter: Any, value: Scalar) -> Scalar:
    """Another value; a share stays one: Keras treats 0 and 1 in a way of their own, for which there is a program."""
    if isinstance(value, (bool, str)):
        return value
    if isinstance(hyperparameter, Choice):
        others = [other for other in hyperparameter.choices if type(other) is type(value) and other != value]
        return min(others, key=float, default=value)
    if not isinstance(hyperparameter, (Int, Float)):
        return value
    step = hyperparameter.step or (1 if isinstance(hyperparameter, Int) else value / 100)
    # Twice the least size rather than one more: what follows it by a factor must differ, too.
    offered = (hyperparameter.min, value * 2, value + step, value * step, value - step, hyperparameter.max)
    same_kind = (other for other in offered if isinstance(value, int) or (0 < other < 1) == (0 < value < 1))
    return next((other for other in same_kind if other != value and hyperparameter.contains(other)), value)


class BlocksHypermodel:
    """A network drawn from blocks."""

    standardised_target = True
    source = None

    def __init__(
        self, document: StudyDocument, model: BlocksModel, target: TargetPlan, shape: tuple[int, ...], words: int = 0
    ) -> None:
        """`shape` is the features' without the rows; `words`: how many word numbers there are, if they are a text."""
        self._document, self._model, self._target, self._shape = document, model, target, shape
        self._words = words

    def build(self, values: Mapping[str, Scalar]) -> BuiltModel:
        """A new compiled model.

        Raises:
            ModelError: Naming the layer, optimizer, loss or metric that cannot be made.
        """
        network = self.network(values)
        spec, compiled = self._model, resolve_compile(self._model, values)
        name, arguments = optimizer_parts(compiled.optimizer)
        if not isinstance(spec.optimizer.name, str):
            arguments = accepted_arguments(name, arguments)
        network.compile(
            optimizer=make_optimizer(name, arguments),
            loss=make_loss(compiled.loss, self._target.task),
            metrics=make_metrics(spec.metrics, self._document.search.objective.name, self._target),
        )
        return BuiltModel(network, relatives=self._relatives(values))

    def _relatives(self, values: Mapping[str, Scalar]) -> Relatives:
        space = search_space(self._document)
        varying = set(space.names())
        numbers = (n for n, v in values.items() if n in varying and not isinstance(v, (bool, str)))
        return Relatives(tuple(numbers), lambda names: self.build(other_values(space, values, names)).model)

    def own_objects(self) -> dict[str, Any]:
        """There is no code of the user's in blocks."""
        return {}

    def blame(self, error: Exception) -> None:
        """There is no code of the user's in blocks."""

    def network(self, values: Mapping[str, Scalar]) -> Any:
        """The network without optimizer, loss and metrics."""
        start = keras.Input(self._shape, name="features")
        resolved = resolve_network(self._model, values)
        tensors = {INPUT: start}
        for layer in resolved.layers:
            check_words(layer, self._words)
            tensors[layer.name] = apply_resolved(layer, [tensors[name] for name in layer.inputs])
        try:
            return keras.Model(start, self._output(tensors[resolved.output]), name=NETWORK)
        except ValueError as error:
            raise ModelError(f"the network cannot be built: {first_sentence(error)}", traceback.format_exc()) from error

    def _output(self, tensor: Any) -> Any:
        if len(tensor.shape) != 2:
            tensor = keras.layers.Flatten(name="output_flatten")(tensor)
        activation = {"binary": "sigmoid", "multiclass": "softmax", "regression": "linear"}[self._target.task]
        resolved = ResolvedLayer("Dense", "output", {"units": self._target.outputs, "activation": activation})
        return apply_layer(make_layer(resolved), tensor, resolved)
