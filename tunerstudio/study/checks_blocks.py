"""What the catalogue alone says against the blocks of a model: unknown classes and arguments, wrong values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from tunerstudio.study.arguments import LayerSpec, ObjectSpec
from tunerstudio.study.catalogue import ArgumentInfo, Catalogue, ClassInfo, argument_problems
from tunerstudio.study.containers import lists_of
from tunerstudio.study.errors import Problem, suggest
from tunerstudio.study.model import Block, BlocksModel, LayerBlock
from tunerstudio.study.tunable import AnyTunable, TuneChoice, TuneFloat, TuneInt

_COUNTS = {"kernel_size", "strides", "pool_size", "dilation_rate", "size", "output_size"}
"""Shapes whose numbers count something: 1 or more."""

_NOTHING = "none"
"""The name of an object that is left out."""


def blocks_problems(blocks: Sequence[Block], catalogue: Catalogue, prefix: str = "model.blocks.") -> Iterator[Problem]:
    """Problems of every layer in the tree, disabled blocks left out."""
    for index, block in enumerate(blocks):
        path = f"{prefix}{index}"
        if block.disabled:
            continue
        if isinstance(block, LayerBlock):
            yield from _layer_problems(block, catalogue.layer(block.layer), path, catalogue)
        for inside in lists_of(block):
            yield from blocks_problems(inside.blocks, catalogue, f"{path}.{inside.path}.")


def training_problems(model: BlocksModel, catalogue: Catalogue) -> Iterator[Problem]:
    """Problems of optimizer, loss and metrics."""
    optimizer = model.optimizer
    names = list(optimizer.name.choices) if isinstance(optimizer.name, TuneChoice) else [optimizer.name]
    infos = [catalogue.optimizer(str(one)) for one in names]
    for one, info in zip(names, infos, strict=True):
        if info is None:
            known = [other.name for other in catalogue.optimizers]
            yield Problem("model.optimizer.name", f"Keras has no optimizer {one!r}.{suggest(str(one), known)}")
    found = {str(one): info for one, info in zip(names, infos, strict=True) if info is not None}
    yield from _object_arguments(optimizer, found, "model.optimizer", catalogue)
    if isinstance(model.loss, ObjectSpec):
        yield from _spec_problems(model.loss, catalogue.losses, "loss", "model.loss", catalogue)
    for index, metric in enumerate(model.metrics):
        if isinstance(metric, ObjectSpec):
            yield from _spec_problems(metric, catalogue.metrics, "metric", f"model.metrics.{index}", catalogue)


def _layer_problems(spec: LayerSpec, info: ClassInfo | None, path: str, catalogue: Catalogue) -> Iterator[Problem]:
    if info is None:
        names = [layer.name for layer in catalogue.layers]
        yield Problem(f"{path}.layer", f"Keras has no layer {spec.layer!r}.{suggest(spec.layer, names)}")
    elif info.unusable:
        yield Problem(f"{path}.layer", info.unusable)
    else:
        yield from _arguments_problems(info, spec.arguments, f"{path}.arguments", catalogue)


def _arguments_problems(
    info: ClassInfo, given: Mapping[str, object], path: str, catalogue: Catalogue
) -> Iterator[Problem]:
    for name, sentence in argument_problems(info, list(given)):
        yield Problem(f"{path}.{name}", sentence)
    for name, value in given.items():
        argument = info.argument(name)
        if argument is not None:
            yield from _value_problems(info, argument, value, f"{path}.{name}", catalogue)


def _value_problems(
    info: ClassInfo, argument: ArgumentInfo, value: object, path: str, catalogue: Catalogue
) -> Iterator[Problem]:
    if isinstance(value, LayerSpec):
        yield from _inner_layer_problems(info, argument, value, path, catalogue)
    elif isinstance(value, ObjectSpec):
        infos = catalogue.objects_for(argument)
        if infos:
            yield from _spec_problems(value, infos, argument.type, path, catalogue)
        else:
            yield Problem(path, f"{argument.name} takes no object with a name and arguments: give a plain value")
    elif argument.type == "layer":
        yield Problem(path, f"{argument.name} takes a layer: write {{layer: …, arguments: {{…}}}}")
    elif argument.required and isinstance(value, AnyTunable) and value.only_if:
        yield Problem(path, f"{info.name} always needs {argument.name}: it cannot have a condition")
    else:
        yield from _bound_problems(argument, value, path)


def _inner_layer_problems(
    info: ClassInfo, argument: ArgumentInfo, value: LayerSpec, path: str, catalogue: Catalogue
) -> Iterator[Problem]:
    if argument.type != "layer":
        yield Problem(path, f"{argument.name} takes no layer: give a plain value")
        return
    inner = catalogue.layer(value.layer)
    fitting = catalogue.inner_layers(info, argument)
    if inner is None:
        known = [layer.name for layer in fitting]
        yield Problem(f"{path}.layer", f"Keras has no layer {value.layer!r}.{suggest(value.layer, known)}")
    elif inner not in fitting:
        listed = ", ".join(layer.name for layer in fitting[:6])
        yield Problem(f"{path}.layer", f"{inner.name} cannot stand inside {info.name}: use one of {listed}")
    else:
        yield from _arguments_problems(inner, value.arguments, f"{path}.arguments", catalogue)


def _spec_problems(
    spec: ObjectSpec, infos: Sequence[ClassInfo], word: str, path: str, catalogue: Catalogue
) -> Iterator[Problem]:
    """A regularizer, schedule, loss, …: its name or names, and the arguments of each."""
    names = [str(one) for one in (spec.name.choices if isinstance(spec.name, TuneChoice) else (spec.name,))]
    found: dict[str, ClassInfo] = {}
    for name in names:
        wanted = name.replace("_", "").lower()
        info = next((one for one in infos if one.name.lower() == wanted or name in one.aliases), None)
        if info is not None:
            found[name] = info
        elif name.lower() != _NOTHING:
            yield Problem(f"{path}.name", f"there is no {word} {name!r}.{suggest(name, [one.name for one in infos])}")
    yield from _object_arguments(spec, found, path, catalogue)


def _object_arguments(
    spec: ObjectSpec, found: Mapping[str, ClassInfo], path: str, catalogue: Catalogue
) -> Iterator[Problem]:
    """Arguments that all classes take, and those of one alone."""
    for name, value in spec.arguments.items():
        owners = [(info, info.argument(name)) for info in found.values()]
        knowing = [(info, argument) for info, argument in owners if argument is not None]
        where = f"{path}.arguments.{name}"
        if found and not knowing:
            known = [argument.name for info in found.values() for argument in info.arguments]
            first = next(iter(found.values()))
            yield Problem(where, f"{first.name} has no argument {name!r}.{suggest(name, known)}")
        for info, argument in knowing[:1]:
            yield from _value_problems(info, argument, value, where, catalogue)
    for choice, given in spec.when.items():
        if choice in found:
            own = found[choice]
            for name in own.missing([*spec.arguments, *given]):
                yield Problem(f"{path}.when.{choice}.{name}", f"{own.name} needs {name}")
            free = own.model_copy(update={"arguments": tuple(_optional(own.arguments))})
            yield from _arguments_problems(free, given, f"{path}.when.{choice}", catalogue)
    for choice, info in found.items():
        if choice not in spec.when:
            for name in info.missing(list(spec.arguments)):
                yield Problem(f"{path}.arguments.{name}", f"{info.name} needs {name}")


def _optional(arguments: Iterable[ArgumentInfo]) -> Iterator[ArgumentInfo]:
    for argument in arguments:
        yield argument.model_copy(update={"required": False})


def _bound_problems(argument: ArgumentInfo, value: object, path: str) -> Iterator[Problem]:
    """Numbers that the argument cannot take."""
    least, most = argument.minimum, argument.maximum
    if argument.name in _COUNTS:
        least = 1.0
    for number in _numbers(value):
        if least is not None and number < least:
            yield Problem(path, f"{argument.name} can be {number:g}: {least:g} is the least that makes sense")
            return
        if most is not None and number > most:
            yield Problem(path, f"{argument.name} can be {number:g}: {most:g} is the most that makes sense")
            return


def _numbers(value: object) -> list[float]:
    """The extreme numbers that a field can hold."""
    if isinstance(value, TuneInt | TuneFloat):
        return [value.min, value.max]
    several = value.choices if isinstance(value, TuneChoice) else value if isinstance(value, list) else [value]
    return [float(one) for one in several if isinstance(one, int | float) and not isinstance(one, bool)]
