"""`tunerstudio results` shows the Pareto front of a study with several objectives."""

import json

import pytest

from tunerstudio.cli import main
from tunerstudio.store.writer import StudyWriter
from tunerstudio.study.files import load_document, save_document
from tunerstudio.study.search import SecondObjective
from tunerstudio.study.trials import Execution, Trial, TrialState


def completed(number, score, parameters):
    execution = Execution(0, TrialState.COMPLETED, seed=1, score=score, best_epoch=1, epochs=2)
    state = TrialState.COMPLETED
    return Trial(number, state, {}, score=score, executions=(execution,), document="d", parameters=parameters)


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["new", "s", "--example", "reference"]) == 0
    document = load_document(tmp_path / "s")
    search = document.search.model_copy(update={"also": (SecondObjective(name="parameters"),)})
    save_document(document.model_copy(update={"search": search}), tmp_path / "s")
    return tmp_path / "s"


def test_the_front_is_shown_and_told(study, capsys):
    with StudyWriter(study) as writer:
        for number, (score, parameters) in enumerate([(0.9, 500), (0.95, 1000), (0.94, 2000), (0.8, None)], 1):
            writer.put_trial(completed(number, score, parameters))
    capsys.readouterr()
    assert main(["results", "s"]) == 0
    out = capsys.readouterr().out
    assert "Pareto front" in out
    rows = [line.split() for line in out.split("Pareto front")[1].splitlines()[2:] if line.strip()]
    assert rows == [["2", "0.95", "1000"], ["1", "0.9", "500"]]
    main(["results", "s", "--json"])
    front = json.loads(capsys.readouterr().out)["front"]
    assert [trial["number"] for trial in front["trials"]] == [2, 1]
    assert front["trials"][0]["values"]["parameters"] == 1000
    assert front["missing"] == [4]


def test_without_trials_or_further_objectives_there_is_none(study, capsys):
    capsys.readouterr()
    main(["results", "s"])
    assert "Pareto" not in capsys.readouterr().out
    document = load_document(study)
    save_document(document.model_copy(update={"search": document.search.model_copy(update={"also": ()})}), study)
    main(["results", "s", "--json"])
    assert "front" not in json.loads(capsys.readouterr().out)
