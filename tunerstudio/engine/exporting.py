"""Writing a study as Python: what it is exported as, which trial, and with which data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from tunerstudio.engine.preparation import data_folder, prepare_data
from tunerstudio.export_code.export import CodeKind, code_file_name, export_code
from tunerstudio.store.reader import StudyReader, has_history
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import Problem, StudyError, TunerStudioError
from tunerstudio.study.files import load_document, parse_document
from tunerstudio.study.trials import Trial, TrialState, ranked


@dataclass(frozen=True)
class ExportedCode:
    """What was written.

    Attributes:
        files: The program, and the data that it reads.
        trial: Number of the trial that it trains; None for a search.
    """

    files: list[Path]
    trial: int | None


def export_study(
    folder: Path,
    kind: CodeKind,
    to: Path | None = None,
    number: int | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> ExportedCode:
    """Write the study in `folder` as a HyperModel with its search, a training script of one trial, or a notebook.

    Args:
        folder: The study folder.
        kind: See `export_code`.
        to: The file, its folder is made; None: in the current folder, called after the study.
        number: Of a trial, for a script (None: the best one) or a notebook (None: the search).
        say: Told what is going on.

    Raises:
        StudyError: If the study is wrong, or has no such trial.
        TunerStudioError: As `export_code` does, and if the files cannot be written.
    """
    document = now = load_document(folder)
    trial = _trial(folder, document, kind, number)
    if trial is not None:
        document = _as_trained(folder, document, trial)
    say("reading the data")
    # A search may be using the usual folder, so data prepared in another way goes elsewhere.
    prepared = data_folder(folder) if document.data == now.data else folder / "cache" / "export"
    prepare_data(document, folder, prepared)
    to = to or Path.cwd() / code_file_name(document.name, kind)
    values, seed = (None, 1) if trial is None else (trial.values, _seed(trial))
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        files = export_code(document, prepared, kind, to, values, seed)
    except OSError as error:
        raise TunerStudioError(f"{to} cannot be written: {error.strerror or error}. Choose another folder.") from error
    return ExportedCode(files, None if trial is None else trial.number)


def _trial(folder: Path, document: StudyDocument, kind: CodeKind, number: int | None) -> Trial | None:
    """The trial that was asked for; for a script, the best one if none was named."""
    if number is None and kind != "script":
        return None
    trials = _stored_trials(folder)
    if number is not None:
        found = next((trial for trial in trials if trial.number == number), None)
        if found is None:
            raise StudyError([Problem("trial", f"there is no trial {number}; there are {len(trials)}")])
        return found
    best = ranked(trials, document.search.objective.direction)
    if not best or best[0].state is not TrialState.COMPLETED:
        message = "a script is of one trial, and none is completed yet: run the search first"
        raise StudyError([Problem("trial", message)])
    return best[0]


def _stored_trials(folder: Path) -> list[Trial]:
    if not has_history(folder):
        return []
    with StudyReader(folder) as reader:
        return reader.trials()


def _as_trained(folder: Path, now: StudyDocument, trial: Trial) -> StudyDocument:
    """The document that the trial was trained by, which may have been edited since; where the data lie is of now."""
    if not trial.document:
        return now
    with StudyReader(folder) as reader:
        text = reader.document(trial.document)
    if text is None:
        return now
    then = parse_document(yaml.safe_load(text))
    return then.model_copy(update={"data": then.data.model_copy(update={"source": now.data.source})})


def _seed(trial: Trial) -> int:
    """Of the execution with the best score, or the first."""
    scored = [one for one in trial.executions if one.score is not None]
    chosen = next(iter(scored or trial.executions), None)
    return 1 if chosen is None else chosen.seed % 2**32
