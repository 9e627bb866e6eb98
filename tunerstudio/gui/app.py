"""Starts the window: the application, its theme, what happens to errors nobody caught, and an orderly end.

The order: settings and log file, application and theme, window on screen; only then the service processes, so that
the welcome page can be used while they warm up.
"""

from __future__ import annotations

import logging
import sys
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QObject, QTimer, QTranslator, Signal
from PySide6.QtWidgets import QApplication

from tunerstudio.gui.main_window import MainWindow
from tunerstudio.gui.services import Services
from tunerstudio.gui.settings import Settings, load_settings
from tunerstudio.gui.theme import Theme
from tunerstudio.locations import log_folder, resources_folder
from tunerstudio.version import VERSION

_LOG = logging.getLogger("tunerstudio")
_LOG_BYTES = 1_000_000
_SERVICES_AFTER_MS = 300


class ErrorCatcher(QObject):
    """Takes errors that nobody caught: into the log, and as one sentence with *Details* to the window.

    Signals:
        caught: (str, str) sentence and traceback.
    """

    caught = Signal(str, str)

    def install(self) -> None:
        """Take the place of Python's own hook."""
        sys.excepthook = self.handle

    def uninstall(self) -> None:
        """Give Python's own hook its place back."""
        sys.excepthook = sys.__excepthook__

    def handle(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """What `sys.excepthook` is called with; may come from any thread."""
        if issubclass(kind, KeyboardInterrupt):
            QCoreApplication.quit()
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        _LOG.error("an error that nobody caught\n%s", details)
        sentence = self.tr("Something went wrong inside the window: {}. Your study is safe on disk.")
        self.caught.emit(sentence.format(str(error) or kind.__name__), details)


def run_app(folder: Path | None = None) -> int:
    """Open the window, on the study in `folder` if one is given; returns when it is closed.

    Returns:
        The exit code: 0 after an orderly end.
    """
    settings = load_settings()
    handler = _start_log()
    application = _application()
    theme = Theme(application, settings.appearance)
    translators = _translate(application, settings)
    services = Services(settings)
    window = MainWindow(theme, services)
    catcher = ErrorCatcher()
    catcher.caught.connect(lambda sentence, details: window.tell(sentence, details, "bad"))
    catcher.install()
    window.closed.connect(application.quit)
    window.show()
    # After the first paint: on two cores the services would fight with the window for its first second.
    QTimer.singleShot(_SERVICES_AFTER_MS, services.start)
    if folder is not None:
        QTimer.singleShot(0, lambda: window.workspace.open_folder(folder))
    code = application.exec()
    _end(window, services, catcher, translators)
    _LOG.removeHandler(handler)
    handler.close()
    return code


def _end(window: MainWindow, services: Services, catcher: ErrorCatcher, translators: list[QTranslator]) -> None:
    """Hide first: the user need not watch the services end."""
    window.hide()
    window.finish()
    services.stop()
    catcher.uninstall()
    for translator in translators:
        QCoreApplication.removeTranslator(translator)
    window.deleteLater()
    QApplication.sendPostedEvents(window)


def _application() -> QApplication:
    QCoreApplication.setApplicationName("Tuner Studio")
    QCoreApplication.setOrganizationName("Tuner Studio")
    QCoreApplication.setApplicationVersion(VERSION)
    present = QApplication.instance()
    application = present if isinstance(present, QApplication) else QApplication(sys.argv[:1])
    application.setQuitOnLastWindowClosed(False)
    return application


def _start_log() -> logging.Handler:
    folder = log_folder()
    folder.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(folder / "window.log", maxBytes=_LOG_BYTES, backupCount=2, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    _LOG.addHandler(handler)
    _LOG.setLevel(logging.INFO)
    _LOG.info("Tuner Studio %s, Python %s", VERSION, sys.version.split()[0])
    return handler


def _translate(application: QApplication, settings: Settings) -> list[QTranslator]:
    """Load our own and Qt's translations for the user's language, where there are any."""
    locale = QLocale(settings.language) if settings.language else QLocale.system()
    places = (
        ("tunerstudio", str(resources_folder() / "translations")),
        ("qtbase", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)),
    )
    loaded = []
    for name, place in places:
        translator = QTranslator(application)
        if translator.load(locale, name, "_", place):
            application.installTranslator(translator)
            loaded.append(translator)
    return loaded
