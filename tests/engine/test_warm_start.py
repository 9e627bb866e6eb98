"""A search that learns from the trials of an earlier study."""

import pytest

from tests.engine.reading import trials_of
from tunerstudio.store.reader import Cursor, StudyReader

pytestmark = pytest.mark.tensorflow

OBJECTIVE = {"name": "val_accuracy", "direction": "max"}
FIRST = {"objective": OBJECTIVE, "budget": {"trials": 5}, "algorithm": {"id": "random"}}
MODEL = {
    "kind": "blocks",
    "blocks": [{"layer": "Dense", "arguments": {"units": {"tune": "int", "min": 2, "max": 6}}}],
}


def log_of(folder):
    with StudyReader(folder) as reader:
        return " | ".join(line.text for line in reader.changes(Cursor()).log)


def test_trials_of_comparable_studies_are_learned_from(run, blocks_study):
    first = blocks_study("first", search=FIRST)
    other = blocks_study("other", search={**FIRST, "budget": {"trials": 1}, "objective": {"name": "val_loss"}})
    run(first)
    run(other)
    warm = [str(first), "../other", "../nowhere", "."]
    search = {"objective": OBJECTIVE, "budget": {"trials": 2}, "algorithm": {"id": "gaussian_process"}}
    second = blocks_study("second", search={**search, "warm_start": warm})
    assert run(second).reason == "budget"
    trials = trials_of(second)
    assert [trial.number for trial in trials] == [1, 2]
    assert not any("Initial" in trial.reason for trial in trials)
    log = log_of(second)
    assert f"warm start from {first}: 5 trials" in log
    assert "warm start from ../other: no trial was taken, because scores could not be compared: other search.obj" in log
    assert "warm start from ../nowhere: there is no study with trials" in log
    assert "warm start from .: this is the study itself" in log


def test_values_that_the_space_of_today_does_not_allow_are_left(run, blocks_study):
    first = blocks_study("first", search=FIRST)
    run(first)
    legal = sum(trial.values["dense_1_units"] <= 6 for trial in trials_of(first))
    second = blocks_study("second", search={**FIRST, "budget": {"trials": 1}, "warm_start": ["../first"]}, model=MODEL)
    run(second)
    assert f"warm start from ../first: {legal} trials; {5 - legal} have values that the space" in log_of(second)
