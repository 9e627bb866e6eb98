"""Below a network or its code: the drawing at some values, and what is known of the whole space."""

from __future__ import annotations

from PySide6.QtWidgets import QTabWidget, QWidget

from tunerstudio.gui.model_editor.drawing import NetworkDrawing
from tunerstudio.gui.model_editor.space_panel import SpacePanel
from tunerstudio.gui.theme import Theme
from tunerstudio.protocol.space import SpaceReport


class NetworkViews(QTabWidget):
    """Two tabs.

    Attributes:
        drawing: The network.
        space: What the check of the whole space found.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Show nothing yet."""
        super().__init__(parent)
        self.drawing = NetworkDrawing(theme)
        self.space = SpacePanel(theme)
        self.setDocumentMode(True)
        self.addTab(self.drawing, self.tr("Drawing"))
        self.addTab(self.space, self.tr("Whole space"))

    def show_report(self, report: SpaceReport | None) -> None:
        """Show what is known; the tab says when something fails."""
        self.space.show_report(report)
        failing = bool(report is not None and report.problems)
        self.setTabText(1, self.tr("Whole space (!)") if failing else self.tr("Whole space"))
