"""Opens, makes and closes studies; one is open at a time."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication

from tunerstudio.gui import recent
from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.history_memory import HistoryMemory
from tunerstudio.gui.inspector import Inspector
from tunerstudio.gui.keep_ready import KeepReady
from tunerstudio.gui.search_worker import SearchWorker
from tunerstudio.gui.services import Services
from tunerstudio.protocol.preview import Preview
from tunerstudio.protocol.service import Failure, Progress
from tunerstudio.study.data import BundledName, BundledSource, Data, FileSource
from tunerstudio.study.errors import TunerStudioError
from tunerstudio.study.examples import Example
from tunerstudio.study.files import DOCUMENT_FILE, load_document, save_document
from tunerstudio.study.templates import new_document


class Workspace(QObject):
    """The study that is open, and what looks after it.

    Attributes:
        study: The open study or None.
        inspector: Keeps the preview of its data true.
        worker: Runs and follows its search.

    Signals:
        study_changed: (StudyContext | None) another study is open.
        failed: (str, str) a sentence and details.
        activity_changed: (str, object) what is being done ("" when it is over) and the fraction done or None.
    """

    study_changed = Signal(object)
    failed = Signal(str, str)
    activity_changed = Signal(str, object)

    def __init__(self, services: Services, parent: QObject | None = None) -> None:
        """Nothing is open yet."""
        super().__init__(parent)
        self._services = services
        self.study: StudyContext | None = None
        self.inspector = Inspector(services.data, self)
        self.worker = SearchWorker(services.engine, self, services.settings.on_window_death)
        self._keep_ready = KeepReady(services.engine, self)
        self._request: int | None = None
        self.worker.search_ended.connect(self._remember)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._save)  # a field was left

    @property
    def is_making(self) -> bool:
        """Whether a new study waits for the data service."""
        return self._request is not None

    def open_folder(self, path: Path) -> bool:
        """Open the study in folder `path` (or whose `study.yaml` it is); False: it could not be, `failed` says why."""
        folder = path.parent if path.name == DOCUMENT_FILE else path
        folder = folder.resolve()
        try:
            document = load_document(folder)
        except TunerStudioError as error:
            self._tell_why(self.tr("This study cannot be opened"), str(error))
            return False
        self._show(StudyContext(folder, document, self))
        return True

    def open_example(self, example: Example) -> bool:
        """Copy `example` into the studies folder and open the copy."""
        target = free_folder(self._services.settings.studies(), example.title)
        try:
            shutil.copytree(example.folder, target, ignore=shutil.ignore_patterns("example.toml"))
        except OSError as error:
            self.failed.emit(self.tr("The example cannot be copied to {}.").format(target), str(error))
            return False
        return self.open_folder(target)

    def open_any(self, path: Path) -> None:
        """Open what was dropped: a study folder, a study.yaml, or a data file for a new study."""
        if path.is_dir() or path.name == DOCUMENT_FILE:
            self.open_folder(path)
        else:
            self.new_from_file(path)

    def new_from_file(self, path: Path) -> None:
        """Make a study of a data file; opened when the data service has looked at the file."""
        self._inspect_for_new(path.stem.split(".")[0], Data(source=FileSource(path=str(path.resolve()))))

    def new_from_bundled(self, name: BundledName) -> None:
        """Make a study of one of scikit-learn's bundled data sets."""
        self._inspect_for_new(name.replace("_", " "), Data(source=BundledSource(name=name)))

    def cancel(self) -> None:
        """Give up the study that is being made."""
        if self._request is not None:
            self._request = None
            self._services.data.restart()
            self.activity_changed.emit("", None)

    def close(self) -> None:
        """Close the open study and remember it among the recent ones."""
        self._show(None)

    def shut_down(self) -> None:
        """Save and remember the open study, and end the worker's thread."""
        self._save()
        self._remember()
        self.inspector.set_study(None)
        self._keep_ready.set_study(None)
        self.worker.shut_down()

    def _save(self) -> None:
        if self.study is not None:
            self.study.save_now()

    def _remember(self) -> None:
        if self.study is not None:
            recent.remember(self.study)

    def _inspect_for_new(self, name: str, data: Data) -> None:
        self.cancel()
        folder = free_folder(self._services.settings.studies(), name)
        self._request = self._services.data.request(
            "inspect",
            {"data": data.model_dump(mode="json"), "folder": str(folder)},
            lambda result: self._create(name, folder, result),
            self._inspect_failed,
            self._inspect_progress,
        )
        self.activity_changed.emit(self.tr("Reading {}…").format(name), None)

    def _create(self, name: str, folder: Path, result: dict[str, Any]) -> None:
        self._request = None
        self.activity_changed.emit("", None)
        try:
            preview = Preview.model_validate(result.get("preview"))
            document = new_document(name, preview.data)
            save_document(document, folder)
        except (TunerStudioError, ValidationError, OSError) as error:
            self._tell_why(self.tr("A study of this file cannot be made"), str(error))
            return
        study = StudyContext(folder, document, self)
        study.set_preview(preview)
        # Writing and showing a study of many columns take a while each: the window answers in between.
        QTimer.singleShot(0, self, lambda: self._show(study))

    def _tell_why(self, sentence: str, why: str) -> None:
        """One reason stands in the sentence; more than one are its details."""
        if "\n" in why.strip():
            self.failed.emit(f"{sentence}.", why)
        else:
            self.failed.emit(f"{sentence}: {why.strip()}", "")

    def _inspect_failed(self, failure: Failure) -> None:
        self._request = None
        self.activity_changed.emit("", None)
        self.failed.emit(failure.message, failure.details)

    def _inspect_progress(self, progress: Progress) -> None:
        self.activity_changed.emit(progress.text or self.tr("Reading the data…"), progress.fraction)

    def _show(self, study: StudyContext | None) -> None:
        before, self.study = self.study, study
        if before is not None:
            before.save_now()
            recent.remember(before)
        self.inspector.set_study(study)
        self.worker.set_study(study)
        self._keep_ready.set_study(study)
        if study is not None:
            study.save_failed.connect(lambda why: self._tell_why(self.tr("The study cannot be saved"), why))
            HistoryMemory(study)
            recent.remember(study)
        self.study_changed.emit(study)
        if before is not None:
            before.deleteLater()


def free_folder(parent: Path, name: str) -> Path:
    """A folder in `parent` that does not exist yet, called after `name`."""
    plain = re.sub(r"[^\w\- ]+", " ", name).strip() or "study"
    plain = re.sub(r"\s+", " ", plain)
    number = 1
    while True:
        candidate = parent / (plain if number == 1 else f"{plain} {number}")
        if not candidate.exists():
            return candidate
        number += 1
