"""Which trials keep their files: the best ones, and those that somebody still needs."""

from __future__ import annotations

import heapq
import logging
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path

from tunerstudio.store.schema import TRIALS_FOLDER, DiskFullError
from tunerstudio.study.search import Objective
from tunerstudio.study.trials import Trial, TrialState

_log = logging.getLogger(__name__)


def trial_folder(study: Path, number: int) -> Path:
    """Where weights and checkpoints of a trial lie."""
    return study.resolve() / TRIALS_FOLDER / f"{number:04d}"


def needed(
    trials: Iterable[Trial],
    objective: Objective,
    keep_top: int,
    max_epochs: int,
    promotes: bool,
    released: Collection[int] | None = None,
) -> set[int]:
    """Numbers of the trials whose files must stay.

    Args:
        trials: All of them.
        objective: Decides which are the best.
        keep_top: How many of the best keep their weights.
        max_epochs: Epochs of a trial that cannot be promoted any further.
        promotes: Whether the algorithm may go on from the weights of a finished trial.
        released: Trials of which it says that it will not; None: it does not say, and is taken to go on from each trial
            once at most.
    """
    trials = list(trials)
    sign = -1.0 if objective.direction == "max" else 1.0
    completed = [trial for trial in trials if trial.state is TrialState.COMPLETED and trial.score is not None]
    best = heapq.nsmallest(keep_top, completed, key=lambda trial: (sign * (trial.score or 0.0), trial.number))
    kept = {trial.number for trial in best}
    for trial in trials:
        if not trial.state.is_finished:
            kept.add(trial.number)
            if trial.parent is not None:
                kept.add(trial.parent)
    if promotes:
        if released is None:
            released = {trial.parent for trial in completed if trial.parent is not None}
        kept |= {t.number for t in completed if t.epochs_planned < max_epochs and t.number not in released}
    return kept


class KeptFiles:
    """The folders of trials that are on disk."""

    def __init__(self, study: Path) -> None:
        """Of the study in the folder `study`."""
        self._study = study
        folder = study / TRIALS_FOLDER
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        self._present = {int(name) for name in names if name.isdigit()}

    def make(self, number: int) -> Path:
        """The folder of a trial that starts.

        Raises:
            DiskFullError: If it cannot be made.
        """
        folder = trial_folder(self._study, number)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise DiskFullError(
                f"{folder} cannot be made ({reason}): see to it, then resume. What was stored before is safe"
            ) from error
        self._present.add(number)
        return folder

    def keep_only(self, numbers: set[int]) -> list[int]:
        """Remove the folders of all other trials; the numbers of those that went."""
        gone = []
        for number in sorted(self._present - numbers):
            try:
                shutil.rmtree(trial_folder(self._study, number))
            except FileNotFoundError:
                pass  # somebody was faster
            except OSError as error:
                _log.warning("the files of trial %d stay: %s", number, error)
                continue
            self._present.discard(number)
            gone.append(number)
        return gone
