"""What is typed, and what comes back: sentences for people, JSON for machines, exit codes for scripts."""

import json
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from tunerstudio.cli import main
from tunerstudio.store.writer import StudyWriter
from tunerstudio.study.files import load_document
from tunerstudio.study.trials import Execution, Trial, TrialState
from tunerstudio.study.trust import is_trusted

TABLE = "a,b,answer\n" + "".join(f"{i % 13},{i % 7},{'yes' if i % 13 > 5 else 'no'}\n" for i in range(120))
CODE = "def build(hp):\n    return None\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def table(here):
    (here / "table.csv").write_text(TABLE)
    return here / "table.csv"


def completed(number, score):
    execution = Execution(0, TrialState.COMPLETED, seed=1, score=score, best_epoch=1, epochs=2)
    return Trial(number, TrialState.COMPLETED, {"units": 3}, score=score, executions=(execution,), document="d")


@pytest.fixture
def study(here):
    """The reference study with twelve trials, the best one last, and one that a killed session left."""
    assert main(["new", "s", "--example", "reference"]) == 0
    with StudyWriter(here / "s") as writer:
        for number in range(1, 13):
            writer.put_trial(completed(number, number / 20))
        writer.put_trial(Trial(13, TrialState.RUNNING, {"units": 4}))
    return here / "s"


def error_of(capsys, *words):
    """The JSON error of a command with bad input."""
    capsys.readouterr()
    assert main([*words, "--json"]) == 2
    return json.loads(capsys.readouterr().out)["error"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "s", "--trials", "0"], "whole number from 1"),
        (["run", "s", "--trials", "-3"], "whole number from 1"),
        (["new", "s", "--example", "reference", "--trials", "many"], "whole number from 1"),
        (["save", "s", "--top", "0"], "whole number from 1"),
        (["results", "s", "--top", "-1"], "whole number from 0"),
        (["results"], "STUDY"),
        (["results", "s", "--best"], "--best"),
        (["resuls", "s"], "Did you mean 'results'?"),
        (["open", "nowhere"], "is not a study"),
        (["nowhere"], "is not a study"),
        (["new", "s", "--example", "reference", "--target", "x"], "brings its own"),
        (["new", "s", "--example", "reference", "--algorithm", "randm"], "Did you mean 'random'?"),
    ],
)
def test_words_that_cannot_be_understood_are_json_too(here, capsys, words, message):
    if words[0] == "open" or words == ["nowhere"]:
        assert main(words) == 2
        assert message in capsys.readouterr().err
    else:
        assert message in error_of(capsys, *words)


def test_people_get_the_usage(here, capsys):
    assert main(["run"]) == 2
    err = capsys.readouterr().err
    assert "usage: tunerstudio run" in err
    assert "Error: " in err


def test_a_file_in_the_way_is_bad_input(here, capsys):
    (here / "s").write_text("")
    assert "is a file" in error_of(capsys, "new", "s", "--example", "reference")
    assert "s" in error_of(capsys, "new", "s/t", "--example", "reference")


def test_a_study_is_never_overwritten(study, capsys):
    assert "holds a study already" in error_of(capsys, "new", "s", "--example", "reference")


def test_a_fault_is_told_though_its_log_cannot_be_kept(here, monkeypatch, capsys):
    (here / "home").write_text("a file where the folder should be")
    monkeypatch.setenv("TUNERSTUDIO_HOME", str(here / "home"))
    (here / "s").write_text("")
    assert error_of(capsys, "new", "s/t", "--example", "reference")


