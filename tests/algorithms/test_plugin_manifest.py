import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tunerstudio.algorithms.discovery import check_options, check_space, find_algorithms, inspect_folder
from tunerstudio.algorithms.manifest import Manifest, Option, manifest_problems, read_manifest
from tunerstudio.study.hyperparameters import Condition, Float, Int, SearchSpace

OPTIONS = """
[[options]]
name = "beta"
type = "float"
default = 2.5
min = 0
max = 10
label = "Beta"
help = "How bold."

[[options]]
name = "points"
type = "int"
nullable = true
min = 1
label = "Points"
help = "How many."

[[options]]
name = "kernel"
type = "choice"
choices = ["rbf", "matern"]
default = "rbf"
label = "Kernel"
help = "Which."
"""


def manifest_of(folder: Path) -> Manifest:
    manifest, problems = read_manifest(folder)
    assert manifest is not None, problems
    return manifest


def test_manifest_is_read_without_its_code(write_plugin):
    manifest = manifest_of(write_plugin("raise RuntimeError('imported')", more=OPTIONS))
    assert (manifest.id, manifest.api, manifest.module, manifest.kind) == ("mine", 1, "mine", "propose")
    assert [option.name for option in manifest.options] == ["beta", "points", "kernel"]
    assert manifest.option("points").default is None
    assert manifest.option("kernel").choices == ("rbf", "matern")
    with pytest.raises(KeyError):
        manifest.option("alpha")


def test_all_that_is_wrong_is_said_at_once():
    data = tomllib.loads("""
id = "Bad Id"
name = ""
descripton = "typo"
version = "one"
api = 7
module = "a-b"
kind = "magic"
capabilities = ["paralel", 3]
needs = ["not a module"]

[[options]]
name = "x y"
type = "int"
default = 5
min = 9
max = 1
label = "X"
help = "h"

[[options]]
name = "n"
type = "float"
default = 20.0
max = 10
label = "N"
help = "h"

[[options]]
name = "n"
type = "integer"
default = 1
label = "N"
help = "h"

[[options]]
name = "c"
type = "choice"
default = 1
label = "C"
help = "h"

[[options]]
name = "b"
type = "bool"
min = 1
label = "B"
help = "h"
""")
    problems = manifest_problems(data)
    for expected in (
        "descripton: there is no such field. Did you mean 'description'?",
        "description: this field is required",
        "name: must not be empty",
        "id: 'Bad Id' may hold",
        "version: 'one' is not a version",
        "api: version 7 is not supported",
        "module: 'a-b' is not a module name",
        "kind: 'magic' is not known; use one of propose, oracle",
        "capabilities: a text is needed, not 3",
        "Did you mean 'parallel'?",
        "needs: 'not a module' is not the name of a Python module",
        "options.x y.name: 'x y' may hold",
        "options.x y.min: 9 is greater than max (1)",
        "options.n.default: must be at most 10, not 20",
        "options.n.name: there are two options of this name",
        "options.n.type: 'integer' is not known",
        "options.c.choices: a choice needs a list of values",
        "options.b.min: only int and float options have bounds",
    ):
        assert any(expected in problem for problem in problems), expected


def test_an_option_without_a_type_is_no_cause_of_further_problems():
    option = {"name": "n", "typ": "int", "min": 1, "max": 3, "default": 2, "label": "N", "help": "h"}
    problems = [problem for problem in manifest_problems({"options": [option]}) if problem.startswith("options.")]
    assert problems == [
        "options.n.typ: there is no such field. Did you mean 'type'?",
        "options.n.type: this field is required",
    ]


