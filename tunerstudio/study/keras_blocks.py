"""A saved Keras model as blocks, where its graph is a chain with residual or parallel branches."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tunerstudio.study.catalogue import Catalogue
from tunerstudio.study.keras_arguments import layer_arguments, optimizer_of
from tunerstudio.study.keras_files import KerasGraph, KerasLayer, KerasModelError, graph_of, read_keras_config
from tunerstudio.study.model import MERGES, Block, BlocksModel, Branch, LayerBlock, ParallelBlock, ResidualBlock
from tunerstudio.study.names import snake_case

_MERGE_LAYERS = {name.capitalize(): name for name in MERGES}

_ATTEND_TO_THEMSELVES = frozenset({"MultiHeadAttention", "GroupQueryAttention", "Attention", "AdditiveAttention"})

_OWN_NETWORK = "network"
"""The network inside a model that this program has saved: around it stands the preparation of raw rows."""


@dataclass(frozen=True)
class OpenedKeras:
    """A saved model as blocks.

    Attributes:
        model: Blocks and optimizer; the output layer is left out, since it follows from the data.
        input_shape: Of one row that the network was made for; None if the file does not say.
        frozen: Names of layers that were not trained; here they are.
        output: What was left out at the end, in words; "" if nothing was.
    """

    model: BlocksModel
    input_shape: tuple[int | None, ...] | None
    frozen: tuple[str, ...] = ()
    output: str = ""


def open_keras(path: Path, catalogue: Catalogue) -> OpenedKeras:
    """Read a `.keras` file or the JSON text of a model.

    Nothing of the file is run, and no weights are read: the network is trained anew.

    Raises:
        KerasModelError: If it cannot be read, or its network cannot be said in blocks; says why.
    """
    config = read_keras_config(path)
    graph = _own_network(graph_of(config))
    builder = _Builder(catalogue, graph)
    blocks = builder.run()
    if not blocks:
        raise KerasModelError("the model has no layers.")
    blocks, left_out = _without_output(blocks)
    optimizer = optimizer_of(catalogue, config.get("compile_config"))
    model = BlocksModel(blocks=tuple(blocks))
    if optimizer is not None:
        model = model.model_copy(update={"optimizer": optimizer})
    return OpenedKeras(model, _input_shape(graph), tuple(builder.frozen), left_out)


def _own_network(graph: KerasGraph) -> KerasGraph:
    """The network without the preparation of raw rows, in a model that this program has saved."""
    found = [layer for layer in graph.layers if layer.name == _OWN_NETWORK and layer.is_model]
    if len(found) != 1:
        return graph
    return graph_of({"class_name": found[0].kind, "config": found[0].config})


def _input_shape(graph: KerasGraph) -> tuple[int | None, ...] | None:
    for layer in graph.layers:
        shape = layer.config.get("batch_shape") or layer.config.get("batch_input_shape")
        if shape and isinstance(shape, list):
            return tuple(shape[1:])
    return None


def _without_output(blocks: list[Block]) -> tuple[list[Block], str]:
    """Without the last dense layer and the activation behind it: the data say what the output is."""
    end = len(blocks)
    while end and isinstance(last := blocks[end - 1], LayerBlock) and last.layer in ("Activation", "Softmax"):
        end -= 1
    last_block = blocks[end - 1] if end else None
    if isinstance(last_block, LayerBlock) and last_block.layer == "Dense":
        return blocks[: end - 1], f"Dense, {last_block.arguments['units']} units"
    return blocks, ""


@dataclass
class _Builder:
    """Turns one graph into a list of blocks; `run` does it.

    Attributes:
        frozen: Names of layers that were not trained.
    """

    catalogue: Catalogue
    graph: KerasGraph
    frozen: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._layers = {layer.name: layer for layer in self.graph.layers}
        self._place = {layer.name: place for place, layer in enumerate(self.graph.layers)}
        self._before = self._dominators()
        self._used: set[str] = set()

    def run(self) -> list[Block]:
        """The blocks from the input to the output.

        Raises:
            KerasModelError: If the graph has no such form.
        """
        starts = [layer.name for layer in self.graph.layers if not layer.inputs]
        if len(starts) != 1:
            raise KerasModelError(f"the model has {len(starts)} inputs; a study has one array of features.")
        if len(self.graph.outputs) != 1:
            raise KerasModelError(f"the model has {len(self.graph.outputs)} outputs; a study predicts with one.")
        return self._chain(self.graph.outputs[0], starts[0])

    def _dominators(self) -> dict[str, str]:
        """By layer: the nearest one that everything on the way to it goes through."""
        nearest: dict[str, str] = {}
        for layer in self.graph.layers:
            if layer.inputs:
                common = layer.inputs[0]
                for other in layer.inputs[1:]:
                    common = self._meeting(common, other, nearest)
                nearest[layer.name] = common
        return nearest

    def _meeting(self, left: str, right: str, nearest: dict[str, str]) -> str:
        while left != right:
            if self._place[left] > self._place[right]:
                left = nearest.get(left, right)
            else:
                right = nearest.get(right, left)
        return left

    def _chain(self, end: str, start: str) -> list[Block]:
        """The blocks behind `start` up to and with `end`."""
        found: list[Block] = []
        while end != start:
            layer = self._layers[end]
            if end in self._used or not layer.inputs:
                raise KerasModelError(
                    f"what {self._said(layer)} gives goes to several places that do not come together in one again; "
                    "branches of blocks do. Use the model as code."
                )
            self._used.add(end)
            several = len(layer.inputs) > 1 and not self._attends_to_itself(layer)
            found[:0] = [self._merge(layer)] if several else self._single(layer)
            end = self._before[end] if several else layer.inputs[0]
        return found

    def _attends_to_itself(self, layer: KerasLayer) -> bool:
        return layer.kind in _ATTEND_TO_THEMSELVES and len(set(layer.inputs)) == 1

    def _merge(self, layer: KerasLayer) -> Block:
        merge = _MERGE_LAYERS.get(layer.kind)
        if layer.own or merge is None:
            raise KerasModelError(f"{self._said(layer)} takes {len(layer.inputs)} inputs, which no block does.")
        if merge == "concatenate" and layer.config.get("axis", -1) != -1:
            raise KerasModelError(
                f"{self._said(layer)} joins along the axis {layer.config['axis']}; parallel blocks join along the last."
            )
        start = self._before[layer.name]
        branches = [self._chain(name, start) for name in layer.inputs]
        inside = [blocks for blocks in branches if blocks]
        if merge == "add" and len(branches) == 2 and len(inside) == 1:
            return ResidualBlock(residual=True, name=self._own_name(layer), blocks=tuple(inside[0]))
        named = tuple(Branch(name=f"branch {n}", blocks=tuple(blocks)) for n, blocks in enumerate(branches, 1))
        return ParallelBlock(parallel=named, merge=merge, name=self._own_name(layer))

    def _single(self, layer: KerasLayer) -> Sequence[Block]:
        if layer.is_model:
            return self._network_inside(layer)
        info = self.catalogue.layer(layer.kind)
        if layer.operation:
            raise KerasModelError(f"{layer.kind} ({layer.name}) is a calculation between layers, which no block does.")
        if layer.own or info is None:
            raise KerasModelError(
                f"{self._said(layer)} is of a class that is not Keras's own: its code would have to be run."
            )
        if layer.kind == "Lambda":
            raise KerasModelError(f"{self._said(layer)} holds Python code, which is not run. Use the model as code.")
        if info.unusable:
            raise KerasModelError(f"{self._said(layer)} cannot stand among blocks: {info.unusable}.")
        if layer.config.get("trainable") is False:
            self.frozen.append(layer.name)
        arguments = layer_arguments(self.catalogue, info, layer.config, self._said(layer))
        return [LayerBlock(layer=info.name, name=self._own_name(layer), arguments=arguments)]

    def _network_inside(self, layer: KerasLayer) -> Sequence[Block]:
        """A network as a layer: its blocks stand in its place."""
        inner = _Builder(
            self.catalogue, graph_of({"class_name": layer.kind, "config": layer.config}), self.frozen, self.taken
        )
        return inner.run()

    def _own_name(self, layer: KerasLayer) -> str | None:
        """The name that the author gave; None for one that Keras made up, and for one that is taken."""
        made_up = re.fullmatch(rf"{re.escape(snake_case(layer.kind))}(_\d+)?", layer.name)
        if made_up or layer.name in self.taken or not re.fullmatch(r"[A-Za-z]\w*", layer.name):
            return None
        self.taken.add(layer.name)
        return layer.name

    def _said(self, layer: KerasLayer) -> str:
        return f"layer {layer.name} ({layer.kind})"
