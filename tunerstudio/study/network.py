"""From blocks to hyperparameters, and from values back to a plain network.

One walk over the tree serves both, so that the search space and the network that is built can never disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue, ValidationError

from tunerstudio.study.arguments import ObjectSpec
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import Problem, StudyError
from tunerstudio.study.hyperparameters import Scalar, SearchSpace, Values
from tunerstudio.study.model import BlocksModel, CodeModel, EstimatorModel
from tunerstudio.study.names import block_names as block_names
from tunerstudio.study.names import snake_case as snake_case
from tunerstudio.study.narrowing import narrowed
from tunerstudio.study.placed import (
    PlacedArgument,
    PlacedLayer,
    PlacedList,
    PlacedMerge,
    PlacedObject,
    holds,
    plain_arguments,
)
from tunerstudio.study.search import Training
from tunerstudio.study.tunable import AnyTunable as AnyTunable
from tunerstudio.study.walk import AnyHyperparameter, BlockWalk, Known, Scope, Walk

INPUT = "input"
"""What a node names that takes the network's input."""

_MERGE_LAYERS = {
    "concatenate": "Concatenate",
    "add": "Add",
    "average": "Average",
    "maximum": "Maximum",
    "minimum": "Minimum",
    "multiply": "Multiply",
}


@dataclass(frozen=True)
class ResolvedLayer:
    """A layer with concrete arguments, ready to be built.

    Attributes:
        arguments: Plain values; an object is `{name, arguments}`, an inner layer `{layer, name, arguments}`.
        inputs: Names of the layers whose outputs it takes, or `INPUT`; several only for a merge.
        path: Of the block in the document, such as `model.blocks.1.blocks.0`.
        projection: For the merge of a residual block: whether its first input, the skip, may be (auto), must be
            (always) or must not be (never) made fit the second by a linear layer; "" for all other layers.
    """

    layer: str
    name: str
    arguments: dict[str, JsonValue]
    inputs: tuple[str, ...] = (INPUT,)
    path: str = ""
    projection: str = ""


@dataclass(frozen=True)
class Network:
    """A network for given values, without input and output layer.

    Attributes:
        layers: In an order in which they can be built.
        output: Name of the layer that the output layer follows; `INPUT` for an empty network.
    """

    layers: tuple[ResolvedLayer, ...]
    output: str


@dataclass(frozen=True)
class Compiled:
    """What a model is compiled with, besides its metrics.

    Attributes:
        optimizer: `{name, arguments}`.
        loss: A name, or `{name, arguments}`.
    """

    optimizer: dict[str, JsonValue]
    loss: JsonValue


@dataclass
class _Found:
    """A walk over everything in a study that may vary."""

    walk: Walk
    layers: PlacedList = ()
    optimizer: PlacedObject | None = None
    loss: PlacedArgument | None = None
    arguments: tuple[PlacedArgument, ...] = ()


def _find(document: StudyDocument | BlocksModel) -> _Found:
    """Walk until every name that is referred to is known: once for most studies."""
    found = _one_walk(document, {})
    if found.walk.references:
        found = _one_walk(document, found.walk.found)
        found = _one_walk(document, found.walk.found)  # now with the conditions of what is referred to
        found.walk.report_unknown()
    return found


def _one_walk(document: StudyDocument | BlocksModel, known: Known) -> _Found:
    found = _Found(Walk(known))
    walk, model = found.walk, document.model if isinstance(document, StudyDocument) else document
    if isinstance(model, BlocksModel):
        found.layers = BlockWalk(walk, model.blocks).run()
        found.optimizer = walk.object(model.optimizer, "", "", "model.optimizer", Scope(), head="optimizer")
        found.loss = walk.argument("loss", model.loss, "", "loss", "model.loss", Scope())
        for index, metric in enumerate(model.metrics):
            if isinstance(metric, ObjectSpec):
                _fixed_metric(metric, f"model.metrics.{index}", walk)
    elif isinstance(model, EstimatorModel):
        found.arguments = walk.arguments(model.arguments, "", "", "model.arguments", Scope())
    if isinstance(document, StudyDocument):
        _training(walk, document.training, estimator=isinstance(model, EstimatorModel))
    return found


def _training(walk: Walk, training: Training, estimator: bool) -> None:
    """What may vary in the training; of an estimator only the weights of the classes."""
    walk.argument("class_weight", training.class_weight, "", "class_weight", "training.class_weight", Scope())
    if estimator:
        return
    walk.argument("batch_size", training.batch_size, "", "batch_size", "training.batch_size", Scope())
    if training.early_stopping is not None:
        path = "training.early_stopping.patience"
        walk.argument("patience", training.early_stopping.patience, "", "patience", path, Scope())
    if training.reduce_rate is not None:
        path = "training.reduce_rate"
        walk.argument("patience", training.reduce_rate.patience, "", "rate_patience", f"{path}.patience", Scope())
        walk.argument("factor", training.reduce_rate.factor, "", "rate_factor", f"{path}.factor", Scope())


def _fixed_metric(metric: ObjectSpec, path: str, walk: Walk) -> None:
    probe = Walk()
    probe.object(metric, "", "metric", path, Scope())
    if probe.hyperparameters:
        walk.problem(path, "a metric measures every trial alike: its arguments cannot be tunable")


def known_hyperparameters(document: StudyDocument) -> Known:
    """Hyperparameters by the names that references use, then by the suffix of the copy; see `study.walk`."""
    return _find(document).walk.found


def placed_layers(model: BlocksModel) -> list[PlacedLayer]:
    """Every layer of the largest network, each with the conditions under which it is present; without merges."""
    return list(_every_layer(_find(model).layers))


