"""The command that writes a study as Python."""

from __future__ import annotations

import argparse
from pathlib import Path

import yaml

from tunerstudio.cli.commands import stored_trials
from tunerstudio.cli.output import Output
from tunerstudio.engine.preparation import data_folder, prepare_data
from tunerstudio.export_code.export import ENDINGS, CodeKind, export_code
from tunerstudio.store.reader import StudyReader
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import Problem, StudyError
from tunerstudio.study.files import load_document, parse_document
from tunerstudio.study.trials import Trial, TrialState, ranked


def export(options: argparse.Namespace, output: Output) -> int:
    """Write the study as a HyperModel with its search, a training script of one trial, or a notebook."""
    folder: Path = options.study
    kind: CodeKind = options.kind
    document = now = load_document(folder)
    trial = _trial(folder, document, kind, options.trial)
    if trial is not None:
        document = _as_trained(folder, document, trial)
    output.note("reading the data")
    # A search may be using the usual folder, so data prepared in another way goes elsewhere.
    prepared = data_folder(folder) if document.data == now.data else folder / "cache" / "export"
    prepare_data(document, folder, prepared)
    to: Path = options.to or Path.cwd() / f"{_file_name(document.name)}{ENDINGS[kind]}"
    to.parent.mkdir(parents=True, exist_ok=True)
    values = None if trial is None else trial.values
    written = export_code(document, prepared, kind, to, values, 1 if trial is None else _seed(trial))
    output.result({"files": [str(path) for path in written], "trial": None if trial is None else trial.number})
    what = "" if trial is None else f" for trial {trial.number}"
    output.say(f"Written{what}: {', '.join(str(path) for path in written)}")
    if to.suffix == ".py":
        output.say(f"Run it with: python {to.name}  (in {to.parent}; needs TensorFlow and Keras Tuner only)")
    return 0


def _trial(folder: Path, document: StudyDocument, kind: str, number: int | None) -> Trial | None:
    """The trial that was asked for; for a script, the best one if none was named."""
    if number is None and kind != "script":
        return None
    trials = stored_trials(folder)
    if number is not None:
        found = next((trial for trial in trials if trial.number == number), None)
        if found is None:
            raise StudyError([Problem("trial", f"there is no trial {number}; there are {len(trials)}")])
        return found
    best = ranked(trials, document.search.objective.direction)
    if not best or best[0].state is not TrialState.COMPLETED:
        raise StudyError(
            [Problem("trial", "a script is of one trial, and none is completed yet: run the search first")]
        )
    return best[0]


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


def _file_name(text: str) -> str:
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_") else "_" for letter in text)
