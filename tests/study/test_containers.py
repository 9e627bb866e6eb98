"""Containers: their spaces, their networks, their names."""

import random

import pytest
import yaml

from tests.study.random_trees import Trees, units_for
from tunerstudio.study.containers import block_by_path, every_block, lists_of, mapped_lists, with_list
from tunerstudio.study.errors import StudyError
from tunerstudio.study.files import document_text, parse_document
from tunerstudio.study.model import LayerBlock, OptionalBlock
from tunerstudio.study.names import block_names, fresh_name, named
from tunerstudio.study.network import INPUT, placed_layers, resolve_compile, resolve_network, search_space

UNITS = {"tune": "int", "min": 8, "max": 64, "step": 8}


def document(*blocks, **model):
    data = {"source": {"kind": "bundled", "name": "iris"}}
    return parse_document({"name": "x", "data": data, "model": {"kind": "blocks", "blocks": list(blocks), **model}})


def dense(units=4, name=None, **arguments):
    block = {"layer": "Dense", "arguments": {"units": units, **arguments}}
    return {**block, "name": name} if name else block


def edges(study, **values):
    network = resolve_network(study.model, values)
    return [(layer.name, layer.inputs) for layer in network.layers], network.output


def message(study):
    with pytest.raises(StudyError) as caught:
        search_space(study)
    return [str(problem) for problem in caught.value.problems]


def test_an_optional_block_is_there_or_not():
    study = document({"optional": {"tune": "boolean"}, "name": "extra", "blocks": [dense(UNITS, "d")]})
    space = search_space(study)
    assert space.names() == ["extra_on", "d_units"]
    assert space.defaults() == {"extra_on": False}
    assert edges(study, extra_on=False) == ([], INPUT)
    assert edges(study, extra_on=True, d_units=8) == ([("d", (INPUT,))], "d")
    assert edges(document({"optional": False, "blocks": [dense()]})) == ([], INPUT)


def test_one_of_builds_the_chosen_branch():
    branches = [{"name": "wide", "blocks": [dense(UNITS, "w")]}, {"name": "none"}]
    study = document({"one_of": branches, "name": "head"}, dense(3, "last"))
    space = search_space(study)
    assert space.names() == ["head", "w_units"]
    assert list(space["head"].values()) == ["wide", "none"]
    assert edges(study, head="none") == ([("last", (INPUT,))], "last")
    assert edges(study, head="wide", w_units=8)[0] == [("w", (INPUT,)), ("last", ("w",))]
    fixed = document({"one_of": branches, "name": "head", "chosen": "wide"})
    assert search_space(fixed).names() == ["w_units"]
    assert "no branch 'wid'. Did you mean 'wide'?" in message(document({"one_of": branches, "chosen": "wid"}))[0]


def test_a_residual_block_adds_its_input():
    study = document(dense(4, "a"), {"residual": True, "name": "skip", "blocks": [dense(4, "b")]})
    layers = resolve_network(study.model, {}).layers
    assert [(one.layer, one.inputs) for one in layers] == [
        ("Dense", (INPUT,)),
        ("Dense", ("a",)),
        ("Add", ("a", "b")),
    ]
    assert layers[-1].projection == "auto"
    tunable = document({"residual": {"tune": "boolean"}, "name": "r", "blocks": [dense(4, "b")]})
    assert search_space(tunable).names() == ["r_skip"]
    assert edges(tunable, r_skip=False) == ([("b", (INPUT,))], "b")
    around_nothing = document({"residual": True, "blocks": [{"optional": False, "blocks": [dense()]}]})
    assert edges(around_nothing) == ([], INPUT)


def test_parallel_branches_are_merged():
    merge = {"tune": "choice", "choices": ["add", "concatenate"]}
    branches = [{"name": "l", "blocks": [dense(4, "a"), dense(4, "b")]}, {"name": "r", "blocks": [dense(4, "c")]}]
    study = document({"parallel": branches, "merge": merge, "name": "both"})
    assert search_space(study).names() == ["both_merge"]
    network = resolve_network(study.model, {"both_merge": "concatenate"})
    assert [(one.layer, one.inputs) for one in network.layers][-1] == ("Concatenate", ("b", "c"))
    assert network.output == "both"
    with pytest.raises(StudyError, match="cannot be merged by 'sum': use one of concatenate, add"):
        document({"parallel": branches, "merge": "sum"})
    with pytest.raises(StudyError, match="two branches are called 'l'"):
        document({"parallel": [{"name": "l"}, {"name": "l"}]})


