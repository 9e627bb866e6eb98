"""The status bar: what is happening with progress and cancel, the last message, load of the machine."""

from __future__ import annotations

import psutil
from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QStatusBar, QWidget

from tunerstudio.gui.theme import SPACE_S, Theme
from tunerstudio.gui.widgets.basics import ElidedLabel, link_button

_LOAD_INTERVAL_MS = 2000
_GIB = 2**30


class StatusBar(QStatusBar):
    """Three places: activity, message, load.

    Signals:
        cancel_requested: () the user wants the activity to end.
        message_clicked: () the user wants to see all messages.
    """

    cancel_requested = Signal()
    message_clicked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self.setContentsMargins(SPACE_S, 0, SPACE_S, 0)
        self._activity = ElidedLabel()
        self._progress = QProgressBar()
        self._progress.setFixedSize(160, 10)
        self._progress.setTextVisible(False)
        self._progress.setAccessibleName(self.tr("Progress"))
        self._cancel: QPushButton = link_button(self.tr("Cancel"), self.cancel_requested.emit)
        self._message: QPushButton = link_button("", self.message_clicked.emit)
        self._message.setToolTip(self.tr("Show all messages (F4)"))
        self._load = QLabel()
        self._load.setProperty("look", "muted")
        self._load.setFont(theme.number_font())
        self.addWidget(self._activity, 1)
        self.addWidget(self._progress)
        self.addWidget(self._cancel)
        self.addPermanentWidget(self._message)
        self.addPermanentWidget(self._load)
        self.set_activity("")
        self.set_message("")
        self._timer = QTimer(self)
        self._timer.setInterval(_LOAD_INTERVAL_MS)
        self._timer.timeout.connect(self._show_load)
        self._timer.start()
        self._show_load()

    @property
    def activity(self) -> str:
        """What is happening, as shown."""
        return self._activity.text()

    @property
    def message(self) -> str:
        """The last message, as shown."""
        return self._message.text()

    def set_activity(self, text: str, fraction: float | None = None, busy: bool = False, cancel: bool = False) -> None:
        """Say what is happening.

        Args:
            text: In a few words; empty: nothing.
            fraction: 0 to 1; None with `busy`: unknown.
            busy: Whether to show progress.
            cancel: Whether it can be cancelled here.
        """
        self._activity.setText(text or self.tr("Ready"))
        self._progress.setVisible(busy)
        self._progress.setRange(0, 0 if fraction is None else 1000)
        if fraction is not None:
            self._progress.setValue(round(fraction * 1000))
        self._cancel.setVisible(cancel)

    def set_message(self, text: str) -> None:
        """Show the last message in short; empty: none."""
        line = text.splitlines()[0] if text else ""
        self._message.setText(line if len(line) <= 60 else line[:59] + "…")
        self._message.setVisible(bool(line))

    def _show_load(self) -> None:
        memory = psutil.virtual_memory()
        used, total = (memory.total - memory.available) / _GIB, memory.total / _GIB
        text = self.tr("CPU {cpu:.0f} %   RAM {used:.1f} of {total:.0f} GB")
        self._load.setText(text.format(cpu=psutil.cpu_percent(), used=used, total=total))
