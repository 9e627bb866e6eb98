"""The palette: every layer, the everyday ones first, and a search that finds by name, alias and meaning."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from tunerstudio.gui.model_editor.drag import class_data
from tunerstudio.gui.model_editor.summary import container_title
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_S, Theme
from tunerstudio.study.catalogue import Catalogue, ClassInfo
from tunerstudio.study.model import CONTAINERS

_CONTAINER = "container:"


def container_name(kind: str) -> str:
    """What stands in the palette for a container (a key of `study.model.CONTAINERS`), beside the names of layers."""
    return f"{_CONTAINER}{kind}"


def container_kind(name: str) -> str | None:
    """The container that a name of the palette means; None if it means a layer."""
    return name.removeprefix(_CONTAINER) if name.startswith(_CONTAINER) else None


CONTAINER_ICONS = {
    "repeat": "ph.repeat",
    "optional": "ph.toggle-left",
    "residual": "ph.arrow-bend-right-down",
    "one_of": "ph.git-branch",
    "parallel": "ph.rows",
}

_NAME = Qt.ItemDataRole.UserRole

_ROW = QSize(0, MINIMUM_TARGET)

_ICONS = {
    "Core": "ph.circles-three",
    "Activations": "ph.activity",
    "Convolution": "ph.grid-four",
    "Pooling": "ph.arrows-in",
    "Recurrent": "ph.arrow-clockwise",
    "Attention": "ph.eye",
    "Normalization": "ph.sliders",
    "Regularization": "ph.drop",
    "Reshaping": "ph.cube",
    "Merging": "ph.tree-structure",
    "Image augmentation": "ph.magic-wand",
    "Preprocessing": "ph.funnel",
}


def container_help(kind: str) -> str:
    """What a container does, in a sentence."""
    return {
        "repeat": _tr("The layers inside, several times one behind the other; how often may be tuned."),
        "optional": _tr("The layers inside, or nothing: the search finds out which is better."),
        "residual": _tr("The layers inside, and their input added to their output (a skip connection)."),
        "one_of": _tr("One of several groups of layers: the search finds out which is best."),
        "parallel": _tr("Several groups of layers side by side, with the same input; their outputs are merged."),
    }[kind]


def group_icon(group: str) -> str:
    """Name of the icon for a group of layers."""
    return _ICONS.get(group, "ph.puzzle-piece")


class Palette(QWidget):
    """A search line above a list of layers; Enter, a double click or a drag adds one.

    Signals:
        chosen: (str) a class name, or a `container_name`, shall be added to the network.
    """

    chosen = Signal(str)

    def __init__(self, theme: Theme, catalogue: Catalogue, parent: QWidget | None = None) -> None:
        """List what `catalogue` knows."""
        super().__init__(parent)
        self._theme = theme
        self._catalogue = catalogue
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Find a layer"))
        self.search.setAccessibleName(self.tr("find a layer"))
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumHeight(MINIMUM_TARGET)
        self.search.textChanged.connect(self._fill)
        self.search.returnPressed.connect(self._add_first)
        self.list = _PaletteTree()
        self.list.activated_name.connect(self.chosen)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_S)
        layout.addWidget(self.search)
        layout.addWidget(self.list, 1)
        self._fill("")

    def names(self) -> list[str]:
        """What is listed now, in order."""
        found = []
        for index in range(self.list.topLevelItemCount()):
            group = self.list.topLevelItem(index)
            if group is not None:
                children = [group.child(row) for row in range(group.childCount())]
                found += [child.data(0, _NAME) for child in children if child is not None]
        return found

    def _fill(self, words: str) -> None:
        self.list.clear()
        layers = self._catalogue.layers
        if words.strip():
            named = sorted((i for i in layers if _found_by_name(i, words)), key=lambda i: _nearness(i, words))
            others = [info for info in layers if info.matches(words) and info not in named]
            containers = [kind for kind in CONTAINERS if words.strip().lower() in container_title(kind).lower()]
            self._group(self.tr("Found"), [*_usable_first(named), *_usable_first(others)], True, containers)
            return
        everyday = sorted((info for info in layers if info.everyday), key=lambda info: info.everyday or 0)
        self._group(self.tr("Everyday"), everyday, True)
        self._group(self.tr("Containers"), [], True, list(CONTAINERS))
        for group in sorted({info.group for info in layers}):
            self._group(group, _usable_first([info for info in layers if info.group == group]), False)

    def _group(self, title: str, infos: Sequence[ClassInfo], expanded: bool, containers: Sequence[str] = ()) -> None:
        if not infos and not containers:
            return
        heading = QTreeWidgetItem(self.list, [title])
        heading.setSizeHint(0, _ROW)
        heading.setFlags(Qt.ItemFlag.ItemIsEnabled)
        font = heading.font(0)
        font.setBold(True)
        heading.setFont(0, font)
        for kind in containers:
            item = QTreeWidgetItem(heading, [container_title(kind)])
            item.setData(0, _NAME, container_name(kind))
            item.setSizeHint(0, _ROW)
            item.setIcon(0, self._theme.icon(CONTAINER_ICONS[kind]))
            item.setToolTip(0, container_help(kind))
        for info in infos:
            item = QTreeWidgetItem(heading, [info.name])
            item.setData(0, _NAME, info.name)
            item.setSizeHint(0, _ROW)
            item.setIcon(0, self._theme.icon(group_icon(info.group)))
            item.setToolTip(0, info.unusable or info.help)
            if info.unusable:
                item.setFlags(Qt.ItemFlag.ItemIsSelectable)
        heading.setExpanded(expanded)

    def _add_first(self) -> None:
        name = next((name for name in self.names() if self._usable(name)), None)
        if name is not None:
            self.chosen.emit(name)
            self.search.selectAll()  # what is typed next looks for another one

    def _usable(self, name: str) -> bool:
        info = self._catalogue.layer(name)
        return info is None or not info.unusable


class _PaletteTree(QTreeWidget):
    """The list: drags class names, tells activations.

    Signals:
        activated_name: (str) by Enter or a double click.
    """

    activated_name = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setHeaderHidden(True)
        self.setIndentation(12)
        self.setIconSize(QSize(16, 16))
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setUniformRowHeights(True)
        self.setAccessibleName(self.tr("layers to add"))
        self.itemDoubleClicked.connect(self._activate)

    def mimeData(self, items: Sequence[QTreeWidgetItem]) -> QMimeData:
        return class_data(items[0].data(0, _NAME)) if items and items[0].data(0, _NAME) else QMimeData()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._activate(self.currentItem())
            return
        super().keyPressEvent(event)

    def _activate(self, item: QTreeWidgetItem | None) -> None:
        if item is not None and item.data(0, _NAME) and item.flags() & Qt.ItemFlag.ItemIsEnabled:
            self.activated_name.emit(item.data(0, _NAME))


def _usable_first(infos: Sequence[ClassInfo]) -> list[ClassInfo]:
    return sorted(infos, key=lambda info: bool(info.unusable))


def _nearness(info: ClassInfo, words: str) -> tuple[int, int]:
    """The class that is called so comes first, then those that begin so, then the everyday ones."""
    wanted = words.lower().replace(" ", "")
    names = [name.lower() for name in (info.name, *info.aliases)]
    begins = any(name.startswith(wanted) for name in names)
    return 0 if wanted in names else 1 if begins else 2, info.everyday or 99


def _found_by_name(info: ClassInfo, words: str) -> bool:
    wanted = words.lower().replace(" ", "")
    return any(wanted in name.lower() for name in (info.name, *info.aliases))


def _tr(text: str) -> str:
    return QCoreApplication.translate("Palette", text)
