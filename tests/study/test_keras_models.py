"""Saved Keras models as blocks, from their description alone: nothing of Keras is imported here."""

import json
import re
import zipfile

import pytest

from tunerstudio.study.arguments import LayerSpec, ObjectSpec
from tunerstudio.study.catalogue import load_catalogue
from tunerstudio.study.keras_blocks import open_keras
from tunerstudio.study.keras_files import KerasModelError
from tunerstudio.study.model import LayerBlock, ParallelBlock, ResidualBlock

CATALOGUE = load_catalogue()


def layer(kind, name, *inputs, module="keras.layers", **config):
    """A layer of a functional model as Keras 3 writes it."""
    tensors = [{"class_name": "__keras_tensor__", "config": {"keras_history": [one, 0, 0]}} for one in inputs]
    args = [tensors] if len(tensors) > 1 else tensors
    nodes = [{"args": args, "kwargs": {"mask": None}}] if inputs else []
    dtype = {"class_name": "DTypePolicy", "config": {"name": "float32"}}
    config = {"name": name, "trainable": True, "dtype": dtype, **config}
    return {"module": module, "class_name": kind, "name": name, "config": config, "inbound_nodes": nodes}


def start(name="input", shape=(None, 8, 8, 3)):
    return layer("InputLayer", name, batch_shape=list(shape))


def functional(*layers, outputs=None, **more):
    ends = outputs or [layers[-1]["name"], 0, 0]
    inside = {"name": "functional", "layers": list(layers), "input_layers": ["input", 0, 0], "output_layers": ends}
    return {"module": "keras.src.models.functional", "class_name": "Functional", "config": inside, **more}


def sequential(*layers, **more):
    inside = {
        "name": "sequential",
        "layers": [{k: v for k, v in one.items() if k != "inbound_nodes"} for one in layers],
    }
    return {"module": "keras", "class_name": "Sequential", "config": inside, **more}


def dense(name, *inputs, units=4, **config):
    return layer("Dense", name, *inputs, units=units, **config)


@pytest.fixture
def opened(tmp_path):
    def opened(config, name="model.json"):
        path = tmp_path / name
        if path.suffix == ".keras":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("config.json", json.dumps(config))
        else:
            path.write_text(json.dumps(config))
        return open_keras(path, CATALOGUE)

    return opened


@pytest.fixture
def refused(opened):
    def refused(config):
        with pytest.raises(KerasModelError) as told:
            opened(config)
        return str(told.value)

    return refused


@pytest.mark.parametrize("name", ["model.keras", "model.json"])
def test_a_chain_with_its_optimizer(opened, name):
    conv = layer("Conv2D", "conv2d_7", filters=16, kernel_size=[3, 3], strides=[1, 1], padding="same", groups=1)
    rate = {"class_name": "SGD", "config": {"learning_rate": 0.019999999552965164, "momentum": 0.9, "nesterov": False}}
    config = sequential(
        start(), conv, layer("Flatten", "flat"), dense("head", units=3), compile_config={"optimizer": rate}
    )
    found = opened(config, name)
    first, second = found.model.blocks
    assert first == LayerBlock(layer="Conv2D", arguments={"filters": 16, "kernel_size": 3, "padding": "same"})
    assert second == LayerBlock(layer="Flatten", name="flat")
    assert (found.model.optimizer.name, found.model.optimizer.arguments) == (
        "SGD",
        {"learning_rate": 0.02, "momentum": 0.9},
    )
    assert found.input_shape == (8, 8, 3)
    assert found.output == "Dense, 3 units"


def test_a_sequential_model_without_an_input_layer(opened):
    found = opened(sequential(dense("a", units=5, batch_input_shape=[None, 4]), dense("b")))
    assert [block.arguments["units"] for block in found.model.blocks] == [5]
    assert opened(sequential(layer("Dropout", "d", rate=0.5))).model.blocks[0].layer == "Dropout"


