"""The tab Layers: palette, network, fields. Every edit is one undo step of the study."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSplitter, QToolButton, QToolTip, QVBoxLayout, QWidget

from tunerstudio.gui.actions import export_actions
from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.model_editor import tree
from tunerstudio.gui.model_editor.clipboard import NoBlocksError, blocks_from_text, blocks_text
from tunerstudio.gui.model_editor.inspector import Inspector
from tunerstudio.gui.model_editor.network_tree import INPUT, OPTIMIZER, FixedRows, NetworkTree, Node
from tunerstudio.gui.model_editor.network_views import NetworkViews
from tunerstudio.gui.model_editor.node_fields import NodeFields
from tunerstudio.gui.model_editor.palette import CONTAINER_ICONS, Palette, container_help, container_kind
from tunerstudio.gui.model_editor.suggestions import new_layer
from tunerstudio.gui.model_editor.summary import Segment, argument_segments, block_title, container_title, short
from tunerstudio.gui.model_editor.template_menu import fill_template_menu
from tunerstudio.gui.model_editor.tree import BlockPath, Blocks, path_text
from tunerstudio.gui.model_editor.words import input_segments, output_units
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_S, Theme
from tunerstudio.gui.widgets.basics import heading_label
from tunerstudio.study.catalogue import Catalogue
from tunerstudio.study.errors import StudyError
from tunerstudio.study.model import Block, BlocksModel, Branch, LayerBlock, OneOfBlock, ParallelBlock, RepeatBlock
from tunerstudio.study.names import named
from tunerstudio.study.network import AnyTunable, block_names, search_space
from tunerstudio.study.templates import new_document

_MENU_ONLY = {"cut", "copy", "paste"}
"""Edits without a button: everybody knows their keys."""


class LayersPanel(QWidget):
    """Edits a `BlocksModel`.

    Signals:
        trouble_changed: () `troubles()` would answer differently.
        go_requested: (str) another page, such as "data".
        command_requested: (str) a command of the main window, such as "export:hypermodel".
    """

    trouble_changed = Signal()
    go_requested = Signal(str)
    command_requested = Signal(str)

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
        self.below = NetworkViews(theme)
        self.below.drawing.layer_clicked.connect(self.show_field)
        self.below.space.field_wanted.connect(self.show_field)
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
        self.inspector.branch_wanted.connect(self.add_branch)
        self.inspector.link_clicked.connect(lambda: self.go_requested.emit("data"))
        self.inspector.trouble_changed.connect(self.trouble_changed)

    def _make_actions(self) -> dict[str, QAction]:
        """Edits of the selected block: buttons, context menu and keys."""
        rows: tuple[tuple[str, str, str, str, Callable[[], None]], ...] = (
            ("up", self.tr("Move up"), "ph.arrow-up", "Alt+Up", lambda: self._move_by_one(down=False)),
            ("down", self.tr("Move down"), "ph.arrow-down", "Alt+Down", lambda: self._move_by_one(down=True)),
            ("duplicate", self.tr("Duplicate"), "ph.copy", "Ctrl+D", self._duplicate),
            ("wrap", self.tr("Put into a Repeat"), "ph.repeat", "Ctrl+R", lambda: self._wrap("repeat")),
            ("unwrap", self.tr("Dissolve the container"), "ph.arrow-bend-up-left", "Ctrl+Shift+R", self._unwrap),
            ("disable", self.tr("Switch off or on"), "ph.eye-slash", "Ctrl+E", self._toggle_disabled),
            ("cut", self.tr("Cut"), "ph.scissors", "Ctrl+X", self._cut),
            ("copy", self.tr("Copy"), "ph.clipboard-text", "Ctrl+C", self._copy),
            ("paste", self.tr("Paste"), "ph.clipboard", "Ctrl+V", self._paste),
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
        halves = QSplitter(Qt.Orientation.Vertical)
        halves.setChildrenCollapsible(False)
        halves.addWidget(self.network)
        halves.addWidget(self.below)
        halves.setStretchFactor(0, 3)
        halves.setStretchFactor(1, 1)
        halves.setSizes([350, 200])
        column.addWidget(halves, 1)
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
        self._wrap_menu = self._make_wrap_menu()
        bar.addWidget(heading_label(self._theme, self.tr("Network")))
        bar.addStretch(1)
        tip = self.tr("Start again from a network that suits the data")
        templates, self.templates_menu = _menu_button(self.tr("Templates"), tip)
        self.templates_menu.aboutToShow.connect(self._list_templates)
        tip = self.tr("Write the network and its search as Python that runs without this program")
        python, menu = _menu_button(self.tr("Python"), tip)
        for spec in export_actions():
            action = menu.addAction(self._theme.icon(spec.icon), spec.text)
            action.setToolTip(spec.tip)
            action.triggered.connect(lambda _checked=False, command=spec.id: self.command_requested.emit(command))
        bar.addWidget(templates)
        bar.addWidget(python)
        for key, action in self._actions.items():
            if key in _MENU_ONLY:
                continue
            button = QToolButton()
            button.setDefaultAction(action)
            if key == "wrap":
                button.setMenu(self._wrap_menu)
                button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
            button.setAutoRaise(True)
            button.setIconSize(QSize(18, 18))
            button.setMinimumSize(MINIMUM_TARGET, MINIMUM_TARGET)
            button.setAccessibleName(action.text())
            bar.addWidget(button)
        return bar

    def _make_wrap_menu(self) -> QMenu:
        menu = QMenu(self.tr("Put into"), self)
        menu.setToolTipsVisible(True)
        for kind, icon in CONTAINER_ICONS.items():
            action = menu.addAction(self._theme.icon(icon), container_title(kind))
            action.setToolTip(container_help(kind))
            action.triggered.connect(lambda _checked=False, kind=kind: self._wrap(kind))
        return menu

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
        with contextlib.suppress(StudyError):  # `problems` says what is wrong: the last right space will do
            space = search_space(self._study.document)
            self.inspector.neighbours.hyperparameters = space.hyperparameters
            self.below.drawing.show_model(model, space)
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
                elif part not in ("blocks", "one_of", "parallel"):
                    break
            while path and tree.block_at(self._blocks(), path) is None:
                path = path[:-1]
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
        row = tree.row_at(model.blocks, node.path)
        is_block = row is not None and not isinstance(row, Branch)
        able = dict.fromkeys(self._actions, row is not None)
        able |= {"wrap": is_block, "disable": is_block, "cut": is_block, "copy": is_block, "paste": True}
        able["unwrap"] = len(node.path) > 1 or (is_block and not isinstance(row, LayerBlock))
        for key, action in self._actions.items():
            action.setEnabled(able[key])

    # Edits of the list

    def add(self, name: str, path: BlockPath | None = None) -> None:
        """Add a layer (or a container) in front of what is at `path`; None: behind the selected one."""
        info, kind = self._catalogue.layer(name), container_kind(name)
        if self._model() is None or (info is None and kind is None) or (info is not None and info.unusable):
            return
        block = new_layer(info) if info is not None else self._new_container(kind or "")
        name = name if kind is None else container_title(kind)
        place = path if path is not None else self._place_after_selected()
        text = self.tr("add {name}").format(name=name)
        self._edit_blocks(text, tree.inserted(self._blocks(), place, block), place)

    def _new_container(self, kind: str) -> Block:
        """A container with layers that are right in many places; a second branch where it has branches."""
        dense = self._catalogue.layer("Dense")
        assert dense is not None  # the catalogue has every layer
        return tree.new_container(kind, (new_layer(dense),), () if kind == "one_of" else (new_layer(dense),))

    def add_branch(self) -> None:
        """Add an empty branch to the container that is selected or that the selected row is in."""
        path = self.network.selected.path
        while path:
            row = tree.row_at(self._blocks(), path)
            if isinstance(row, Branch):
                place: BlockPath = (*path[:-1], path[-1] + 1)
                break
            if isinstance(row, OneOfBlock | ParallelBlock):
                place = (*path, len(tree.children(row)))
                break
            path = path[:-1]
        else:
            return
        branch = Branch(name=tree.free_branch_name(self._blocks(), place[:-1]))
        self._edit_blocks(self.tr("add a branch"), tree.inserted(self._blocks(), place, branch), place)

    def move_block(self, source: BlockPath, target: BlockPath) -> None:
        """Move the block at `source` in front of what is at `target` now."""
        blocks, arrived = tree.moved(self._blocks(), source, target)
        self._edit_blocks(self.tr("move {name}").format(name=self._title(source)), blocks, arrived)

    def _place_after_selected(self) -> BlockPath:
        node = self.network.selected
        if node == INPUT:
            return (0,)
        if not node.path:
            return (len(self._blocks()),)
        if node.kind == "branch":
            row = tree.row_at(self._blocks(), node.path)
            return (*node.path, len(tree.children(row)) if row is not None else 0)
        return (*node.path[:-1], node.path[-1] + 1)

    def _selected_path(self) -> BlockPath | None:
        return self.network.selected.path or None

    def _title(self, path: BlockPath) -> str:
        row = tree.row_at(self._blocks(), path)
        if isinstance(row, Branch):
            return row.name
        name = block_names(self._blocks()).get(path_text(self._blocks(), path), "")
        return block_title(row, name) if row is not None else ""

    def _move_by_one(self, down: bool) -> None:
        path = self._selected_path()
        if path is not None:
            blocks, arrived = tree.moved_by_one(self._blocks(), path, down)
            self._edit_blocks(self.tr("move {name}").format(name=self._title(path)), blocks, arrived)

    def _duplicate(self) -> None:
        path = self._selected_path()
        row = tree.row_at(self._blocks(), path) if path is not None else None
        if path is not None and row is not None:
            place = (*path[:-1], path[-1] + 1)
            blocks = tree.inserted(self._blocks(), place, tree.duplicated(row))
            self._edit_blocks(self.tr("duplicate {name}").format(name=self._title(path)), blocks, place)

    def _delete(self) -> None:
        path = self._selected_path()
        if path is not None:
            text = self.tr("delete {name}").format(name=self._title(path))
            self._edit_blocks(text, tree.removed(self._blocks(), path), path)

    def _wrap(self, kind: str) -> None:
        path = self._selected_path()
        if path is not None:
            text = self.tr("put {name} into {container}").format(
                name=self._title(path), container=container_title(kind)
            )
            self._edit_blocks(text, tree.wrapped(self._blocks(), path, kind), path)

    def _unwrap(self) -> None:
        path = self._selected_path()
        if path is None:
            return
        if isinstance(tree.row_at(self._blocks(), path), LayerBlock):
            path = path[:-1]
        if path:
            text = self.tr("dissolve {name}").format(name=self._title(path))
            self._edit_blocks(text, tree.unwrapped(self._blocks(), path), path)

    def _toggle_disabled(self) -> None:
        path = self._selected_path()
        block = tree.block_at(self._blocks(), path) if path is not None else None
        if path is not None and block is not None:
            off = not block.disabled
            verb = self.tr("switch {name} off") if off else self.tr("switch {name} on")
            changed = block.model_copy(update={"disabled": off})
            self._edit_blocks(verb.format(name=self._title(path)), tree.replaced(self._blocks(), path, changed), path)

    def _copy(self) -> None:
        path = self._selected_path()
        block = tree.block_at(self._blocks(), path) if path is not None else None
        if block is not None:
            QGuiApplication.clipboard().setText(blocks_text((block,)))

    def _cut(self) -> None:
        self._copy()
        self._delete()

    def _paste(self) -> None:
        """Blocks from the clipboard behind the selected one; they are YAML text, so they may come from anywhere."""
        try:
            pasted = blocks_from_text(QGuiApplication.clipboard().text())
        except NoBlocksError as error:
            QToolTip.showText(self.network.mapToGlobal(QPoint(SPACE_S, SPACE_S)), str(error), self.network)
            return
        place, blocks = self._place_after_selected(), self._blocks()
        for offset, block in enumerate(pasted):
            blocks = tree.inserted(blocks, (*place[:-1], place[-1] + offset), tree.duplicated(block))
        self._edit_blocks(self.tr("paste"), blocks, place)

    def _edit_blocks(self, text: str, blocks: Blocks, select: BlockPath) -> None:
        model = self._model()
        if model is not None:
            # Names are written down, so that hyperparameters keep theirs when something is inserted above.
            self._edit(text, model.model_copy(update={"blocks": named(blocks)}))
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
        path = self.network.selected.path
        row = tree.row_at(self._blocks(), path)
        if isinstance(row, Branch) and not name:
            return  # a branch is told by its name
        if row is not None and (row.name or "") != name:
            renamed = row.model_copy(update={"name": name or None})
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
        for key, action in self._actions.items():
            menu.addAction(action)
            if key == "wrap":
                menu.addMenu(self._wrap_menu)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.network.viewport().mapToGlobal(place))

    def _list_templates(self) -> None:
        if self._study is not None:
            fill_template_menu(self.templates_menu, self._theme, self._study.document, self._take_template)
            self.templates_menu.addSeparator()
            saved = self.templates_menu.addAction(self._theme.icon("ph.folder-open"), self.tr("From a Keras model…"))
            saved.setToolTip(self.tr("Take the layers of a .keras file, or of the JSON of a model, as a start"))
            saved.triggered.connect(lambda: self.command_requested.emit("open_keras"))

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


def _menu_button(text: str, tip: str) -> tuple[QToolButton, QMenu]:
    """A flat button that opens a menu."""
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setMinimumHeight(MINIMUM_TARGET)
    button.setAutoRaise(True)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    menu = QMenu(button)
    menu.setToolTipsVisible(True)
    button.setMenu(menu)
    return button, menu
