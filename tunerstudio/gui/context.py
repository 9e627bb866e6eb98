"""The open study as the pages see it: one document with undo, its trials, one selection.

Pages read and edit through this object only; they never talk to each other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from tunerstudio.analysis.disk import DiskUse
from tunerstudio.protocol.control import ControlCommand
from tunerstudio.protocol.preview import Preview
from tunerstudio.store.reader import LogLine
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.files import save_document
from tunerstudio.study.trials import Attempt, Epoch, ResourceUse, SessionRecord, SessionState, Trial, TrialState

SAVE_INTERVAL_MS = 300
"""An edit is on the disk at most so much later; a crash loses no more than that."""

_WRITES_KEPT = 8
"""The latest documents that were written: what is read from the disk may be a moment old."""

MOST_RESOURCES = 20_000
"""Samples of processor and memory kept in the window; all of them stay in the study's database."""


class _Edit(QUndoCommand):
    """One edit of the document; consecutive edits with the same merge key become one."""

    def __init__(self, study: StudyContext, text: str, after: StudyDocument, merge_key: str) -> None:
        super().__init__(text)
        self._study = study
        self._before = study.document
        self._after = after
        self._merge_key = merge_key

    def redo(self) -> None:
        self._study._show(self._after)

    def undo(self) -> None:
        self._study._show(self._before)

    def id(self) -> int:
        return hash(self._merge_key) & 0x7FFFFFFF if self._merge_key else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Edit) or other._merge_key != self._merge_key:
            return False
        self._after = other._after
        return True