def test_objects_and_inner_layers_are_taken_with_their_arguments(opened):
    regularizer = {"module": "keras.regularizers", "class_name": "L2", "config": {"l2": 0.0010000000474974513}}
    usual = {"module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": None}}
    forward = {"module": "keras.layers", "class_name": "LSTM", "config": {"name": "lstm", "units": 6}}
    backward = {**forward, "config": {"name": "back", "units": 6, "go_backwards": True}}
    found = opened(
        sequential(
            dense("a", kernel_regularizer=regularizer, kernel_initializer=usual, activation="relu"),
            layer("Bidirectional", "both", layer=forward, backward_layer=backward, merge_mode="concat"),
            dense("b"),
        )
    )
    first, second = found.model.blocks
    assert first.arguments["kernel_regularizer"] == ObjectSpec(name="L2", arguments={"l2": 0.001})
    assert "kernel_initializer" not in first.arguments
    assert second.arguments == {"layer": LayerSpec(layer="LSTM", arguments={"units": 6})}


def test_a_skip_and_branches(opened):
    found = opened(
        functional(
            start(),
            dense("stem", "input"),
            dense("inner", "stem"),
            layer("Add", "sum", "stem", "inner"),
            dense("left", "sum"),
            dense("right", "sum"),
            dense("right_2", "right"),
            layer("Concatenate", "join", "left", "right_2", "sum", axis=-1),
            dense("head", "join", units=2),
        )
    )
    stem, skip, branches = found.model.blocks
    assert stem.name == "stem"
    assert isinstance(skip, ResidualBlock)
    assert (skip.name, [block.name for block in skip.blocks]) == ("sum", ["inner"])
    assert isinstance(branches, ParallelBlock)
    assert branches.merge == "concatenate"
    assert [[block.name for block in branch.blocks] for branch in branches.parallel] == [
        ["left"],
        ["right", "right_2"],
        [],
    ]


def test_branches_inside_branches(opened):
    found = opened(
        functional(
            start(),
            dense("a", "input"),
            dense("b", "input"),
            layer("Add", "inner", "a", "b"),
            dense("c", "inner"),
            layer("Maximum", "outer", "c", "input"),
            dense("head", "outer"),
        )
    )
    (outer,) = found.model.blocks
    assert isinstance(outer, ParallelBlock)
    assert outer.merge == "maximum"
    inner, last = outer.parallel[0].blocks
    assert isinstance(inner, ParallelBlock)
    assert inner.merge == "add"
    assert last.name == "c"


def test_networks_inside_networks_stand_in_their_place(opened):
    base = sequential(start(), dense("one", trainable=False), dense("two"))
    inside = layer("Sequential", "base", "input", layers=base["config"]["layers"])
    found = opened(functional(start(), inside, dense("head", "base")))
    assert [block.name for block in found.model.blocks] == ["one", "two"]
    assert found.frozen == ("one",)


def test_a_model_of_this_program_without_its_preparation(opened):
    network = functional(start(shape=(None, 5)), dense("hidden", "input"), dense("output", "hidden", units=1))
    inside = layer("Functional", "network", "x")
    inside["config"] = {**network["config"], "name": "network"}
    columns = [start("x", (None, 5)), start("z", (None, 1)), inside]
    found = opened(functional(*columns, outputs=[["network", 0, 0]]))
    assert [block.name for block in found.model.blocks] == ["hidden"]
    assert found.input_shape == (5,)


def test_what_keras_2_wrote(opened):
    def old(kind, name, *inputs, **config):
        nodes = [[[one, 0, 0, {}] for one in inputs]] if inputs else []
        return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": nodes}

    layers = [
        old("InputLayer", "input", batch_input_shape=[None, 4]),
        old("Dense", "a", "input", units=3, activation="linear"),
        old("Add", "sum", "input", "a"),
        old("Dense", "head", "sum", units=1),
    ]
    found = opened({"class_name": "Model", "config": {"layers": layers, "output_layers": [["head", 0, 0]]}})
    (skip,) = found.model.blocks
    assert isinstance(skip, ResidualBlock)
    assert skip.blocks[0].arguments == {"units": 3}


