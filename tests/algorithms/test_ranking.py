"""The ranking that `tunerstudio plugin check` shows, and the suite for pruners."""

from dataclasses import replace

import pytest

from tunerstudio.algorithms import ranking
from tunerstudio.algorithms.conformance import check_algorithm
from tunerstudio.algorithms.conformance_pruners import PRUNER_CHECKS, PrunerSubject
from tunerstudio.algorithms.discovery import get, get_pruner, inspect_folder
from tunerstudio.algorithms.skeleton import write_skeleton

PRUNERS = ["asha", "hyperband_pruning", "median", "percentile"]


@pytest.mark.parametrize("name", PRUNERS)
@pytest.mark.parametrize("check", PRUNER_CHECKS, ids=lambda check: check.__name__)
def test_shipped_pruner_conforms(name, check):
    assert check(PrunerSubject(get_pruner(name))) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return 'no' if trial > 1 else None", "led at every epoch"),
        ("return None", "ended none of 40 trials"),
        ("return 'no'", "ended the only trial there was"),
        (
            "others = curves.at(epoch, without=[trial]).values()\n"
            "    return 'no' if len(others) > 3 and curves.best(trial, epoch) < sorted(others)[2] else None",
            "led at every epoch",
        ),
        ("C.append(epoch)\n    return 'no' if len(C) % 50 == 49 else None", "gave other answers"),
        (
            "ranked = sorted(curves.at(epoch).values())\n"
            "    late = len(ranked) > 3 and curves.best(trial, epoch) > ranked[2]\n"
            "    return 'no' if late and curves.direction == 'min' else None",
            "mixes up the direction",
        ),
        ("return 1 / 0", "ZeroDivisionError"),
    ],
)
def test_the_suite_finds_what_is_wrong_with_a_pruner(write_plugin, body, expected):
    code = f"C = []\ndef observe_epoch(curves, trial, epoch, options):\n    {body}\n"
    problems = check_algorithm(inspect_folder(write_plugin(code, kind="pruner")))
    assert any(expected in problem for problem in problems), problems


@pytest.mark.parametrize("pruner", [False, True])
def test_a_new_plugin_passes_the_suite(tmp_path, pruner):
    folder = write_skeleton("Brand new", tmp_path, pruner)
    said = []
    assert check_algorithm(inspect_folder(folder), spaces=40, say=said.append) == []
    assert len(said) >= 5


def test_algorithms_are_ranked_by_what_they_find(tmp_path, monkeypatch):
    random = get("random")
    further = replace(random, id="further", manifest=replace(random.manifest, id="further", install="something"))
    monkeypatch.setattr(ranking, "find_algorithms", lambda: [random, get("grid"), further])
    new = inspect_folder(write_skeleton("Brand new", tmp_path))
    places = ranking.ranked(list(ranking.rank_algorithm(new, trials=30, seeds=2)))
    assert [place.id for place in places][-1] == "grid"
    assert {place.id for place in places} == {"brand_new", "random", "grid"}
    assert all(set(place.regrets) == {task.name for task in ranking.TASKS} for place in places)
    assert all(place.seconds_per_proposal > 0 for place in places)


def test_pruning_pays_at_an_equal_number_of_epochs(monkeypatch):
    monkeypatch.setattr(ranking, "find_pruners", lambda: [])
    mean = {place.id: place.mean for place in ranking.rank_pruner(get_pruner("asha"), trials=30, seeds=4)}
    assert mean["asha"] < 0.7 * mean["none"]
