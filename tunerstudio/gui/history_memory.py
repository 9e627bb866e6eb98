"""Keeps Python's full garbage collections short while a large history is in memory.

A hundred thousand epochs are several hundred thousand objects. None of them is garbage, but each full collection
looks at all of them, and stops the window for a tenth of a second. Frozen objects are not looked at.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject

from tunerstudio.gui.context import StudyContext

FREEZE_EVERY = 2000
"""Trials and epochs after which what has come in is frozen."""


class HistoryMemory(QObject):
    """Freezes the history of one study as it comes in; a child of the study, thawed when the study goes."""

    def __init__(self, study: StudyContext) -> None:
        """Watch over `study`."""
        super().__init__(study)
        self._fresh = 0
        study.trials_changed.connect(self._take)
        study.epochs_added.connect(self._take)
        study.history_reset.connect(self._thaw)
        # Not a method of self: when this is called, this object is half gone.
        study.destroyed.connect(gc.unfreeze)

    def _take(self, items: list[object]) -> None:
        self._fresh += len(items)
        if self._fresh >= FREEZE_EVERY:
            self._fresh = 0
            gc.collect(1)  # real garbage that is young must not be kept for ever
            gc.freeze()

    def _thaw(self) -> None:
        self._fresh = 0
        gc.unfreeze()