def test_an_attention_attends_to_its_own_input(opened):
    attention = layer("MultiHeadAttention", "mha", num_heads=2, key_dim=4)
    tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": ["input", 0, 0]}}
    attention["inbound_nodes"] = [{"args": [tensor, tensor], "kwargs": {}}]
    found = opened(functional(start(shape=(None, 6, 4)), attention, dense("head", "mha")))
    assert [block.layer for block in found.model.blocks] == ["MultiHeadAttention"]


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ([layer("Lambda", "f", "input", function={"class_name": "__lambda__"})], "holds Python code, which is not run"),
        ([layer("Mine", "m", "input", module="my_module")], r"layer m \(Mine\) is of a class that is not Keras's own"),
        ([layer("NoSuchLayer", "m", "input")], "is of a class that is not Keras's own"),
        ([layer("Multiply", "m", "input", module="keras.src.ops.numpy")], "is a calculation between layers"),
        ([layer("Dot", "m", "input", "input", axes=1)], "takes 2 inputs, which no block does"),
        ([layer("TextVectorization", "m", "input")], "cannot stand among blocks"),
        ([dense("a", "input"), layer("Concatenate", "c", "a", "input", axis=1)], "joins along the axis 1"),
        ([dense("a", "input", colour="blue")], "has the argument colour='blue'"),
        ([dense("a", "input", kernel_initializer={"class_name": "Mine", "config": {}})], "a class of its own"),
    ],
)
def test_layers_that_no_block_is(refused, layers, reason):
    text = refused(functional(start(), *layers, dense("head", layers[-1]["name"])))
    assert re.search(reason, text), text


def test_a_graph_that_is_no_chain_of_branches(refused):
    text = refused(
        functional(
            start(),
            dense("a", "input"),
            dense("b", "a"),
            dense("c", "input"),
            layer("Add", "d", "a", "c"),
            layer("Add", "e", "b", "d"),
            dense("head", "e"),
        )
    )
    assert "layer a (Dense) gives goes to several places" in text


def test_shared_layers_several_inputs_and_outputs(refused):
    twice = dense("twice", "input")
    twice["inbound_nodes"] *= 2
    assert "layer twice stands in 2 places" in refused(functional(start(), twice))
    two = functional(start(), start("other"), layer("Add", "sum", "input", "other"))
    assert "the model has 2 inputs" in refused(two)
    ends = functional(start(), dense("a", "input"), dense("b", "input"), outputs=[["a", 0, 0], ["b", 0, 0]])
    assert "the model has 2 outputs" in refused(ends)


def test_a_layer_that_is_called_in_a_special_way(refused):
    odd = layer("BatchNormalization", "norm", "input")
    odd["inbound_nodes"][0]["kwargs"] = {"training": True, "mask": None}
    assert "layer norm is called with training=True" in refused(functional(start(), odd))


def test_a_model_of_ones_own_class(refused):
    assert "of a class of its own (MyModel)" in refused({"class_name": "MyModel", "config": {"units": 3}})


@pytest.mark.parametrize("broken", [{"layers": [{"class_name": "Dense"}]}, {"layers": [3]}, {"layers": []}])
@pytest.mark.parametrize("kind", ["Sequential", "Functional"])
def test_a_damaged_description(refused, broken, kind):
    assert refused({"class_name": kind, "config": broken})


def test_files_that_are_no_models(tmp_path):
    for name, content, reason in (
        ("a.keras", b"PK\x03\x04 nonsense", "there is no config.json in it"),
        ("a.h5", b"\x89HDF\r\n\x1a\n", "in the old HDF5 format"),
        ("a.json", b"{", "holds no description of a Keras model"),
        ("b.json", b"[1, 2]", "holds no description of a Keras model"),
        ("c.json", b"\xff\xfe\x00", "holds no description of a Keras model"),
        ("d.json", b"[" * 100_000, "holds no description of a Keras model"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(KerasModelError, match=reason):
            open_keras(path, CATALOGUE)
    with pytest.raises(KerasModelError, match="cannot be read"):
        open_keras(tmp_path / "missing.keras", CATALOGUE)
