"""The settings of the whole program, for people."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from tunerstudio.gui.settings import Settings
from tunerstudio.gui.theme import SPACE_M
from tunerstudio.gui.widgets.basics import FieldGrid, muted_label


class SettingsDialog(QDialog):
    """Each change holds at once; there is nothing to confirm.

    Attributes:
        boxes: The lists by field of `Settings`.

    Signals:
        changed: () a setting is another one now.
    """

    changed = Signal()

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        """Edit `settings` in place."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._settings = settings
        self.boxes: dict[str, QComboBox] = {}
        self._grid = FieldGrid()
        for field, (label, choices) in self._fields().items():
            self._add(field, label, choices)
        hint = muted_label(
            self.tr(
                "A search that goes on without its window can be watched, paused and stopped when its study is"
                " opened again, or with `tunerstudio watch`, `pause` and `stop`."
            )
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_M, SPACE_M, SPACE_M, SPACE_M)
        layout.setSpacing(SPACE_M)
        layout.addLayout(self._grid)
        layout.addWidget(hint)
        layout.addStretch(1)
        layout.addWidget(buttons)
        self.setMinimumWidth(560)

    def _fields(self) -> dict[str, tuple[str, tuple[tuple[str, str], ...]]]:
        """Label and choices (value, text) by field."""
        return {
            "appearance": (
                self.tr("Colours"),
                (("system", self.tr("of the system")), ("light", self.tr("light")), ("dark", self.tr("dark"))),
            ),
            "on_close": (
                self.tr("Closing the window while a search runs"),
                (
                    ("ask", self.tr("asks what to do")),
                    ("epoch", self.tr("stops it after the epoch")),
                    ("now", self.tr("stops it now")),
                    ("background", self.tr("lets it go on in the background")),
                ),
            ),
            "on_window_death": (
                self.tr("If the window crashes or is killed, its search"),
                (
                    ("stop", self.tr("stops, and goes on with Resume")),
                    ("continue", self.tr("goes on in the background")),
                ),
            ),
        }

    def _add(self, field: str, label: str, choices: tuple[tuple[str, str], ...]) -> None:
        box = QComboBox()
        for value, text in choices:
            box.addItem(text, value)
        box.setCurrentIndex(box.findData(getattr(self._settings, field)))
        box.activated.connect(lambda: self._take(field, box))
        self.boxes[field] = box
        self._grid.add(label, box)

    def _take(self, field: str, box: QComboBox) -> None:
        setattr(self._settings, field, box.currentData())
        self.changed.emit()
