"""The network as a tree: Input, the blocks, Output, Optimizer; dragged, dropped and walked by keyboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from PySide6.QtCore import (
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSignalBlocker,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QDropEvent, QIcon, QPainter, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from tunerstudio.gui.model_editor.drag import BLOCK_FORMAT, CLASS_FORMAT, block_data, dragged_block, dragged_class
from tunerstudio.gui.model_editor.palette import CONTAINER_ICONS, group_icon
from tunerstudio.gui.model_editor.summary import Segment, block_segments, block_title
from tunerstudio.gui.model_editor.tree import BlockPath, Row, children, path_text
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_S, Theme
from tunerstudio.study.catalogue import Catalogue
from tunerstudio.study.model import Block, BlocksModel, Branch, LayerBlock
from tunerstudio.study.names import base_name, block_names

_NODE = Qt.ItemDataRole.UserRole
_SEGMENTS = Qt.ItemDataRole.UserRole + 1
_ICON = Qt.ItemDataRole.UserRole + 2
_TITLE_WIDTH = 190
_MOST_OF_WIDTH = 0.6


@dataclass(frozen=True)
class Node:
    """A row of the tree.

    Attributes:
        kind: What it stands for.
        path: Of a block or a branch; empty for the others.
    """

    kind: Literal["input", "block", "branch", "output", "optimizer"]
    path: BlockPath = ()


INPUT, OUTPUT, OPTIMIZER = Node("input"), Node("output"), Node("optimizer")


@dataclass(frozen=True)
class FixedRows:
    """What the rows that follow from the data say."""

    input: Sequence[Segment]
    output: Sequence[Segment]
    optimizer: Sequence[Segment]


@dataclass(frozen=True)
class _Rows:
    """What the rows are drawn from.

    Attributes:
        names: Name of every block by its path as text.
        troubled: What is wrong, by field path.
    """

    blocks: Sequence[Block] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    troubled: Mapping[str, str] = field(default_factory=dict)

    def trouble(self, at: str) -> str:
        """The first sentence about the field `at` or anything inside it."""
        return _first_under(self.troubled, at)


class NetworkTree(QTreeWidget):
    """Shows the blocks of a model.

    Signals:
        node_selected: (object) the Node that is selected now.
        class_dropped: (str, object) a class from the palette shall be inserted in front of what is at this BlockPath.
        block_dropped: (object, object) the block at the first BlockPath shall go in front of what is at the second.
    """

    node_selected = Signal(object)
    class_dropped = Signal(str, object)
    block_dropped = Signal(object, object)

    def __init__(self, theme: Theme, catalogue: Catalogue, parent: QWidget | None = None) -> None:
        """An empty tree."""
        super().__init__(parent)
        self._theme = theme
        self._catalogue = catalogue
        self._selected: Node = INPUT
        self._items: dict[Node, QTreeWidgetItem] = {}
        self._rows = _Rows()
        self._collapsed: set[BlockPath] = set()
        self.itemCollapsed.connect(lambda item: self._collapsed.add(item.data(0, _NODE).path))
        self.itemExpanded.connect(lambda item: self._collapsed.discard(item.data(0, _NODE).path))
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        self.setIconSize(QSize(18, 18))
        self.setIndentation(18)
        self.setUniformRowHeights(True)
        self.setExpandsOnDoubleClick(False)
        self.setItemDelegate(_RowDelegate(theme, self))
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.CopyAction)
        self.setDropIndicatorShown(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName(self.tr("network"))
        self.header().setStretchLastSection(True)
        self.setColumnWidth(0, _TITLE_WIDTH)
        self.currentItemChanged.connect(self._current_changed)

    @property
    def selected(self) -> Node:
        """The node whose fields are shown."""
        return self._selected

    def titles(self) -> list[str]:
        """The rows from top to bottom, as text; for tests and screen readers."""
        return [f"{item.text(0)}: {item.text(1)}" if item.text(1) else item.text(0) for item in self._items.values()]

    def show_model(self, model: BlocksModel, fixed: FixedRows, troubled: Mapping[str, str]) -> None:
        """Draw the rows anew; `troubled` gives what is wrong by field path."""
        with QSignalBlocker(self):
            self.clear()
            self._items = {}
            self._add(None, INPUT, self.tr("Input"), "ph.sign-in", fixed.input)
            self._rows = _Rows(model.blocks, block_names(model.blocks), troubled)
            self._add_rows(None, model.blocks, ())
            self._add(None, OUTPUT, self.tr("Output"), "ph.sign-out", fixed.output)
            wrong = _first_under(troubled, "model.optimizer")
            self._add(None, OPTIMIZER, self.tr("Optimizer"), "ph.trend-down", fixed.optimizer, wrong)
            for node, item in self._items.items():
                item.setExpanded(node.path not in self._collapsed)
            self._fit_titles()
        self.select(self._selected)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_titles()

    def _fit_titles(self) -> None:
        """Room for the longest title, but never more than the larger part of the width."""
        most = int(self.viewport().width() * _MOST_OF_WIDTH)
        self.setColumnWidth(0, max(_TITLE_WIDTH, min(self.sizeHintForColumn(0) + SPACE_S, most)))

    def select(self, node: Node) -> None:
        """Select `node`, or what comes closest if it is gone."""
        while node not in self._items and node.kind in ("block", "branch"):
            node = self._nearest(node)
        with QSignalBlocker(self):
            self.setCurrentItem(self._items[node])
        changed = node != self._selected
        self._selected = node
        if changed:
            self.node_selected.emit(node)

    def _nearest(self, node: Node) -> Node:
        """The row at this path whatever it is, or the one above it, or what it is in."""
        for path in (node.path, (*node.path[:-1], node.path[-1] - 1), node.path[:-1]):
            for kind in ("block", "branch"):
                if Node(kind, path) in self._items:
                    return Node(kind, path)
        return Node("block", node.path[:-1]) if len(node.path) > 1 else INPUT

    def _add_rows(self, parent: QTreeWidgetItem | None, rows: Sequence[Row], prefix: BlockPath) -> None:
        for index, row in enumerate(rows):
            path = (*prefix, index)
            item = (
                self._add_branch(parent, row, path) if isinstance(row, Branch) else self._add_block(parent, row, path)
            )
            self._add_rows(item, children(row), path)

    def _add_branch(self, parent: QTreeWidgetItem | None, branch: Branch, path: BlockPath) -> QTreeWidgetItem:
        wrong = self._rows.trouble(f"model.blocks.{path_text(self._rows.blocks, path)}.name")
        empty = [] if branch.blocks else [Segment(self.tr("nothing: its input passes as it is"))]
        return self._add(parent, Node("branch", path), branch.name, "ph.caret-double-right", empty, wrong)

    def _add_block(self, parent: QTreeWidgetItem | None, block: Block, path: BlockPath) -> QTreeWidgetItem:
        place = path_text(self._rows.blocks, path)
        title = block_title(block, self._rows.names.get(place, ""))
        field = f"model.blocks.{place}"
        if isinstance(block, LayerBlock):
            info = self._catalogue.layer(block.layer)
            icon, wrong = group_icon(info.group if info is not None else ""), self._rows.trouble(field)
        else:  # what is wrong inside is told at the row inside
            kind = base_name(block)
            own = (
                f"{field}.{name}" for name in type(block).model_fields if name not in ("blocks", "one_of", "parallel")
            )
            icon, wrong = CONTAINER_ICONS[kind], next(filter(None, map(self._rows.trouble, own)), "")
        return self._add(parent, Node("block", path), title, icon, block_segments(block), wrong, block.disabled)

    def _add(
        self,
        parent: QTreeWidgetItem | None,
        node: Node,
        title: str,
        icon: str,
        segments: Sequence[Segment],
        wrong: str = "",
        disabled: bool = False,
    ) -> QTreeWidgetItem:
        text = "   ".join(segment.text for segment in segments)
        item = QTreeWidgetItem([title, text])
        item.setData(0, _NODE, node)
        item.setData(1, _SEGMENTS, list(segments))
        item.setIcon(0, self._row_icon(icon, wrong, node))
        item.setData(0, _ICON, "ph.warning" if wrong else icon)
        item.setToolTip(0, wrong or title)
        item.setToolTip(1, wrong or text)
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if node.kind in ("block", "branch"):
            flags |= Qt.ItemFlag.ItemIsDragEnabled
            if node.kind == "branch" or icon in CONTAINER_ICONS.values():
                flags |= Qt.ItemFlag.ItemIsDropEnabled
        if disabled:
            font = item.font(0)
            font.setStrikeOut(True)
            item.setFont(0, font)
        item.setFlags(flags)
        if parent is None:
            self.addTopLevelItem(item)
        else:
            parent.addChild(item)
        self._items[node] = item
        return item

    def _row_icon(self, icon: str, wrong: str, node: Node) -> QIcon:
        if wrong:
            return self._theme.icon("ph.warning", "bad")
        return self._theme.icon(icon, "text" if node.kind == "block" else "muted")

    def _current_changed(self, current: QTreeWidgetItem | None) -> None:
        if current is not None:
            self._selected = current.data(0, _NODE)
            self.node_selected.emit(self._selected)

    # Dragging: the document changes first, then the tree is drawn anew from it.

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.CopyAction

    def mimeTypes(self) -> list[str]:
        return [CLASS_FORMAT, BLOCK_FORMAT]

    def mimeData(self, items: Sequence[QTreeWidgetItem]) -> QMimeData:
        node = items[0].data(0, _NODE) if items else INPUT
        return block_data(node.path) if node.path else QMimeData()

    def dropEvent(self, event: QDropEvent) -> None:
        target = self._drop_path(event)
        name, path = dragged_class(event.mimeData()), dragged_block(event.mimeData())
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.setState(QAbstractItemView.State.NoState)
        self.viewport().update()
        if name is not None:
            self.class_dropped.emit(name, target)
        elif path is not None:
            self.block_dropped.emit(path, target)

    def _drop_path(self, event: QDropEvent) -> BlockPath:
        """In front of what a drop here would put something."""
        item = self.itemAt(event.position().toPoint())
        blocks_end: BlockPath = (sum(1 for node in self._items if node.kind == "block" and len(node.path) == 1),)
        if item is None:
            return blocks_end
        node: Node = item.data(0, _NODE)
        if not node.path:
            return (0,) if node == INPUT else blocks_end
        rect = self.visualItemRect(item)
        y = event.position().y()
        margin = min(max(rect.height() / 5.5, 2), 12)  # as wide as where Qt draws its indicator between rows
        holds = bool(item.flags() & Qt.ItemFlag.ItemIsDropEnabled)
        if holds and rect.top() + margin < y < rect.bottom() - margin:
            return (*node.path, item.childCount())
        below = y > rect.center().y()
        if below and item.childCount() and item.isExpanded():
            return (*node.path, 0)
        return (*node.path[:-1], node.path[-1] + 1) if below else node.path


class _RowDelegate(QStyledItemDelegate):
    """Paints the pieces of a summary one behind the other, tunable ones in the accent colour."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        size = super().sizeHint(option, index)
        return QSize(size.width(), max(size.height(), MINIMUM_TARGET + 2))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        segments: list[Segment] | None = index.data(_SEGMENTS)
        drawn: Any = QStyleOptionViewItem(option)  # the stubs leave the fields of a view item untyped
        self.initStyleOption(drawn, index)
        if segments is None:
            if drawn.state & QStyle.StateFlag.State_Selected:
                drawn.icon = self._theme.icon(index.data(_ICON), "on_accent")
            self._draw(painter, drawn)
            return
        drawn.text = ""
        self._draw(painter, drawn)
        painter.save()
        painter.setFont(drawn.font)
        self._paint_segments(painter, drawn, segments)
        painter.restore()

    def _draw(self, painter: QPainter, drawn: Any) -> None:
        style = drawn.widget.style() if drawn.widget is not None else QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, drawn, painter, drawn.widget)

    def _paint_segments(self, painter: QPainter, option: Any, segments: Sequence[Segment]) -> None:
        area: QRect = option.rect.adjusted(4, 0, -4, 0)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        metrics = painter.fontMetrics()
        left = area.left()
        for segment in segments:
            room = area.right() - left
            if room < metrics.averageCharWidth() * 3:
                return
            color = self._theme.color("accent" if segment.tunable else "muted")
            if selected:
                color = option.palette.color(QPalette.ColorRole.HighlightedText)
            painter.setPen(color)
            text = metrics.elidedText(segment.text, Qt.TextElideMode.ElideRight, room)
            place = QRect(left, area.top(), room, area.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
            left += metrics.horizontalAdvance(text) + 2 * SPACE_S


def _first_under(troubled: Mapping[str, str], field: str) -> str:
    """The first sentence about `field` or anything inside it."""
    return next((text for path, text in troubled.items() if path == field or path.startswith(field + ".")), "")