def test_disabled_blocks_are_kept_but_not_built():
    study = document({**dense(UNITS, "a"), "disabled": True}, dense(UNITS, "b"))
    assert search_space(study).names() == ["b_units"]
    assert edges(study, b_units=8) == ([("b", (INPUT,))], "b")
    assert "disabled: true" in document_text(study)


def test_a_condition_holds_the_field_back_until_it_is_met():
    momentum = {"tune": "float", "min": 0.0, "max": 0.9, "only_if": {"optimizer": "SGD"}}
    optimizer = {"name": {"tune": "choice", "choices": ["Adam", "SGD"]}, "arguments": {"momentum": momentum}}
    study = document(
        dense(UNITS, "d", use_bias={"tune": "boolean", "only_if": {"optimizer": ["SGD"]}}), optimizer=optimizer
    )
    space = search_space(study)
    assert space.names() == ["d_units", "optimizer", "d_use_bias", "momentum"]  # parents first
    assert "momentum" not in space.defaults()
    assert resolve_network(study.model, {"d_units": 8, "optimizer": "Adam"}).layers[0].arguments == {"units": 8}
    values = {"d_units": 8, "optimizer": "SGD", "d_use_bias": True, "momentum": 0.5}
    assert resolve_network(study.model, values).layers[0].arguments == {"units": 8, "use_bias": True}
    assert resolve_compile(study.model, values).optimizer == {"name": "SGD", "arguments": {"momentum": 0.5}}


def test_conditions_inside_a_repeat_mean_the_same_copy():
    rate = {"tune": "float", "min": 0.0, "max": 0.5, "only_if": {"d_use_bias": True}}
    inside = [
        dense(4, "d", use_bias={"tune": "boolean"}),
        {"layer": "Dropout", "name": "o", "arguments": {"rate": rate}},
    ]
    space = search_space(document({"repeat": 2, "name": "r", "blocks": inside}))
    assert [c.parent for c in space["o_2_rate"].conditions] == ["d_2_use_bias"]


def test_wrong_conditions_are_named():
    unknown = {**UNITS, "only_if": {"optimiser": "SGD"}}
    optimizer = {"name": {"tune": "choice", "choices": ["Adam", "SGD"]}}
    found = message(document(dense(unknown), optimizer=optimizer))
    assert found == [
        "model.blocks.0.arguments.units.only_if.optimiser: there is no hyperparameter 'optimiser'. "
        "Did you mean 'optimizer'?"
    ]
    circle = [dense({**UNITS, "name": "a", "only_if": {"b": 8}}), dense({**UNITS, "name": "b", "only_if": {"a": 8}})]
    assert "'a', 'b' depend on each other in a circle" in message(document(*circle))[0]
    wrong_value = {**UNITS, "only_if": {"optimizer": "Nadam"}}
    assert (
        "being 'Nadam', but its values are Adam, SGD" in message(document(dense(wrong_value), optimizer=optimizer))[0]
    )


def test_one_hyperparameter_for_several_fields():
    width = {**UNITS, "name": "width", "shared": True}
    study = document(dense(width, "a"), dense({"ref": "width", "times": 0.5}, "b"), dense(width, "c"))
    assert search_space(study).names() == ["width"]
    network = resolve_network(study.model, {"width": 24})
    assert [layer.arguments["units"] for layer in network.layers] == [24, 12, 24]
    other = {**width, "max": 32}
    assert (
        "is shared with model.blocks.0.arguments.units, which has another range"
        in message(document(dense(width), dense(other)))[0]
    )
    assert (
        "there is no hyperparameter 'wide'. Did you mean 'width'?"
        in message(document(dense(width), dense({"ref": "wide"})))[0]
    )
    with pytest.raises(StudyError, match="a shared hyperparameter needs a name"):
        document(dense({**UNITS, "shared": True}))


