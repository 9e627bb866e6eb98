"""From blocks to hyperparameters, and from values back to a plain list of layers.

One walk over the tree serves both, so that the search space and the network that is built can never disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue, ValidationError

from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import Problem, StudyError
from tunerstudio.study.hyperparameters import (
    Boolean,
    Choice,
    Condition,
    Float,
    Int,
    Scalar,
    SearchSpace,
    Values,
)
from tunerstudio.study.model import Block, BlocksModel, CodeModel, EstimatorModel, LayerBlock, RepeatBlock
from tunerstudio.study.tunable import TuneBoolean, TuneChoice, TuneFloat, TuneInt

AnyTunable = TuneInt | TuneFloat | TuneChoice | TuneBoolean
AnyHyperparameter = Int | Float | Choice | Boolean


@dataclass(frozen=True)
class PlacedArgument:
    """One argument of a placed layer: a plain value, or the hyperparameter that gives it."""

    name: str
    plain: JsonValue = None
    hyperparameter: AnyHyperparameter | None = None
    path: str = ""

    def value(self, values: Mapping[str, Scalar]) -> JsonValue:
        """What to hand to the constructor."""
        return self.plain if self.hyperparameter is None else values[self.hyperparameter.name]


@dataclass(frozen=True)
class PlacedLayer:
    """A layer at its place in the unrolled network; present only if `conditions` hold."""

    layer: str
    name: str
    arguments: tuple[PlacedArgument, ...]
    conditions: tuple[Condition, ...]
    path: str


@dataclass(frozen=True)
class ResolvedLayer:
    """A layer with concrete arguments, ready to be built."""

    layer: str
    name: str
    arguments: dict[str, JsonValue]


@dataclass
class _Walk:
    """What the walk over the tree collects."""

    layers: list[PlacedLayer] = field(default_factory=list)
    hyperparameters: list[AnyHyperparameter] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(
        self, tunable: AnyTunable, default_name: str, conditions: tuple[Condition, ...], path: str
    ) -> AnyHyperparameter:
        """Register a tunable; the same field may come again from another copy of a shared repeat."""
        hyperparameter = tunable.named(default_name, conditions)
        known = self.origins.get(hyperparameter.name)
        if known is None:
            self.origins[hyperparameter.name] = path
            self.hyperparameters.append(hyperparameter)
        elif known != path:
            self.problems.append(
                Problem(path, f"the hyperparameter name {hyperparameter.name!r} is already used by {known}: rename one")
            )
        return hyperparameter


def block_names(blocks: Sequence[Block]) -> dict[str, str]:
    """Name of every block by its path (`0`, `1.blocks.0`): the user's own, or its class in lower case, numbered."""
    names: dict[str, str] = {}
    taken = {block.name for _, block in _every_block(blocks) if block.name}
    counts: dict[str, int] = {}
    for path, block in _every_block(blocks):
        if block.name:
            names[path] = block.name
            continue
        base = snake_case(block.layer) if isinstance(block, LayerBlock) else "repeat"
        while True:
            counts[base] = counts.get(base, 0) + 1
            candidate = f"{base}_{counts[base]}"
            if candidate not in taken:
                break
        names[path] = candidate
    return names


def snake_case(name: str) -> str:
    """`BatchNormalization` -> `batch_normalization`, `Conv2D` -> `conv2d`, `LSTM` -> `lstm`."""
    out = ""
    for index, letter in enumerate(name):
        previous = name[index - 1] if index else ""
        starts_word = letter.isupper() and previous.islower() and letter != "D"
        out += ("_" if starts_word else "") + letter.lower()
    return out


def _every_block(blocks: Sequence[Block], prefix: str = "") -> Iterator[tuple[str, Block]]:
    for index, block in enumerate(blocks):
        path = f"{prefix}{index}"
        yield path, block
        if isinstance(block, RepeatBlock):
            yield from _every_block(block.blocks, f"{path}.blocks.")


def _walk_blocks(model: BlocksModel) -> _Walk:
    walk = _Walk()
    names = block_names(model.blocks)
    seen: dict[str, str] = {}
    for path, name in names.items():
        if name in seen:
            walk.problems.append(Problem(f"model.blocks.{path}.name", f"the name {name!r} is used twice: rename one"))
        seen[name] = path
    _walk_list(walk, model.blocks, names, prefix="", suffix="", conditions=(), shared=False)
    return walk


def _walk_list(
    walk: _Walk,
    blocks: Sequence[Block],
    names: Mapping[str, str],
    prefix: str,
    suffix: str,
    conditions: tuple[Condition, ...],
    shared: bool,
) -> None:
    for index, block in enumerate(blocks):
        path = f"{prefix}{index}"
        if isinstance(block, RepeatBlock):
            _walk_repeat(walk, block, names, path, suffix, conditions, shared)
        else:
            _walk_layer(walk, block, names[path], path, suffix, conditions, shared)


