"""The window's frame: menus, rail, header, pages, status bar; does every command."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QMainWindow,
    QMessageBox,
    QStackedWidget,
    QVBoxLayout,
    QWhatsThis,
    QWidget,
)

from tunerstudio.algorithms.installing import looks_like_plugin
from tunerstudio.export_code.export import ENDINGS, code_file_name
from tunerstudio.gui import dialogs, recent
from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.data_page.edits import with_file
from tunerstudio.gui.engine_tasks import EngineTasks
from tunerstudio.gui.field_labels import field_label
from tunerstudio.gui.formats import as_sentence
from tunerstudio.gui.menus import Menus
from tunerstudio.gui.model_editor.keras_import import opened_sentence, with_keras_model
from tunerstudio.gui.pages.base import Page
from tunerstudio.gui.pages.data import DataPage
from tunerstudio.gui.pages.model import ModelPage
from tunerstudio.gui.pages.models import ModelsPage
from tunerstudio.gui.pages.run import RunPage
from tunerstudio.gui.pages.search import SearchPage
from tunerstudio.gui.pages.welcome import WelcomePage
from tunerstudio.gui.plugins.dialog import PluginsDialog
from tunerstudio.gui.plugins.watcher import PluginWatcher
from tunerstudio.gui.services import Services
from tunerstudio.gui.settings import Settings, save_settings
from tunerstudio.gui.settings_dialog import SettingsDialog
from tunerstudio.gui.theme import Mode, Theme
from tunerstudio.gui.widgets.basics import Banner
from tunerstudio.gui.widgets.command_palette import CommandPalette, Entry
from tunerstudio.gui.widgets.message_log import MessageLog
from tunerstudio.gui.widgets.page_header import PageHeader
from tunerstudio.gui.widgets.rail import Rail
from tunerstudio.gui.widgets.status_bar import StatusBar
from tunerstudio.gui.workspace import Workspace
from tunerstudio.locations import log_folder
from tunerstudio.store.reader import has_history
from tunerstudio.study.examples import Example, find_examples
from tunerstudio.study.keras_blocks import open_keras
from tunerstudio.study.keras_files import KerasModelError
from tunerstudio.study.model import BlocksModel
from tunerstudio.study.trials import TrialState
from tunerstudio.study.trust import is_trusted, trust
from tunerstudio.version import VERSION

_PAGES = ("data", "model", "search", "run", "models")
_PAGE_ICONS = ("ph.table", "ph.stack", "ph.crosshair", "ph.chart-line-up", "ph.medal")
_PAGE_OF_SECTION = {"data": "data", "model": "model", "search": "search", "training": "search"}


class MainWindow(QMainWindow):
    """The one window.

    Attributes:
        workspace: Opens and makes studies.
        pages: The five pages in order.
        welcome: The page without a study.
        header: Title, sentence and primary button of the page that is shown.
        rail: The pages with their marks.
        banner: Where errors appear.
        messages: Everything that was said.

    Signals:
        closed: () the window was closed for good.
    """

    closed = Signal()

    def __init__(self, theme: Theme, services: Services, parent: QWidget | None = None) -> None:
        """Build the frame; services may be started later."""
        super().__init__(parent)
        self._theme = theme
        self._services = services
        self._leave: Callable[[], object] | None = None
        self.workspace = Workspace(services, self)
        self.tasks = EngineTasks(services, self.workspace, self)
        self._model_page = ModelPage(theme, services)
        self._search_page = SearchPage(theme, services)
        self._run_page = RunPage(theme, services)
        self.pages: list[Page] = [
            DataPage(theme, services, self.workspace.inspector),
            self._model_page,
            self._search_page,
            self._run_page,
            ModelsPage(theme, services),
        ]
        self._build()
        self.menus = Menus(self, theme, self.do)
        self._connect()
        self.setAcceptDrops(True)
        self.resize(1280, 720)
        if services.settings.window_geometry:
            self.restoreGeometry(QByteArray.fromBase64(services.settings.window_geometry.encode()))
        self.welcome.set_examples(find_examples())
        self._study_changed(None)

    @property
    def study(self) -> StudyContext | None:
        """The open study."""
        return self.workspace.study

    @property
    def current_page(self) -> str:
        """data, model, search, run, models or welcome."""
        return "welcome" if self.study is None else _PAGES[self._stack.currentIndex()]

    def do(self, command: str) -> None:
        """Do a command of the action table or of a page, such as `run`, `run:10`, `go:model`, `save_models:3`."""
        name, _, argument = command.partition(":")
        self._handlers(argument)[name]()

    def go(self, page: str) -> None:
        """Show a page: data, model, search, run or models."""
        if self.study is not None:
            self._stack.setCurrentIndex(_PAGES.index(page))

    def tell(self, sentence: str, details: str = "", severity: str = "info") -> None:
        """Say something in the status bar and the list of messages; anything but info also in a banner."""
        self.messages.add(sentence, details)
        self._status.set_message(sentence)
        if severity != "info":
            self.banner.tell(severity, sentence, details)

    def finish(self) -> None:
        """End everything that belongs to the window; it can be deleted afterwards."""
        geometry = bytes(self.saveGeometry().toBase64().data()).decode()
        self._services.settings.window_geometry = geometry
        save_settings(self._services.settings)
        self.workspace.shut_down()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.workspace.worker.is_running:
            event.ignore()
            self._leave_search(self.close, is_closing=True)
            return
        event.accept()
        self.closed.emit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() and event.mimeData().urls()[0].isLocalFile():
            event.acceptProposedAction()
            self.welcome.set_drop_hint(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.welcome.set_drop_hint(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.welcome.set_drop_hint(False)
        path = Path(event.mimeData().urls()[0].toLocalFile())
        event.acceptProposedAction()
        if path.suffix == ".keras":
            self._take_keras(path)
            return
        if looks_like_plugin(path):
            self._open_plugins().install(path)
            return
        self._leave_search(partial(self.workspace.open_any, path))

    def _handlers(self, argument: str) -> dict[str, Callable[[], object]]:
        return {
            "new": self._choose_new,
            "open": self._choose_study,
            "welcome": partial(self._leave_search, self.workspace.close),
            "show_folder": self._show_study_folder,
            "quit": self.close,
            "undo": self._undo,
            "redo": self._redo,
            "palette": self._open_palette,
            "go": lambda: self.go(argument),
            "rename": self._rename,
            "other_data": self._choose_other_data,
            "run": lambda: self._run(int(argument) if argument else None),
            "pause": self.workspace.worker.pause,
            "go_on": self._go_on,
            "stop": lambda: self.workspace.worker.stop(argument or "epoch"),
            "settings": self._open_settings,
            "plugins": self._open_plugins,
            "check": self._check,
            "ask_for_trust": self._ask_for_trust,
            "save_models": lambda: self.tasks.save_models(int(argument) if argument else 3),
            "save_trials": lambda: self.tasks.save_trials([int(number) for number in argument.split(",")]),
            "open_keras": self._choose_keras,
            "export": lambda: self._export(argument),
            "look": lambda: self._set_mode(argument),
            "messages": lambda: self.messages.setVisible(self.messages.isHidden()),
            "full_screen": lambda: self.showNormal() if self.isFullScreen() else self.showFullScreen(),
            "help": self._help,
            "show_logs": lambda: self._show_path(log_folder()),
            "about": self._about,
        }

    def _build(self) -> None:
        self.welcome = WelcomePage(self._theme)
        self.rail = Rail(self._theme, [(page.title, icon) for page, icon in zip(self.pages, _PAGE_ICONS, strict=True)])
        self.header = PageHeader(self._theme)
        self.banner = Banner(self._theme)
        self._stack = QStackedWidget()
        for page in self.pages:
            self._stack.addWidget(page)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self._stack, 1)
        self._study_view = QWidget()
        row = QHBoxLayout(self._study_view)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addWidget(right, 1)
        self._views = QStackedWidget()
        self._views.addWidget(self.welcome)
        self._views.addWidget(self._study_view)
        self.messages = MessageLog(self._theme)
        center = QWidget()
        whole = QVBoxLayout(center)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.banner)
        whole.addWidget(self._views, 1)
        whole.addWidget(self.messages)
        self.setCentralWidget(center)
        self._status = StatusBar(self._theme)
        self.setStatusBar(self._status)

    def _connect(self) -> None:
        workspace = self.workspace
        workspace.study_changed.connect(self._study_changed)
        workspace.failed.connect(self._failed)
        workspace.activity_changed.connect(self._activity_changed)
        workspace.worker.failed.connect(self._failed)
        workspace.worker.problems_found.connect(self._show_problems)
        workspace.worker.search_ended.connect(self._search_ended)
        workspace.worker.told.connect(self.tell)
        self.tasks.activity_changed.connect(self._activity_changed)
        self.tasks.failed.connect(self._failed)
        self.tasks.problems_found.connect(self._show_problems)
        self.tasks.told.connect(self.tell)
        self.tasks.code_written.connect(self._code_written)
        self._run_page.problems_found.connect(self._show_problems)
        self._services.engine.notice.connect(self._notice)
        self._services.data.notice.connect(self._notice)
        self._plugins = PluginWatcher(self)
        self._plugins.changed.connect(self._search_page.reload_algorithms)
        self.rail.page_chosen.connect(self._stack.setCurrentIndex)
        self.header.command_requested.connect(self.do)
        self._stack.currentChanged.connect(self._page_shown)
        self._status.cancel_requested.connect(self._cancel)
        self._status.message_clicked.connect(partial(self.do, "messages"))
        for page in self.pages:
            page.action_requested.connect(self.do)
            page.status_changed.connect(self._show_status)
        self.welcome.new_requested.connect(self._choose_new)
        self.welcome.open_requested.connect(self._choose_study)
        self.welcome.recent_chosen.connect(lambda folder: self.workspace.open_folder(Path(folder)))
        self.welcome.forget_requested.connect(self._forget)
        self.welcome.example_chosen.connect(self._open_example)
        self._theme.theme_changed.connect(self._update_menus)

    # -- what happens ---------------------------------------------------------------------------------------------

    def _study_changed(self, study: StudyContext | None) -> None:
        self.banner.clear()
        self._status.set_message("")  # it was about another study; the list of messages keeps it
        for page in self.pages:
            page.set_study(study)
        self._views.setCurrentIndex(0 if study is None else 1)
        if study is None:
            self.welcome.set_recent(recent.load_recent())
            self.setWindowTitle("Tuner Studio")
        else:
            study.document_changed.connect(self._show_study)
            study.search_state_changed.connect(self._search_state_changed)
            study.trials_changed.connect(lambda trials: self._show_activity())
            study.undo_stack.indexChanged.connect(self._update_menus)
            self._show_study()
            self.go("run" if study.search_state != "idle" or has_history(study.folder) else "data")
            self._is_trusted()
        self._page_shown()
        self._update_menus()
        self._show_activity()

    def _show_study(self) -> None:
        if self.study is not None:
            name = self.study.document.name
            self.rail.set_study_name(name)
            self.setWindowTitle(f"{name} – Tuner Studio")

    def _is_trusted(self, then: Callable[[], object] | None = None) -> bool:
        """Whether the open study may run; if not, asks, and does `then` once the user trusts it."""
        study = self.study
        if study is None or is_trusted(study.folder, study.document):
            return True
        sentence = self.tr("This study brings Python code of its own. Nothing of it runs before you trust this folder.")
        action = (self.tr("Trust this study"), lambda: self._trust(study, then))
        self.banner.tell("warning", sentence, str(study.folder), (action,))
        return False

    def _ask_for_trust(self) -> None:
        if not self._is_trusted():
            self.go("model")

    def _trust(self, study: StudyContext, then: Callable[[], object] | None) -> None:
        trust(study.folder)
        self.banner.clear()
        if study is self.study:
            study.document_changed.emit(study.document)
            if then is not None:
                then()

    def _page_shown(self) -> None:
        self.rail.set_current(self._stack.currentIndex())
        self._show_status()

    def _show_status(self) -> None:
        if self.study is None:
            return
        for button, page in zip(self.rail.buttons, self.pages, strict=True):
            button.set_status(page.status())
        self.header.show_page(self.pages[self._stack.currentIndex()])
        searching = self.study.search_state != "idle"
        self.header.set_enabled(not (searching and self.header.command.partition(":")[0] in {"run", "save_models"}))

    def _update_menus(self) -> None:
        self.menus.update(self.study, self._theme.mode)

    def _search_state_changed(self, state: str, message: str) -> None:
        self._update_menus()
        self._show_status()
        self._show_activity(message)
        if state == "idle" and self._leave is not None:
            leave, self._leave = self._leave, None
            leave()

    def _search_ended(self, reason: str, message: str) -> None:
        if message:
            self.tell(as_sentence(message))

    def _show_activity(self, message: str = "") -> None:
        study = self.study
        if study is None or study.search_state == "idle":
            self._status.set_activity("")
            return
        budget = study.document.search.budget.trials
        finished = sum(trial.state.is_finished for trial in study.trials.values())
        running = study.search_state in {"running", "paused"}
        words = {
            "starting": self.tr("Starting the search…"),
            "running": self.tr("Searching: {done} of {budget} trials").format(done=finished, budget=budget),
            "pausing": self.tr("Pausing after this epoch…"),
            "paused": self.tr("The search is paused: {done} of {budget} trials").format(done=finished, budget=budget),
            "stopping": self.tr("Stopping…"),
        }
        fraction = min(finished / budget, 1.0) if running else None
        busy = study.search_state != "paused"
        self._status.set_activity(as_sentence(message) or words[study.search_state], fraction, busy=busy)

    def _activity_changed(self, text: str, fraction: float | None) -> None:
        if text:
            self._status.set_activity(as_sentence(text), fraction, busy=True, cancel=self.workspace.is_making)
        else:
            self._show_activity()

    def _failed(self, sentence: str, details: str) -> None:
        self.tell(as_sentence(sentence), details, "bad")

    def _show_problems(self, problems: list[tuple[str, str]], summary: str) -> None:
        lines = [f"{field_label(field)}: {message}" if field else message for field, message in problems]
        self.tell("\n".join(lines) or summary, "", "bad")
        page = _PAGE_OF_SECTION.get(problems[0][0].partition(".")[0]) if problems else None
        if page is not None:
            self.go(page)

    def _notice(self, name: str, data: dict[str, object]) -> None:
        if name == "device":
            self._run_page.import_plots()  # the services are up, and nothing else waits for the processor
            self.rail.set_device(str(data.get("device", "")), str(data.get("reason", "")))
        elif name == "log":
            self.messages.add(str(data.get("text", "")))
        elif name == "failure" and self.sender() is not self._services.engine:
            self._failed(str(data["message"]), str(data["details"]))

    # -- commands -------------------------------------------------------------------------------------------------

    def _run(self, trials: int | None) -> None:
        if self.study is None or self.study.search_state != "idle":
            return
        self.banner.clear()
        if not self._is_trusted(partial(self._run, trials)):
            self.go("model")  # where the code is shown
            return
        self.go("run")
        self.workspace.worker.run(trials)

    def _check(self) -> None:
        self.go("search")
        self._search_page.check.check()

    def _leave_search(self, then: Callable[[], object], is_closing: bool = False) -> None:
        """Do `then` once no search of this window runs; asks what to do with one that does."""
        if not self.workspace.worker.is_running:
            then()
            return
        settings = self._services.settings
        if is_closing and settings.on_close != "ask":
            how: dialogs.Leaving = settings.on_close
        else:
            how, remember = dialogs.ask_before_leaving(self, is_closing)
            if remember and how:
                settings.on_close = how
                save_settings(settings)
        self._leave_by(how, then, is_closing)

    def _leave_by(self, how: dialogs.Leaving, then: Callable[[], object], is_closing: bool) -> None:
        worker = self.workspace.worker
        if how and not worker.is_running:
            then()  # it ended while the question stood there
        elif how == "background":
            worker.let_go(lambda: self._let_go(then, is_closing))
        elif how:
            self._leave = then
            worker.stop(how)

    def _let_go(self, then: Callable[[], object], is_closing: bool) -> None:
        then()
        if not is_closing:
            self._services.engine.start()  # another one, for the next study

    def _open_example(self, example: Example, run: bool) -> None:
        if self.workspace.open_example(example) and run:
            self._run(None)

    def _choose_new(self) -> None:
        path = self._ask_for_data()
        if path is not None:
            self._leave_search(partial(self.workspace.new_from_file, path))

    def _ask_for_data(self) -> Path | None:
        settings = self._services.settings
        last = Path(settings.data_folder) if settings.data_folder else Path.home()
        path = dialogs.choose_data_file(self, last if last.is_dir() else Path.home())
        if path is not None:
            settings.data_folder = str(path.parent)
            save_settings(settings)
        return path

    def _choose_study(self) -> None:
        path = dialogs.choose_study_folder(self, self._services.settings.studies())
        if path is not None:
            self._leave_search(partial(self.workspace.open_folder, path))

    def _choose_other_data(self) -> None:
        path = None if self.study is None else self._ask_for_data()
        if self.study is not None and path is not None:
            self.study.edit(self.tr("use another file"), with_file(self.study.document, path))

    def _code_written(self, program: Path) -> None:
        text = self.tr("{file} is written, with its data beside it. It needs TensorFlow and Keras Tuner only.")
        sentence = text.format(file=program.name)
        self.tell(sentence, str(program.parent))
        button = (self.tr("Show the folder"), lambda: self._show_path(program.parent))
        self.banner.tell("info", sentence, str(program), (button,))

    def _choose_keras(self) -> None:
        path = None if self.study is None else dialogs.choose_keras_file(self, self.study.folder)
        if path is not None:
            self._take_keras(path)

    def _take_keras(self, path: Path) -> None:
        study = self.study
        if study is None or study.search_state != "idle":
            self.tell(self.tr("Open a study first: a Keras model becomes the network of a study."), "", "warning")
            return
        try:
            opened = open_keras(path, self._model_page.catalogue)
        except KerasModelError as error:
            sentence = self.tr("{file} cannot be opened as layers: {reason}").format(file=path.name, reason=error)
            self.tell(sentence, "", "bad")
            return
        study.edit(self.tr("open {file}").format(file=path.name), with_keras_model(study.document, opened))
        self.go("model")
        sentence = opened_sentence(path, opened)
        self.tell(sentence)
        self.banner.tell("info", sentence)

    def _export(self, kind: str) -> None:
        study = self.study
        if study is None:
            return
        done = [number for number, trial in study.trials.items() if trial.state is TrialState.COMPLETED]
        if not isinstance(study.document.model, BlocksModel):
            self.tell(self.tr("Only a network of layers can be written as Python."), "", "warning")
            return
        if kind == "script" and not done:
            self.tell(
                self.tr("A script trains one trial, and none is completed yet: run the search first."), "", "warning"
            )
            return
        chosen = [number for number in study.selection if number in done]
        name = next(code_file_name(study.document.name, known) for known in ENDINGS if known == kind)
        path = dialogs.choose_code_file(self, study.folder / name)
        if path is not None:
            study.save_now()
            self.tasks.export_code(kind, path, chosen[0] if kind == "script" and len(chosen) == 1 else None)

    def _undo(self) -> None:
        if self.study is not None:
            self.study.undo_stack.undo()

    def _redo(self) -> None:
        if self.study is not None:
            self.study.undo_stack.redo()

    def _forget(self, folder: str) -> None:
        recent.forget(folder)
        self.welcome.set_recent(recent.load_recent())

    def _rename(self) -> None:
        if self.study is not None:
            name = dialogs.ask_study_name(self, self.study.document.name)
            if name:
                self.study.edit(self.tr("rename"), self.study.document.model_copy(update={"name": name}))

    def _cancel(self) -> None:
        self.workspace.cancel()

    def _set_mode(self, mode: str) -> None:
        chosen: Mode = "light" if mode == "light" else "dark" if mode == "dark" else "system"
        self._services.settings.appearance = chosen
        save_settings(self._services.settings)
        self._theme.set_mode(chosen)
        self._update_menus()

    def _open_settings(self) -> None:
        settings = self._services.settings
        dialog = SettingsDialog(settings, self)
        dialog.changed.connect(lambda: self._take_settings(settings))
        dialog.open()

    def _go_on(self) -> None:
        """Resume; in place of a plugin that failed, with what has been chosen since."""
        session = self.study.session if self.study is not None else None
        if session is not None and session.reason == "plugin":
            self._search_page.changes.apply()
        self.workspace.worker.go_on()

    def _open_plugins(self) -> PluginsDialog:
        dialog = PluginsDialog(self._theme, self)
        dialog.changed.connect(self._search_page.reload_algorithms)
        self._plugins.changed.connect(dialog.reload)
        dialog.open()
        return dialog

    def _take_settings(self, settings: Settings) -> None:
        save_settings(settings)
        self.workspace.worker.on_window_death = settings.on_window_death
        self._theme.set_mode(settings.appearance)
        self._update_menus()

    def _open_palette(self) -> None:
        entries = [
            Entry(spec.text.replace("&", ""), spec.shortcut, action.icon(), partial(self.do, spec.id))
            for spec in self.menus.specs
            if spec.id != "palette" and (action := self.menus.actions[spec.id]).isEnabled()
        ]
        for entry in recent.load_recent():
            open_it = partial(self._leave_search, partial(self.workspace.open_folder, Path(entry.folder)))
            entries.append(Entry(entry.name, self.tr("recent study"), self._theme.icon("ph.clock"), open_it))
        for example in find_examples():
            open_it = partial(self._leave_search, partial(self._open_example, example, False))
            entries.append(Entry(example.title, self.tr("example"), self._theme.icon("ph.flask"), open_it))
        palette = CommandPalette(entries, self)
        palette.move(self.mapToGlobal(self.rect().topLeft()).x() + (self.width() - palette.width()) // 2, self.y() + 60)
        palette.show()

    def _show_study_folder(self) -> None:
        if self.study is not None:
            self._show_path(self.study.folder)

    def _show_path(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))

    def _help(self) -> None:
        widget = QApplication.focusWidget()
        while widget is not None:
            text = widget.whatsThis() or widget.toolTip()
            if text:
                QWhatsThis.showText(widget.mapToGlobal(widget.rect().bottomLeft()), text, widget)
                return
            widget = widget.parentWidget()

    def _about(self) -> None:
        text = self.tr("Tuner Studio {}\n\nFinds the best Keras model on your own workstation.").format(VERSION)
        QMessageBox.about(self, self.tr("About Tuner Studio"), text)
