"""The real window on one study: opens it, presses Run and ends when the search has ended.

python -m benchmarks.chaos.window STUDY
"""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from tunerstudio.gui.main_window import MainWindow
from tunerstudio.gui.services import Services
from tunerstudio.gui.theme import Theme


class _Clerk:
    """Presses Run once the study is open, and closes when the search is over."""

    def __init__(self, window: MainWindow, application: QApplication) -> None:
        self._window, self._application = window, application
        self._pressed = False
        self._timer = QTimer()
        self._timer.setInterval(20)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        study = self._window.study
        if study is None or study.preview is None:
            return
        if not self._pressed:
            self._pressed = True
            self._window.do("run")
        elif not self._window.workspace.worker.is_running:
            self._timer.stop()
            self._application.quit()


def main() -> None:
    """Run the search of the study that the command line names."""
    application = QApplication([])
    theme = Theme(application, "light")
    services = Services()
    window = MainWindow(theme, services)
    window.show()
    services.start()
    window.workspace.open_folder(Path(sys.argv[1]))
    clerk = _Clerk(window, application)
    application.exec()
    del clerk
    window.finish()
    services.stop()


if __name__ == "__main__":
    main()
