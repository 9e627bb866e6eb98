"""Studies from Python: `from tunerstudio import Study`.

The search runs in an engine process of its own, as it does for the window, so nothing heavy is imported here and a
script needs no `if __name__ == "__main__"` guard.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tunerstudio.locations import log_folder
from tunerstudio.protocol.client import ServiceError, ServiceProcess, error_from
from tunerstudio.protocol.service import Failure, Notice
from tunerstudio.store.reader import StudyReader, has_history
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import Problem, StudyError
from tunerstudio.study.files import DOCUMENT_FILE, load_document, save_document
from tunerstudio.study.trials import Epoch, Trial, ranked


class Study:
    """A study folder.

    Attributes:
        folder: Where it lies.

    Raises:
        StudyError: If there is no study in the folder, or its document is wrong.
    """

    def __init__(self, folder: str | Path) -> None:
        """Open the study in `folder`."""
        self.folder = Path(folder)
        load_document(self.folder)

    @classmethod
    def create(cls, folder: str | Path, document: StudyDocument) -> Study:
        """Write `document` into a new study folder and open it.

        Raises:
            StudyError: If the folder holds a study already.
        """
        if (Path(folder) / DOCUMENT_FILE).exists():
            raise StudyError([Problem("", f"{folder} holds a study already: take another folder")])
        save_document(document, Path(folder))
        return cls(folder)

    @property
    def document(self) -> StudyDocument:
        """The document as it is on disk now."""
        return load_document(self.folder)

    def check(self) -> dict[str, Any]:
        """Find everything that would stop a search; metrics, parameters, size and warnings if nothing does.

        Raises:
            StudyError: With every field that is wrong.
            ServiceError: If data or model cannot be used.
        """
        with self._engine() as engine:
            return engine.request("check", folder=str(self.folder))

    def run(self, trials: int | None = None, on_trial: Callable[[Trial], None] | None = None) -> str:
        """Run until the budget is used, or until `trials` are completed; goes on where an earlier run stopped.

        Args:
            trials: Completed trials wanted, past the budget if need be; None: the study's budget.
            on_trial: Called with every trial that finishes.

        Returns:
            Why it ended: budget, exhausted, time, failures or stopped.

        Raises:
            StudyError: With every field that is wrong.
            ServiceError: If the search could not run.
        """
        seen = {trial.number for trial in self.trials() if trial.state.is_finished}
        with self._engine() as engine:
            engine.request("run", folder=str(self.folder), trials=trials, interactive=False)
            for message in engine.messages():
                if isinstance(message, Notice) and message.name == "changed" and on_trial is not None:
                    self._tell(seen, on_trial)
                if isinstance(message, Notice) and message.name == "search" and message.data["state"] == "ended":
                    return self._reason(message.data)
        raise ServiceError("the engine ended in the middle of the search; run it again to go on")

    def trials(self) -> list[Trial]:
        """All trials by number; empty before the first run."""
        if not has_history(self.folder):
            return []
        with StudyReader(self.folder) as reader:
            return reader.trials()

    def epochs(self, trial: int) -> list[Epoch]:
        """Every epoch of one trial, by execution."""
        with StudyReader(self.folder) as reader:
            return reader.epochs(trial)

    def results(self, top: int | None = None) -> list[Trial]:
        """Trials best first (completed ones before all others)."""
        return ranked(self.trials(), self.document.search.objective.direction)[:top]

    def save(self, top: int = 3, to: str | Path | None = None) -> list[dict[str, Any]]:
        """Save the best models: a list of path, trial, score, saved_score, test and verified."""
        target = None if to is None else str(to)
        with self._engine() as engine:
            models: list[dict[str, Any]] = engine.request("save", folder=str(self.folder), top=top, to=target)["models"]
        return models

    def _engine(self) -> ServiceProcess:
        return ServiceProcess("tunerstudio.engine", log_folder() / "engine.log")

    def _tell(self, seen: set[int], on_trial: Callable[[Trial], None]) -> None:
        for trial in self.trials():
            if trial.state.is_finished and trial.number not in seen:
                seen.add(trial.number)
                on_trial(trial)

    def _reason(self, ending: dict[str, Any]) -> str:
        if ending["reason"] != "failed":
            return str(ending["reason"])
        if ending.get("problems"):
            raise StudyError([Problem(field, text) for field, text in ending["problems"]])
        raise error_from(Failure(id=0, message=ending["message"], details=ending.get("details", "")))
