"""The strip that says what the running search does not know of yet, with the button that tells it."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from tunerstudio.gui.live_changes import LiveChanges
from tunerstudio.gui.theme import Theme
from tunerstudio.gui.widgets.basics import Banner

_MOST_NAMED = 4


class ApplyStrip(Banner):
    """Hidden while there is nothing to tell."""

    def __init__(self, theme: Theme, changes: LiveChanges, parent: QWidget | None = None) -> None:
        """Follow `changes`."""
        super().__init__(theme, parent, closable=False)
        self._changes = changes
        changes.changed.connect(self._show_pending)
        self._show_pending()

    def _show_pending(self) -> None:
        pending = self._changes.pending
        if not pending:
            self.clear()
            return
        named = ", ".join(pending[:_MOST_NAMED]) + (" …" if len(pending) > _MOST_NAMED else "")
        text = self.tr("The running search does not know of this change yet: {what}").format(what=named)
        self.tell("info", text, "", ((self.tr("Apply to the running search"), self._changes.apply),))
