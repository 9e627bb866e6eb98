"""Every shipped algorithm passes the public suite, and the suite finds what is wrong."""

import pytest

from tunerstudio.algorithms.conformance import CHECKS, Subject, check_algorithm, check_restart, check_seeds
from tunerstudio.algorithms.discovery import find_algorithms, get, inspect_folder

PURE = sorted(
    info.id
    for info in find_algorithms()
    if info.origin == "shipped" and info.manifest and info.manifest.kind == "propose"
)


@pytest.mark.parametrize("algorithm", PURE)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_shipped_algorithm_conforms(algorithm, check):
    info = get(algorithm)
    spaces = 12 if "model_based" in info.manifest.capabilities else 120
    assert check(Subject(info, spaces=spaces)) == []


@pytest.mark.tensorflow
@pytest.mark.parametrize("check", [check_seeds, check_restart], ids=lambda check: check.__name__)
def test_bayesian_oracle_conforms(check):
    assert check(Subject(get("bayesian"), {"num_initial_points": 9})) == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def propose(s, h, r, o): return {'zzz': 1}", "is not a hyperparameter of this study"),
        ("def propose(s, h, r, o): return s.defaults()", "of the trials of seed 0"),
        (
            "import itertools\nC = itertools.count(1)\n"
            "def propose(s, h, r, o): return s.from_units({n: next(C) * 0.618 % 1 for n in s.names()})",
            "it went on with other trials",
        ),
        ("def propose(s, h, r, o): return {} if h.trials and not h.completed() else 1 / 0", "ZeroDivisionError"),
        (
            "from tunerstudio.algorithms.api import *\n"
            "def propose(s, h, r, o): return Finished('enough') if len(h.trials) > 20 else random_values(s, r)",
            "ended after 21 of 100 configurations",
        ),
    ],
)
def test_suite_finds_what_is_wrong(write_plugin, code, expected):
    problems = check_algorithm(inspect_folder(write_plugin(code)), spaces=5)
    assert any(expected in problem for problem in problems), problems


def test_broken_plugin_is_reported_as_it_is(tmp_path):
    (problem,) = check_algorithm(inspect_folder(tmp_path))
    assert "cannot be read" in problem
