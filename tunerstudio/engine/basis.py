"""Scores of one study can be compared: all of its trials have the same objective, data, split and target."""

from __future__ import annotations

import json

from tunerstudio.engine.preparation import PreparedStudy
from tunerstudio.store.writer import StudyWriter
from tunerstudio.study.data import Data
from tunerstudio.study.errors import Problem, StudyError
from tunerstudio.study.files import plain
from tunerstudio.study.trials import TrialState

BASIS = "basis"

FIELDS = {"objective": "search.objective", "data": "data.source", "split": "data.split", "target": "data.columns"}


def basis_of(study: PreparedStudy) -> dict[str, object]:
    """All that the scores of a study depend on beside the model; plain data."""
    return {
        "objective": plain(study.document.search.objective),
        "data": study.data.fingerprint,
        "split": plain(study.document.data.split),
        "target": [study.data.target.task, *study.data.target.columns, *_window(study.document.data)],
    }


def _window(data: Data) -> list[dict[str, object]]:
    """Which rows are predicted follows from it."""
    return [] if data.window is None else [data.window.model_dump()]


def check_basis(writer: StudyWriter, study: PreparedStudy) -> None:
    """Refuse to mix scores that cannot be compared; note what they depend on before the first one.

    Raises:
        StudyError: With every field that differs from what completed trials were scored with.
    """
    basis = basis_of(study)
    stored = writer.meta(BASIS)
    with writer.reader() as reader:
        scored = sum(1 for trial in reader.trials() if trial.state is TrialState.COMPLETED)
    if stored is None or scored == 0:
        writer.set_meta(BASIS, json.dumps(basis))
        return
    before = json.loads(stored)
    problems = [
        Problem(
            field,
            f"this differs from what the {scored} completed trials were scored with, so new scores could not be "
            "compared with theirs: change it back, or make a new study for it",
        )
        for name, field in FIELDS.items()
        if name in before and before[name] != basis[name]
    ]
    if problems:
        raise StudyError(problems)
