"""What every page is: a widget with a header that says how ready it is, shown one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from tunerstudio.gui.context import StudyContext


class Readiness(Enum):
    """The mark beside a page's name."""

    NOT_YET = ""
    READY = "ready"
    NEEDS_YOU = "needs you"


@dataclass(frozen=True)
class PageStatus:
    """How ready a page is, and one sentence: what it needs or has."""

    readiness: Readiness
    sentence: str


class Page(QWidget):
    """One of the five pages.

    The main window draws the header (title, sentence, primary button); the page fills the rest.

    Signals:
        status_changed: () `status()` or `primary_action()` would now answer differently.
        action_requested: (str) a command of the main window, such as "run", "save_models", "go:model".
    """

    status_changed = Signal()
    action_requested = Signal(str)

    title = ""

    def set_study(self, study: StudyContext | None) -> None:
        """Show `study` from now on; None: no study is open."""
        raise TypeError("a page shows a study")  # pragma: no cover - abstract

    def status(self) -> PageStatus:
        """For the mark in the rail and the header's sentence."""
        return PageStatus(Readiness.NOT_YET, "")

    def primary_action(self) -> tuple[str, str] | None:
        """(text, command) of the page's primary button in the header, or None."""
        return None
