"""A network for given values as plain lines, without hyperparameters and loops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tunerstudio.export_code.arguments import Arguments, made
from tunerstudio.export_code.network import ADD_SKIP, layer_call
from tunerstudio.export_code.text import Call, Expression, Writer, literal, quoted
from tunerstudio.study.arguments import ObjectSpec
from tunerstudio.study.catalogue import ArgumentInfo, ClassInfo
from tunerstudio.study.hyperparameters import Scalar
from tunerstudio.study.model import BlocksModel, Optimizer
from tunerstudio.study.network import INPUT, ResolvedLayer, resolve_compile, resolve_network


def fixed_model(model: BlocksModel, values: Mapping[str, Scalar]) -> BlocksModel:
    """`model` with optimizer and loss as they are for `values`; its blocks stay."""
    compiled = resolve_compile(model, values)
    optimizer = Optimizer.model_validate(compiled.optimizer)
    loss = compiled.loss if isinstance(compiled.loss, str) else ObjectSpec.model_validate(compiled.loss)
    return model.model_copy(update={"optimizer": optimizer, "loss": loss})


def write_fixed_network(writer: Writer, model: BlocksModel, values: Mapping[str, Scalar], arguments: Arguments) -> None:
    """From `inputs` to `x`: one line per layer; an output that is needed again has a name of its own."""
    network = resolve_network(model, values)
    variables = _variables(network.layers, network.output)
    for layer in network.layers:
        sources = [variables[name] for name in layer.inputs]
        named: dict[str, Expression] = {"name": quoted(layer.name)}
        if layer.projection:
            arguments.helpers["add_skip"] = ADD_SKIP
            if layer.projection != "auto":
                named["projection"] = quoted(layer.projection)
            writer.assign(variables[layer.name], Call("add_skip", tuple(sources), named))
        elif len(sources) > 1:
            call = Call(f"layers.{layer.layer}", named=named, applied=f"([{', '.join(sources)}])")
            writer.assign(variables[layer.name], call)
        else:
            writer.assign(variables[layer.name], _layer(layer, sources[0], arguments))
    if variables[network.output] != "x":
        writer.add(f"x = {variables[network.output]}")
    writer.add("if len(x.shape) != 2:")
    writer.depth += 1
    writer.add('x = layers.Flatten(name="output_flatten")(x)')
    writer.depth -= 1


def _variables(layers: Sequence[ResolvedLayer], output: str) -> dict[str, str]:
    """A variable for the output of each layer: `x` where only the next line needs it."""
    names = {INPUT: "inputs"}
    taken = {"inputs", "x", "model", "outputs", "layers", "keras", "np", "add_skip"}
    for index, layer in enumerate(layers):
        users = [at for at, other in enumerate(layers) if layer.name in other.inputs]
        if users == [index + 1] or (not users and layer.name == output):
            names[layer.name] = "x"
            continue
        cleaned = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in layer.name)
        variable = cleaned if cleaned[:1].isalpha() else f"layer_{cleaned}"
        while variable in taken:
            variable += "_"
        taken.add(variable)
        names[layer.name] = variable
    return names


def _layer(layer: ResolvedLayer, source: str, arguments: Arguments) -> Call:
    info = arguments.catalogue.layer(layer.layer)
    named = _keywords(layer.arguments, info, arguments)
    return layer_call(layer.layer, named, info, quoted(_keras_name(layer.name)), source)


def _keras_name(name: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "_.-") else "_" for c in name)


def _keywords(given: Mapping[str, object], info: ClassInfo | None, arguments: Arguments) -> dict[str, Expression]:
    named: dict[str, Expression] = {}
    for name, value in given.items():
        argument = (info.argument(name) if info is not None else None) or ArgumentInfo(name=name, type="other")
        named[name] = _value(value, argument, arguments)
    return named


def _value(value: object, argument: ArgumentInfo, arguments: Arguments) -> Expression:
    """A resolved argument: plain, an object, or an inner layer."""
    if isinstance(value, dict) and "layer" in value:
        info = arguments.catalogue.layer(str(value["layer"]))
        return Call(f"layers.{value['layer']}", named=_keywords(value["arguments"], info, arguments))
    if isinstance(value, dict) and set(value) == {"name", "arguments"}:
        info = arguments.catalogue.object_for(argument, str(value["name"]))
        return made(str(value["name"]), _keywords(value["arguments"], info, arguments), info, argument.name)
    return literal(value)
