"""The plugins as a table for a view."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from tunerstudio.algorithms.discovery import AlgorithmInfo
from tunerstudio.gui.palettes import Role
from tunerstudio.gui.theme import Theme

Index = QModelIndex | QPersistentModelIndex

Stamp = tuple[tuple[str, int, int], ...]
"""Name, time and size of each file of a plugin."""

NAME, KIND, VERSION, ORIGIN, STATE = range(5)


class PluginItemModel(QAbstractTableModel):
    """One row per plugin; a broken one is red and says why."""

    def __init__(self, theme: Theme) -> None:
        """No plugins yet."""
        super().__init__()
        self._theme = theme
        self.plugins: list[AlgorithmInfo] = []
        self._verdicts: dict[Path, tuple[str, ...]] = {}
        self._checked: dict[Path, Stamp] = {}
        theme.theme_changed.connect(self._repaint)

    def set_plugins(self, plugins: Sequence[AlgorithmInfo]) -> None:
        """Show `plugins`."""
        self.beginResetModel()
        self.plugins = list(plugins)
        for folder in [folder for folder, stamp in self._checked.items() if stamp != _stamp(folder)]:
            del self._verdicts[folder], self._checked[folder]  # perhaps what was wrong has been mended
        self.endResetModel()

    def set_verdict(self, folder: Path, problems: tuple[str, ...]) -> None:
        """What a check of the plugin in `folder` found; it holds until the plugin's files change."""
        self._verdicts[folder], self._checked[folder] = problems, _stamp(folder)
        self._repaint()

    def verdict(self, info: AlgorithmInfo) -> tuple[str, ...] | None:
        """What a check found; None if there was none."""
        return self._verdicts.get(info.folder)

    def problems(self, info: AlgorithmInfo) -> tuple[str, ...]:
        """All that is known to be wrong."""
        return (*info.problems, *(self.verdict(info) or ()))

    def row_of(self, info: AlgorithmInfo) -> int:
        """Row of the plugin in the same folder; -1 if it is gone."""
        return next((row for row, other in enumerate(self.plugins) if other.folder == info.folder), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own signature
        return 0 if parent.isValid() else len(self.plugins)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return STATE + 1

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return (self.tr("Name"), self.tr("Kind"), self.tr("Version"), self.tr("From"), self.tr("State"))[section]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        info = self.plugins[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(info, index.column())
        if role == Qt.ItemDataRole.ForegroundRole:
            if self.problems(info):
                return self._theme.color("bad")
            return None if info.enabled else self._theme.color("muted")
        if role == Qt.ItemDataRole.DecorationRole and index.column() == STATE:
            icon, colour = self._mark(info)
            return self._theme.icon(icon, colour)
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(self.problems(info)) or str(info.folder)
        return None

    def _text(self, info: AlgorithmInfo, column: int) -> str:
        if column == NAME:
            return info.name
        if column == KIND:
            return self.kind(info)
        if column == VERSION:
            return info.manifest.version if info.manifest else "–"
        return self.origin(info) if column == ORIGIN else self.state(info)

    def kind(self, info: AlgorithmInfo) -> str:
        """What it does, in a word."""
        if info.manifest is None:
            return "–"
        words = {
            "propose": self.tr("algorithm"),
            "oracle": self.tr("oracle"),
            "pruner": self.tr("pruner"),
        }
        return words[info.manifest.kind]

    def origin(self, info: AlgorithmInfo) -> str:
        """Where it came from, in a few words."""
        words = {
            "shipped": self.tr("Tuner Studio"),
            "user": self.tr("your folder"),
            "installed": self.tr("Python package"),
        }
        return words[info.origin]

    def state(self, info: AlgorithmInfo) -> str:
        """Whether it can be used, in a word."""
        if info.problems:
            return self.tr("cannot be used")
        if self.verdict(info):
            return self.tr("misbehaves")
        return self.tr("on") if info.enabled else self.tr("off")

    def _mark(self, info: AlgorithmInfo) -> tuple[str, Role]:
        if self.problems(info):
            return "ph.warning-circle", "bad"
        return ("ph.check-circle", "good") if info.enabled else ("ph.minus-circle", "muted")

    def _repaint(self) -> None:
        if self.plugins:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.plugins) - 1, STATE))


def _stamp(folder: Path) -> Stamp:
    """The plugin's files as they are now; what Python leaves beside them does not count."""
    try:
        files = [(file.name, file.stat()) for pattern in ("*.toml", "*.py") for file in sorted(folder.glob(pattern))]
    except OSError:
        return ()
    return tuple((name, found.st_mtime_ns, found.st_size) for name, found in files)
