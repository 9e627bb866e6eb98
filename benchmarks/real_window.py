"""The real window with the real services, for benchmarks that drive it as a person would."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    from tunerstudio.gui.context import StudyContext
    from tunerstudio.gui.main_window import MainWindow
    from tunerstudio.gui.services import Services


@dataclass(frozen=True)
class RealWindow:
    """What a benchmark gets.

    Attributes:
        window: Shown, with nothing open.
        services: Started; the engine imports TensorFlow at once.
        notices: Names of what the engine has told so far.
    """

    window: MainWindow
    services: Services
    notices: list[str]

    def open_reference(self) -> StudyContext:
        """A new reference study, whose data have been looked at."""
        from tunerstudio.study.examples import find_example

        self.window.workspace.open_example(find_example("reference"))
        until(lambda: self.window.study is not None and self.window.study.preview is not None)
        assert self.window.study is not None
        return self.window.study


@contextmanager
def real_window() -> Iterator[RealWindow]:
    """The window with a home of its own, which goes with it. Once per process."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["TUNERSTUDIO_HOME"] = home
        from tunerstudio.gui.main_window import MainWindow
        from tunerstudio.gui.services import Services
        from tunerstudio.gui.theme import Theme

        application = QApplication([])
        services = Services()
        window = MainWindow(Theme(application, "light"), services)
        window.resize(1366, 768)
        window.show()
        notices: list[str] = []
        services.engine.notice.connect(lambda name, data: notices.append(name))
        services.start()
        try:
            yield RealWindow(window, services, notices)
        finally:
            window.finish()
            services.stop()


def rest(seconds: float) -> None:
    """Let the window do what it does while a person looks at it."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def until(condition: Callable[[], bool], look_every_ms: int = 5, limit_s: float = 120.0) -> None:
    """Let the window work until `condition` holds; TimeoutError if it does not within `limit_s` seconds."""
    loop, began = QEventLoop(), time.monotonic()
    check = QTimer()
    check.setInterval(look_every_ms)
    check.timeout.connect(lambda: loop.quit() if condition() or time.monotonic() - began > limit_s else None)
    check.start()
    loop.exec()
    check.stop()
    if not condition():
        raise TimeoutError("the window did not get where it should be")
