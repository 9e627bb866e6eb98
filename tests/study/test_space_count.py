"""Counting large spaces: parts that do not depend on each other multiply."""

import time

from tunerstudio.study.files import parse_document
from tunerstudio.study.hyperparameters import Choice, Condition, Int, SearchSpace
from tunerstudio.study.network import search_space


def repeat(name, copies):
    parent = Int(name=name, min=1, max=copies)
    children = [
        Choice(
            name=f"{name}_{copy}",
            choices=("a", "b", "c"),
            conditions=(Condition(parent=name, values=tuple(range(copy, copies + 1))),),
        )
        for copy in range(1, copies + 1)
    ]
    return (parent, *children)


def test_independent_parts_multiply():
    first, second = repeat("r", 3), repeat("s", 2)
    assert SearchSpace(hyperparameters=first).count() == 3 + 9 + 27
    both = SearchSpace(hyperparameters=(*first, *second))
    assert both.count() == (3 + 9 + 27) * (3 + 9)
    assert both.count() == sum(1 for _ in both.all_values())


def test_many_repeats_are_counted_at_once():
    parts = [hyperparameter for index in range(12) for hyperparameter in repeat(f"r{index}", 6)]
    started = time.perf_counter()
    assert SearchSpace(hyperparameters=tuple(parts)).count() == (3 + 9 + 27 + 81 + 243 + 729) ** 12
    assert time.perf_counter() - started < 5


def test_true_is_another_value_than_one():
    parent = Choice(name="kind", choices=(True, 1, 0.5))
    child = Choice(name="child", choices=("a", "b", "c"), conditions=(Condition(parent="kind", values=(1,)),))
    assert SearchSpace(hyperparameters=(parent, child)).count() == 1 + 3 + 1


def test_conditions_across_the_tree_are_counted_in_one_pass():
    """Thirty repeats whose fields all ask for the optimizer: one group of five hundred hyperparameters."""
    blocks = [
        {
            "repeat": {"tune": "int", "min": 1, "max": 8},
            "name": f"r{number}",
            "blocks": [
                {
                    "layer": "Dense",
                    "name": f"d{number}",
                    "arguments": {
                        "units": {"tune": "int", "min": 1, "max": 9},
                        "activation": {"tune": "choice", "choices": ["relu", "tanh"], "only_if": {"optimizer": "SGD"}},
                    },
                }
            ],
        }
        for number in range(30)
    ]
    optimizer = {"name": {"tune": "choice", "choices": ["Adam", "SGD"]}}
    data = {"source": {"kind": "bundled", "name": "iris"}}
    model = {"kind": "blocks", "blocks": blocks, "optimizer": optimizer}
    count = search_space(parse_document({"name": "x", "data": data, "model": model})).count()
    without, with_activation = (sum(base**copies for copies in range(1, 9)) for base in (9, 18))
    assert count == without**30 + with_activation**30
