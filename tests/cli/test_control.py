"""Commands to a search: what they write, whom they tell, and what they say."""

import json
import os
import socket
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from tests.letters import take
from tunerstudio.cli.program import BAD_INPUT, run_program
from tunerstudio.protocol.control import PauseSearch, SetWorkers, SkipTrial, StopSearch
from tunerstudio.store.mailbox import read
from tunerstudio.store.reader import StudyReader
from tunerstudio.store.writer import StudyWriter
from tunerstudio.study.examples import find_example
from tunerstudio.study.files import load_document, save_document
from tunerstudio.study.search import Plateau
from tunerstudio.study.trials import SessionState, Trial, TrialState

VALUES = {"dense_1_units": 9, "dense_1_activation": "relu", "learning_rate": 0.003}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "study"
    save_document(find_example("reference").document(), made)
    return made


@pytest.fixture
def history(folder):
    """Trial 1 completed, 2 failed, 3 queued."""
    with StudyWriter(folder) as writer:
        writer.put_trial(Trial(1, TrialState.COMPLETED, VALUES, score=0.9))
        writer.put_trial(Trial(2, TrialState.FAILED, VALUES, message="out of memory"))
        writer.put_trial(Trial(3, TrialState.QUEUED, VALUES))
    return folder


def trials(folder):
    with StudyReader(folder) as reader:
        return {trial.number: trial for trial in reader.trials()}


def done(capsys, *words):
    assert run_program([str(word) for word in words]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def refused(capsys, *words):
    assert run_program([str(word) for word in words]) == BAD_INPUT
    return capsys.readouterr().err


def test_trials_are_edited_without_a_search(history, capsys):
    assert "skipped" in done(capsys, "skip", history, "3")
    assert "new trial" in done(capsys, "retry", history, "2")
    assert "written down" in done(capsys, "note", history, "1", "the best so far")
    found = trials(history)
    assert found[3].state is TrialState.CANCELLED
    assert (found[4].state, found[4].values, found[4].origin) == (TrialState.QUEUED, VALUES, "retry")
    assert found[1].note == "the best so far"
    done(capsys, "pause", history, "4")
    assert trials(history)[4].state is TrialState.PAUSED
    done(capsys, "resume", history, "4")
    assert trials(history)[4].state is TrialState.QUEUED


def test_a_refusal_says_why(history, capsys):
    assert "trial 1" in refused(capsys, "skip", history, "1")
    assert "there is no trial 77" in refused(capsys, "retry", history, "77")
    assert "no search runs" in refused(capsys, "pause", history)


def test_a_trial_of_ones_own_values(history, capsys):
    done(capsys, "enqueue", history, "dense_1_units=12", "dense_1_activation=TANH", "--note", "wider")
    found = trials(history)[4]
    assert (found.values["dense_1_units"], found.values["dense_1_activation"]) == (12, "tanh")
    assert (found.note, found.origin) == ("wider", "user")
    done(capsys, "enqueue", history, "learning_rate=0.01", "--like", "1")
    assert trials(history)[5].values == {**VALUES, "learning_rate": 0.01}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["dense_1_units=10"], "9 … 27 step 3"),
        (["dense_1_unit=9"], "dense_1_units"),
        (["width=9"], "There are dense_1_units, dense_1_activation, learning_rate"),
        (["9"], "NAME=VALUE"),
        (["--like", "50"], "there is no trial 50"),
    ],
)
def test_values_that_are_none_are_refused(history, capsys, words, reason):
    assert reason in refused(capsys, "enqueue", history, *words)
    assert len(trials(history)) == 3


def test_budget_and_workers_are_written_into_the_study(folder, capsys):
    words = ["--trials", "70", "--finish-by", "07:00", "--plateau", "15", "--target", "0.99", "--time-limit", "30"]
    out = done(capsys, "budget", folder, *words)
    budget = load_document(folder).search.budget
    assert (budget.trials, budget.finish_by, budget.time_limit_s) == (70, "07:00", 1800)
    assert (budget.plateau, budget.target) == (Plateau(trials=15), 0.99)
    assert "70 trials" in out
    assert "70 trials" in done(capsys, "budget", folder)  # without a change, it only tells
    done(capsys, "budget", folder, "--plateau", "none", "--finish-by", "none")
    assert load_document(folder).search.budget.plateau is None
    done(capsys, "workers", folder, "3")
    assert load_document(folder).search.workers == 3
    done(capsys, "workers", folder, "auto")
    assert load_document(folder).search.workers == "auto"


def test_a_budget_that_is_none_is_refused(folder, capsys):
    before = load_document(folder)
    for words in (["--finish-by", "noon"], ["--trials", "many"], ["--trials", "0"]):
        assert run_program(["budget", str(folder), *words]) == BAD_INPUT
    assert run_program(["workers", str(folder), "0"]) == BAD_INPUT
    assert load_document(folder) == before


class Session:
    """Holds a study as a running search does, and answers what is posted to it."""

    def __init__(self, folder, outcome=""):
        self.folder, self.outcome, self.taken = folder, outcome, []
        self.writer = StudyWriter(folder)
        record = self.writer.open_session(os.getpid(), "here", 2, "local")
        self.record = replace(record, state=SessionState.RUNNING)
        self.writer.put_session(self.record)
        self.over, self.ready = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.answer)

    def __enter__(self):
        self.writer.close()
        self.thread.start()
        return self

    def answer(self):
        with StudyWriter(self.folder) as writer:
            self.ready.set()
            while not self.over.wait(0.02):
                for letter in take(self.folder):
                    self.taken.append(letter.command)
                    writer.put_command(letter.id, letter.command.model_dump_json(), self.outcome)
                    if isinstance(letter.command, StopSearch):
                        writer.put_session(replace(self.record, state=SessionState.ENDED, message="stopped"))
                        return

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


