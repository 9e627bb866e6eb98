"""Every shipped algorithm passes the public suite, and the suite finds what is wrong.

With `TUNERSTUDIO_LONG_TESTS=1` each of them is tried on a thousand random search spaces, as `tunerstudio plugin check`
does, and Keras Tuner's on forty: minutes instead of seconds.
"""

import os

import pytest

from tunerstudio.algorithms.conformance import (
    CHECKS,
    CONTINUOUS,
    Subject,
    check_algorithm,
    check_restart,
    check_seeds,
)
from tunerstudio.algorithms.discovery import find_algorithms, get, inspect_folder

PURE = sorted(
    info.id
    for info in find_algorithms()
    if info.origin == "shipped" and info.usable and info.manifest.kind == "propose"
)


LONG = os.environ.get("TUNERSTUDIO_LONG_TESTS") == "1"


@pytest.mark.parametrize("algorithm", PURE)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_shipped_algorithm_conforms(algorithm, check):
    info = get(algorithm)
    slow = "model_based" in info.manifest.capabilities or "optuna" in info.manifest.needs
    few = 12 if slow else 120
    assert check(Subject(info, spaces=1000 if LONG else few)) == []


@pytest.mark.tensorflow
@pytest.mark.parametrize("check", CHECKS if LONG else [check_seeds, check_restart], ids=lambda check: check.__name__)
def test_bayesian_oracle_conforms(check):
    options = {} if LONG else {"num_initial_points": 9}
    assert check(Subject(get("bayesian"), options, spaces=40)) == []


MODELS = [name for name in PURE if "model_based" in get(name).manifest.capabilities]


@pytest.mark.parametrize("algorithm", [*MODELS, "annealing", "cma_es", "evolution"])
@pytest.mark.parametrize("seed", range(3))
def test_what_learns_keeps_away_from_where_training_fails(algorithm, seed):
    def score(values, epochs):
        return None if values["a"] > 0.8 else 1.0 - values["a"]

    search = Subject(get(algorithm)).search(CONTINUOUS, seed=seed, score=score, trials=40)
    trials = search.run(40)
    assert len(trials) == 40
    proposed = trials[15:]
    assert sum(trial.values["a"] > 0.8 for trial in proposed) <= 0.3 * len(proposed)


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
