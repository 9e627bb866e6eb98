"""The network as Python: the blocks with loops and branches, or the plain layers of one configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tunerstudio.export_code.arguments import Arguments
from tunerstudio.export_code.names import Place, name_text
from tunerstudio.export_code.text import Call, Expression, Writer, flat, quoted
from tunerstudio.study.catalogue import ClassInfo
from tunerstudio.study.containers import every_block
from tunerstudio.study.model import (
    Block,
    LayerBlock,
    OneOfBlock,
    OptionalBlock,
    ParallelBlock,
    RepeatBlock,
    ResidualBlock,
)
from tunerstudio.study.names import block_names, snake_case
from tunerstudio.study.tunable import AnyTunable, TuneChoice

MERGE_LAYERS = {
    "concatenate": "Concatenate",
    "add": "Add",
    "average": "Average",
    "maximum": "Maximum",
    "minimum": "Minimum",
    "multiply": "Multiply",
}

_SELF_ATTENTION = {
    "MultiHeadAttention": "({0}, {0})",
    "GroupQueryAttention": "({0}, {0})",
    "Attention": "([{0}, {0}])",
    "AdditiveAttention": "([{0}, {0}])",
}
"""How layers are called that take a query and a value, both the same here."""

ADD_SKIP = '''def add_skip(skip, x, projection="auto", name=None):
    """The input of a residual block plus its output, projected where their shapes differ."""
    if skip is x:
        return x
    if projection == "always" or (projection == "auto" and skip.shape != x.shape):
        sizes = zip(skip.shape[1:-1], x.shape[1:-1])
        strides = tuple(-(-before // after) for before, after in sizes)
        options = {"use_bias": False, "name": name and f"{name}_projection"}
        if all(stride == 1 for stride in strides):
            skip = layers.Dense(x.shape[-1], **options)(skip)
        else:
            convolution = {1: layers.Conv1D, 2: layers.Conv2D, 3: layers.Conv3D}[len(strides)]
            options |= {"strides": strides, "padding": "same"}
            skip = convolution(x.shape[-1], 1, **options)(skip)
    return layers.Add(name=name)([skip, x])'''


@dataclass
class NetworkWriter:
    """Writes the body of `build`: from `x` to `x`.

    Attributes:
        writer: Takes the lines.
        arguments: Writes arguments and collects helpers.
        blocks: The whole tree.
    """

    writer: Writer
    arguments: Arguments
    blocks: Sequence[Block]
    _names: dict[str, str] = field(init=False)
    _given: set[str] = field(init=False)
    _depth: int = 0

    def __post_init__(self) -> None:
        """Name all blocks."""
        self._names = block_names(self.blocks)
        self._given = {path for path, block in every_block(self.blocks) if block.name}
        automatic = {snake_case(info.name) for info in self.arguments.catalogue.layers}
        if any(re.sub(r"(_\d+)*$", "", self._names[path]) in automatic for path in self._given):
            self._given = set(self._names)  # to layers without a name Keras could give the same ones

    def write(self) -> None:
        """Everything."""
        self._list(self.blocks, "", Place())

    def _list(self, blocks: Sequence[Block], prefix: str, place: Place) -> None:
        for index, block in enumerate(blocks):
            if not block.disabled:
                self._block(block, f"{prefix}{index}", place)

    def _block(self, block: Block, path: str, place: Place) -> None:
        if isinstance(block, LayerBlock):
            self._layer(block, path, place)
        elif isinstance(block, RepeatBlock):
            self._repeat(block, path, place)
        elif isinstance(block, OptionalBlock):
            self._optional(block, path, place)
        elif isinstance(block, OneOfBlock):
            self._one_of(block, path, place)
        elif isinstance(block, ResidualBlock):
            self._residual(block, path, place)
        else:
            self._parallel(block, path, place)

    # Layers

    def _layer(self, block: LayerBlock, path: str, place: Place) -> None:
        info = self.arguments.catalogue.layer(block.layer)
        named = self.arguments.keywords(block.arguments, info, self._names[path], "", place)
        name = self._layer_name(path, place) if path in self._given else ""
        self.writer.assign("x", layer_call(block.layer, named, info, name, "x"))

    def _layer_name(self, path: str, place: Place) -> str:
        cleaned = "".join(c if c.isascii() and (c.isalnum() or c in "_.-") else "_" for c in self._names[path])
        return name_text(cleaned, place.suffix)

    # Containers

    def _structure(self, value: object, path: str, tail: str, place: Place) -> tuple[str, str]:
        """Python for the value of a structural field, and for the condition under which it has one ("" if always)."""
        if not isinstance(value, AnyTunable):
            return quoted(value) if isinstance(value, str) else repr(value), ""
        name = self.arguments.tunable_name(value, self._names[path], tail, place)
        text = flat(self.arguments.tunable(value, self._names[path], tail, place))
        return text, f"hp.is_active({name})" if value.only_if else ""

    def _body(self, head: str, blocks: Sequence[Block], prefix: str, place: Place) -> None:
        """An indented body under `head`; nothing where there is nothing in it."""
        start = len(self.writer.lines)
        self.writer.add(head)
        self.writer.depth += 1
        self._list(blocks, prefix, place)
        self.writer.depth -= 1
        if len(self.writer.lines) == start + 1:
            del self.writer.lines[start:]

    def _repeat(self, block: RepeatBlock, path: str, place: Place) -> None:
        inside = place.in_copy(block.shared)
        variable = inside.suffix[-1]
        if isinstance(block.repeat, int):
            if block.repeat > 0:
                head = f"for {variable} in range(1, {block.repeat + 1}):"
                self._body(head, block.blocks, f"{path}.blocks.", inside)
            return
        count, condition = self._structure(block.repeat, path, "count", place)
        if condition:
            count = f"({count} if {condition} else 0)"
        self._body(f"for {variable} in range(1, {count} + 1):", block.blocks, f"{path}.blocks.", inside)

    def _optional(self, block: OptionalBlock, path: str, place: Place) -> None:
        if isinstance(block.optional, bool):
            if block.optional:
                self._list(block.blocks, f"{path}.blocks.", place)
            return
        present, condition = self._structure(block.optional, path, "on", place)
        test = f"{condition} and {present}" if condition else present
        self._body(f"if {test}:", block.blocks, f"{path}.blocks.", place)

    def _one_of(self, block: OneOfBlock, path: str, place: Place) -> None:
        names = [branch.name for branch in block.one_of]
        chosen = TuneChoice(choices=tuple(names)) if block.chosen is None else block.chosen
        if isinstance(chosen, str):
            self._list(block.one_of[names.index(chosen)].blocks, f"{path}.one_of.{names.index(chosen)}.blocks.", place)
            return
        value, condition = self._structure(chosen, path, "", place)
        word = "if"
        for index, branch in enumerate(block.one_of):
            if branch.name in chosen.choices:
                test = (
                    f"{condition} and {value} == {quoted(branch.name)}"
                    if condition
                    else f"{value} == {quoted(branch.name)}"
                )
                before = len(self.writer.lines)
                self._body(f"{word} {test}:", branch.blocks, f"{path}.one_of.{index}.blocks.", place)
                word = "elif" if len(self.writer.lines) > before else word

    def _residual(self, block: ResidualBlock, path: str, place: Place) -> None:
        skip, condition = self._structure(block.residual, path, "skip", place)
        if block.residual is False:
            self._list(block.blocks, f"{path}.blocks.", place)
            return
        self._depth += 1
        variable = "skip" if self._depth == 1 else f"skip_{self._depth}"
        start = len(self.writer.lines)
        self.writer.assign(variable, "x")
        self._list(block.blocks, f"{path}.blocks.", place)
        self._depth -= 1
        if len(self.writer.lines) == start + 1:
            del self.writer.lines[start:]
            return
        self.arguments.helpers["add_skip"] = ADD_SKIP
        named: dict[str, Expression] = {}
        if block.projection != "auto":
            named["projection"] = quoted(block.projection)
        if path in self._given:
            named["name"] = self._layer_name(path, place)
        sum_ = Call("add_skip", (variable, "x"), named)
        if block.residual is True:
            self.writer.assign("x", sum_)
            return
        self.writer.add(f"if {condition} and {skip}:" if condition else f"if {skip}:")
        self.writer.depth += 1
        self.writer.assign("x", sum_)
        self.writer.depth -= 1

    def _parallel(self, block: ParallelBlock, path: str, place: Place) -> None:
        if len(block.parallel) == 1:
            self._list(block.parallel[0].blocks, f"{path}.parallel.0.blocks.", place)
            return
        self._depth += 1
        level = "" if self._depth == 1 else f"_{self._depth}"
        self.writer.assign(f"start{level}", "x")
        self.writer.assign(f"branches{level}", "[]")
        for index, branch in enumerate(block.parallel):
            self.writer.add(f"# {_one_line(branch.name)}")
            if index:
                self.writer.assign("x", f"start{level}")
            self._list(branch.blocks, f"{path}.parallel.{index}.blocks.", place)
            self.writer.call(f"branches{level}.append(x)")
        self._depth -= 1
        name = {"name": self._layer_name(path, place)} if path in self._given else {}
        if isinstance(block.merge, str):
            self.writer.assign(
                "x", Call(f"layers.{MERGE_LAYERS[block.merge]}", named=name, applied=f"(branches{level})")
            )
            return
        merge, condition = self._structure(block.merge, path, "merge", place)
        if condition:
            merge = f"({merge} if {condition} else {quoted(str(block.merge.choices[0]))})"
        self.arguments.helpers["MERGES"] = merges_text()
        self.writer.assign("x", Call(f"MERGES[{merge}]", named=name, applied=f"(branches{level})"))


def layer_call(layer: str, named: Mapping[str, Expression], info: ClassInfo | None, name: str, source: str) -> Call:
    """`layers.Dense(64, activation="relu")(x)`; `name` is Python for the layer's name, "" for none."""
    named = dict(named)
    positional: tuple[Expression, ...] = ()
    first = info.arguments[0] if info is not None and info.arguments else None
    if first is not None and first.required and next(iter(named), "") == first.name:
        positional = (named.pop(first.name),)  # Dense(64) reads better than Dense(units=64)
    if name:
        named = _in_front_of_stars(named, "name", name)
    return Call(f"layers.{layer}", positional, named, _SELF_ATTENTION.get(layer, "({0})").format(source))


def merges_text() -> str:
    """A table of merging layers."""
    rows = "".join(f'    "{name}": layers.{layer},\n' for name, layer in MERGE_LAYERS.items())
    return f"MERGES = {{\n{rows}}}"


def _in_front_of_stars(named: dict[str, Expression], key: str, value: Expression) -> dict[str, Expression]:
    stars = {name: one for name, one in named.items() if name == "**"}
    return {**{name: one for name, one in named.items() if name != "**"}, key: value, **stars}


def _one_line(text: str) -> str:
    return " ".join(text.split())