class StudyContext(QObject):
    """The open study.

    Attributes:
        folder: The study folder.
        undo_stack: Every edit of the document.
        trials: By number, as last read from the store.
        epochs: By (trial, execution), in order.
        log: The study's log, oldest first.
        resources: What workers used, oldest first; the latest `MOST_RESOURCES`.
        attempts: What ran where, by time.
        disk: Bytes that the study takes; None before they were counted.

    Signals:
        document_changed: (StudyDocument) after every edit, undo and redo.
        preview_changed: (Preview | None) the data service has looked at the data again.
        trials_changed: (list[Trial]) new or changed trials, in batches.
        epochs_added: (list[Epoch]) new epochs, in batches.
        log_added: (list[LogLine]) new lines of the study's log, in batches.
        history_reset: () trials, epochs and log were replaced; read all anew.
        selection_changed: (list[int]) numbers of the selected trials, in order of selection.
        search_state_changed: (str, str) idle|starting|running|pausing|paused|stopping and a sentence.
        session_changed: () `session`, `runner` or `has_died` would answer differently.
        resources_added: (list[ResourceUse]) new samples, in batches.
        attempts_changed: () `attempts` were read anew.
        disk_changed: (DiskUse) the study's folder was counted again.
        command_requested: (ControlCommand) somebody wants this done to the search or a trial.
        command_answered: (ControlCommand, str) "" it was done, otherwise why not.
        document_taken: (StudyDocument) another program wrote study.yaml; the edit follows.
        saving_changed: (bool) models are being saved, or no longer.
        save_failed: (str) study.yaml could not be written; why.
    """

    document_changed = Signal(object)
    preview_changed = Signal(object)
    trials_changed = Signal(list)
    epochs_added = Signal(list)
    log_added = Signal(list)
    history_reset = Signal()
    selection_changed = Signal(list)
    search_state_changed = Signal(str, str)
    session_changed = Signal()
    resources_added = Signal(list)
    attempts_changed = Signal()
    disk_changed = Signal(object)
    command_requested = Signal(object)
    command_answered = Signal(object, str)
    document_taken = Signal(object)
    saving_changed = Signal(bool)
    save_failed = Signal(str)

    def __init__(self, folder: Path, document: StudyDocument, parent: QObject | None = None) -> None:
        """Show `document` of the study in `folder`."""
        super().__init__(parent)
        self.folder = folder
        self.undo_stack = QUndoStack(self)
        self.trials: dict[int, Trial] = {}
        self.epochs: dict[tuple[int, int], list[Epoch]] = {}
        self.log: list[LogLine] = []
        self.resources: list[ResourceUse] = []
        self.attempts: list[Attempt] = []
        self.disk: DiskUse | None = None
        self._session: SessionRecord | None = None
        self._runner = ""
        self._document = document
        self._written = deque([document], maxlen=_WRITES_KEPT)
        self._is_unsaved = False
        self._save_soon = QTimer(self)
        self._save_soon.setSingleShot(True)
        self._save_soon.setInterval(SAVE_INTERVAL_MS)
        self._save_soon.timeout.connect(self.save_now)
        self._preview: Preview | None = None
        self._selection: list[int] = []
        self._search_state = "idle"
        self._is_saving = False

    @property
    def document(self) -> StudyDocument:
        """The document as it stands."""
        return self._document

    @property
    def preview(self) -> Preview | None:
        """What the data service found last; None before the first look or when the data cannot be read."""
        return self._preview

    @property
    def selection(self) -> list[int]:
        """Numbers of the selected trials."""
        return list(self._selection)

    @property
    def search_state(self) -> str:
        """idle, starting, running, pausing, paused or stopping."""
        return self._search_state

    @property
    def session(self) -> SessionRecord | None:
        """The latest session as its engine wrote it down; None before the first."""
        return self._session

    @property
    def runner(self) -> str:
        """Who runs the search: "window" (this one), "other" (another program), or "" (nobody)."""
        return self._runner

    @property
    def has_died(self) -> bool:
        """Whether the engine of the latest session is gone without having ended it."""
        return self._session is not None and self._runner == "" and self._session.state is not SessionState.ENDED

    @property
    def is_saving(self) -> bool:
        """Whether models are being saved."""
        return self._is_saving

    def edit(self, text: str, document: StudyDocument, merge_key: str = "") -> None:
        """Replace the document as one undoable step called `text` ("change units").

        Steps in a row with the same non-empty `merge_key` (typing into one field) become one.
        """
        if document != self._document:
            self.undo_stack.push(_Edit(self, text, document, merge_key))

    def complete(self, document: StudyDocument) -> None:
        """Fill in what detection found (format, columns, task); no step of its own: undo goes before the last edit."""
        if document != self._document:
            self._show(document)

    def take_from_disk(self, document: StudyDocument) -> None:
        """study.yaml holds `document`: if another program wrote it, it is the latest edit."""
        if self._is_unsaved or any(document == own for own in self._written):
            return  # about to be written over, or our own writing
        self._written.append(document)
        self.document_taken.emit(document)
        self.edit(self.tr("change by another program"), document)

    def save_now(self) -> None:
        """Write study.yaml, if it does not hold the latest edit yet."""
        self._save_soon.stop()
        if not self._is_unsaved:
            return
        self._is_unsaved = False
        try:
            save_document(self._document, self.folder)
        except OSError as error:
            self._is_unsaved = True  # the next edit, or leaving the study, tries again
            self.save_failed.emit(f"{self.folder}: {error.strerror or error}")
            return
        self._written.append(self._document)

    def set_preview(self, preview: Preview | None) -> None:
        """Tell all pages what the data service found."""
        self._preview = preview
        self.preview_changed.emit(preview)

    def select(self, numbers: Sequence[int]) -> None:
        """Select trials, everywhere."""
        if list(numbers) != self._selection:
            self._selection = list(numbers)
            self.selection_changed.emit(list(numbers))

    def set_search_state(self, state: str, message: str = "") -> None:
        """Tell all pages whether a search runs."""
        self._search_state = state
        self.search_state_changed.emit(state, message)

    def set_session(self, session: SessionRecord | None, runner: str) -> None:
        """Tell all pages who runs the search; `runner` as the property."""
        if (session, runner) != (self._session, self._runner):
            self._session, self._runner = session, runner
            self.session_changed.emit()

    def request(self, command: ControlCommand) -> None:
        """Have `command` done, whoever runs the search."""
        self.command_requested.emit(command)

    def add_resources(self, samples: list[ResourceUse]) -> None:
        """Take in what workers used."""
        if samples:
            self.resources = [*self.resources, *samples][-MOST_RESOURCES:]
            self.resources_added.emit(samples)

    def set_attempts(self, attempts: list[Attempt]) -> None:
        """Take in what ran where."""
        if attempts != self.attempts:
            self.attempts = attempts
            self.attempts_changed.emit()

    def set_disk(self, disk: DiskUse) -> None:
        """Take in how many bytes the study takes."""
        if disk != self.disk:
            self.disk = disk
            self.disk_changed.emit(disk)

    def set_saving(self, is_saving: bool) -> None:
        """Tell all pages whether models are being saved."""
        if is_saving != self._is_saving:
            self._is_saving = is_saving
            self.saving_changed.emit(is_saving)

    def add_history(self, trials: list[Trial], epochs: list[Epoch]) -> None:
        """Take in a batch that was read from the store."""
        for trial in trials:
            self.trials[trial.number] = trial
        for epoch in epochs:
            self.epochs.setdefault((epoch.trial, epoch.execution), []).append(epoch)
        if trials:
            self.trials_changed.emit(trials)
        if epochs:
            self.epochs_added.emit(epochs)

    def add_log(self, lines: list[LogLine]) -> None:
        """Take in new lines of the study's log."""
        if lines:
            self.log.extend(lines)
            self.log_added.emit(lines)

    def queue_running(self) -> None:
        """Nobody trains any more: what ran starts again with the next run of the search."""
        running = [trial for trial in self.trials.values() if trial.state is TrialState.RUNNING]
        self.add_history([replace(trial, state=TrialState.QUEUED) for trial in running], [])

    def reset_history(self) -> None:
        """Forget all trials, before everything is read anew."""
        self.trials.clear()
        self.epochs.clear()
        self.log.clear()
        self.history_reset.emit()

    def _show(self, document: StudyDocument) -> None:
        self._document = document
        self._is_unsaved = document != self._written[-1]
        if self._is_unsaved and not self._save_soon.isActive():
            self._save_soon.start()
        self.document_changed.emit(document)