def test_a_shared_field_is_active_wherever_one_of_its_places_is():
    width = {**UNITS, "name": "width", "shared": True}
    study = document({"optional": {"tune": "boolean"}, "name": "o", "blocks": [dense(width)]}, dense(width))
    assert search_space(study)["width"].conditions == ()


def test_a_reference_to_what_may_be_missing_is_refused():
    study = document(
        {"optional": {"tune": "boolean"}, "name": "o", "blocks": [dense({**UNITS, "name": "n"})]}, dense({"ref": "n"})
    )
    assert "'n' exists only for some values of 'o_on', this field always" in message(study)[0]


@pytest.mark.parametrize(
    ("rule", "names", "units"),
    [
        ("own", ["r_count", "d_1_units", "d_2_units", "d_3_units"], [8, 16, 24]),
        ("shared", ["r_count", "d_units"], [16, 16, 16]),
        ({"times": 2}, ["r_count", "d_units"], [16, 32, 64]),
        ({"times": 0.5}, ["r_count", "d_units"], [16, 8, 4]),
    ],
)
def test_copies_of_a_repeat_follow_the_rule_of_the_field(rule, names, units):
    count = {"tune": "int", "min": 1, "max": 3}
    study = document({"repeat": count, "name": "r", "blocks": [dense({**UNITS, "copies": rule}, "d")]})
    space = search_space(study)
    assert space.names() == names
    values = {"r_count": 3, "d_units": 16, "d_1_units": 8, "d_2_units": 16, "d_3_units": 24}
    layers = resolve_network(study.model, values).layers
    assert [(layer.name, layer.arguments["units"]) for layer in layers] == [
        ("d_1", units[0]),
        ("d_2", units[1]),
        ("d_3", units[2]),
    ]


def test_texts_cannot_be_scaled():
    activation = {"tune": "choice", "choices": ["relu", "tanh"], "copies": {"times": 2}}
    assert "only numbers can be scaled" in message(document({"repeat": 2, "blocks": [dense(activation=activation)]}))[0]


def test_objects_have_tunable_arguments_and_choices_of_their_own():
    strength = {"tune": "float", "min": 1e-5, "max": 1e-2, "sampling": "log"}
    regularizer = {
        "name": {"tune": "choice", "choices": ["none", "L1", "L2"]},
        "when": {"L1": {"l1": strength}, "L2": {"l2": strength}},
    }
    study = document(dense(4, "d", kernel_regularizer=regularizer))
    space = search_space(study)
    assert space.names() == ["d_kernel_regularizer", "d_kernel_regularizer_l1_l1", "d_kernel_regularizer_l2_l2"]
    assert space.defaults() == {"d_kernel_regularizer": "none"}

    def made(**values):
        return resolve_network(study.model, values).layers[0].arguments["kernel_regularizer"]

    assert made(d_kernel_regularizer="none") is None
    chosen = made(d_kernel_regularizer="L2", d_kernel_regularizer_l2_l2=0.001)
    assert chosen == {"name": "L2", "arguments": {"l2": 0.001}}


def test_wrappers_hold_a_layer():
    inner = {"layer": "LSTM", "arguments": {"units": UNITS}}
    study = document({"layer": "Bidirectional", "name": "both", "arguments": {"layer": inner}})
    assert search_space(study).names() == ["both_layer_units"]
    assert resolve_network(study.model, {"both_layer_units": 8}).layers[0].arguments == {
        "layer": {"layer": "LSTM", "name": "both_layer", "arguments": {"units": 8}}
    }