@pytest.fixture
def ctrl_c_is_heard():
    """A shell that starts a program in the background has it ignore SIGINT; these tests must not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_is_heard")
def test_ctrl_c_is_json_too(study, monkeypatch, capsys):
    monkeypatch.setattr("tunerstudio.cli.commands.load_document", lambda folder: signal.raise_signal(signal.SIGINT))
    capsys.readouterr()
    assert main(["results", "s", "--json"]) == 130
    assert "stopped" in json.loads(capsys.readouterr().out)["error"]


def test_results_say_why_the_best_trial_was_tried(study, capsys):
    with StudyWriter(study) as writer:
        writer.put_trial(replace(completed(14, 0.99), reason="Promoted from trial 4"))
    assert main(["results", "s"]) == 0
    assert "Why trial 14 was tried: Promoted from trial 4" in capsys.readouterr().out


def test_results_are_all_there_for_machines_and_ten_for_people(study, capsys):
    capsys.readouterr()
    assert main(["results", "s", "--json"]) == 0
    trials = json.loads(capsys.readouterr().out)["trials"]
    assert [trial["number"] for trial in trials] == [*range(12, 0, -1), 13]
    assert set(trials[0]) >= {"number", "state", "score", "executions", "epochs", "duration_s", "values", "message"}
    assert trials[0]["executions"] == [0.6]
    assert main(["results", "s", "--json", "--top", "2"]) == 0
    assert [trial["number"] for trial in json.loads(capsys.readouterr().out)["trials"]] == [12, 11]
    assert main(["results", "s"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert sum(row.strip()[:1].isdigit() for row in rows) == 10


def test_nothing_seems_to_run_when_its_program_was_killed(study, capsys):
    capsys.readouterr()
    main(["results", "s", "--json"])
    assert json.loads(capsys.readouterr().out)["trials"][-1]["state"] == "QUEUED"


def test_json_is_the_same_whatever_the_terminal(study, monkeypatch):
    folder = study.with_name("ünï [1]")
    study.rename(folder)
    environment = {"PYTHONIOENCODING": "ascii", "FORCE_COLOR": "1", "PATH": "", "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-m", "tunerstudio", "results", str(folder), "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert json.loads(done.stdout)["study"] == str(folder)
    assert subprocess.run(command[:-1], env=environment, capture_output=True, check=True).stdout


@pytest.mark.skipif(sys.platform == "win32", reason="streams are closed by a POSIX shell")
def test_closed_streams_harm_nothing(study):
    command = [sys.executable, "-m", "tunerstudio", "results", str(study)]
    environment = {"PATH": "", "PYTHONPATH": ":".join(sys.path)}
    for closed in ("<&-", "<&- >&-", "<&- >&- 2>&-"):
        done = subprocess.run(["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *command], env=environment)
        assert done.returncode == 0, closed


def test_data_in_the_folder_of_the_study_move_with_it(here, table):
    (here / "s").mkdir()
    table.rename(here / "s" / "table.csv")
    assert main(["new", "s", "--data", "s/table.csv"]) == 0
    assert load_document(here / "s").data.source.path == "table.csv"


def test_data_elsewhere_are_found_from_everywhere(here, table):
    assert main(["new", "deep/er/s", "--data", "table.csv"]) == 0
    assert load_document(here / "deep/er/s").data.source.path == str(table)


def test_own_code_is_copied_unless_it_is_there_already(here, table, capsys):
    (here / "model.py").write_text(CODE)
    assert main(["new", "s", "--data", "table.csv", "--code", "model.py"]) == 0
    document = load_document(here / "s")
    assert (here / "s" / document.model.file).read_text() == CODE
    assert is_trusted(here / "s", document)
    (here / "t").mkdir()
    (here / "t" / "model.py").write_text(CODE)
    assert main(["new", "t", "--data", "table.csv", "--code", "t/model.py"]) == 0
    (here / "u").mkdir()
    (here / "u" / "model.py").write_text("something else")
    assert "is another file" in error_of(capsys, "new", "u", "--data", "table.csv", "--code", "model.py")
    assert (here / "u" / "model.py").read_text() == "something else"


@pytest.mark.parametrize("content", ["a,b,y\n1,2,3\n", "a,b,y\n" + ",,\n" * 30], ids=["one row", "all missing"])
def test_data_that_nothing_can_be_learned_from_make_no_study(here, capsys, content):
    (here / "odd.csv").write_text(content)
    assert "Nothing says what is to be predicted" in error_of(capsys, "new", "s", "--data", "odd.csv")
    assert not (here / "s").exists()


def test_what_is_worth_knowing_is_json_too(here, capsys):
    (here / "odd.csv").write_text(TABLE + "3,4,rare\n")
    assert main(["new", "s", "--data", "odd.csv", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["findings"]
    assert any("rare" in finding["message"] and finding["severity"] == "warning" for finding in found)


def test_a_long_name_is_cut(here, table):
    assert main(["new", "n" * 230, "--data", "table.csv"]) == 0
    assert load_document(here / ("n" * 230)).name == "n" * 200


def test_trials_without_a_place_show_what_is_known_of_them(study, capsys):
    with StudyWriter(study) as writer:
        writer.put_trial(Trial(20, TrialState.PRUNED, {"units": 3}, score=0.25, duration_s=3.0))
        writer.put_trial(Trial(21, TrialState.PAUSED, {"units": 3}, duration_s=3.0))
    capsys.readouterr()
    assert main(["results", "s", "--top", "0"]) == 0
    rows = {words[1]: words for line in capsys.readouterr().out.splitlines()[2:] if len(words := line.split()) > 5}
    assert rows["20"][2:4] == ["0.25", "PRUNED"]
    assert rows["21"][2:5] == ["PAUSED", "–", "–"]
