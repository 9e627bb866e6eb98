import sqlite3
from dataclasses import replace

import pytest

from tunerstudio.store.reader import Cursor, StudyReader, has_history
from tunerstudio.store.schema import DATABASE_FILE, StoreError
from tunerstudio.store.writer import ALGORITHM_STATE, StudyWriter
from tunerstudio.study.trials import Attempt, Epoch, Execution, ResourceUse, Trial, TrialState


def a_trial(number=1, state=TrialState.RUNNING, **changes):
    return Trial(number=number, state=state, values={"units": 12, "activation": "relu", "flag": True}, **changes)


def an_execution(index, score=None):
    state = TrialState.RUNNING if score is None else TrialState.COMPLETED
    return Execution(index=index, state=state, seed=7 + index, score=score, epochs=2, metrics={"loss": 0.5})


@pytest.fixture
def writer(tmp_path):
    with StudyWriter(tmp_path) as writer:
        yield writer


def test_a_trial_comes_back_as_it_was(writer):
    trial = a_trial(
        state=TrialState.COMPLETED,
        score=0.9,
        standard_error=0.01,
        executions=(an_execution(0, 0.89), an_execution(1, 0.91)),
        tags={"bracket": 2},
        message="ü",
    )
    writer.put_trial(trial)
    with writer.reader() as reader:
        assert reader.trials() == [trial]


def test_values_keep_their_types(writer):
    writer.put_trial(a_trial())
    with writer.reader() as reader:
        assert reader.trials()[0].values["flag"] is True


def test_a_finished_trial_never_changes(writer):
    writer.put_trial(a_trial(state=TrialState.COMPLETED, score=1.0))
    with pytest.raises(StoreError, match="has finished"):
        writer.put_trial(a_trial(state=TrialState.RUNNING))


def test_the_note_of_a_finished_trial_may_change(writer):
    writer.put_trial(a_trial(state=TrialState.FAILED))
    writer.set_note(1, "interesting")
    with writer.reader() as reader:
        assert reader.trials()[0].note == "interesting"


def test_changes_arrive_once(writer):
    writer.put_trial(a_trial())
    writer.add_epochs([Epoch(1, 0, 1, {"loss": 1.0}, 5.0)])
    writer.log("hello")
    with writer.reader() as reader:
        first = reader.changes(Cursor())
        assert [t.number for t in first.trials] == [1]
        assert first.epochs == [Epoch(1, 0, 1, {"loss": 1.0}, 5.0)]
        assert [line.text for line in first.log] == ["hello"]
        assert reader.changes(first.cursor).is_empty
        writer.add_epochs([Epoch(1, 0, 2, {"loss": 0.9}, 6.0)])
        second = reader.changes(first.cursor)
        assert [e.epoch for e in second.epochs] == [2]
        assert second.trials == []
        assert not second.reset


def test_long_histories_arrive_in_portions(writer):
    writer.put_trial(a_trial())
    writer.add_epochs([Epoch(1, 0, n, {"loss": 1.0}, 0.0) for n in range(1, 26)])
    with writer.reader() as reader:
        first = reader.changes(Cursor(), limit=10)
        assert len(first.epochs) == 10
        assert first.more
        rest = reader.changes(first.cursor, limit=100)
        assert len(rest.epochs) == 15
        assert not rest.more


def test_not_finite_metrics_survive_as_nan(writer):
    writer.put_trial(a_trial())
    writer.add_epochs([Epoch(1, 0, 1, {"loss": float("inf"), "accuracy": 0.5}, 0.0)])
    with writer.reader() as reader:
        metrics = reader.epochs(1)[0].metrics
        assert metrics["loss"] != metrics["loss"]
        assert metrics["accuracy"] == 0.5


def test_interrupted_trials_are_queued_again_and_keep_their_epochs(tmp_path):
    attempt = Attempt(trial=1, attempt=1, worker=1, node="here", device="CPU", started_at=0.0)
    with StudyWriter(tmp_path) as writer:
        writer.put_trial(a_trial(executions=(an_execution(0, 0.8), an_execution(1))), attempt=attempt)
        writer.add_epochs([Epoch(1, 0, 1, {"loss": 1.0}, 0.0), Epoch(1, 1, 1, {"loss": 1.0}, 0.0)])
        with writer.reader() as reader:
            before = reader.changes(Cursor()).cursor
    with StudyWriter(tmp_path) as writer:
        assert writer.requeue_interrupted() == [1]
        with writer.reader() as reader:
            changes = reader.changes(before)
            assert [attempt.outcome for attempt in reader.attempts()] == ["interrupted"]
        assert not changes.reset
        assert changes.trials[0].state is TrialState.QUEUED
        assert [e.index for e in changes.trials[0].executions] == [0]
        assert writer.unfinished_executions(1) == [1]
        assert writer.requeue_interrupted() == []