def test_schedule_and_loss_are_part_of_the_space():
    rate = {"tune": "float", "min": 0.001, "max": 0.1, "sampling": "log"}
    schedule = {
        "name": {"tune": "choice", "choices": ["constant", "CosineDecay"]},
        "arguments": {"initial_learning_rate": rate},
        "when": {"CosineDecay": {"decay_steps": {"tune": "int", "min": 10, "max": 90}}},
    }
    loss = {"name": "Huber", "arguments": {"delta": {"tune": "float", "min": 0.5, "max": 2.0}}}
    study = document(optimizer={"name": "SGD", "arguments": {"learning_rate": schedule}}, loss=loss)
    assert search_space(study).names() == [
        "learning_rate",
        "learning_rate_initial_learning_rate",
        "learning_rate_cosinedecay_decay_steps",
        "loss_delta",
    ]


def test_metrics_are_never_tunable():
    metric = {"name": "AUC", "arguments": {"num_thresholds": {"tune": "int", "min": 10, "max": 90}}}
    assert "a metric measures every trial alike" in message(document(metrics=[metric]))[0]


def test_a_copy_called_like_another_block_is_refused():
    study = document({"repeat": 2, "blocks": [dense(4, "d")]}, dense(4, "d_1"))
    assert "a copy of this block is called 'd_1'" in message(study)[0] or "'d_1'" in message(study)[0]


def test_names_stay_when_a_block_is_put_in_front():
    blocks = document(dense(UNITS), {"repeat": 2, "blocks": [dense(UNITS)]}).model.blocks
    kept = named(blocks)
    assert block_names(kept) == block_names(blocks)
    longer = named((LayerBlock(layer="Dense", arguments={"units": 3}), *kept))
    assert [block.name for _, block in every_block(longer)] == ["dense_3", "dense_1", "repeat_1", "dense_2"]
    assert named(longer) == longer
    assert fresh_name(LayerBlock(layer="Conv2D"), {"conv2d_1"}) == "conv2d_2"


def test_walking_and_rebuilding():
    branches = [{"name": "l", "blocks": [dense(1, "a")]}, {"name": "r"}]
    blocks = document({"parallel": branches}, {"optional": True, "blocks": [dense(1, "b")]}).model.blocks
    assert [path for path, _ in every_block(blocks)] == ["0", "0.parallel.0.blocks.0", "1", "1.blocks.0"]
    assert block_by_path(blocks, "0.parallel.0.blocks.0").name == "a"
    assert block_by_path(blocks, "9") is None
    assert [(inside.path, inside.name, len(inside.blocks)) for inside in lists_of(blocks[0])] == [
        ("parallel.0.blocks", "l", 1),
        ("parallel.1.blocks", "r", 0),
    ]
    filled = with_list(blocks[0], 1, (LayerBlock(layer="Flatten"),))
    assert filled.parallel[1].blocks[0].layer == "Flatten"
    assert isinstance(mapped_lists(blocks[1], lambda inside: inside * 2), OptionalBlock)
    with pytest.raises(ValueError, match="no blocks inside Flatten"):
        with_list(LayerBlock(layer="Flatten"), 0, ())


def test_wrong_keys_get_suggestions():
    with pytest.raises(StudyError) as caught:
        document({"optional": True, "blocs": [dense()]}, dense({"tune": "int", "min": 1, "max": 2, "onlyif": {"a": 1}}))
    text = str(caught.value)
    assert "model.blocks.0.blocs: there is no field 'blocs' here. Did you mean 'blocks'?" in text
    assert "model.blocks.1.arguments.units.onlyif: there is no field 'onlyif' here. Did you mean 'only_if'?" in text


@pytest.mark.parametrize("seed", range(40))
def test_random_trees_survive_the_file_and_resolve(seed):
    trees = Trees(seed)
    data = {"source": {"kind": "bundled", "name": "iris"}}
    study = parse_document({"name": "x", "data": data, "model": trees.model()})
    assert parse_document(yaml.safe_load(document_text(study))) == study
    space = search_space(study)
    layers = {layer.name for layer in placed_layers(study.model)}
    rng = random.Random(seed)
    for _ in range(5):
        network = resolve_network(study.model, space.from_units(units_for(space, rng)))
        done = {INPUT}
        for layer in network.layers:
            assert set(layer.inputs) <= done
            assert len(layer.inputs) > 1 or layer.name in layers
            done.add(layer.name)
        assert network.output in done
