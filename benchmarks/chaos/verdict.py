"""What an attack cost: compares the history of an attacked search with that of one that nobody disturbed."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path

from tunerstudio.store.reader import StudyReader, has_history
from tunerstudio.study.trials import Trial, TrialState

Curve = tuple[tuple[int, int, tuple[tuple[str, float], ...]], ...]


@dataclass
class Damage:
    """Counts of what must never happen; each with sentences on the first cases.

    Attributes:
        lost: Completed trials that were gone or changed after a kill.
        duplicated: Configurations or epochs that the attacked search has twice and the undisturbed one once.
        stuck: Searches that did not come to their end, processes that stayed, trials left running.
        differing: Trials whose values, score or curve differ from those of the undisturbed search.
    """

    lost: int = 0
    duplicated: int = 0
    stuck: int = 0
    differing: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, kind: str, count: int, sentence: str) -> None:
        """Count `count` cases of `kind`."""
        if count:
            setattr(self, kind, getattr(self, kind) + count)
            self.examples.append(f"{kind}: {sentence}")

    @property
    def is_none(self) -> bool:
        """Whether nothing at all was damaged."""
        return not any(getattr(self, f.name) for f in fields(self))


@dataclass(frozen=True)
class Snapshot:
    """What a study holds: its trials, and every epoch of each."""

    trials: dict[int, Trial]
    curves: dict[int, Curve]

    def completed(self) -> dict[int, Trial]:
        """Trials that can never change again."""
        return {number: trial for number, trial in self.trials.items() if trial.state is TrialState.COMPLETED}


def snapshot(folder: Path, curves: bool = True) -> Snapshot:
    """Read the study in `folder`, whole."""
    if not has_history(folder):
        return Snapshot({}, {})
    with StudyReader(folder) as reader:
        trials = {trial.number: trial for trial in reader.trials()}
        read = {number: _curve(reader, number) for number in trials} if curves else {}
    return Snapshot(trials, read)


def _curve(reader: StudyReader, number: int) -> Curve:
    epochs = reader.epochs(number)
    return tuple((epoch.execution, epoch.epoch, tuple(sorted(epoch.metrics.items()))) for epoch in epochs)


def compare_with_before(before: Snapshot, after: Snapshot, damage: Damage, where: str) -> None:
    """Count completed trials of `before` that `after` does not have just so."""
    found = after.completed()
    for number, trial in before.completed().items():
        if found.get(number) != trial:
            damage.add("lost", 1, f"{where}: trial {number} was complete before a kill and is {found.get(number)} now")


def compare_with_undisturbed(attacked: Snapshot, undisturbed: Snapshot, damage: Damage, where: str) -> None:
    """Count differences at the end of both searches."""
    unfinished = [t.number for t in attacked.trials.values() if not t.state.is_finished]
    damage.add("stuck", len(unfinished), f"{where}: trials {unfinished} did not come to an end")
    twice = _repetitions(attacked) - _repetitions(undisturbed)
    damage.add("duplicated", max(twice, 0), f"{where}: {twice} more repeated configurations than undisturbed")
    for number in sorted(attacked.trials.keys() | undisturbed.trials.keys()):
        mine, theirs = attacked.trials.get(number), undisturbed.trials.get(number)
        if mine is None or theirs is None:
            damage.add("differing", 1, f"{where}: only one of the searches has a trial {number}")
        elif _result(mine) != _result(theirs):
            damage.add("differing", 1, f"{where}: trial {number} is {_result(mine)} instead of {_result(theirs)}")
        elif attacked.curves[number] != undisturbed.curves[number]:
            damage.add("differing", 1, f"{where}: the epochs of trial {number} differ")


def _repetitions(history: Snapshot) -> int:
    keys = [tuple(sorted((k, str(v)) for k, v in trial.values.items())) for trial in history.trials.values()]
    return len(keys) - len(set(keys))


def _result(trial: Trial) -> tuple[object, ...]:
    """All of a trial that must not depend on how often it was interrupted."""
    return (trial.state, trial.values, trial.score, trial.executions, trial.epochs_planned, trial.parent, trial.tags)