class DyingSession(Session):
    """Ends as soon as something is posted, as a search that is killed does."""

    def answer(self):
        with StudyWriter(self.folder):
            self.ready.set()
            while not self.over.wait(0.02) and not read(self.folder):
                pass


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["pause"], PauseSearch()),
        (["skip", "3"], SkipTrial(trial=3)),
        (["workers", "2"], SetWorkers(workers=2)),
    ],
)
def test_a_running_search_is_told_and_answers(history, capsys, words, command):
    with Session(history) as session:
        assert session.ready.wait(10)
        done(capsys, words[0], history, *words[1:])
    assert session.taken == [command]


def test_what_a_running_search_refuses_is_said(history, capsys):
    with Session(history, "the trial is over") as session:
        assert session.ready.wait(10)
        assert "the trial is over" in refused(capsys, "skip", history, "3")


def test_a_search_that_dies_over_a_command_is_not_waited_for(history, capsys):
    with DyingSession(history) as session:
        assert session.ready.wait(10)
        assert "has ended without an answer" in refused(capsys, "skip", history, "3")


def test_stop_waits_for_the_end(history, capsys):
    with Session(history) as session:
        assert session.ready.wait(10)
        assert "has stopped" in done(capsys, "stop", history, "--now")
    assert session.taken == [StopSearch(when="now")]
    assert "No search runs" in done(capsys, "stop", history)


def test_a_program_that_does_not_answer_is_ended_by_force(history, capsys):
    code = f"""
import pathlib, re
from tunerstudio.store.lock import StudyLock
lock = StudyLock(pathlib.Path({str(history)!r}))
print("held", flush=True)
re.match("(a+)+$", "a" * 60 + "b")
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as frozen:
        assert frozen.stdout.readline() == "held\n"
        assert f"Process {frozen.pid} was ended" in done(capsys, "stop", history, "--kill")
        assert frozen.wait(10) != 0
    assert "No search runs" in done(capsys, "stop", history, "--kill")


def test_force_is_for_other_programs_of_this_machine(history, capsys):
    with Session(history) as session:
        assert session.ready.wait(10)
        assert "this very program" in refused(capsys, "stop", history, "--kill")
        note = {"pid": 1, "machine": "elsewhere", "since": "2026-05-30 07:00:00"}
        (history / ".lock").write_text(json.dumps(note))
        assert "process 1 on elsewhere" in refused(capsys, "stop", history, "--kill")
        (history / ".lock").write_text("?")
        assert "does not say which process" in refused(capsys, "stop", history, "--kill")


def test_a_program_that_got_the_number_of_an_earlier_owner_lives_on(history, capsys):
    code = "print('here', flush=True); input()"
    with Session(history) as session:
        assert session.ready.wait(10)
        with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as younger:
            assert younger.stdout.readline() == b"here\n"
            note = {"pid": younger.pid, "machine": socket.gethostname(), "since": "2026-05-30 07:00:00"}
            (history / ".lock").write_text(json.dumps(note))
            assert "does not run the search" in refused(capsys, "stop", history, "--kill")
            younger.communicate(b"\n")
    assert younger.returncode == 0


def test_status_says_who_runs_it(history, capsys):
    assert "not running" in done(capsys, "status", history)
    with Session(history) as session:
        assert session.ready.wait(10)
        assert f"running (process {os.getpid()} on here" in done(capsys, "status", history)
        found = json.loads(done(capsys, "status", history, "--json"))
    assert found["running"] is True
    assert found["session"]["workers"] == 2
    assert (found["trials"]["COMPLETED"], found["trials"]["FAILED"], found["best"]["number"]) == (1, 1, 1)
    assert "interrupted" in done(capsys, "status", history)


def test_watching_ends_with_the_search(history, capsys):
    assert "No search runs" in done(capsys, "watch", history)
    with Session(history) as session:
        assert session.ready.wait(10)
        watching = threading.Timer(0.5, lambda: run_program(["stop", str(history), "--no-wait"]))
        watching.start()
        assert "stopped" in done(capsys, "watch", history).lower()
        watching.join()


def test_a_damaged_history_is_repaired(history, capsys):
    (history / "study.db").write_bytes(b"nothing that could be read" * 50)
    out = done(capsys, "repair", history)
    assert "starts anew" in out
    assert trials(history) == {}


def test_a_healthy_history_is_not_touched_by_a_repair(history, capsys):
    before = trials(history)
    assert "Nothing is wrong" in done(capsys, "repair", history)
    assert trials(history) == before
    assert not list(history.glob("*damaged*"))


def test_a_second_search_in_the_background_is_refused(history, capsys):
    with Session(history) as session:
        assert session.ready.wait(10)
        assert "already" in refused(capsys, "run", history, "--background")


def test_a_background_search_that_cannot_write_its_log_says_so(history, capsys):
    (history / "background.log").mkdir()
    assert "cannot be written to" in refused(capsys, "run", history, "--background")


@pytest.mark.parametrize("command", ["status", "results"])
def test_a_lost_history_is_not_taken_for_a_beginning(history, capsys, command):
    (history / "trials" / "0001").mkdir(parents=True)
    (history / "study.db").unlink()
    assert "tunerstudio repair" in refused(capsys, command, history)
