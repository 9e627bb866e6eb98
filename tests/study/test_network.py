import pytest

from tunerstudio.study.errors import StudyError
from tunerstudio.study.files import parse_document
from tunerstudio.study.network import resolve_layers, search_space, snake_case


def document(blocks, **model):
    return parse_document(
        {
            "name": "x",
            "data": {"source": {"kind": "bundled", "name": "iris"}},
            "model": {"kind": "blocks", "blocks": blocks, **model},
        }
    )


def dense(name=None, **arguments):
    block = {"layer": "Dense", "arguments": arguments}
    return {**block, "name": name} if name else block


UNITS = {"tune": "int", "min": 8, "max": 64, "step": 8}


def test_layers_are_named_and_numbered():
    study = document([dense(units=UNITS), dense(units=4), dense("head", units=UNITS)])
    assert search_space(study).names() == ["dense_1_units", "head_units"]
    layers = resolve_layers(study.model, {"dense_1_units": 8, "head_units": 16})
    assert [(layer.name, layer.arguments) for layer in layers] == [
        ("dense_1", {"units": 8}),
        ("dense_2", {"units": 4}),
        ("head", {"units": 16}),
    ]


def test_repeat_gives_each_copy_its_own_values_under_its_condition():
    study = document(
        [{"repeat": {"tune": "int", "min": 0, "max": 3}, "name": "hidden", "blocks": [dense(units=UNITS)]}]
    )
    space = search_space(study)
    assert space.names() == ["hidden_count", "dense_1_1_units", "dense_1_2_units", "dense_1_3_units"]
    assert space.from_units({"hidden_count": 0.0}) == {"hidden_count": 0}
    two = space.from_units({"hidden_count": 0.6, "dense_1_2_units": 1.0})
    assert two == {"hidden_count": 2, "dense_1_1_units": 8, "dense_1_2_units": 64}
    assert [layer.arguments["units"] for layer in resolve_layers(study.model, two)] == [8, 64]
    assert resolve_layers(study.model, {"hidden_count": 0}) == []


def test_a_shared_repeat_has_one_value_for_all_copies():
    repeat = {"repeat": {"tune": "int", "min": 1, "max": 3}, "shared": True, "blocks": [dense(units=UNITS)]}
    study = document([repeat])
    assert search_space(study).names() == ["repeat_1_count", "dense_1_units"]
    layers = resolve_layers(study.model, {"repeat_1_count": 3, "dense_1_units": 24})
    assert [(layer.name, layer.arguments["units"]) for layer in layers] == [
        ("dense_1_1", 24),
        ("dense_1_2", 24),
        ("dense_1_3", 24),
    ]


def test_nested_repeats_count_per_copy():
    inner = {"repeat": {"tune": "int", "min": 1, "max": 2}, "name": "inner", "blocks": [dense(units=UNITS)]}
    study = document([{"repeat": 2, "name": "outer", "blocks": [inner]}])
    space = search_space(study)
    assert [n for n in space.names() if n.startswith("inner")] == ["inner_1_count", "inner_2_count"]
    values = space.from_units({"inner_2_count": 0.9})
    assert len(resolve_layers(study.model, values)) == 3


def test_optimizer_and_batch_size_take_part():
    study = document(
        [dense(units=4)],
        optimizer={
            "name": {"tune": "choice", "choices": ["SGD", "Adam"]},
            "arguments": {"learning_rate": {"tune": "float", "min": 0.001, "max": 0.1, "sampling": "log"}},
        },
    )
    batch = {"tune": "choice", "choices": [16, 32]}
    study = parse_document({**study.model_dump(), "training": {"batch_size": batch}})
    assert search_space(study).names() == ["optimizer", "learning_rate", "batch_size"]


def test_one_name_for_two_fields_is_refused():
    study = document([dense(units={**UNITS, "name": "n"}), dense(units={**UNITS, "name": "n"})])
    with pytest.raises(StudyError, match=r"model\.blocks\.1\.arguments\.units: the hyperparameter name 'n'"):
        search_space(study)


def test_one_name_for_two_layers_is_refused():
    with pytest.raises(StudyError, match="'a' is used twice"):
        search_space(document([dense("a", units=1), dense("a", units=2)]))


def test_a_negative_count_is_refused():
    with pytest.raises(StudyError, match="cannot be repeated -1 times"):
        search_space(document([{"repeat": -1, "blocks": [dense(units=1)]}]))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Dense", "dense"), ("Conv2D", "conv2d"), ("BatchNormalization", "batch_normalization"), ("LSTM", "lstm")],
)
def test_snake_case(name, expected):
    assert snake_case(name) == expected
