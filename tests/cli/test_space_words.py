"""`tunerstudio check --space`: the whole search space in words and as JSON."""

import json

import pytest

from tunerstudio.cli import main
from tunerstudio.cli.space_check import report_lines
from tunerstudio.protocol.space import CheckedConfiguration, Narrowing, SearchForecast, SpaceProblem, SpaceReport

PROBLEM = SpaceProblem(
    layer="model.py, line 8",
    field="model.file",
    reason="ValueError: too small",
    repair="",
    count=1,
    share=0.25,
    example={},
    narrowings=(Narrowing(hyperparameter="n", constraint="n <= 3", sentence="Keep n at 3 or less."),),
)


def test_a_report_in_sentences():
    good = [CheckedConfiguration(kind="random", values={}, parameters=size) for size in (1200, 99)]
    bad = CheckedConfiguration(kind="random", values={}, problem=0)
    forecast = SearchForecast(trials=50, low_s=60, high_s=3720)
    report = SpaceReport(done=3, total=3, configurations=(*good, bad), problems=(PROBLEM,), forecast=forecast)
    assert list(report_lines(report)) == [
        "1 of 3 configurations that were checked cannot be built.",
        "  25% fail: model.py, line 8: ValueError: too small",
        "    Keep n at 3 or less. (constraint: n <= 3)",
        "The networks have 99 to 1,200 parameters.",
        "50 trials take 1 min 0 s to 1 h 2 min on this machine.",
    ]
    assert next(report_lines(SpaceReport(done=7, total=7))).startswith("None of 7")


@pytest.mark.tensorflow
def test_the_space_of_an_example(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["new", "s", "--example", "reference", "--json"]) == 0
    capsys.readouterr()
    assert main(["check", "s", "--space", "--json"]) == 0
    report = SpaceReport.model_validate(json.loads(capsys.readouterr().out))
    assert report.complete
    assert report.problems == ()
    assert report.forecast is not None
