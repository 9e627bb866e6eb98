"""Budget and workers at hand on the Run page: the same fields as on the Search page."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.live_changes import LiveChanges
from tunerstudio.gui.search_form.budget_settings import budget_settings
from tunerstudio.gui.search_form.settings_form import SettingsForm
from tunerstudio.gui.theme import Theme
from tunerstudio.gui.widgets.basics import muted_label, primary_button

_WIDTH = 400


class LimitsPopover(QWidget):
    """Closes by a click elsewhere or Escape; what was typed stays in the study, and can be undone there."""

    def __init__(self, theme: Theme, changes: LiveChanges, parent: QWidget | None = None) -> None:
        """Follow `changes`, for the button."""
        super().__init__(parent, Qt.WindowType.Popup)
        self._study: StudyContext | None = None
        self._changes = changes
        self.form = SettingsForm(theme, self.tr("Budget and workers"), budget_settings())
        self.apply_button = primary_button(self.tr("Apply to the running search"))
        self.apply_button.clicked.connect(self._apply)
        self._hint = muted_label(self.tr("Fewer workers take effect as running trials end."))
        self.form.body.addWidget(self._hint)
        self.form.body.addWidget(self.apply_button, 0, Qt.AlignmentFlag.AlignRight)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.form)
        self.setFixedWidth(_WIDTH)
        changes.changed.connect(self._refresh_if_open)

    def set_study(self, study: StudyContext | None) -> None:
        """Edit `study` from now on."""
        self._study = study
        self.form.set_study(study)
        self._refresh_if_open()

    def open_under(self, widget: QWidget) -> None:
        """Show it below `widget`, flush with its right edge."""
        self._refresh()
        self.adjustSize()
        corner = widget.mapToGlobal(QPoint(widget.width() - _WIDTH, widget.height()))
        self.move(corner)
        self.show()

    def _refresh_if_open(self) -> None:
        if self.isVisible():
            self._refresh()

    def _refresh(self) -> None:
        self.form.refresh({})
        is_open = self._study is not None and self._study.search_state != "idle"
        self._hint.setVisible(is_open)
        self.apply_button.setVisible(is_open)
        self.apply_button.setEnabled(bool(self._changes.pending))

    def _apply(self) -> None:
        self._changes.apply()
        self.hide()
