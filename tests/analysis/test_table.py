import csv
import io

import pytest

from tunerstudio.analysis.filters import parse_filter
from tunerstudio.analysis.table import to_delimited, value_names, varying_names
from tunerstudio.study.hyperparameters import Int, SearchSpace
from tunerstudio.study.trials import Execution, Trial, TrialState

GOOD = Trial(
    7,
    TrialState.COMPLETED,
    {"units": 12, "Activation": "relu", "bias": True},
    score=0.95,
    executions=(Execution(0, TrialState.COMPLETED, 1, epochs=15),),
    duration_s=2.5,
    reason="A step from trial 3, temperature 0.4",
)
BAD = Trial(8, TrialState.FAILED, {"units": 27}, message='The loss became "NaN", in epoch 2.')


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("", "both"),
        ("units>=12", "both"),
        ("units>12", "bad"),
        ("units<20 score>0.9", "good"),
        ("state=failed", "bad"),
        ("state!=failed", "good"),
        ("activation=RELU", "good"),
        ("bias=true", "good"),
        ("nan", "bad"),
        ("#7", "good"),
        ("units 27", "bad"),
        ("score<2", "good"),
        ("epochs=15", "good"),
        ("unknown=1", "none"),
        ("units>=", "none"),
        ("activation>3", "none"),
    ],
)
def test_filters(text, passes):
    found = parse_filter(text)
    expected = {"both": (True, True), "good": (True, False), "bad": (False, True), "none": (False, False)}[passes]
    assert (found.matches(GOOD), found.matches(BAD)) == expected


def test_delimited_text_is_read_back():
    text = to_delimited([GOOD, BAD], ["units", "Activation"])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[0]["trial"] == "7"
    assert float(rows[0]["score"]) == 0.95
    assert rows[0]["Activation"] == "relu"
    assert rows[1]["Activation"] == ""
    assert rows[1]["message"] == BAD.message
    assert rows[0]["why"] == GOOD.reason


def test_tabs_for_spreadsheets():
    assert to_delimited([GOOD], ["units"], "\t").splitlines()[1].split("\t")[0:2] == ["7", "COMPLETED"]


def test_columns_follow_the_space():
    space = SearchSpace(hyperparameters=(Int(name="later", min=1, max=2), Int(name="units", min=1, max=99)))
    assert value_names([GOOD], space) == ["later", "units", "Activation", "bias"]
    assert varying_names([GOOD, BAD], ["units", "bias"]) == ["units", "bias"]
    assert varying_names([GOOD, GOOD], ["units"]) == []
    assert varying_names([], ["units"]) == []
