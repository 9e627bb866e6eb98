"""The tab Layers: palette, network, fields. Every edit is one undo step of the study."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSplitter, QToolButton, QVBoxLayout, QWidget

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.model_editor import tree
from tunerstudio.gui.model_editor.inspector import Inspector
from tunerstudio.gui.model_editor.network_tree import INPUT, OPTIMIZER, FixedRows, NetworkTree, Node
from tunerstudio.gui.model_editor.node_fields import NodeFields
from tunerstudio.gui.model_editor.palette import REPEAT, Palette
from tunerstudio.gui.model_editor.suggestions import new_layer
from tunerstudio.gui.model_editor.summary import Segment, argument_segments, block_title, short
from tunerstudio.gui.model_editor.tree import BlockPath, Blocks, path_text
from tunerstudio.gui.model_editor.words import input_segments, output_units
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_S, Theme
from tunerstudio.gui.widgets.basics import heading_label
from tunerstudio.study.catalogue import Catalogue
from tunerstudio.study.errors import StudyError
from tunerstudio.study.model import Block, BlocksModel, RepeatBlock
from tunerstudio.study.network import AnyTunable, block_names
from tunerstudio.study.templates import new_document, template_names
from tunerstudio.study.tunable import TuneInt


class LayersPanel(QWidget):
    """Edits a `BlocksModel`.

    Signals:
        trouble_changed: () `troubles()` would answer differently.
        go_requested: (str) another page, such as "data".
    """

    trouble_changed = Signal()
    go_requested = Signal(str)

    def __init__(self, theme: Theme, catalogue: Catalogue, parent: QWidget | None = None) -> None:
        """Show nothing before `set_study`."""
        super().__init__(parent)
        self._theme = theme
        self._catalogue = catalogue
        self._study: StudyContext | None = None
        self._fresh = True
        self._problems: Mapping[str, str] = {}
        self.palette_panel = Palette(theme, catalogue)
        self.network = NetworkTree(theme, catalogue)
        self.inspector = Inspector(theme, catalogue)
        self._fields = NodeFields(self.inspector, catalogue)
        self._actions = self._make_actions()
        self._connect()
        self._arrange()

    def _connect(self) -> None:
        self.palette_panel.chosen.connect(self.add)
        self.network.node_selected.connect(self._show_node)
        self.network.class_dropped.connect(self.add)
        self.network.block_dropped.connect(self.move_block)
        self.network.customContextMenuRequested.connect(self._open_menu)
        self.inspector.edited.connect(self._field_edited)
        self.inspector.head_edited.connect(self._optimizer_chosen)
        self.inspector.renamed.connect(self._rename)
        self.inspector.shared_changed.connect(self._set_shared)
        self.inspector.metrics_changed.connect(self._set_metrics)
        self.inspector.link_clicked.connect(lambda: self.go_requested.emit("data"))
        self.inspector.trouble_changed.connect(self.trouble_changed)

    def _make_actions(self) -> dict[str, QAction]:
        """Edits of the selected block: buttons, context menu and keys."""
        rows: tuple[tuple[str, str, str, str, Callable[[], None]], ...] = (
            ("up", self.tr("Move up"), "ph.arrow-up", "Alt+Up", lambda: self._move_by_one(down=False)),
            ("down", self.tr("Move down"), "ph.arrow-down", "Alt+Down", lambda: self._move_by_one(down=True)),
            ("duplicate", self.tr("Duplicate"), "ph.copy", "Ctrl+D", self._duplicate),
            ("wrap", self.tr("Put into a Repeat"), "ph.repeat", "Ctrl+R", self._wrap),
            ("unwrap", self.tr("Take out of the Repeat"), "ph.arrow-bend-up-left", "Ctrl+Shift+R", self._unwrap),
            ("delete", self.tr("Delete"), "ph.trash", "Del", self._delete),
        )
        actions = {}
        for key, text, icon, shortcut, slot in rows:
            action = QAction(self._theme.icon(icon), text, self.network)
            action.setShortcut(QKeySequence(shortcut))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            shown = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            action.setToolTip(f"{text} ({shown})")
            action.triggered.connect(slot)
            self.network.addAction(action)
            actions[key] = action
        return actions

    def _arrange(self) -> None:
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(SPACE_S, 0, SPACE_S, 0)
        column.setSpacing(SPACE_S)
        column.addLayout(self._make_toolbar())
        column.addWidget(self.network, 1)
        self._splitter = QSplitter()
        self._splitter.setChildrenCollapsible(False)
        for widget in (self.palette_panel, middle, self.inspector):
            self._splitter.addWidget(widget)
        self.palette_panel.setMinimumWidth(150)
        self.inspector.setMinimumWidth(360)
        self.inspector.setMaximumWidth(560)
        for index, stretch in enumerate((0, 3, 2)):
            self._splitter.setStretchFactor(index, stretch)
        self._splitter.setSizes([200, 520, 400])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE_S, 0, 0)
        layout.addWidget(self._splitter)

    def _make_toolbar(self) -> QHBoxLayout:
        bar = QHBoxLayout()
        bar.setSpacing(2)
        bar.addWidget(heading_label(self._theme, self.tr("Network")))
        bar.addStretch(1)
        templates = QToolButton()
        templates.setText(self.tr("Templates"))
        templates.setToolTip(self.tr("Start again from a network that suits the data"))
        templates.setMinimumHeight(MINIMUM_TARGET)
        templates.setAutoRaise(True)
        templates.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.templates_menu = QMenu(templates)
        self.templates_menu.setToolTipsVisible(True)
        self.templates_menu.aboutToShow.connect(self._list_templates)
        templates.setMenu(self.templates_menu)
        bar.addWidget(templates)
        for action in self._actions.values():
            button = QToolButton()
            button.setDefaultAction(action)
            button.setAutoRaise(True)
            button.setIconSize(QSize(18, 18))
            button.setMinimumSize(MINIMUM_TARGET, MINIMUM_TARGET)
            button.setAccessibleName(action.text())
            bar.addWidget(button)
        return bar

    # What is shown

    def set_study(self, study: StudyContext | None) -> None:
        """Edit `study` from now on; None: nothing."""
        self._study = study
        self._fresh = True
        self.setEnabled(study is not None)

    def refresh(self, problems: Mapping[str, str]) -> None:
        """Show the document as it stands, with what is wrong by field path."""
        self._problems = problems
        model = self._model()
        if self._study is None or model is None:
            return
        data = self._study.document.data
        loss = Segment(self.tr("loss {name}").format(name=model.loss)) if model.loss != "auto" else None
        output = [Segment(output_units(data, self._study.preview)), *([loss] if loss else [])]
        name = Segment(short(model.optimizer.name), isinstance(model.optimizer.name, AnyTunable))
        optimizer = [name, *argument_segments(model.optimizer.arguments)]
        self.network.show_model(model, FixedRows(input_segments(data), output, optimizer), problems)
        if self._fresh:  # begin with the last block: what is added first goes behind it
            self._fresh = False
            self.network.select(Node("block", (len(model.blocks) - 1,)) if model.blocks else INPUT)
        self._show_node(self.network.selected)

    def troubles(self) -> dict[str, str]:
        """Fields in which something wrong is typed, with what is wrong."""
        return self.inspector.troubles()

    def show_field(self, field: str) -> None:
        """Select what the field path of a problem points at."""
        parts = field.split(".")
        if parts[:2] == ["model", "optimizer"]:
            self.network.select(OPTIMIZER)
        elif parts[:2] == ["model", "blocks"]:
            path: BlockPath = ()
            for part in parts[2:]:
                if part.isdigit():
                    path = (*path, int(part))
                elif part != "blocks":
                    break
            if path:
                self.network.select(Node("block", path))

    def _model(self) -> BlocksModel | None:
        model = self._study.document.model if self._study is not None else None
        return model if isinstance(model, BlocksModel) else None

    def _blocks(self) -> Blocks:
        model = self._model()
        return model.blocks if model is not None else ()

    def _show_node(self, node: Node) -> None:
        model = self._model()
        if self._study is None or model is None:
            return
        self._fields.show_node(node, model, self._study, self._problems)
        block = tree.block_at(model.blocks, node.path)
        inside = len(node.path) > 1 or isinstance(block, RepeatBlock)
        for key, action in self._actions.items():
            action.setEnabled(block is not None and (key != "unwrap" or inside))

    # Edits of the list

    def add(self, name: str, path: BlockPath | None = None) -> None:
        """Add a layer (or `REPEAT`) in front of what is at `path`; None: behind the selected one."""
        info = self._catalogue.layer(name)
        if self._model() is None or (info is None and name != REPEAT) or (info is not None and info.unusable):
            return
        dense = self._catalogue.layer("Dense")
        block: Block
        if info is not None:
            block = new_layer(info)
        else:
            assert dense is not None  # the catalogue has every layer
            block = RepeatBlock(repeat=TuneInt(min=1, max=3, default=1), blocks=(new_layer(dense),))
        place = path if path is not None else self._place_after_selected()
        text = self.tr("add {name}").format(name=name)
        self._edit_blocks(text, tree.inserted(self._blocks(), place, block), place)

    def move_block(self, source: BlockPath, target: BlockPath) -> None:
        """Move the block at `source` in front of what is at `target` now."""
        blocks, arrived = tree.moved(self._blocks(), source, target)
        self._edit_blocks(self.tr("move {name}").format(name=self._title(source)), blocks, arrived)

    def _place_after_selected(self) -> BlockPath:
        node = self.network.selected
        if node == INPUT:
            return (0,)
        if node.kind != "block":
            return (len(self._blocks()),)
        return (*node.path[:-1], node.path[-1] + 1)

    def _selected_path(self) -> BlockPath | None:
        node = self.network.selected
        return node.path if node.kind == "block" else None

    def _title(self, path: BlockPath) -> str:
        block = tree.block_at(self._blocks(), path)
        return block_title(block, block_names(self._blocks()).get(path_text(path), "")) if block is not None else ""

    def _move_by_one(self, down: bool) -> None:
        path = self._selected_path()
        if path is not None:
            blocks, arrived = tree.moved_by_one(self._blocks(), path, down)
            self._edit_blocks(self.tr("move {name}").format(name=self._title(path)), blocks, arrived)

    def _duplicate(self) -> None:
        path = self._selected_path()
        block = tree.block_at(self._blocks(), path) if path is not None else None
        if path is not None and block is not None:
            place = (*path[:-1], path[-1] + 1)
            blocks = tree.inserted(self._blocks(), place, tree.duplicated(block))
            self._edit_blocks(self.tr("duplicate {name}").format(name=self._title(path)), blocks, place)

    def _delete(self) -> None:
        path = self._selected_path()
        if path is not None:
            text = self.tr("delete {name}").format(name=self._title(path))
            self._edit_blocks(text, tree.removed(self._blocks(), path), path)

    def _wrap(self) -> None:
        path = self._selected_path()
        if path is not None:
            text = self.tr("put {name} into a Repeat").format(name=self._title(path))
            self._edit_blocks(text, tree.wrapped(self._blocks(), path), path)

    def _unwrap(self) -> None:
        path = self._selected_path()
        if path is None:
            return
        block = tree.block_at(self._blocks(), path)
        if not isinstance(block, RepeatBlock):
            path = path[:-1]
        if path:
            text = self.tr("dissolve {name}").format(name=self._title(path))
            self._edit_blocks(text, tree.unwrapped(self._blocks(), path), path)

    def _edit_blocks(self, text: str, blocks: Blocks, select: BlockPath) -> None:
        model = self._model()
        if model is not None:
            self._edit(text, model.model_copy(update={"blocks": blocks}))
            self.network.select(Node("block", select))

    # Edits of fields

    def _field_edited(self, name: str, value: Any, stretch: int) -> None:
        model = self._model()
        if model is None:
            return
        node = self.network.selected
        changed = self._fields.with_field(node, model, name, value)
        verb = self.tr("tune {name}") if isinstance(value, AnyTunable) else self.tr("change {name}")
        self._edit(verb.format(name=name), changed, f"{node.kind}:{node.path}:{name}:{stretch}")

    def _optimizer_chosen(self, name: Any, stretch: int) -> None:
        model = self._model()
        if model is not None:
            text = self.tr("choose the optimizer")
            self._edit(text, self._fields.with_optimizer(model, name), f"optimizer:{stretch}")

    def _rename(self, name: str) -> None:
        block = tree.block_at(self._blocks(), self.network.selected.path)
        if block is not None and (block.name or "") != name:
            renamed = block.model_copy(update={"name": name or None})
            path = self.network.selected.path
            self._edit_blocks(self.tr("rename a block"), tree.replaced(self._blocks(), path, renamed), path)

    def _set_shared(self, shared: bool) -> None:
        path = self.network.selected.path
        block = tree.block_at(self._blocks(), path)
        if isinstance(block, RepeatBlock):
            changed = block.model_copy(update={"shared": shared})
            text = self.tr("share values") if shared else self.tr("values for each copy")
            self._edit_blocks(text, tree.replaced(self._blocks(), path, changed), path)

    def _set_metrics(self, names: list[str]) -> None:
        model = self._model()
        if model is not None:
            self._edit(self.tr("choose metrics"), model.model_copy(update={"metrics": tuple(names)}))

    def _edit(self, text: str, model: BlocksModel, merge_key: str = "") -> None:
        if self._study is not None:
            self._study.edit(text, self._study.document.model_copy(update={"model": model}), merge_key)

    # Menus

    def _open_menu(self, place: QPoint) -> None:
        if self._selected_path() is None:
            return
        menu = QMenu(self)
        menu.addActions(list(self._actions.values()))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.network.viewport().mapToGlobal(place))

    def _list_templates(self) -> None:
        self.templates_menu.clear()
        if self._study is None:
            return
        for info in template_names(self._study.document.data):
            action = self.templates_menu.addAction(info.title)
            action.setToolTip(info.sentence)
            action.triggered.connect(lambda _checked=False, name=info.name: self._take_template(name))

    def _take_template(self, name: str) -> None:
        """Model, training and objective of the template; algorithm, budget and seed stay the user's."""
        if self._study is None:
            return
        document = self._study.document
        try:
            fresh = new_document(document.name, document.data, name)
        except StudyError as error:  # the data changed while the menu was open
            self.network.setToolTip(str(error))
            return
        search = document.search.model_copy(update={"objective": fresh.search.objective})
        update = {"model": fresh.model, "training": fresh.training, "search": search}
        self._study.edit(self.tr("start from a template"), document.model_copy(update=update))