def test_missing_default_must_be_nullable():
    data = {
        "id": "m",
        "name": "M",
        "description": "d",
        "version": "1",
        "api": 1,
        "module": "m",
        "kind": "propose",
        "options": [{"name": "b", "type": "bool", "label": "B", "help": "h"}, 3],
    }
    assert manifest_problems(data) == [
        "options.b.default: this field is required (or nullable = true, which means null)",
        "options.1: a table ([[options]]) is needed, not 3",
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"id = ", "is not valid TOML"),
        (b'module = "gone"', "there is no file gone.py"),
    ],
)
def test_unreadable_manifest_is_a_sentence(tmp_path, content, expected):
    if content is not None:
        (tmp_path / "MANIFEST.toml").write_bytes(content)
    manifest, problems = read_manifest(tmp_path)
    assert manifest is None
    assert any(expected in problem for problem in problems)


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        (Option("x", "int", 1, "X", "h", min=1, max=5), 5, None),
        (Option("x", "int", 1, "X", "h", min=1, max=5), 6, "must be at most 5, not 6"),
        (Option("x", "int", 1, "X", "h", min=1, max=5), 0, "must be at least 1, not 0"),
        (Option("x", "int", 1, "X", "h"), 1.0, "a whole number is needed, not 1.0"),
        (Option("x", "int", 1, "X", "h"), True, "a whole number is needed, not True"),
        (Option("x", "int", 1, "X", "h"), None, "a whole number is needed, not null"),
        (Option("x", "int", None, "X", "h", nullable=True), None, None),
        (Option("x", "float", 1.0, "X", "h"), 3, None),
        (Option("x", "float", 1.0, "X", "h"), float("nan"), "a number is needed, not nan"),
        (Option("x", "bool", True, "X", "h"), 1, "true or false is needed, not 1"),
        (Option("x", "text", "", "X", "h"), "a", None),
        (Option("x", "text", "", "X", "h"), ["a"], "a text is needed, not ['a']"),
        (Option("x", "choice", 1, "X", "h", choices=(1, 2)), True, "True is not known here; use one of 1, 2"),
    ],
)
def test_option_says_what_is_wrong(option, value, problem):
    assert option.problem(value) == problem


def test_options_are_completed_and_all_problems_collected(write_plugin):
    manifest = manifest_of(write_plugin("", more=OPTIONS))
    assert check_options(manifest, {"beta": 3}) == ({"beta": 3.0, "points": None, "kernel": "rbf"}, [])
    complete, problems = check_options(manifest, {"beta": 11, "kernl": "rbf", "points": 4})
    assert complete == {"beta": 2.5, "points": 4, "kernel": "rbf"}
    assert [str(problem) for problem in problems] == [
        "search.algorithm.options.kernl: Mine has no option 'kernl'. Did you mean 'kernel'?",
        "search.algorithm.options.beta: must be at most 10, not 11",
    ]


def test_space_that_an_algorithm_cannot_search(write_plugin):
    folder = write_plugin("")
    text = (folder / "MANIFEST.toml").read_text()
    (folder / "MANIFEST.toml").write_text(text.replace('"conditional", "continuous", ', ""))
    manifest = inspect_folder(folder).manifest
    space = SearchSpace(
        hyperparameters=(
            Int(name="n", min=1, max=2),
            Float(name="x", min=0, max=1, conditions=(Condition(parent="n", values=(1,)),)),
        )
    )
    assert [problem.message for problem in check_space(manifest, space)] == [
        "Mine cannot search spaces with conditional hyperparameters",
        "Mine needs a step for x",
    ]


def test_shipped_manifests_are_right_and_explain_every_option():
    shipped = [info for info in find_algorithms() if info.origin == "shipped"]
    assert {"random", "grid", "hyperband", "bayesian"} <= {info.id for info in shipped}
    for info in shipped:
        assert info.manifest, info.problems
        assert all(problem.startswith("needs: ") and info.manifest.install for problem in info.problems)
        assert info.folder.name == info.id
        assert info.manifest.family
        for option in info.manifest.options:
            assert option.help.endswith("."), f"{info.id}.{option.name}"


def test_manifests_cost_the_window_no_numpy():
    code = (
        "import sys, tunerstudio.algorithms.discovery as d; assert d.find_algorithms();"
        "print([m for m in ('numpy', 'pandas', 'tensorflow', 'keras_tuner', 'scipy', 'optuna') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
