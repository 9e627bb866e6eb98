"""The cards of settings on the Search page, in order."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from tunerstudio.gui.search_form.advanced_settings import advanced_settings
from tunerstudio.gui.search_form.budget_settings import budget_settings
from tunerstudio.gui.search_form.settings import Setting, search_settings, training_settings


def all_settings() -> list[tuple[str, list[Setting]]]:
    """Title and fields of every card: budget, training, repeatability, advanced."""
    return [
        (_tr("Budget"), budget_settings()),
        (_tr("Training"), training_settings()),
        (_tr("Repeatability and failures"), search_settings()),
        (_tr("Advanced: limits, checkpoints, where trials run"), advanced_settings()),
    ]


def _tr(text: str) -> str:
    return QCoreApplication.translate("Settings", text)
