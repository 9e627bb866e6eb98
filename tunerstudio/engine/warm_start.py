"""Trials of earlier studies from which an algorithm learns before the first trial of its own.

Nothing is rescaled, so only trials whose scores can be compared with this study's are taken: COMPLETED ones of a study
with the same objective, data, split and target, whose values this study's space allows as they are.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from tunerstudio.engine.basis import BASIS, FIELDS, basis_of
from tunerstudio.engine.preparation import PreparedStudy
from tunerstudio.store.reader import StudyReader, has_history
from tunerstudio.study.errors import TunerStudioError
from tunerstudio.study.trials import Trial, TrialState

ORIGIN = "warm start"


def earlier_trials(study: PreparedStudy) -> tuple[list[Trial], list[str]]:
    """Trials of the studies that `search.warm_start` names, and a sentence on each of these studies.

    Returns:
        The trials, numbered -1, -2, … so that they cannot be taken for the study's own, without tags and parents; and
        how many were taken from where, or why none.
    """
    found: list[Trial] = []
    notes = []
    for text in study.document.search.warm_start:
        folder = Path(text)
        taken, note = _from_study(study, folder if folder.is_absolute() else study.folder / folder)
        notes.append(f"warm start from {text}: {note}")
        found += taken
    numbered = [
        replace(trial, number=-place, origin=ORIGIN, tags={}, parent=None, initial_epoch=0)
        for place, trial in enumerate(found, 1)
    ]
    return numbered, notes


def _from_study(study: PreparedStudy, folder: Path) -> tuple[list[Trial], str]:
    if folder.resolve() == study.folder.resolve():
        return [], "this is the study itself"
    if not has_history(folder):
        return [], "there is no study with trials"
    try:
        with StudyReader(folder) as reader:
            stored, trials = reader.meta(BASIS), reader.trials()
    except TunerStudioError as error:
        return [], str(error)
    differs = _differences(study, stored)
    if differs:
        return [], f"no trial was taken, because scores could not be compared: other {', '.join(differs)}"
    completed = [t for t in trials if t.state is TrialState.COMPLETED and t.score is not None and t.parent is None]
    legal = [trial for trial in completed if not study.space.problems(trial.values)]
    left = len(completed) - len(legal)
    return legal, f"{len(legal)} trials" + (
        f"; {left} have values that the space of this study does not allow" if left else ""
    )


def _differences(study: PreparedStudy, stored: str | None) -> list[str]:
    """Fields in which another study's scores depend on something else."""
    if stored is None:
        return ["objective or data"]
    before, basis = json.loads(stored), basis_of(study)
    return [FIELDS[name] for name in FIELDS if before.get(name) != json.loads(json.dumps(basis[name]))]