def _every_layer(placed: PlacedList) -> Iterator[PlacedLayer]:
    for item in placed:
        if isinstance(item, PlacedLayer):
            yield item
        else:
            for branch in item.branches:
                yield from _every_layer(branch)


def resolve_network(model: BlocksModel, values: Mapping[str, Scalar]) -> Network:
    """The graph of layers that `values` describe."""
    layers: list[ResolvedLayer] = []
    output = _resolve_list(_find(model).layers, INPUT, values, layers)
    return Network(tuple(layers), output)


def resolve_layers(model: BlocksModel, values: Mapping[str, Scalar]) -> list[ResolvedLayer]:
    """The layers of `resolve_network`, merges included."""
    return list(resolve_network(model, values).layers)


def _resolve_list(placed: PlacedList, source: str, values: Mapping[str, Scalar], layers: list[ResolvedLayer]) -> str:
    """Append the layers of one list behind `source`; returns what the next layer follows."""
    for item in placed:
        if not holds(item.conditions, values):
            continue
        if isinstance(item, PlacedLayer):
            arguments = plain_arguments(item.arguments, values)
            layers.append(ResolvedLayer(item.layer, item.name, arguments, (source,), item.path))
            source = item.name
        else:
            source = _resolve_merge(item, source, values, layers)
    return source


def _resolve_merge(item: PlacedMerge, source: str, values: Mapping[str, Scalar], layers: list[ResolvedLayer]) -> str:
    ends = tuple(_resolve_list(branch, source, values, layers) for branch in item.branches)
    is_plain = item.skip is not None and (ends[-1] == source or not item.skip.value(values))
    if len(ends) == 1 or is_plain:  # a skip around nothing would only double its input
        return ends[-1]
    layer = _MERGE_LAYERS[str(item.merge.value(values))]
    layers.append(ResolvedLayer(layer, item.name, {}, ends, item.path, item.projection))
    return item.name


def resolve_compile(model: BlocksModel, values: Mapping[str, Scalar]) -> Compiled:
    """Optimizer and loss for `values`."""
    found = _find(model)
    assert found.optimizer is not None
    assert found.loss is not None
    optimizer = found.optimizer.value(values)
    name = model.optimizer.name
    fallback: dict[str, JsonValue] = {"name": name if isinstance(name, str) else "Adam", "arguments": {}}
    return Compiled(optimizer if isinstance(optimizer, dict) else fallback, found.loss.value(values))


def resolve_argument(value: object, default_name: str, values: Mapping[str, Scalar]) -> JsonValue:
    """The plain value of one field, tunable or not, that no other field shares."""
    return Walk().argument(default_name, value, "", default_name, default_name, Scope()).value(values)


def resolve_arguments(
    arguments: Mapping[str, object], values: Mapping[str, Scalar], prefix: str = ""
) -> dict[str, JsonValue]:
    """Plain values of the arguments of an estimator."""
    walk = Walk()
    walk.arguments(arguments, "", prefix.rstrip("_"), "", Scope())
    again = Walk(walk.found)
    return plain_arguments(again.arguments(arguments, "", prefix.rstrip("_"), "", Scope()), values)


def search_space(document: StudyDocument, code_space: SearchSpace | None = None) -> SearchSpace:
    """All hyperparameters of a study, parents before children.

    Args:
        document: The study.
        code_space: For a `code` model, what a worker found by calling `build(hp)`.

    Raises:
        StudyError: If names clash or a range is unusable; names the fields.
    """
    walk = _find(document).walk
    found = _parents_first(list(walk.hyperparameters.values()))
    if len(found) < len(walk.hyperparameters):
        missing = [name for name in walk.hyperparameters if name not in {h.name for h in found}]
        message = f"{', '.join(map(repr, missing))} depend on each other in a circle: remove one of the conditions"
        walk.problem(walk.origins[missing[0]], message)
    if walk.problems:
        raise StudyError(walk.problems)
    every: list[object] = list(found)
    if isinstance(document.model, CodeModel) and code_space is not None:
        declared, problems = narrowed(code_space.hyperparameters, document.model.ranges)
        if problems:
            raise StudyError(problems)
        every = [*declared, *every]
    try:
        return SearchSpace.model_validate({"hyperparameters": every})
    except ValidationError as error:
        messages = [str(item["ctx"]["error"]) for item in error.errors() if "ctx" in item]
        raise StudyError([Problem("model", message) for message in messages]) from error


def _parents_first(found: list[AnyHyperparameter]) -> list[AnyHyperparameter]:
    """In the order they came, but parents where they are first asked for; those in a circle are left out."""
    named = {hyperparameter.name: hyperparameter for hyperparameter in found}
    ordered: dict[str, AnyHyperparameter] = {}
    open_names: set[str] = set()

    def place(hyperparameter: AnyHyperparameter) -> bool:
        name = hyperparameter.name
        if name in ordered or name in open_names:
            return name in ordered
        open_names.add(name)
        ready = all(c.parent not in named or place(named[c.parent]) for c in hyperparameter.conditions)
        open_names.discard(name)
        if ready:
            ordered[name] = hyperparameter
        return ready

    for hyperparameter in found:
        place(hyperparameter)
    return list(ordered.values())


def with_defaults(space: SearchSpace, values: Mapping[str, Scalar]) -> Values:
    """`values` completed with the defaults of the hyperparameters that are missing."""
    complete: Values = {}
    for hyperparameter in space.hyperparameters:
        if space.is_active(hyperparameter, complete):
            complete[hyperparameter.name] = values.get(hyperparameter.name, hyperparameter.default_value())
    return complete
