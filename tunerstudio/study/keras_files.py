"""Reading what a saved Keras model is made of, without running anything of it: no class is loaded, no code executed.

A `.keras` file is a zip archive whose `config.json` names every layer and what it follows; `model.to_json()` writes
the same text. Weights are not read.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunerstudio.study.errors import TunerStudioError

ENDINGS = (".keras", ".json")
"""Of files that can be opened."""

_MOST_BYTES = 20_000_000
"""Of a configuration; a network of a thousand layers has one of 2 MB."""

_MODELS = ("Functional", "Sequential", "Model")

_HDF5 = b"\x89HDF"


class KerasModelError(TunerStudioError):
    """A saved model that cannot be opened as blocks, and why."""


@dataclass(frozen=True)
class KerasLayer:
    """One layer as the file describes it.

    Attributes:
        kind: Name of its class.
        name: Unique in its model.
        config: Constructor arguments as Keras writes them.
        inputs: Names of the layers that it follows, in order; the same one may stand there twice.
        own: Whether the class is not one of Keras's layers.
        operation: Whether it is a calculation of `keras.ops` between layers.
    """

    kind: str
    name: str
    config: Mapping[str, Any]
    inputs: tuple[str, ...]
    own: bool = False
    operation: bool = False

    @property
    def is_model(self) -> bool:
        """Whether it is a network inside the network."""
        return self.kind in _MODELS and "layers" in self.config


@dataclass(frozen=True)
class KerasGraph:
    """A network as the file describes it.

    Attributes:
        layers: In an order in which each follows its inputs; input layers are among them.
        outputs: Names of the layers whose outputs are the network's.
    """

    layers: tuple[KerasLayer, ...]
    outputs: tuple[str, ...]


def read_keras_config(path: Path) -> dict[str, Any]:
    """The configuration in a `.keras` file or in the JSON text of a model.

    Raises:
        KerasModelError: If it is no such file.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
        text = _zipped_config(path) if start[:2] == b"PK" else _plain_config(path, start)
        config = json.loads(text)
    except OSError as error:
        raise KerasModelError(f"{path.name} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise KerasModelError(f"{path.name} holds no description of a Keras model: {error}") from error
    if not isinstance(config, dict) or config.get("class_name") is None or not isinstance(config.get("config"), dict):
        raise KerasModelError(f"{path.name} holds no description of a Keras model.")
    return config


def _zipped_config(path: Path) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo("config.json").file_size > _MOST_BYTES:
                raise KerasModelError(f"the configuration in {path.name} is too large to be a network of layers.")
            return archive.read("config.json")
    except (zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError) as error:
        raise KerasModelError(f"{path.name} is no Keras model: there is no config.json in it.") from error


def _plain_config(path: Path, start: bytes) -> bytes:
    if start == _HDF5:
        raise KerasModelError(
            f"{path.name} is in the old HDF5 format: open it in Keras and save it as .keras, or write model.to_json()."
        )
    if path.stat().st_size > _MOST_BYTES:
        raise KerasModelError(f"{path.name} is too large to be the description of a Keras model.")
    return path.read_bytes()


def graph_of(config: Mapping[str, Any]) -> KerasGraph:
    """The layers of a model's configuration and how they follow each other.

    Raises:
        KerasModelError: If it is a model of a class of one's own, or a layer is called more than once.
    """
    kind, inside = str(config["class_name"]), config["config"]
    if kind not in _MODELS or not isinstance(inside.get("layers"), list):
        raise KerasModelError(
            f"the model is of a class of its own ({kind}), which only its code can build: use it as a code model."
        )
    try:
        return _sequential(inside) if kind == "Sequential" else _functional(inside)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise KerasModelError(f"the description of the model is damaged or of an unknown version ({error}).") from error


def _sequential(inside: Mapping[str, Any]) -> KerasGraph:
    layers: list[KerasLayer] = []
    for item in inside["layers"]:
        before = (layers[-1].name,) if layers else ()
        layers.append(_layer(item, before))
    if not layers or layers[0].kind != "InputLayer":
        start = KerasLayer("InputLayer", "\0input", {}, ())
        first = [KerasLayer(one.kind, one.name, one.config, (start.name,), one.own) for one in layers[:1]]
        layers = [start, *first, *layers[1:]]
    return KerasGraph(tuple(layers), (layers[-1].name,))


def _functional(inside: Mapping[str, Any]) -> KerasGraph:
    layers = []
    for item in inside["layers"]:
        nodes = item["inbound_nodes"]
        name = str(item["config"].get("name", item.get("name")))
        if len(nodes) > 1:
            raise KerasModelError(f"layer {name} stands in {len(nodes)} places with the same weights; a block in one.")
        inputs = tuple(_inputs_of(nodes[0], name)) if nodes else ()
        layers.append(_layer(item, inputs))
    return KerasGraph(tuple(_ordered(layers)), tuple(_ends(inside["output_layers"])))


def _layer(item: Mapping[str, Any], inputs: tuple[str, ...]) -> KerasLayer:
    kind, config = str(item["class_name"]), dict(item["config"])
    module = item.get("module")
    known = module in (None, "keras.layers", "keras") or kind in _MODELS
    own = not known or bool(item.get("registered_name") and ">" in str(item["registered_name"]))
    operation = str(module).startswith(("keras.src.ops.", "keras.ops"))
    return KerasLayer(kind, str(config.get("name", item.get("name", kind))), config, inputs, own, operation)


def _inputs_of(node: Any, name: str) -> Iterator[str]:
    """Names of the layers whose outputs a call takes; Keras 2 writes lists, Keras 3 arguments."""
    if isinstance(node, list):
        for entry in node:
            yield _first_output(entry, name)
            if len(entry) > 3:
                _refuse_options(entry[3], name)
        return
    yield from _tensors(node.get("args", ()), name)
    for key, value in node.get("kwargs", {}).items():
        found = list(_tensors(value, name))
        if not found:
            _refuse_options({key: value}, name)
        yield from found


def _tensors(value: Any, name: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__":
        yield _first_output(value["config"]["keras_history"], name)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _tensors(inner, name)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _tensors(inner, name)


def _first_output(history: Any, name: str) -> str:
    if history[2] != 0:
        raise KerasModelError(f"layer {name} takes a second output of {history[0]}; a block has one output.")
    return str(history[0])


def _refuse_options(options: Any, name: str) -> None:
    said = {key: value for key, value in dict(options or {}).items() if value is not None and key != "mask"}
    if said.get("training") is False:  # Keras writes it down for some layers by itself
        del said["training"]
    if said:
        text = ", ".join(f"{key}={value!r}" for key, value in said.items())
        raise KerasModelError(f"layer {name} is called with {text}, which no block can say.")


def _ends(outputs: Any) -> Iterator[str]:
    """`["dense", 0, 0]`, `[["dense", 0, 0]]` or a dictionary of them."""
    if isinstance(outputs, Mapping):
        outputs = list(outputs.values())
    if outputs and isinstance(outputs[0], str):
        yield str(outputs[0])
        return
    for one in outputs:
        yield from _ends(one)


def _ordered(layers: list[KerasLayer]) -> list[KerasLayer]:
    """`layers` with each behind its inputs."""
    known = {layer.name for layer in layers}
    done: set[str] = set()
    waiting, ordered = list(layers), []
    while waiting:
        ready = [layer for layer in waiting if all(name in done for name in layer.inputs)]
        if not ready:
            missing = next((n for layer in waiting for n in layer.inputs if n not in known), waiting[0].name)
            raise KerasModelError(f"the description of the model is damaged: nothing leads to {missing}.")
        ordered += ready
        done.update(layer.name for layer in ready)
        waiting = [layer for layer in waiting if layer.name not in done]
    return ordered
