"""Ranges of a code model that the study narrows or fixes."""

import pytest

from tunerstudio.study.document import StudyDocument
from tunerstudio.study.errors import StudyError
from tunerstudio.study.hyperparameters import Boolean, Choice, Condition, Fixed, Float, Int, SearchSpace
from tunerstudio.study.network import search_space

SGD = (Condition(parent="optimizer", values=("sgd",)),)
CODE = SearchSpace(
    hyperparameters=(
        Int(name="units", min=8, max=64, step=8),
        Float(name="rate", min=0.0, max=0.5),
        Choice(name="optimizer", choices=("adam", "sgd")),
        Float(name="momentum", min=0.0, max=0.9, conditions=SGD),
        Boolean(name="bias"),
    )
)


def space(**ranges):
    document = {
        "name": "s",
        "data": {"source": {"kind": "bundled", "name": "iris"}},
        "model": {"kind": "code", "file": "model.py", "ranges": ranges},
    }
    return search_space(StudyDocument.model_validate(document), CODE)


def test_without_ranges_the_code_decides():
    assert space() == CODE


def test_a_range_is_narrowed_and_a_value_fixed():
    found = space(units={"tune": "int", "min": 16, "max": 32, "step": 8}, bias=True, rate=0.25)
    assert found["units"] == Int(name="units", min=16, max=32, step=8)
    assert found["bias"] == Fixed(name="bias", value=True)
    assert found["rate"] == Fixed(name="rate", value=0.25)
    assert found.names() == CODE.names()


def test_some_choices_are_left_out_and_what_depends_on_them_too():
    assert "momentum" not in space(optimizer="adam").names()
    only = space(optimizer={"tune": "choice", "choices": ["sgd"]})
    assert only["momentum"].conditions == SGD


def test_a_condition_survives_with_the_values_that_are_left():
    assert space(momentum=0.5)["momentum"] == Fixed(name="momentum", value=0.5, conditions=SGD)


@pytest.mark.parametrize(
    ("ranges", "field", "sentence"),
    [
        ({"units": 9}, "model.ranges.units", "9 is not one of"),
        ({"units": {"tune": "int", "min": 8, "max": 128, "step": 8}}, "model.ranges.units", "72 is not one of"),
        ({"units": {"tune": "int", "min": 8, "max": 64}}, "model.ranges.units", "9 is not one of"),
        ({"rate": {"tune": "float", "min": -0.1, "max": 0.5}}, "model.ranges.rate", "-0.1 is not one of"),
        ({"optimizer": {"tune": "choice", "choices": ["lion"]}}, "model.ranges.optimizer", "'lion' is not one of"),
        ({"unit": 8}, "model.ranges.unit", "Did you mean 'units'"),
        ({"bias": {"tune": "boolean", "name": "b"}}, "model.ranges.bias", "only the range can be changed"),
    ],
)
def test_what_the_code_does_not_declare_is_refused(ranges, field, sentence):
    with pytest.raises(StudyError) as caught:
        space(**ranges)
    (problem,) = caught.value.problems
    assert problem.field == field
    assert sentence in problem.message
