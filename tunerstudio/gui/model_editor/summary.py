"""Blocks in a few words: their titles, and their arguments on one line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from tunerstudio.gui.model_editor.parsing import list_text, number_text, value_text
from tunerstudio.study.arguments import LayerSpec, ObjectSpec, Reference, varies
from tunerstudio.study.hyperparameters import UNCOUNTABLE
from tunerstudio.study.model import (
    Block,
    LayerBlock,
    OptionalBlock,
    ParallelBlock,
    RepeatBlock,
    ResidualBlock,
)
from tunerstudio.study.names import base_name
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


def container_title(kind: str) -> str:
    """What a container (a key of `study.model.CONTAINERS`) is called."""
    return {
        "repeat": _tr("Repeat"),
        "optional": _tr("Optional"),
        "residual": _tr("Residual"),
        "one_of": _tr("One of"),
        "parallel": _tr("Parallel"),
    }[kind]


def block_title(block: Block, name: str) -> str:
    """`Dense 1`, or the user's own name with the class behind it."""
    base = block.layer if isinstance(block, LayerBlock) else container_title(base_name(block))
    number = re.fullmatch(rf"{re.escape(base_name(block))}_(\d+)", block.name or name)
    if number is not None:  # an automatic name, written down or not
        return f"{base} {number[1]}"
    return f"{block.name} ({base})" if block.name else base


def block_segments(block: Block) -> list[Segment]:
    """The arguments of a block, in the order they were given; of a container, what varies about it."""
    found = [Segment(_tr("switched off"))] if block.disabled else []
    if isinstance(block, LayerBlock):
        return [*found, *argument_segments(block.arguments)]
    if isinstance(block, RepeatBlock):
        found.append(Segment(_tr("{n} times").format(n=short(block.repeat)), varies(block.repeat)))
        if block.shared:
            found.append(Segment(_tr("same values in all copies")))
    elif isinstance(block, OptionalBlock):
        found.append(Segment(short(block.optional), varies(block.optional)))
    elif isinstance(block, ResidualBlock):
        text = _tr("its input is added: {when}") if varies(block.residual) else _tr("its input is added")
        found.append(Segment(text.format(when=short(block.residual)), varies(block.residual)))
    elif isinstance(block, ParallelBlock):
        found.append(Segment(_tr("merged by {how}").format(how=short(block.merge)), varies(block.merge)))
    else:
        every = "|".join(branch.name for branch in block.one_of)
        chosen = every if block.chosen is None else short(block.chosen)
        found.append(Segment(chosen, block.chosen is None or varies(block.chosen)))
    return found


def argument_segments(arguments: Mapping[str, object]) -> list[Segment]:
    """`name value` for each argument; an activation speaks for itself."""
    return [
        Segment(short(value) if name == "activation" else f"{name} {short(value)}", varies(value))
        for name, value in arguments.items()
    ]


def short(value: object) -> str:
    """A value or a range in as few characters as possible: `9–27 step 3`, `relu|tanh`, `on|off`."""
    if isinstance(value, Reference):
        return f"= {value.ref}" if value.times == 1 else f"= {value.ref} × {number_text(value.times)}"
    if isinstance(value, LayerSpec):
        return f"{value.layer}({', '.join(segment.text for segment in argument_segments(value.arguments))})"
    if isinstance(value, ObjectSpec):
        inside = ", ".join(segment.text for segment in argument_segments(value.arguments))
        return f"{short(value.name)}({inside})" if inside else short(value.name)
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


def _tr(text: str) -> str:
    return QCoreApplication.translate("Summary", text)
