import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tunerstudio.study.hyperparameters import (
    UNCOUNTABLE,
    Boolean,
    Choice,
    Condition,
    Fixed,
    Float,
    Int,
    SearchSpace,
    values_key,
)

units = st.floats(0.0, 1.0)
samplings = st.sampled_from(["linear", "log", "reverse_log"])


@st.composite
def ints(draw):
    low = draw(st.integers(1, 50))
    high = draw(st.integers(low, low + 500))
    sampling = draw(samplings)
    step = None if sampling == "reverse_log" else draw(st.none() | st.integers(2, 7))
    return Int(name="n", min=low, max=high, step=step, sampling=sampling)


@st.composite
def floats(draw):
    low = draw(st.sampled_from([0.0, 0.001, 0.1, 1.0]))
    sampling = draw(samplings) if low > 0 else "linear"
    if sampling == "log":
        step = draw(st.none() | st.sampled_from([1.5, 2.0, 10.0]))
        high = low * (step or 2.0) ** draw(st.integers(0, 12))
    else:
        step = None if sampling == "reverse_log" else draw(st.none() | st.sampled_from([0.0005, 0.1, 0.2, 0.25]))
        high = low + (step or 0.3) * draw(st.integers(0, 40))
    return Float(name="x", min=low, max=high, step=step, sampling=sampling)


@given(ints() | floats(), units)
def test_every_draw_is_legal_and_comes_back_from_its_place(hyperparameter, unit):
    value = hyperparameter.from_unit(unit)
    assert hyperparameter.contains(value)
    back = hyperparameter.from_unit(hyperparameter.to_unit(value))
    assert back == pytest.approx(value, rel=1e-9, abs=1e-12)


@given(ints())
def test_both_ends_of_an_int_are_reached(hyperparameter):
    values = list(hyperparameter.values())
    assert hyperparameter.from_unit(0.0) == hyperparameter.min == values[0]
    assert hyperparameter.from_unit(1.0) == values[-1]
    assert len(values) == hyperparameter.count() == len(set(values))


@pytest.mark.parametrize(("low", "high", "step"), [(0, 1, 0.2), (0, 0.5, 0.1), (0.001, 0.02, 0.0005), (0, 0.9, 0.3)])
def test_the_max_of_a_stepped_float_is_one_of_its_values(low, high, step):
    hyperparameter = Float(name="x", min=low, max=high, step=step)
    values = list(hyperparameter.values())
    assert values[-1] == high
    assert hyperparameter.from_unit(1.0) == high
    assert all(hyperparameter.contains(value) for value in values)


def test_log_int_never_exceeds_its_max():
    hyperparameter = Int(name="n", min=8, max=512, sampling="log")
    assert hyperparameter.from_unit(1.0) == 512
    assert hyperparameter.from_unit(math.nextafter(1.0, 0.0)) == 512


def test_log_steps_multiply():
    assert list(Int(name="n", min=8, max=64, step=2, sampling="log").values()) == [8, 16, 32, 64]


def test_true_is_not_one():
    choice = Choice(name="c", choices=(1, True, 0, False))
    assert [choice.from_unit(choice.to_unit(value)) is value for value in (True, False)] == [True, True]
    assert values_key({"c": True}) != values_key({"c": 1})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Int(name="n", min=5, max=1), "exchange them"),
        (lambda: Float(name="x", min=0, max=1, sampling="log"), "needs a min above 0"),
        (lambda: Float(name="x", min=0, max=1, step=-0.1), "greater than 0"),
        (lambda: Float(name="x", min=1, max=8, step=1, sampling="log"), "greater than 1"),
        (lambda: Float(name="x", min=0, max=math.inf), "finite"),
        (lambda: Int(name="n", min=1, max=9, step=2, default=4), "is not one of"),
        (lambda: Choice(name="c", choices=("a", "a")), "listed twice"),
        (lambda: Choice(name="c", choices=("a",), default="b"), "is not one of"),
    ],
)
def test_a_wrong_range_says_what_would_be_right(make, message):
    with pytest.raises(ValidationError, match=message):
        make()


def a_space():
    return SearchSpace(
        hyperparameters=(
            Choice(name="kind", choices=("a", "b")),
            Int(name="only_a", min=1, max=3, conditions=(Condition(parent="kind", values=("a",)),)),
            Boolean(name="only_b", conditions=(Condition(parent="kind", values=("b",)),)),
            Fixed(name="always", value=7),
        )
    )


def test_only_active_hyperparameters_have_values():
    space = a_space()
    assert space.from_units({"kind": 0.0, "only_a": 0.99}) == {"kind": "a", "only_a": 3, "always": 7}
    assert space.from_units({"kind": 0.9, "only_b": 0.9}) == {"kind": "b", "only_b": True, "always": 7}


def test_conditions_are_respected_when_counting():
    space = a_space()
    configurations = list(space.all_values())
    assert space.count() == len(configurations) == 5
    assert len({values_key(values) for values in configurations}) == 5


def test_a_continuous_range_cannot_be_counted():
    assert SearchSpace(hyperparameters=(Float(name="x", min=0, max=1),)).count() == UNCOUNTABLE


def test_illegal_values_are_named():
    space = a_space()
    assert space.problems({"kind": "a", "only_a": 2, "always": 7}) == []
    problems = space.problems({"kind": "a", "only_a": 9, "only_b": True, "other": 1})
    text = " ".join(problems)
    for name in ("only_a", "only_b", "other", "always"):
        assert name in text


@pytest.mark.parametrize(
    ("hyperparameters", "message"),
    [
        ((Boolean(name="a"), Boolean(name="a")), "used twice"),
        ((Boolean(name="a", conditions=(Condition(parent="z", values=(True,)),)),), "not defined before"),
        ((Int(name="n", min=1, max=3), Boolean(name="a", conditions=(Condition(parent="n", values=(9,)),))), "but its"),
    ],
)
def test_an_inconsistent_space_is_refused(hyperparameters, message):
    with pytest.raises(ValidationError, match=message):
        SearchSpace(hyperparameters=hyperparameters)
