"""Drives the real window with real clicks, from inside its own event loop.

A script is a generator: it clicks, then yields a condition to wait for. The window, its service processes and its
workers are the program's own; nothing is replaced.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import time
import traceback
from collections.abc import Callable, Generator
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from tunerstudio.gui.app import run_app
from tunerstudio.gui.main_window import MainWindow

Condition = Callable[[], bool]
Script = Callable[[MainWindow], Generator[Condition, None, None]]

LIMIT_S = 120.0
"""How long one condition may take before the script has failed."""


class Driver(QObject):
    """Runs one script in the window, then closes it."""

    def __init__(self, script: Script, pictures: Path | None) -> None:
        super().__init__()
        self.error = ""
        self._script = script
        self._pictures = pictures
        self._steps: Generator[Condition, None, None] | None = None
        self._condition: Condition = lambda: self._window() is not None
        self._deadline = time.monotonic() + LIMIT_S
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._step)
        self._timer.start(10)

    def _window(self) -> MainWindow | None:
        for widget in QApplication.topLevelWidgets():
            if isinstance(widget, MainWindow) and widget.isVisible():
                return widget
        return None

    def _step(self) -> None:
        window = self._window()
        try:
            if window is None or not self._condition():
                if time.monotonic() > self._deadline:
                    raise TimeoutError(f"the window did not get where the script expected it{self._place()}")
                return
            if self._steps is None:
                self._steps = self._script(window)
            self._condition = next(self._steps)
            self._deadline = time.monotonic() + LIMIT_S
        except StopIteration:
            self._end(window)
        except Exception:  # noqa: BLE001  # told by the exit code, with a picture
            self.error = traceback.format_exc()
            sys.stderr.write(self.error)  # at once: the end may take a while
            if window is not None:
                picture(window, self._pictures, "failed")
            self._end(window)

    def _place(self) -> str:
        """The innermost line of the script that waits."""
        place, steps = "", self._steps
        while isinstance(steps, Generator) and steps.gi_frame is not None:  # type: ignore[attr-defined]
            place = f", line {steps.gi_frame.f_lineno} of {steps.gi_frame.f_code.co_name}"  # type: ignore[attr-defined]
            steps = steps.gi_yieldfrom  # type: ignore[attr-defined]
        return place

    def _end(self, window: MainWindow | None) -> None:
        self._timer.stop()
        if window is not None:
            window.workspace.worker.stop("now")
            window.hide()  # a window that can be seen is asked whether it wants to quit, and asks back
        QApplication.quit()


def picture(window: QWidget, folder: Path | None, name: str) -> None:
    """Keep a picture of the window, if a folder was given."""
    if folder is not None:
        window.grab().save(str(folder / f"{name}.png"))


def click(widget: QWidget, at: QPoint | None = None) -> None:
    """A real click of the left button on a widget that can be seen."""
    assert widget.isVisible(), f"{widget} cannot be seen"
    assert widget.isEnabled(), f"{widget} is disabled"
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=at or widget.rect().center())


def button(window: QWidget, text: str) -> QAbstractButton:
    """The visible button with this text or accessible name."""
    for found in window.findChildren(QAbstractButton):
        names = {found.text().replace("&", ""), found.accessibleName()}
        if text in names and found.isVisible():
            return found
    seen = sorted({b.text() for b in window.findChildren(QAbstractButton) if b.isVisible() and b.text()})
    raise LookupError(f"there is no visible button {text!r}; there are {seen}")


def shows(window: QWidget, text: str) -> bool:
    """Whether there is a visible, enabled button with this text."""
    try:
        return button(window, text).isEnabled()
    except LookupError:
        return False


def drive(script: Script, pictures: Path | None = None, folder: Path | None = None) -> int:
    """Open the window (on the study in `folder`), run `script` in it, and return the exit code."""
    faulthandler.enable()
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    driver = Driver(script, pictures)
    code = run_app(folder)
    driver.deleteLater()
    if driver.error:
        return 1
    return code


def pictures_folder() -> Path | None:
    """Where pictures are wanted, from the environment."""
    wanted = os.environ.get("TUNERSTUDIO_PICTURES")
    return Path(wanted) if wanted else None
