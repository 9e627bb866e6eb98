"""Keeps the engine ready for the open study, so that the first epoch comes at once when Run is pressed."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QTimer

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.service_client import ServiceClient
from tunerstudio.protocol.service import Failure
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.trust import is_trusted

CALM_MS = 1500
"""Pause after an edit before the engine prepares for it."""


class KeepReady(QObject):
    """Asks the engine to prepare the study whenever it has changed and nothing runs.

    What is wrong with the study is no business of this class: the pages and the check say it.
    """

    def __init__(self, engine: ServiceClient, parent: QObject | None = None) -> None:
        """No study yet."""
        super().__init__(parent)
        self._engine = engine
        self._study: StudyContext | None = None
        self._prepared: StudyDocument | None = None
        self._request: int | None = None
        self._calm = QTimer(self)
        self._calm.setSingleShot(True)
        self._calm.setInterval(CALM_MS)
        self._calm.timeout.connect(self._prepare)

    def set_study(self, study: StudyContext | None) -> None:
        """Keep `study` ready from now on."""
        if self._study is not None:
            for signal in (self._study.document_changed, self._study.preview_changed, self._study.search_state_changed):
                signal.disconnect(self._wait)
        self._study, self._prepared = study, None
        self._forget()
        self._calm.stop()
        if study is not None:
            for signal in (study.document_changed, study.preview_changed, study.search_state_changed):
                signal.connect(self._wait)
            self._wait()

    def _wait(self, *_: object) -> None:
        self._calm.start()

    def _prepare(self) -> None:
        study = self._study
        if study is None or study.search_state != "idle" or study.preview is None or self._engine.state != "running":
            return
        if self._request is not None:
            self._calm.start()  # one after the other: the engine has no use for a document that is gone
            return
        if study.document == self._prepared or not is_trusted(study.folder, study.document):
            return
        study.save_now()
        self._prepared = study.document
        self._request = self._engine.request("prepare", {"folder": str(study.folder)}, self._done, self._failed)

    def _done(self, _: dict[str, Any]) -> None:
        self._request = None

    def _failed(self, _: Failure) -> None:
        self._request = None

    def _forget(self) -> None:
        if self._request is not None:
            self._engine.forget(self._request)
            self._request = None
