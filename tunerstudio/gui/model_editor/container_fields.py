"""What can be set about a container: the count of a repeat, the merge of parallel branches and so on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QCoreApplication

from tunerstudio.gui.model_editor.parsing import UNSET
from tunerstudio.study.catalogue import ArgumentInfo
from tunerstudio.study.model import (
    MERGES,
    Block,
    Container,
    OneOfBlock,
    OptionalBlock,
    ParallelBlock,
    RepeatBlock,
    ResidualBlock,
)
from tunerstudio.study.tunable import TuneChoice


@dataclass(frozen=True)
class ContainerField:
    """One field of a container.

    Attributes:
        argument: What can be typed; its name is the field of the document.
        label: What stands in front of it.
        value: As in the document, UNSET where that holds the default.
        tuned_name: What follows the container's name in the name of the hyperparameter; None: never tunable.
    """

    argument: ArgumentInfo
    label: str
    value: Any
    tuned_name: str | None


def container_fields(block: Container) -> list[ContainerField]:
    """The fields of `block`, in the order of the form."""
    if isinstance(block, RepeatBlock):
        help_text = _tr("How many copies of the layers inside stand in a row.")
        argument = ArgumentInfo(name="repeat", type="int", required=True, minimum=0, help=help_text)
        return [ContainerField(argument, _tr("how many"), block.repeat, "_count")]
    if isinstance(block, OptionalBlock):
        help_text = _tr("Whether the layers inside are there; the dice lets the search find out.")
        argument = ArgumentInfo(name="optional", type="bool", required=True, help=help_text)
        return [ContainerField(argument, _tr("there"), block.optional, "_on")]
    if isinstance(block, ResidualBlock):
        return _residual_fields(block)
    if isinstance(block, ParallelBlock):
        help_text = _tr("How the outputs of the branches become one; all but concatenate need equal shapes.")
        argument = ArgumentInfo(name="merge", type="choice", default="concatenate", choices=MERGES, help=help_text)
        return [ContainerField(argument, _tr("merged by"), _or_unset(block.merge, "concatenate"), "_merge")]
    return [_chosen_field(block)]


def _residual_fields(block: ResidualBlock) -> list[ContainerField]:
    skip = ArgumentInfo(
        name="residual",
        type="bool",
        required=True,
        help=_tr("Whether the input is added to the output; the dice lets the search find out."),
    )
    projection = ArgumentInfo(
        name="projection",
        type="choice",
        default="auto",
        choices=("auto", "always", "never"),
        help=_tr("A linear layer on the input before it is added; auto: only where the shapes differ."),
    )
    return [
        ContainerField(skip, _tr("input added"), block.residual, "_skip"),
        ContainerField(projection, _tr("projection"), _or_unset(block.projection, "auto"), None),
    ]


def _chosen_field(block: OneOfBlock) -> ContainerField:
    names = tuple(branch.name for branch in block.one_of)
    argument = ArgumentInfo(
        name="chosen",
        type="choice",
        required=True,
        choices=names,
        help=_tr("The branch that is used. With the dice lit, those of the list are tried."),
    )
    # Nothing chosen means that all are tried, which a lit dice with all names says better.
    value = TuneChoice(choices=names) if block.chosen is None else block.chosen
    return ContainerField(argument, _tr("branch"), value, "")


def with_container_field(block: Container, name: str, value: Any) -> Block:
    """`block` with one field changed; UNSET gives the default back."""
    if value is UNSET:
        value = type(block).model_fields[name].get_default()
    if isinstance(block, OneOfBlock) and name == "chosen" and value == TuneChoice(choices=_branch_names(block)):
        value = None
    return block.model_copy(update={name: value})


def _branch_names(block: OneOfBlock) -> tuple[str, ...]:
    return tuple(branch.name for branch in block.one_of)


def _or_unset(value: Any, default: str) -> Any:
    return UNSET if value == default else value


def _tr(text: str) -> str:
    return QCoreApplication.translate("ContainerFields", text)
