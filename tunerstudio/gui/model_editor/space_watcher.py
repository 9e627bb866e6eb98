"""Asks the engine about the whole search space and about the drawn network, in the background, while one edits."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.service_client import ServiceClient
from tunerstudio.protocol.service import Failure
from tunerstudio.protocol.space import NetworkDescription, SpaceReport
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.hyperparameters import Values
from tunerstudio.study.model import EstimatorModel

CHECK_DELAY_MS = 700
"""Time without an edit before the space is checked: typing must not start a check per key."""

DESCRIBE_DELAY_MS = 250


class SpaceWatcher(QObject):
    """Keeps what is known of the space up to date; nothing is asked while it is not watched or a search runs.

    Signals:
        report_changed: (SpaceReport | None) what the check knows so far; None: nothing any more.
        failed: (str) the check could not be done; why.
        described: (NetworkDescription) shapes and sizes of the network that was asked for.
        describe_failed: (str) that network could not be described; why.
    """

    report_changed = Signal(object)
    failed = Signal(str)
    described = Signal(object)
    describe_failed = Signal(str)

    def __init__(self, engine: ServiceClient, parent: QObject | None = None) -> None:
        """Ask `engine`."""
        super().__init__(parent)
        self._engine = engine
        self._study: StudyContext | None = None
        self._asked: tuple[object, ...] | None = None
        self._code = ""
        self._values: Values = {}
        self._check: int | None = None
        self._describe: int | None = None
        self._check_soon = self._timer(CHECK_DELAY_MS, self._start_check)
        self._describe_soon = self._timer(DESCRIBE_DELAY_MS, self._start_describe)
        self._report: SpaceReport | None = None
        engine.notice.connect(self._take_notice)

    @property
    def report(self) -> SpaceReport | None:
        """What the check knows so far of the document as it stands."""
        return self._report

    def _tell(self, report: SpaceReport | None) -> None:
        self._report = report
        self.report_changed.emit(report)

    def _timer(self, delay_ms: int, slot: Any) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(delay_ms)
        timer.timeout.connect(slot)
        return timer

    def set_study(self, study: StudyContext | None) -> None:
        """Watch `study` from now on."""
        self.rest()
        self._study = study
        self._asked = None
        self._tell(None)

    def watch(self, code: str = "") -> None:
        """The document, or the `code` of its model, may have changed, and somebody looks: check again if it has."""
        if self._study is None or isinstance(self._study.document.model, EstimatorModel):
            return
        self._code = code
        if self._relevant(self._study.document) != self._asked:
            self._forget_check()
            self._asked = None
            if self._report is not None:
                self._tell(None)
            self._check_soon.start()

    def describe(self, values: Values) -> None:
        """Ask for the shapes of the network at `values`."""
        self._values = values
        if self._study is not None:
            self._describe_soon.start()

    def rest(self) -> None:
        """Nobody looks, or there is something wrong that is told already: ask nothing."""
        self._check_soon.stop()
        self._describe_soon.stop()
        self._forget_check()
        if self._describe is not None:
            self._engine.forget(self._describe)
            self._describe = None

    def _may_ask(self) -> bool:
        return self._study is not None and self._study.search_state == "idle" and self._study.preview is not None

    def _start_check(self) -> None:
        if not self._may_ask() or self._study is None:
            return
        self._study.save_now()
        self._asked = self._relevant(self._study.document)
        params = {"folder": str(self._study.folder)}
        self._check = self._engine.request("check_space", params, self._checked, self._check_failed, None)

    def _start_describe(self) -> None:
        if not self._may_ask() or self._study is None:
            return
        self._study.save_now()
        if self._describe is not None:
            self._engine.forget(self._describe)
        params = {"folder": str(self._study.folder), "values": self._values}
        self._describe = self._engine.request("describe", params, self._take_description, self._describe_failed, None)

    def _forget_check(self) -> None:
        """A check that runs is of no use any more; what one has found stays until the document differs."""
        if self._check is not None:
            self._engine.forget(self._check)
            self._check = None
            self._asked = None
            self._engine.request("cancel_check", {}, lambda result: None, lambda failure: None)

    def _take_notice(self, name: str, data: dict[str, Any]) -> None:
        if name != "space" or self._check is None or self._study is None:
            return
        if data.get("folder") == str(self._study.folder):
            self._tell(SpaceReport.model_validate(data["report"]))

    def _checked(self, result: dict[str, Any]) -> None:
        self._check = None
        self._tell(SpaceReport.model_validate(result["report"]))

    def _check_failed(self, failure: Failure) -> None:
        self._check = None
        self._asked = None  # the next look asks again: code may be trusted by then
        self.failed.emit(failure.message)

    def _take_description(self, result: dict[str, Any]) -> None:
        self._describe = None
        self.described.emit(NetworkDescription.model_validate(result["description"]))

    def _describe_failed(self, failure: Failure) -> None:
        self._describe = None
        self.describe_failed.emit(failure.message)

    def _relevant(self, document: StudyDocument) -> tuple[object, ...]:
        """All that the answer depends on."""
        search, training = document.search, document.training
        trials = search.budget.trials
        return document.data, document.model, self._code, training, search.constraints, search.workers, trials
