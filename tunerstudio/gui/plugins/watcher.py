"""Notices when something changes in the user's plugin folder."""

from __future__ import annotations

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

from tunerstudio.algorithms.manifest import MANIFEST_NAME
from tunerstudio.locations import user_plugins_folder

_REST_MS = 300
"""A copy of many files is one change."""


class PluginWatcher(QObject):
    """Watches the plugin folder, the folders in it, their manifests and code.

    Signals:
        changed: () plugins came, went, or have another manifest or other code; look for them again.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        """Watch from now on; makes the folder if it is not there."""
        super().__init__(parent)
        self._watcher = QFileSystemWatcher(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REST_MS)
        self._timer.timeout.connect(self._tell)
        self._watcher.directoryChanged.connect(lambda path: self._timer.start())
        self._watcher.fileChanged.connect(lambda path: self._timer.start())
        self._watch()

    def _tell(self) -> None:
        self._watch()
        self.changed.emit()

    def _watch(self) -> None:
        """Look at what is there now: an editor that writes a new file ends the watch on the old one."""
        folder = user_plugins_folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            plugins = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
            files = [file for path in plugins for file in (*path.glob(MANIFEST_NAME), *path.glob("*.py"))]
        except OSError:
            return  # a folder that is gone again, or a disk that cannot be written to: there is nothing to watch
        known = {*self._watcher.directories(), *self._watcher.files()}
        new = [str(path) for path in (folder, *plugins, *files) if str(path) not in known]
        if new:
            self._watcher.addPaths(new)
