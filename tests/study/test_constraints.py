"""Constraints: what may be written, what it means, and what is said of what may not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunerstudio.study.constraints import (
    ConstraintError,
    broken_constraint,
    constraint_problems,
    parse_constraint,
    parse_constraints,
)
from tunerstudio.study.errors import StudyError
from tunerstudio.study.files import parse_document


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("units * layers <= 512", {"units": 128, "layers": 4}, True),
        ("units * layers <= 512", {"units": 128, "layers": 5}, False),
        ("units * layers <= 512", {"units": 4096}, True),  # an inactive one counts as 0
        ("16 <= units < 64", {"units": 64}, False),
        ("max(a, b, 3) - min(a, b) == abs(-a)", {"a": 3, "b": 0}, True),
        ("a ** 2 // 2 % 3 != 1 or not b > 1", {"a": 4, "b": 2}, True),
        ("activation == 'relu' or units < 32", {"activation": "elu", "units": 32}, False),
        ("activation in ('relu', 'elu') and not dropout", {"activation": "elu", "dropout": False}, True),
        ("activation not in ['relu']", {}, True),
        ("dense.units + hp['my units'] > 3", {"dense.units": 2, "my units": 2}, True),
        ("use_bias", {"use_bias": True}, True),
        ("log(rate) < -2 and sqrt(4) == round(2.2)", {"rate": 0.01}, True),
        ("1 / a > 0", {"a": 0}, False),  # cannot be computed
        ("a ** a ** a > 0", {"a": 99}, False),
        ("(0 - a) ** 0.5 > 0", {"a": 4}, False),
        ("a < 'x'", {"a": 1}, False),
    ],
)
def test_meaning(text, values, expected):
    assert parse_constraint(text).holds(values) is expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("units <=", "'units <=' cannot be read .* Write it like units"),
        ("units = 3", "Use == to compare"),
        ("", "cannot be read"),
        ("units + 3", r"compares nothing: write it like units \+ 3 <= 512"),
        ("3 < 4", "names no hyperparameter"),
        ("__import__('os').system('x') == 0", r"__import__\('os'\).system\(\) cannot be used; there are min"),
        ("units.__class__() > 0", r"units.__class__\(\) cannot be used"),
        ("[x for x in y] == 1", "cannot be used in a constraint"),
        ("(lambda: 1) == units", "cannot be used in a constraint"),
        ("units[0] > 1", r"'units\[0\]' cannot be used"),
        ("units & 1 == 1", "the sign BitAnd cannot be used"),
        ("units is 1", "the sign Is cannot be used"),
        ("~units > 0", "cannot be used"),
        ("max(a, key=b) > 1", r"max\(\) cannot be used"),
        ("units > None", "'None' is not a number"),
        ("units > b'x'", "is not a number"),
        ("a < " + "1" * 600, "at most 500 letters"),
        ("(" * 240 + "a" + ")" * 240 + " < 1", "cannot be read"),
    ],
)
def test_what_is_no_constraint(text, message):
    with pytest.raises(ConstraintError, match=message):
        parse_constraint(text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        constraint = parse_constraint(text)
    except ConstraintError:
        return
    assert constraint.holds({}) in {True, False}


def test_names_are_checked_against_the_space():
    problems = constraint_problems(["unit > 3", "parameters <= 1e6", "a <"], ["units", "layers"])
    assert [problem.field for problem in problems] == ["search.constraints.0", "search.constraints.2"]
    assert problems[0].message == "there is no hyperparameter 'unit'. Did you mean 'units'?"


def test_measured_constraints_wait_for_the_network():
    constraints = parse_constraints(["units < 100", "parameters <= 1e6 and units > 1"])
    assert [constraint.is_measured for constraint in constraints] == [False, True]
    assert broken_constraint(constraints, {"units": 50}) is None
    assert broken_constraint(constraints, {"units": 500}) is constraints[0]
    assert broken_constraint(constraints, {"units": 50, "parameters": 2_000_000}) is constraints[1]


def test_the_document_names_the_constraint_that_cannot_be_read():
    source = {"kind": "bundled", "name": "iris"}
    content = {"name": "s", "data": {"source": source}, "search": {"constraints": ["a > 1", "a >"]}}
    with pytest.raises(StudyError, match=r"search.constraints.1: 'a >' cannot be read"):
        parse_document(content)