def _walk_layer(
    walk: _Walk,
    block: LayerBlock,
    name: str,
    path: str,
    suffix: str,
    conditions: tuple[Condition, ...],
    shared: bool,
) -> None:
    arguments = []
    for argument, value in block.arguments.items():
        field_path = f"model.blocks.{path}.arguments.{argument}"
        if isinstance(value, AnyTunable):
            own_suffix = "" if shared else suffix
            tunable = value.model_copy(update={"name": value.name + own_suffix}) if value.name else value
            # A shared field comes by once per copy; the first copy registers it, with the widest condition.
            origin = field_path + own_suffix
            hyperparameter = walk.add(tunable, f"{name}{own_suffix}_{argument}", conditions, origin)
            arguments.append(PlacedArgument(argument, hyperparameter=hyperparameter, path=field_path))
        else:
            arguments.append(PlacedArgument(argument, plain=value, path=field_path))
    walk.layers.append(PlacedLayer(block.layer, name + suffix, tuple(arguments), conditions, f"model.blocks.{path}"))


def _walk_repeat(
    walk: _Walk,
    block: RepeatBlock,
    names: Mapping[str, str],
    path: str,
    suffix: str,
    conditions: tuple[Condition, ...],
    shared: bool,
) -> None:
    name = names[path] + ("" if shared else suffix)
    count = block.repeat
    if isinstance(count, int):
        _check_count(walk, count, f"model.blocks.{path}.repeat")
        copies = [(copy, conditions) for copy in range(1, count + 1)]
    else:
        parent = walk.add(count, f"{name}_count", conditions, f"model.blocks.{path}.repeat{'' if shared else suffix}")
        counts = [int(value) for value in parent.values()]
        _check_count(walk, min(counts), f"model.blocks.{path}.repeat")
        copies = [
            (copy, (*conditions, Condition(parent=parent.name, values=tuple(n for n in counts if n >= copy))))
            for copy in range(1, max(counts) + 1)
        ]
    for copy, when in copies:
        _walk_list(walk, block.blocks, names, f"{path}.blocks.", f"{suffix}_{copy}", when, shared or block.shared)


def _check_count(walk: _Walk, count: int, path: str) -> None:
    if count < 0:
        walk.problems.append(Problem(path, f"a block cannot be repeated {count} times: use 0 or more"))


def _arguments_space(walk: _Walk, arguments: Mapping[str, object], prefix: str, path: str) -> None:
    for argument, value in arguments.items():
        if isinstance(value, AnyTunable):
            walk.add(value, prefix + argument, (), f"{path}.{argument}")


def placed_layers(model: BlocksModel) -> list[PlacedLayer]:
    """Every layer of the largest network, each with the conditions under which it is present."""
    return _walk_blocks(model).layers


def resolve_layers(model: BlocksModel, values: Mapping[str, Scalar]) -> list[ResolvedLayer]:
    """The layers of the network that `values` describe, in order, without input and output."""
    resolved = []
    for placed in placed_layers(model):
        probe = Boolean(name="present", conditions=placed.conditions)
        if SearchSpace.is_active(probe, values):
            arguments = {argument.name: argument.value(values) for argument in placed.arguments}
            resolved.append(ResolvedLayer(placed.layer, placed.name, arguments))
    return resolved


def resolve_argument(value: object, default_name: str, values: Mapping[str, Scalar]) -> JsonValue:
    """The plain value of one field, tunable or not."""
    if isinstance(value, AnyTunable):
        return values[value.named(default_name).name]
    return value  # type: ignore[return-value]  # an Argument that is not tunable is a JSON value


def resolve_arguments(
    arguments: Mapping[str, object], values: Mapping[str, Scalar], prefix: str = ""
) -> dict[str, JsonValue]:
    """Plain values of the arguments of an optimizer or estimator."""
    return {name: resolve_argument(value, prefix + name, values) for name, value in arguments.items()}


def search_space(document: StudyDocument, code_space: SearchSpace | None = None) -> SearchSpace:
    """All hyperparameters of a study.

    Args:
        document: The study.
        code_space: For a `code` model, what a worker found by calling `build(hp)`.

    Raises:
        StudyError: If names clash or a range is unusable; names the fields.
    """
    walk = _Walk()
    model = document.model
    if isinstance(model, BlocksModel):
        walk = _walk_blocks(model)
        if isinstance(model.optimizer.name, AnyTunable):
            walk.add(model.optimizer.name, "optimizer", (), "model.optimizer.name")
        _arguments_space(walk, model.optimizer.arguments, "", "model.optimizer.arguments")
    elif isinstance(model, EstimatorModel):
        _arguments_space(walk, model.arguments, "", "model.arguments")
    batch_size = document.training.batch_size
    if isinstance(batch_size, AnyTunable) and not isinstance(model, EstimatorModel):
        walk.add(batch_size, "batch_size", (), "training.batch_size")
    if walk.problems:
        raise StudyError(walk.problems)
    found: list[object] = list(walk.hyperparameters)
    if isinstance(model, CodeModel) and code_space is not None:
        found = [*code_space.hyperparameters, *found]
    try:
        return SearchSpace.model_validate({"hyperparameters": found})
    except ValidationError as error:
        messages = [str(item["ctx"]["error"]) for item in error.errors() if "ctx" in item]
        raise StudyError([Problem("model", message) for message in messages]) from error


def with_defaults(space: SearchSpace, values: Mapping[str, Scalar]) -> Values:
    """`values` completed with the defaults of the hyperparameters that are missing."""
    complete: Values = {}
    for hyperparameter in space.hyperparameters:
        if space.is_active(hyperparameter, complete):
            complete[hyperparameter.name] = values.get(hyperparameter.name, hyperparameter.default_value())
    return complete