def test_an_interrupted_attempt_ends_with_its_last_sign_of_life(tmp_path):
    """A weekend between the kill and the next start is no training."""
    attempts = [Attempt(number, 1, worker=1, node="here", device="CPU", started_at=1000.0) for number in (1, 2, 3)]
    with StudyWriter(tmp_path, clock=lambda: 5000.0) as writer:
        lost = writer.open_session(1, "here", 1, "local")
        for attempt in attempts:
            writer.put_trial(replace(a_trial(attempt.trial), duration_s=10.0), attempt=attempt)
        writer.add_epochs([Epoch(1, 0, 1, {"loss": 1.0}, 1030.0)])
        writer.add_resources([ResourceUse(0, 1040.0, 1, 1, 1, 1.0), ResourceUse(0, 9000.0, 1, 2, 1, 1.0)])
    with StudyWriter(tmp_path, clock=lambda: 8000.0) as writer:
        assert writer.requeue_interrupted() == [1, 2, 3]
        now = writer.open_session(2, "here", 1, "local")
        with writer.reader() as reader:
            # The clock was wrong when the second one was last heard of: it cannot have ended after today.
            assert [attempt.ended_at for attempt in reader.attempts()] == [1040.0, 8000.0, 1000.0]
            assert [trial.duration_s for trial in reader.trials()] == [50.0, 7010.0, 10.0]
            assert reader.session() == now
        rows = writer._connection.execute("SELECT number, state, reason FROM sessions ORDER BY number").fetchall()
        assert [tuple(row) for row in rows] == [
            (lost.number, "ended", "interrupted"),
            (now.number, "starting", ""),
        ]


def test_epochs_that_a_checkpoint_does_not_cover_are_taken_back(writer):
    told = [Epoch(1, 0, number, {"loss": 1.0 / number}, 0.0) for number in (1, 2, 3, 4)]
    writer.put_trial(a_trial())
    writer.add_epochs([told[0], told[2], told[3]])
    with writer.reader() as reader:
        before = reader.changes(Cursor()).cursor
        writer.keep_epochs(1, 0, told[:3])
        assert reader.epochs(1) == told[:3]
        assert reader.changes(before).reset
        before = reader.changes(before).cursor
        writer.keep_epochs(1, 0, told[:3])
        assert reader.changes(before).is_empty
        writer.keep_epochs(1, 0, [])
        assert reader.epochs(1) == []


def test_trial_and_algorithm_state_are_one_transaction(tmp_path):
    class Unpicklable:
        pass

    with StudyWriter(tmp_path) as writer:
        writer.put_trial(a_trial(1), algorithm_state="one")
        with pytest.raises(sqlite3.Error):
            writer.put_trial(replace(a_trial(2), device=Unpicklable()), algorithm_state="two")  # type: ignore[arg-type]
        assert writer.meta(ALGORITHM_STATE) == "one"
        with writer.reader() as reader:
            assert [t.number for t in reader.trials()] == [1]


def test_a_second_writer_is_told_who_holds_the_study(writer, tmp_path):
    with pytest.raises(StoreError, match="in use by another program \\(process"):
        StudyWriter(tmp_path)
    with StudyReader(tmp_path) as reader:
        assert reader.trials() == []


def test_the_lock_is_free_after_closing(tmp_path):
    StudyWriter(tmp_path).close()
    StudyWriter(tmp_path).close()


def test_a_newer_format_is_refused_politely(tmp_path):
    StudyWriter(tmp_path).close()
    connection = sqlite3.connect(tmp_path / DATABASE_FILE)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for kind in (StudyWriter, StudyReader):
        with pytest.raises(StoreError, match="newer Tuner Studio"):
            kind(tmp_path)


def test_a_damaged_database_is_a_sentence(tmp_path):
    (tmp_path / DATABASE_FILE).write_bytes(b"this is no database, " * 100)
    for kind in (StudyWriter, StudyReader):
        with pytest.raises(StoreError, match=r"damaged|cannot be"):
            kind(tmp_path)


def test_no_history_yet(tmp_path):
    assert not has_history(tmp_path)
    with pytest.raises(StoreError, match="no history yet"):
        StudyReader(tmp_path)


def test_metrics_can_be_read_with_plain_sql(writer, tmp_path):
    writer.put_trial(a_trial())
    writer.add_epochs([Epoch(1, 0, 1, {"loss": 1.5, "val_loss": 2.0}, 0.0)])
    connection = sqlite3.connect(tmp_path / DATABASE_FILE)
    rows = connection.execute("SELECT metric, value FROM metric_values ORDER BY metric").fetchall()
    connection.close()
    assert rows == [("loss", 1.5), ("val_loss", 2.0)]
