"""Which fields a row of the network has, and the model after one of them changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QObject

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.model_editor import tree
from tunerstudio.gui.model_editor.container_fields import container_fields, with_container_field
from tunerstudio.gui.model_editor.inspector import Inspector, all_arguments
from tunerstudio.gui.model_editor.network_tree import Node
from tunerstudio.gui.model_editor.palette import container_help
from tunerstudio.gui.model_editor.parsing import UNSET
from tunerstudio.gui.model_editor.summary import block_title
from tunerstudio.gui.model_editor.tree import path_text
from tunerstudio.gui.model_editor.words import input_segments, output_units
from tunerstudio.study.catalogue import ArgumentInfo, Catalogue
from tunerstudio.study.files import plain
from tunerstudio.study.model import (
    Block,
    BlocksModel,
    Branch,
    Container,
    LayerBlock,
    OneOfBlock,
    Optimizer,
    ParallelBlock,
    RepeatBlock,
)
from tunerstudio.study.names import base_name
from tunerstudio.study.network import block_names
from tunerstudio.study.objectives import known_losses, known_metrics
from tunerstudio.study.optimizers import with_own_conditions
from tunerstudio.study.tunable import TuneChoice

_AUTOMATIC = "auto"


def with_argument(arguments: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    """`arguments` with one changed; UNSET takes it out. The others keep their order."""
    changed = {**arguments, name: value}
    if value is UNSET:
        del changed[name]
    return changed


class NodeFields(QObject):
    """Draws the fields of a node in the inspector."""

    def __init__(self, inspector: Inspector, catalogue: Catalogue) -> None:
        """Draw in `inspector`."""
        super().__init__(inspector)
        self._inspector = inspector
        self._catalogue = catalogue

    def show_node(self, node: Node, model: BlocksModel, study: StudyContext, problems: Mapping[str, str]) -> None:
        """Show the fields of `node` with what is wrong with them (by field path)."""
        row = tree.row_at(model.blocks, node.path)
        if isinstance(row, LayerBlock):
            self._show_layer(node, row, model, problems)
        elif isinstance(row, Branch):
            self._show_branch(node, row)
        elif row is not None:
            self._show_container(node, row, model, problems)
        elif node.kind == "optimizer":
            self._show_optimizer(model, problems)
        elif node.kind == "output":
            self._show_output(model, study, problems)
        else:
            self._show_input(study)

    def with_field(self, node: Node, model: BlocksModel, name: str, value: Any) -> BlocksModel:
        """`model` with one field of `node` changed."""
        if node.kind == "optimizer":
            changed = with_argument(model.optimizer.arguments, name, value)
            optimizer = model.optimizer.model_copy(update={"arguments": changed})
            return model.model_copy(update={"optimizer": with_own_conditions(optimizer, self._catalogue)})
        if node.kind == "output":
            return model.model_copy(update={"loss": _AUTOMATIC if value is UNSET else value})
        block = tree.block_at(model.blocks, node.path)
        if block is None:
            return model
        if isinstance(block, LayerBlock):
            new: Block = block.model_copy(update={"arguments": with_argument(block.arguments, name, value)})
        else:
            new = with_container_field(block, name, value)
        return model.model_copy(update={"blocks": tree.replaced(model.blocks, node.path, new)})

    def with_optimizer(self, model: BlocksModel, name: Any) -> BlocksModel:
        """`model` with another optimizer (or a choice of some); fields that none of them has are dropped."""
        known = {argument.name for info in self._optimizers(name) for argument in info.arguments}
        kept = {key: value for key, value in model.optimizer.arguments.items() if key in known}
        optimizer = Optimizer(name=name, arguments=kept, when=model.optimizer.when)
        return model.model_copy(update={"optimizer": with_own_conditions(optimizer, self._catalogue)})

    def _show_layer(self, node: Node, block: LayerBlock, model: BlocksModel, problems: Mapping[str, str]) -> None:
        info = self._catalogue.layer(block.layer)
        place = path_text(model.blocks, node.path)
        field, name = f"model.blocks.{place}", block_names(model.blocks)[place]
        sentence = problems.get(f"{field}.layer", "") or (info.help if info is not None else "")
        self._inspector.show_node((node, block.layer), block_title(block, name), sentence)
        self._inspector.show_name(block.name, name)
        arguments = list(info.arguments) if info is not None else []
        arguments += [_unknown(key) for key in block.arguments if key not in {a.name for a in arguments}]
        remarks = _remarks(problems, f"{field}.arguments.")
        self._inspector.show_fields(block.layer, arguments, block.arguments, remarks, f"{name}_")

    def _show_container(self, node: Node, block: Container, model: BlocksModel, problems: Mapping[str, str]) -> None:
        place = path_text(model.blocks, node.path)
        name, kind = block_names(model.blocks)[place], base_name(block)
        self._inspector.show_node((node, kind), block_title(block, name), container_help(kind))
        self._inspector.show_name(block.name, name)
        fields = container_fields(block)
        remarks = _remarks(problems, f"model.blocks.{place}.")
        arguments = [field.argument for field in fields]
        key = (kind, *(argument.choices for argument in arguments))
        tunable = [field.argument.name for field in fields if field.tuned_name is not None]
        values = {field.argument.name: field.value for field in fields}
        labels = {field.argument.name: field.label for field in fields}
        self._inspector.show_fields(key, arguments, values, remarks, labels=labels, tunable=tunable)
        for field in fields:
            if field.tuned_name is not None:
                self._inspector.form.rows[field.argument.name].set_default_name(name + field.tuned_name)
        if isinstance(block, RepeatBlock):
            self._inspector.show_shared(block.shared)
        self._inspector.show_branch_button(isinstance(block, OneOfBlock | ParallelBlock))

    def _show_branch(self, node: Node, branch: Branch) -> None:
        sentence = self.tr("The layers of this branch; without any, its input passes as it is.")
        self._inspector.show_node((node, "branch"), self.tr("Branch {name}").format(name=branch.name), sentence)
        self._inspector.show_name(branch.name, branch.name)
        self._inspector.show_branch_button(True)

    def _optimizers(self, name: Any) -> list[Any]:
        names = name.choices if isinstance(name, TuneChoice) else (name,)
        infos = [self._catalogue.optimizer(str(one)) for one in names]
        return [info for info in infos if info is not None]

    def _show_optimizer(self, model: BlocksModel, problems: Mapping[str, str]) -> None:
        infos = self._optimizers(model.optimizer.name)
        sentence = infos[0].help if len(infos) == 1 else self.tr("Each optimizer takes those fields that it has.")
        self._inspector.show_node("optimizer", self.tr("Optimizer"), sentence)
        choices = tuple(info.name for info in self._catalogue.optimizers)
        argument = ArgumentInfo(
            name="optimizer",
            type="choice",
            required=True,
            choices=choices,
            help=self.tr("The rule that changes the weights after each batch."),
        )
        remark = problems.get("model.optimizer.name", "")
        self._inspector.show_head(argument, self.tr("optimizer"), model.optimizer.name, "optimizer", remark)
        key = tuple(info.name for info in infos)
        remarks = _remarks(problems, "model.optimizer.arguments.")
        self._inspector.show_fields(key, all_arguments(infos), model.optimizer.arguments, remarks)

    def _show_output(self, model: BlocksModel, study: StudyContext, problems: Mapping[str, str]) -> None:
        data = study.document.data
        sentence = self.tr("The last layer follows from what is predicted: {units}.").format(
            units=output_units(data, study.preview)
        )
        self._inspector.show_node(("output", data.task), self.tr("Output"), sentence, self.tr("Go to the data"))
        losses = known_losses(data.task)
        own = model.loss if isinstance(model.loss, str) else str(plain(model.loss).get("name", ""))
        names = (_AUTOMATIC, *losses, *([own] if own not in (_AUTOMATIC, *losses) else []))
        help_text = self.tr("What training makes small. Automatic: {name}.").format(name=losses[0] if losses else "–")
        argument = ArgumentInfo(name="loss", type="choice", default=_AUTOMATIC, choices=names, help=help_text)
        values = {} if model.loss == _AUTOMATIC else {"loss": own}
        remarks = {"loss": problems.get("model.loss", "")}
        labels = {"loss": self.tr("loss")}
        self._inspector.show_fields((data.task, names), (argument,), values, remarks, labels=labels, tunable=False)
        known = known_metrics(data.task)
        measured = [metric for metric in model.metrics if isinstance(metric, str)]
        self._inspector.show_metrics([(name, name) for name in known], measured or known[:1])

    def _show_input(self, study: StudyContext) -> None:
        said = ", ".join(segment.text for segment in input_segments(study.document.data))
        sentence = self.tr("The network sees what the Data page prepares: {what}.").format(what=said)
        self._inspector.show_node(("input",), self.tr("Input"), sentence, self.tr("Go to the data"))


def _unknown(name: str) -> ArgumentInfo:
    return ArgumentInfo(name=name, type="other", nullable=True)


def _remarks(problems: Mapping[str, str], prefix: str) -> dict[str, str]:
    """What is said of the fields right under `prefix`, by field; a copy's field (`units_2`) counts for the original."""
    found: dict[str, str] = {}
    for path, text in problems.items():
        if path.startswith(prefix):
            field = path[len(prefix) :].split(".")[0]
            found.setdefault(field, text)
            found.setdefault(re.sub(r"(_\d+)+$", "", field), text)
    return found
