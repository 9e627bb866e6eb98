"""A damaged, cut, empty or missing database costs at most what was in it."""

import sqlite3

import pytest

from tunerstudio.store.reader import StudyReader
from tunerstudio.store.repair import repair
from tunerstudio.store.schema import DATABASE_FILE, StoreError
from tunerstudio.store.writer import StudyWriter
from tunerstudio.study.trials import Epoch, Execution, Trial, TrialState

TRIALS = 60


@pytest.fixture
def study(tmp_path):
    """A study with 60 trials of 20 epochs, with weights and a saved model."""
    with StudyWriter(tmp_path) as writer:
        writer.put_document("name: x")
        for number in range(1, TRIALS + 1):
            execution = Execution(0, TrialState.COMPLETED, 1, score=0.5, best_epoch=1, epochs=20, metrics={"loss": 0.5})
            trial = Trial(number, TrialState.COMPLETED, {"units": number}, score=0.5, executions=(execution,))
            told = [Epoch(number, 0, epoch, {"loss": 1.0 / epoch}, 0.0) for epoch in range(1, 21)]
            writer.put_trial(Trial(number, TrialState.RUNNING, {"units": number}, details="x" * 500))
            writer.put_trial(trial, epochs=told)
    (tmp_path / "trials" / "0001").mkdir(parents=True)
    (tmp_path / "models" / "best").mkdir(parents=True)
    (tmp_path / "models" / "best" / "model.keras").write_bytes(b"weights")
    return tmp_path


def damaged(study, first, last):
    path = study / DATABASE_FILE
    content = bytearray(path.read_bytes())
    page = 4096
    content[first * page : last * page] = b"\xff" * ((last - first) * page)
    path.write_bytes(content[: max(len(content), 1)])
    return path.read_bytes()


def test_a_whole_database_loses_nothing(study):
    repaired = repair(study)
    assert (repaired.trials, repaired.epochs, repaired.lost) == (TRIALS, TRIALS * 20, ())
    with StudyReader(study) as reader:
        assert len(reader.trials()) == TRIALS
        assert reader.epochs(7)[-1].epoch == 20


def test_damage_in_the_middle_costs_what_was_there(study):
    pages = (study / DATABASE_FILE).stat().st_size // 4096
    before = damaged(study, pages // 2, pages // 2 + 4)
    repaired = repair(study)
    assert repaired.kept.read_bytes() == before
    assert repaired.lost
    assert repaired.trials + repaired.epochs / 20 > TRIALS
    with StudyReader(study) as reader:
        trials = reader.trials()
        assert [trial.values for trial in trials] == [{"units": trial.number} for trial in trials]
    with StudyWriter(study) as writer:
        writer.put_trial(Trial(900, TrialState.QUEUED, {"units": 3}))
    assert (study / "models" / "best" / "model.keras").read_bytes() == b"weights"


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_cut_database_keeps_its_beginning(study, share):
    path = study / DATABASE_FILE
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share) // 4096 * 4096])
    repaired = repair(study)
    assert repaired.lost
    assert repaired.epochs < TRIALS * 20
    assert repaired.trials + repaired.epochs / 20 > share * TRIALS
    with StudyReader(study) as reader:
        assert len(reader.trials()) == repaired.trials


def test_a_length_that_makes_no_sense_is_not_believed(study):
    path = study / DATABASE_FILE
    content = bytearray(path.read_bytes())
    content[28:32] = b"\xff" * 4  # more pages than any disk has
    path.write_bytes(content)
    assert repair(study).lost
    assert sum(file.stat().st_size for file in study.iterdir() if file.is_file()) < 10 * len(content)


@pytest.mark.parametrize("content", [b"", b"x" * 50, b"this is no database, " * 500, None])
def test_without_anything_to_read_the_study_starts_anew(study, content):
    path = study / DATABASE_FILE
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StoreError, match=r"repair"):
        StudyWriter(study)
    repaired = repair(study)
    assert (repaired.trials, repaired.epochs) == (0, 0)
    assert repaired.lost
    assert not (study / "trials").exists()
    assert list(study.glob("trials-*/0001"))
    StudyWriter(study).close()
    assert (study / "models" / "best" / "model.keras").is_file()


def test_changes_that_are_only_in_the_log_of_a_killed_writer_are_kept(study, tmp_path):
    reader = sqlite3.connect(study / DATABASE_FILE)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM trials").fetchone()
    with StudyWriter(study) as writer:
        writer.put_trial(Trial(61, TrialState.QUEUED, {"units": 61}))
        copies = {path.name: path.read_bytes() for path in study.glob(f"{DATABASE_FILE}*") if path.is_file()}
    reader.close()
    for name, content in copies.items():
        (study / name).write_bytes(content)
    assert repair(study).trials == TRIALS + 1


def test_a_healthy_database_is_left_as_it_is(study):
    before = (study / DATABASE_FILE).read_bytes()
    found = repair(study)
    assert (found.trials, found.epochs, found.lost, found.kept, found.was_whole) == (
        TRIALS,
        20 * TRIALS,
        (),
        None,
        True,
    )
    assert (study / DATABASE_FILE).read_bytes() == before
    assert not [path for path in study.iterdir() if "damaged" in path.name or "repair" in path.name]


def test_epochs_of_lost_trials_are_no_healthy_history(study):
    with sqlite3.connect(study / DATABASE_FILE) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("DELETE FROM trials WHERE number = 7")
    connection.close()
    found = repair(study)
    assert not found.was_whole
    assert found.kept is not None
    assert found.epochs == 20 * (TRIALS - 1)


def test_a_study_in_use_is_not_repaired(study):
    with StudyWriter(study), pytest.raises(StoreError, match="in use"):
        repair(study)


def test_a_newer_format_is_not_repaired(study):
    connection = sqlite3.connect(study / DATABASE_FILE)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="newer"):
        repair(study)
