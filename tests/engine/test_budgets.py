"""When a search ends, and which trials keep their files."""

import datetime
import time

import pytest

from tests.engine.fakes import FakePool, Play, at_once, budget, ended, epoch, scored
from tunerstudio.engine.budgets import Budgets
from tunerstudio.engine.journal import Journal
from tunerstudio.engine.kept_files import KeptFiles, needed
from tunerstudio.store.writer import StudyWriter
from tunerstudio.study.files import load_document
from tunerstudio.study.search import Objective
from tunerstudio.study.trials import Trial, TrialState


@pytest.fixture
def play(blocks_study):
    def make(**search):
        return Play(blocks_study(search=search))

    return make


def scripted(scores):
    """A script in which trial n has the n-th score; None: it fails."""

    def script(command):
        value = scores[command.trial - 1]
        if value is None:
            yield ended(command, "failed", "no luck")
        else:
            yield from at_once(command, value)

    return script


def test_a_plateau_ends_the_search(play):
    play = play(budget={"trials": 20, "plateau": {"trials": 3, "min_delta": 0.01}})
    scores = [0.1, 0.5, 0.5005, None, 0.3, *[0.9] * 15]
    result = play(FakePool(scripted(scores)))
    assert result.reason == "plateau"
    assert len(play.trials) == 5


def test_a_target_that_is_reached_ends_the_search(play):
    play = play(budget={"trials": 20, "target": 0.75})
    result = play(FakePool(scripted([0.1, 0.5, 0.8, *[0.9] * 17])))
    assert result.reason == "target"
    assert "trial 3" in result.message
    assert play(FakePool(at_once)).reason == "target"
    assert len(play.trials) == 3


def test_a_search_finishes_by_a_time_and_leaves_what_runs_for_later(play):
    soon = datetime.datetime.now() - datetime.timedelta(minutes=1)
    play = play(budget={"trials": 9, "finish_by": soon.strftime("%Y-%m-%d %H:%M")})
    assert play(FakePool()).reason == "finish_by"
    assert play.trials == []


def test_what_runs_when_the_time_has_come_is_stopped_after_its_epoch(play, monkeypatch):
    play = play(budget={"trials": 9, "finish_by": "07:00"})
    monkeypatch.setattr("tunerstudio.engine.budgets.finish_time", lambda text, after: time.time() + 1.0)

    def script(command):
        if command.trial < 2:
            yield from at_once(command)
        else:
            yield epoch(command, 1, 0.5)

    assert play(FakePool(script)).reason == "finish_by"
    assert [trial.state.value for trial in play.trials] == ["COMPLETED", "QUEUED"]


def test_a_time_that_is_set_while_the_search_runs_is_the_next_one(play):
    play = play(budget={"trials": 9, "finish_by": "2026-05-30 07:00"})
    with StudyWriter(play.folder) as writer:
        search = load_document(play.folder).search
        budgets = Budgets(search, Journal(writer), None, started_at=0.0)
        assert budgets.time_up(lambda: 0.0).reason == "finish_by"
        past = (datetime.datetime.now() - datetime.timedelta(minutes=2)).strftime("%H:%M")
        budgets.replace(search.model_copy(update={"budget": budget(finish_by=past)}))
        assert budgets.deadline > time.time()
        assert budgets.time_up(lambda: 0.0) is None


def test_training_time_over_all_sessions_is_limited(play):
    play = play(budget={"trials": 9, "time_limit_s": 5})
    with StudyWriter(play.folder) as writer:
        writer.put_trial(Trial(1, TrialState.COMPLETED, {"dense_1_units": 3}, score=0.5, duration_s=6.0))
    result = play(FakePool())
    assert (result.reason, len(play.trials)) == ("time", 1)


def a_trial(number, score=None, state=TrialState.COMPLETED, **changes):
    return Trial(number, state, {}, score=score, epochs_planned=10, **changes)


def test_the_best_and_what_is_still_needed_keep_their_files():
    objective = Objective(name="val_accuracy", direction="max")
    trials = [
        a_trial(1, 0.1),
        a_trial(2, 0.9),
        a_trial(3, 0.8),
        a_trial(4, state=TrialState.PAUSED, parent=1),
        a_trial(5, state=TrialState.FAILED),
        a_trial(6, 0.2),
        a_trial(7, 0.3, state=TrialState.PRUNED),
    ]
    assert needed(trials, objective, 2, 10, promotes=False) == {2, 3, 4, 1}
    assert needed(trials, objective, 2, 20, promotes=True) == {1, 2, 3, 4, 6}
    promoted = [*trials, a_trial(8, 0.85, parent=6)]
    assert needed(promoted, objective, 2, 20, promotes=True) == {1, 2, 3, 4, 8}
    # An algorithm that says what it will never go on from may go on from one trial several times.
    assert needed(promoted, objective, 2, 20, promotes=True, released=set()) == {1, 2, 3, 4, 6, 8}
    assert needed(promoted, objective, 2, 20, promotes=True, released={6, 8}) == {1, 2, 3, 4, 8}


def test_files_of_trials_outside_the_best_go(play):
    play = play(budget={"trials": 5}, checkpoints={"keep_top": 2})
    play(FakePool(scripted([0.5, 0.1, 0.9, 0.2, 0.7])))
    assert sorted(path.name for path in (play.folder / "trials").iterdir()) == ["0003", "0005"]


def test_only_folders_of_trials_are_ever_removed(tmp_path):
    for name in ("0001", "0002", "notes", "0003"):
        (tmp_path / "trials" / name).mkdir(parents=True)
    files = KeptFiles(tmp_path)
    (tmp_path / "trials" / "0003").rmdir()  # by somebody else
    assert files.keep_only({2}) == [1, 3]
    assert sorted(path.name for path in (tmp_path / "trials").iterdir()) == ["0002", "notes"]


def test_a_promoted_trial_keeps_its_parent_until_it_ends(play, blocks_study):
    folder = blocks_study(
        search={"algorithm": {"id": "hyperband"}, "budget": {"trials": 4}, "checkpoints": {"keep_top": 1}},
        training={"epochs": 9},
    )
    play = Play(folder)
    present = {}

    def script(command):
        if command.parent_folder is not None:
            present[command.trial] = command.parent_folder
        yield scored(command, command.trial / 100)
        yield ended(command)

    play(FakePool(script))
    assert {path.name for path in (folder / "trials").iterdir()} >= {f"{n:04d}" for n in (1, 2, 3, 4)}
