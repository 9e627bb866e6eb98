import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunerstudio.algorithms.conformance import CONDITIONAL, HUNDRED, random_space
from tunerstudio.algorithms.legality import legal_values, random_values
from tunerstudio.algorithms.tried import TriedConfigurations, canonical
from tunerstudio.study.hyperparameters import (
    Boolean,
    Choice,
    Condition,
    Fixed,
    Float,
    Int,
    SearchSpace,
    values_key,
)
from tunerstudio.study.trials import Trial, TrialState

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(-1000, 1000), st.floats(), st.text(max_size=3), st.lists(st.integers())
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.dictionaries(st.sampled_from(["h0", "h1", "h2", "h9"]), ANYTHING))
def test_whatever_is_proposed_becomes_legal(seed, proposed):
    space = random_space(rng(seed))
    assert space.problems(legal_values(space, proposed, rng()).values) == []


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_legal_values_are_left_alone(seed):
    space = random_space(rng(seed))
    drawn = random_values(space, rng(seed))
    assert space.problems(drawn) == []
    legal = legal_values(space, drawn, rng())
    assert values_key(legal.values) == values_key(drawn)
    assert legal.repairs == legal.refused == ()


@pytest.mark.parametrize(
    ("hyperparameter", "proposed", "taken"),
    [
        (Int(name="x", min=8, max=512, sampling="log"), 513, 512),
        (Int(name="x", min=0, max=10, step=5), 7, 5),
        (Int(name="x", min=0, max=10), np.int64(3), 3),
        (Int(name="x", min=0, max=10), 3.6, 4),
        (Float(name="x", min=0, max=1, step=0.1), 0.30000000000000004, 0.3),
        (Float(name="x", min=0, max=1), 2, 1.0),
        (Float(name="x", min=0, max=1), np.float32(0.5), 0.5),
        (Boolean(name="x"), 1, True),
        (Boolean(name="x"), np.True_, True),
        (Choice(name="x", choices=(16, 32, 64)), 50, 64),
        (Choice(name="x", choices=(1, True)), True, True),
        (Fixed(name="x", value="a"), "b", "a"),
    ],
)
def test_nearest_value_is_taken(hyperparameter, proposed, taken):
    legal = legal_values(SearchSpace(hyperparameters=(hyperparameter,)), {"x": proposed}, rng())
    assert legal.values["x"] == taken
    assert type(legal.values["x"]) is type(taken)
    assert legal.refused == ()


def test_repairs_are_told_and_inactive_values_dropped_in_silence():
    legal = legal_values(CONDITIONAL, {"kind": "conv", "units": 8, "pool": math.nan, "foo": 1}, rng())
    assert set(legal.values) >= {"kind", "pool"}
    assert "units" not in legal.values
    assert legal.repairs == ("'foo' is not a hyperparameter of this study",)
    assert legal.refused == ("pool = nan is not one of False, True",)


def tried_trials(space: SearchSpace, count: int) -> list[Trial]:
    configurations = list(space.all_values())[:count]
    return [Trial(n, TrialState.COMPLETED, values, score=1.0) for n, values in enumerate(configurations, 1)]


def test_the_last_untried_configuration_is_found():
    tried = TriedConfigurations(HUNDRED)
    tried.update(tried_trials(HUNDRED, 99))
    last = list(HUNDRED.all_values())[99]
    assert tried.untried(rng()) == last
    assert tried.substitute({"a": 1, "b": 0.0}, rng()) == last
    tried.add(last)
    assert tried.exhausted
    assert tried.untried(rng()) is None
    assert tried.substitute(last, rng()) is None


def test_substitute_is_a_neighbour():
    tried = TriedConfigurations(HUNDRED)
    tried.add({"a": 5, "b": 0.5})
    found = {values_key(tried.substitute({"a": 5, "b": 0.5}, rng(seed))) for seed in range(60)}
    assert found == {
        values_key(values)
        for values in ({"a": 4, "b": 0.5}, {"a": 6, "b": 0.5}, {"a": 5, "b": 0.4}, {"a": 5, "b": 0.6})
    }


def test_large_spaces_are_searched_without_listing_them():
    space = SearchSpace(hyperparameters=tuple(Int(name=f"x{i}", min=1, max=1000) for i in range(6)))
    tried = TriedConfigurations(space)
    values = tried.untried(rng())
    assert values is not None
    assert values not in tried


def test_trials_of_another_space_are_hidden():
    tried = TriedConfigurations(HUNDRED)
    good = Trial(1, TrialState.COMPLETED, {"a": 1, "b": 0}, score=1.0)
    visible = tried.update([Trial(2, TrialState.COMPLETED, {"a": 99, "b": 0.0}), good])
    assert [trial.number for trial in visible] == [1]
    assert type(visible[0].values["b"]) is float
    assert canonical(HUNDRED, good.values) in tried


def test_conditional_space_where_a_branch_is_continuous_still_finds_new_ones():
    space = SearchSpace(
        hyperparameters=(
            Boolean(name="on"),
            Float(name="x", min=0, max=1, conditions=(Condition(parent="on", values=(True,)),)),
        )
    )
    tried = TriedConfigurations(space)
    tried.add({"on": False})
    for seed in range(20):
        values = tried.untried(rng(seed))
        assert values is not None
        assert values["on"] is True
