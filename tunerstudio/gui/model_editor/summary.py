"""Blocks in a few words: their titles, and their arguments on one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from tunerstudio.gui.model_editor.parsing import list_text, number_text, value_text
from tunerstudio.gui.model_editor.tree import path_text
from tunerstudio.study.containers import lists_of
from tunerstudio.study.hyperparameters import UNCOUNTABLE
from tunerstudio.study.model import (
    Block,
    LayerBlock,
    OneOfBlock,
    OptionalBlock,
    ParallelBlock,
    RepeatBlock,
    ResidualBlock,
)
from tunerstudio.study.network import AnyTunable
from tunerstudio.study.tunable import TuneBoolean, TuneChoice


@dataclass(frozen=True)
class Segment:
    """A piece of a summary.

    Attributes:
        text: Such as `units 16–128`.
        tunable: Whether it varies; painted in the accent colour.
    """

    text: str
    tunable: bool = False


def block_title(block: Block, name: str) -> str:
    """`Dense 1`, or the user's own name with the class behind it."""
    words = {
        RepeatBlock: _tr("Repeat"),
        OptionalBlock: _tr("Optional"),
        ResidualBlock: _tr("Residual"),
        OneOfBlock: _tr("One of"),
        ParallelBlock: _tr("Parallel"),
    }
    base = block.layer if isinstance(block, LayerBlock) else words[type(block)]
    if block.name:
        return f"{block.name} ({base})"
    number = name.rsplit("_", 1)[-1]
    return f"{base} {number}" if number.isdigit() else base


def block_segments(block: Block) -> list[Segment]:
    """The arguments of a block, in the order they were given."""
    if isinstance(block, RepeatBlock):
        times = Segment(_tr("{n} times").format(n=short(block.repeat)), isinstance(block.repeat, AnyTunable))
        return [times, Segment(_tr("same values in all copies"))] if block.shared else [times]
    if isinstance(block, LayerBlock):
        return argument_segments(block.arguments)
    return [Segment(inside.name or _tr("{n} blocks").format(n=len(inside.blocks))) for inside in lists_of(block)]


def argument_segments(arguments: Mapping[str, object]) -> list[Segment]:
    """`name value` for each argument; an activation speaks for itself."""
    return [
        Segment(short(value) if name == "activation" else f"{name} {short(value)}", isinstance(value, AnyTunable))
        for name, value in arguments.items()
    ]


def short(value: object) -> str:
    """A value or a range in as few characters as possible: `9–27 step 3`, `relu|tanh`, `on|off`."""
    if not isinstance(value, AnyTunable):
        return value_text(value)
    if isinstance(value, TuneBoolean):
        return _tr("on|off")
    if isinstance(value, TuneChoice):
        return "|".join(value_text(choice) for choice in value.choices)
    text = f"{number_text(value.min)}–{number_text(value.max)}"
    if value.step is not None:
        sign = "×" if value.sampling == "log" else _tr("step") + " "
        text += f" {sign}{number_text(value.step)}"
    elif value.sampling != "linear":
        text += " log" if value.sampling == "log" else " reverse log"
    return text


def count_sentence(tunable: AnyTunable) -> str:
    """How many values a tunable field has: `7 values`."""
    count = tunable.named("value").count()
    if count == UNCOUNTABLE:
        return _tr("any value")
    return _tr("1 value") if count == 1 else _tr("{count} values").format(count=f"{int(count):,}")


def values_sentence(tunable: AnyTunable) -> str:
    """Which values a tunable field has: `9, 12, 15 … 27`."""
    hyperparameter = tunable.named("value")
    count = hyperparameter.count()
    if count == UNCOUNTABLE:
        return _tr("any value from {low} to {high}").format(
            low=value_text(hyperparameter.from_unit(0.0)), high=value_text(hyperparameter.from_unit(1.0))
        )
    values = hyperparameter.values()
    first = [next(values) for _ in range(min(int(count), 5))]
    return list_text(first) if count <= 5 else f"{list_text(first[:3])} … {value_text(hyperparameter.from_unit(1.0))}"


def name_of(names: Mapping[str, str], path: tuple[int, ...]) -> str:
    """The name of the block at `path` in what `study.network.block_names` gave."""
    return names.get(path_text(path), "")


def _tr(text: str) -> str:
    return QCoreApplication.translate("Summary", text)
