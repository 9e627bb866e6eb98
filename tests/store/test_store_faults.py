"""What happens to the disk happens to the database: full, damaged, read-only, shared."""

import os
import socket
import sqlite3
import time

import pytest

from tunerstudio.store.lock import LOCK_FILE, is_in_use, last_owner
from tunerstudio.store.reader import Cursor, StudyReader, has_history
from tunerstudio.store.schema import DATABASE_FILE, StoreError
from tunerstudio.store.writer import StudyWriter
from tunerstudio.study.trials import Epoch, Trial, TrialState


def a_trial(number, state=TrialState.COMPLETED, **changes):
    return Trial(number, state, {"units": number}, score=0.5, **changes)


def test_a_full_disk_is_a_sentence_and_loses_nothing(tmp_path):
    with StudyWriter(tmp_path) as writer:
        writer.put_trial(a_trial(1))
        pages = writer._connection.execute("PRAGMA page_count").fetchone()[0]
        writer._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match=r"the disk is full.*free some space"):
            writer.put_trial(a_trial(2, details="x" * 100_000))
        writer._connection.execute("PRAGMA max_page_count = 100000")
        writer.put_trial(a_trial(3))
    with StudyReader(tmp_path) as reader:
        assert [trial.number for trial in reader.trials()] == [1, 3]


def test_damage_in_the_middle_of_the_file_is_a_sentence(tmp_path):
    with StudyWriter(tmp_path) as writer:
        for number in range(1, 40):
            writer.put_trial(a_trial(number, details="x" * 500))
    path = tmp_path / DATABASE_FILE
    content = bytearray(path.read_bytes())
    content[8192:] = b"x" * len(content[8192:])
    path.write_bytes(content)
    with StudyReader(tmp_path) as reader, pytest.raises(StoreError, match=r"damaged.*repair the study"):
        reader.trials()
    with StudyReader(tmp_path) as reader, pytest.raises(StoreError, match="damaged"):
        reader.changes(Cursor())


@pytest.mark.parametrize("size", [50, 100, 5000])
def test_a_cut_file_is_a_sentence(tmp_path, size):
    with StudyWriter(tmp_path) as writer:
        writer.put_trial(a_trial(1))
    path = tmp_path / DATABASE_FILE
    path.write_bytes(path.read_bytes()[:size])
    for kind in (StudyReader, StudyWriter):
        with pytest.raises(StoreError):
            kind(tmp_path)
    assert not is_in_use(tmp_path)


def test_a_history_is_read_where_nothing_can_be_written(tmp_path):
    with StudyWriter(tmp_path) as writer:
        writer.put_trial(a_trial(1))
    # As on a read-only disk, the file that readers share with a writer cannot be made.
    (tmp_path / f"{DATABASE_FILE}-shm").mkdir()
    with StudyReader(tmp_path) as reader:
        assert [trial.number for trial in reader.trials()] == [1]


def test_a_study_is_in_use_while_it_is_written(tmp_path):
    assert not is_in_use(tmp_path)
    with StudyWriter(tmp_path):
        assert is_in_use(tmp_path)
    assert not is_in_use(tmp_path)


def test_a_trial_runs_only_while_somebody_runs_it(tmp_path):
    with StudyWriter(tmp_path) as writer:
        writer.put_trial(a_trial(1, TrialState.RUNNING))
        writer.add_epochs([Epoch(1, 0, 1, {"loss": 1.0}, 0.0)])
        with writer.reader() as reader:
            assert reader.trials()[0].state is TrialState.RUNNING
    with StudyReader(tmp_path) as reader:
        assert reader.trials()[0].state is TrialState.QUEUED
        assert reader.changes(Cursor()).trials[0].state is TrialState.QUEUED
    stored = sqlite3.connect(tmp_path / DATABASE_FILE)
    assert stored.execute("SELECT state FROM trials").fetchone() == ("RUNNING",)
    stored.close()


def test_the_code_of_a_document_is_kept_beside_it(tmp_path):
    with StudyWriter(tmp_path) as writer:
        plain, first = writer.put_document("name: x"), writer.put_document("name: x", "a = 1")
        second = writer.put_document("name: x", "a = 2")
        with writer.reader() as reader:
            assert reader.document(first) == reader.document(second) == "name: x"
            assert (reader.code(plain), reader.code(first), reader.code(second)) == (None, "a = 1", "a = 2")


@pytest.mark.parametrize("content", ["empty file", "empty database"])
def test_a_writer_killed_while_it_made_the_database_leaves_no_history(tmp_path, content):
    path = tmp_path / "study.db"
    path.touch()
    if content == "empty database":
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
    assert not has_history(tmp_path)
    with pytest.raises(StoreError, match="no history yet"):
        StudyReader(tmp_path)
    with StudyWriter(tmp_path) as writer, writer.reader() as reader:
        assert reader.trials() == []
    assert has_history(tmp_path)


def test_programs_that_look_at_once_do_not_take_each_other_for_a_writer(tmp_path):
    fcntl = pytest.importorskip("fcntl")  # a lock of Windows cannot be shared
    with StudyWriter(tmp_path):
        pass
    with (tmp_path / LOCK_FILE).open() as other:
        fcntl.flock(other, fcntl.LOCK_SH)  # as a program that looks does for a moment
        assert not is_in_use(tmp_path)


def test_the_owner_of_a_study_is_known(tmp_path):
    assert last_owner(tmp_path) is None
    before = int(time.time())
    with StudyWriter(tmp_path):
        owner = last_owner(tmp_path)
    assert owner is not None
    assert (owner.pid, owner.machine) == (os.getpid(), socket.gethostname())
    assert before <= owner.since_s <= time.time()
