"""The card Check: the engine prepares the data, builds the network and trains one batch, and says what it found."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.formats import as_sentence
from tunerstudio.gui.service_client import ServiceClient
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_S, Theme, format_count
from tunerstudio.gui.widgets.basics import Banner, Card, heading_label, link_button, muted_label
from tunerstudio.protocol.service import Failure, Progress
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.files import save_document
from tunerstudio.study.hyperparameters import SearchSpace
from tunerstudio.study.trust import is_trusted

_PAGE_OF_SECTION = {"data": "data", "model": "model"}


class CheckPanel(Card):
    """Asks the engine's `check` and shows its answer; an edit of the study makes the answer old.

    Signals:
        space_found: (SearchSpace) the whole search space, what code declares included.
        problems_changed: (dict[str, str]) what is wrong, by field path.
        go_requested: (str, str) a page and a field on it.
        trust_needed: () the study brings code that the user does not trust yet.
    """

    space_found = Signal(object)
    problems_changed = Signal(dict)
    go_requested = Signal(str, str)
    trust_needed = Signal()

    def __init__(self, theme: Theme, engine: ServiceClient, parent: QWidget | None = None) -> None:
        """Nothing was checked yet."""
        super().__init__(parent)
        self._engine = engine
        self._study: StudyContext | None = None
        self._request: int | None = None
        self._checked: StudyDocument | None = None
        self.button = QPushButton(self.tr("Check now"))
        self.button.setMinimumHeight(MINIMUM_TARGET)
        self.button.setToolTip(self.tr("Prepares the data, builds the model at its defaults and trains one batch"))
        self.button.clicked.connect(self.check)
        self._cancel = link_button(self.tr("Cancel"), self.cancel)
        self._progress = QProgressBar()
        self._progress.setRange(0, 0)
        self._progress.setTextVisible(False)
        self._progress.setMaximumHeight(6)
        self._doing = muted_label()
        self._banner = Banner(theme, closable=False)
        self._facts = QLabel()
        self._facts.setWordWrap(True)
        self._facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._links = QVBoxLayout()
        self._links.setSpacing(0)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(heading_label(theme, self.tr("Check")))
        row.addWidget(self._doing, 1)
        row.addWidget(self._cancel)
        row.addWidget(self.button)
        self.body.addLayout(row)
        self.body.addWidget(self._progress)
        self.body.addWidget(self._banner)
        self.body.addWidget(self._facts)
        self.body.addLayout(self._links)
        self._show_busy(False)
        self._clear(self.tr("Not checked yet: a check takes seconds and finds what would stop a search."))

    @property
    def text(self) -> str:
        """All that is said, for tests and screen readers."""
        return "\n".join(part for part in (self._doing.text(), self._banner.text, self._facts.text()) if part)

    def set_study(self, study: StudyContext | None) -> None:
        """Check `study` from now on."""
        self.cancel()
        self._study = study
        self._checked = None
        self._clear(self.tr("Not checked yet: a check takes seconds and finds what would stop a search."))
        self.button.setEnabled(study is not None)

    def refresh(self) -> None:
        """The document changed: an older answer no longer counts."""
        if self._study is None or self._checked is None or self._request is not None:
            return
        if self._study.document != self._checked:
            self._checked = None
            self._clear(self.tr("The study has changed since the last check."))

    def check(self) -> None:
        """Ask the engine."""
        if self._study is None or self._request is not None:
            return
        document = self._study.document
        if not is_trusted(self._study.folder, document):
            self.trust_needed.emit()
            return
        save_document(document, self._study.folder)
        self._checked = document
        self._clear("")
        self._show_busy(True)
        self._request = self._engine.request(
            "check", {"folder": str(self._study.folder)}, self._succeed, self._fail, self._go_on
        )

    def cancel(self) -> None:
        """Wait no longer; what the engine still finds is ignored."""
        if self._request is not None:
            self._engine.forget(self._request)
            self._finish()
            self._checked = None
            self._clear(self.tr("The check was cancelled."))

    def _show_busy(self, busy: bool) -> None:
        self._progress.setVisible(busy)
        self._cancel.setVisible(busy)
        self.button.setEnabled(not busy and self._study is not None)

    def _finish(self) -> None:
        self._request = None
        self._show_busy(False)

    def _clear(self, sentence: str) -> None:
        self._doing.setText(sentence)
        self._banner.clear()
        self._facts.clear()
        self._facts.hide()
        while (item := self._links.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        self.problems_changed.emit({})

    def _go_on(self, progress: Progress) -> None:
        self._doing.setText(progress.text)

    def _succeed(self, result: dict[str, Any]) -> None:
        self._finish()
        self._doing.clear()
        warnings = [str(warning) for warning in result.get("warnings", ())]
        if warnings:
            self._banner.tell("warning", "\n".join(warnings))
        else:
            self._banner.tell("info", self.tr("The study can run."))
        self._facts.setText("\n".join(self._say(result)))
        self._facts.show()
        if result.get("space"):
            self.space_found.emit(SearchSpace.model_validate(result["space"]))
        self.refresh()

    def _say(self, result: dict[str, Any]) -> list[str]:
        """What the engine found, a line each."""
        lines = []
        if result.get("parameters") is not None:
            count = format_count(float(result["parameters"]))
            lines.append(self.tr("Parameters at the defaults: {count}").format(count=count))
        if result.get("device"):
            reason = str(result.get("device_reason", ""))
            line = self.tr("Device: {device}").format(device=result["device"])
            lines.append(f"{line}. {reason}" if reason else line)
        if result.get("metrics"):
            names = ", ".join(map(str, result["metrics"]))
            lines.append(self.tr("Logged after each epoch: {names}").format(names=names))
        if result.get("road") == "fit":
            lines.append(self.tr("Trained by Keras's own fit"))
        return lines

    def _fail(self, failure: Failure) -> None:
        self._finish()
        self._doing.clear()
        problems = [(field, message) for field, message in failure.problems]
        sentences = "\n".join(as_sentence(message) for _, message in problems) or failure.message
        self._banner.tell("bad", sentences, failure.details)
        self._add_links(problems)
        self.problems_changed.emit(dict(reversed(problems)))
        self.refresh()

    def _add_links(self, problems: Sequence[tuple[str, str]]) -> None:
        """A link to each field that stands on another page."""
        names = {"data": self.tr("Data"), "model": self.tr("Model")}
        for field, _ in problems:
            page = _PAGE_OF_SECTION.get(field.partition(".")[0])
            if page is not None:
                text = self.tr("Show {field} on the page {page}").format(field=field, page=names[page])
                self._links.addWidget(link_button(text, partial(self.go_requested.emit, page, field)))
