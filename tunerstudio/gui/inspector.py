"""Keeps the preview of the open study's data true: asks the data service again after every edit of the data."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.data_page.edits import with_fitting_objective
from tunerstudio.gui.service_client import ServiceClient
from tunerstudio.protocol.preview import Preview
from tunerstudio.protocol.service import Failure, Progress
from tunerstudio.study.data import Data
from tunerstudio.study.document import StudyDocument

DEBOUNCE_MS = 250
"""Edits closer together than this lead to one look."""


class Inspector(QObject):
    """Looks at the data of the open study.

    Signals:
        state_changed: (str, str, str) idle, busy or failed; a sentence; details.
        progressed: (object, str) fraction 0 to 1 or None, and what is done.
    """

    state_changed = Signal(str, str, str)
    progressed = Signal(object, str)

    def __init__(self, client: ServiceClient, parent: QObject | None = None) -> None:
        """Ask `client`; nothing happens before `set_study`."""
        super().__init__(parent)
        self._client = client
        self._study: StudyContext | None = None
        self._seen: Data | None = None
        self._task_was_open = False
        self._request: int | None = None
        self._state = "idle"
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._timer.timeout.connect(self.look)

    @property
    def state(self) -> str:
        """idle, busy or failed."""
        return self._state

    def set_study(self, study: StudyContext | None) -> None:
        """Look after `study` from now on; looks at once unless it has a preview."""
        self._timer.stop()
        self._drop()
        if self._study is not None:
            self._study.document_changed.disconnect(self._document_changed)
        self._study = study
        self._seen = None
        self._task_was_open = False
        self._set_state("idle")
        if study is None:
            return
        study.document_changed.connect(self._document_changed)
        if study.preview is None:
            self.look()
        else:
            self._seen = study.document.data

    @Slot()
    def look(self) -> None:
        """Ask the data service now."""
        study = self._study
        if study is None:
            return
        self._drop()
        self._seen = study.document.data
        params = {"data": self._seen.model_dump(mode="json"), "folder": str(study.folder)}
        self._set_state("busy", self.tr("Reading the data…"))
        self._request = self._client.request("inspect", params, self._take, self._fail, self._progress)

    def cancel(self) -> None:
        """Stop looking: the data service is killed and started anew."""
        if self._request is not None:
            self._request = None
            self._client.restart()
            self._set_state("failed", self.tr("Reading the data was cancelled."))

    def _drop(self) -> None:
        if self._request is not None:
            self._client.forget(self._request)
            self._request = None

    @Slot(object)
    def _document_changed(self, document: StudyDocument) -> None:
        if document.data != self._seen:
            self._task_was_open = document.data.task is None
            self._timer.start()

    def _take(self, result: dict[str, Any]) -> None:
        self._request = None
        study = self._study
        if study is None or study.document.data != self._seen:
            return  # edited meanwhile: the next look is on its way
        try:
            preview = Preview.model_validate(result.get("preview"))
        except ValidationError as error:
            self._set_state("failed", self.tr("The data service gave an answer that cannot be read."), str(error))
            return
        # Each step takes a while with many columns: the window answers in between.
        QTimer.singleShot(0, self, lambda: self._complete(study, preview))

    def _complete(self, study: StudyContext, preview: Preview) -> None:
        """Fill the document in."""
        if study is not self._study or study.document.data != self._seen:
            return
        self._seen = preview.data
        document = study.document.model_copy(update={"data": preview.data})
        # An edit left the task to detection: classes became numbers, say, and accuracy means nothing any more.
        study.complete(with_fitting_objective(document) if self._task_was_open else document)
        self._task_was_open = False
        QTimer.singleShot(0, self, lambda: self._show(study, preview))

    def _show(self, study: StudyContext, preview: Preview) -> None:
        if study is self._study and study.document.data == self._seen == preview.data:
            study.set_preview(preview)
            self._set_state("idle")

    def _fail(self, failure: Failure) -> None:
        self._request = None
        if self._study is not None:
            self._study.set_preview(None)
        self._set_state("failed", failure.message, failure.details)

    def _progress(self, progress: Progress) -> None:
        self.progressed.emit(progress.fraction, progress.text)

    def _set_state(self, state: str, sentence: str = "", details: str = "") -> None:
        self._state = state
        self.state_changed.emit(state, sentence, details)
