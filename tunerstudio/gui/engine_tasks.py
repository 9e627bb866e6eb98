"""Long requests to the engine other than the search: save the best models, write the study as Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.services import Services
from tunerstudio.gui.workspace import Workspace
from tunerstudio.protocol.service import Failure, Progress


class EngineTasks(QObject):
    """Asks the engine about the open study; one request at a time.

    Signals:
        activity_changed: (str, object) what is being done ("" when it is over) and the fraction done or None.
        failed: (str, str) a sentence and details.
        problems_found: (list[tuple[str, str]], str) fields that are wrong, and a summary.
        told: (str) good news.
        code_written: (Path) the program that the study was exported as.
    """

    activity_changed = Signal(str, object)
    failed = Signal(str, str)
    problems_found = Signal(list, str)
    told = Signal(str)
    code_written = Signal(Path)

    def __init__(self, services: Services, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = services.engine
        self._workspace = workspace
        self._busy = ""
        self._saving: StudyContext | None = None

    def save_models(self, top: int) -> None:
        """Write the `top` best models into the study's `models` folder."""
        self._ask("save", {"top": top, "to": None}, self.tr("Saving the best models…"), self._saved)

    def save_trials(self, numbers: list[int]) -> None:
        """Write the models of these trials into the study's `models` folder."""
        self._ask("save", {"numbers": numbers, "to": None}, self.tr("Saving the chosen models…"), self._saved)

    def export_code(self, kind: str, to: Path, number: int | None = None) -> None:
        """Write the study as Python to the file `to`; see `engine.exporting.export_study`."""
        params = {"kind": kind, "to": str(to), "number": number}
        self._ask("export", params, self.tr("Writing {file}…").format(file=to.name), self._exported)

    def _ask(self, method: str, params: dict[str, Any], text: str, on_reply: Any) -> None:
        study = self._workspace.study
        if study is None or self._busy:
            return
        self._busy = text
        if method == "save":
            self._saving = study
            study.set_saving(True)
        self.activity_changed.emit(text, None)
        everything = {"folder": str(study.folder), **params}
        self._engine.request(method, everything, on_reply, self._fail, self._progress)

    def _saved(self, result: dict[str, Any]) -> None:
        self._done()
        models = result.get("models", [])
        if models:
            folder = Path(str(models[0]["path"])).parent.parent
            text = self.tr("1 model saved in {}.") if len(models) == 1 else self.tr("{n} models saved in {}.")
            self.told.emit(text.format(folder, n=len(models)))

    def _exported(self, result: dict[str, Any]) -> None:
        self._done()
        self.code_written.emit(Path(str(result["files"][0])))

    def _fail(self, failure: Failure) -> None:
        self._done()
        if failure.problems:
            self.problems_found.emit([tuple(pair) for pair in failure.problems], failure.message)
        else:
            self.failed.emit(failure.message, failure.details)

    def _progress(self, progress: Progress) -> None:
        self.activity_changed.emit(progress.text or self._busy, progress.fraction)

    def _done(self) -> None:
        self._busy = ""
        saving, self._saving = self._saving, None
        if saving is not None and saving is self._workspace.study:
            saving.set_saving(False)
        self.activity_changed.emit("", None)
