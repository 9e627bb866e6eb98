"""Exported code as text: formatted, readable, complete. That it does the same as ours is tested with the worker."""

import ast
import json
import subprocess
import sys

import pytest

from tests.study.random_trees import Trees
from tunerstudio.export_code.notebook import notebook_text
from tunerstudio.export_code.programs import DataShape, hypermodel_program, training_program
from tunerstudio.export_code.text import Call, Listing, literal, statement
from tunerstudio.study.catalogue import load_catalogue
from tunerstudio.study.errors import TunerStudioError
from tunerstudio.study.files import parse_document
from tunerstudio.study.network import search_space

CATALOGUE = load_catalogue()


def document(*blocks, training=None, search=None, **model):
    data = {"source": {"kind": "bundled", "name": "iris"}}
    found = {"objective": {"name": "val_accuracy", "direction": "max"}, **(search or {})}
    content = {"name": "my study", "data": data, "search": found, "training": training or {}}
    return parse_document({**content, "model": {"kind": "blocks", "blocks": list(blocks), **model}})


def exported(study, shape=(8,), task="multiclass"):
    return hypermodel_program(study, DataShape(task, shape, 3), CATALOGUE).script()


UNITS = {"tune": "int", "min": 8, "max": 64, "step": 8}


def dense(units=UNITS, name="d", **arguments):
    return {"layer": "Dense", "name": name, "arguments": {"units": units, **arguments}}


def test_copies_of_a_repeat_are_declared_and_built_in_loops():
    count = {"tune": "int", "min": 1, "max": 3}
    text = exported(document({"repeat": count, "name": "hidden", "blocks": [dense()]}))
    assert (
        """    hp.Int("hidden_count", 1, 3)
    for i in range(1, 4):
        with hp.conditional_scope("hidden_count", list(range(i, 4))):
            hp.Int(f"d_{i}_units", 8, 64, step=8)
"""
        in text
    )
    assert (
        """        for i in range(1, hp.get("hidden_count") + 1):
            x = layers.Dense(hp.get(f"d_{i}_units"), name=f"d_{i}")(x)
"""
        in text
    )


def test_structure_becomes_plain_python():
    branches = [{"name": "wide", "blocks": [dense(64, "w")]}, {"name": "none"}]
    text = exported(
        document(
            {"optional": {"tune": "boolean"}, "name": "extra", "blocks": [dense(8, "e")]},
            {"one_of": branches, "name": "head"},
            {"residual": True, "name": "r", "blocks": [dense(4, "f")]},
        )
    )
    assert 'if hp.get("extra_on"):\n            x = layers.Dense(8, name="e")(x)' in text
    assert 'if hp.get("head") == "wide":\n            x = layers.Dense(64, name="w")(x)' in text
    assert 'skip = x\n        x = layers.Dense(4, name="f")(x)\n        x = add_skip(skip, x, name="r")' in text
    assert text.count("def add_skip(") == 1


def test_training_settings_are_exported():
    training = {"epochs": 7, "batch_size": {"tune": "choice", "choices": [16, 32]}, "early_stopping": {"patience": 3}}
    text = exported(document(dense(4), training=training, search={"algorithm": {"id": "hyperband"}}))
    assert 'return model.fit(*args, batch_size=hp.get("batch_size"), **kwargs)' in text
    assert "keras_tuner.Hyperband(" in text
    assert "max_epochs=7" in text
    assert "patience=3" in text


VARYING = {
    "class_weight": {"tune": "choice", "choices": ["none", "balanced"]},
    "early_stopping": {"patience": {"tune": "int", "min": 2, "max": 6}},
    "reduce_rate": {"patience": 2, "factor": {"tune": "float", "min": 0.1, "max": 0.5}},
}


def test_training_that_varies_is_a_fit_of_the_hypermodel():
    study = document(dense(4), training=VARYING)
    text = exported(study)
    ast.parse(text)
    assert 'if hp.get("class_weight") == "balanced":' in text
    assert 'kwargs["class_weight"] = balanced_weights(args[1])' in text
    assert 'patience=hp.get("patience")' in text
    assert 'factor=hp.get("rate_factor")' in text
    assert "return model.fit(*args, callbacks=callbacks, **kwargs)" in text
    values = {"class_weight": "balanced", "patience": 3, "rate_factor": 0.25}
    script = training_program(study, DataShape("binary", (8,), 1), CATALOGUE, values, 7).script()
    ast.parse(script)
    assert "class_weight=balanced_weights(y_train)" in script
    assert "factor=0.25" in script
    assert "hp.get" not in script


def test_numbers_are_never_weighed_by_class():
    study = document(dense(4), training={"class_weight": "balanced"})
    assert "class_weight=balanced_weights(y_train)" in exported(study)
    assert "balanced_weights" not in exported(study, task="regression")


def test_an_objective_that_keras_does_not_have_is_told():
    text = exported(document(dense(4), search={"objective": {"name": "val_f1_score", "direction": "max"}}))
    assert "# Keras has no metric for val_f1_score as the study measures it" in text
    assert 'keras_tuner.Objective("val_loss", "min")' in text


def test_a_script_has_the_values_of_the_trial_in_it():
    study = document({"repeat": {"tune": "int", "min": 1, "max": 2}, "name": "r", "blocks": [dense()]})
    values = {"r_count": 2, "d_1_units": 8, "d_2_units": 24}
    text = training_program(study, DataShape("binary", (8,), 1), CATALOGUE, values, 7).script()
    assert 'x = layers.Dense(8, name="d_1")(inputs)\n    x = layers.Dense(24, name="d_2")(x)' in text
    assert "keras_tuner" not in text
    assert "keras.utils.set_random_seed(7)" in text


def test_a_notebook_holds_the_program_in_cells():
    program = hypermodel_program(document(dense()), DataShape("binary", (8,), 1), CATALOGUE)
    content = json.loads(notebook_text(program))
    assert content["nbformat"] == 4
    code = ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]
    assert len(code) == 4
    for cell in code:
        ast.parse(cell)
    assert "class StudyModel" in code[1]


def test_what_keras_tuner_cannot_say_is_refused():
    study = document(dense({"tune": "choice", "choices": [1, "many"]}))
    with pytest.raises(TunerStudioError, match="chooses among values of different kinds"):
        exported(study)


def test_code_models_are_code_already(tmp_path):
    data = {"source": {"kind": "bundled", "name": "iris"}}
    study = parse_document({"name": "x", "data": data, "model": {"kind": "code", "file": "m.py"}})
    with pytest.raises(TunerStudioError, match="a code model is code already"):
        exported(study)


def test_odd_names_are_still_python():
    study = document(dense(name='say "hi" {1}\\'), {"repeat": 2, "blocks": [dense(name='in "a" {loop}')]})
    ast.parse(exported(study))


@pytest.mark.parametrize("seed", range(12))
def test_random_programs_are_formatted_as_a_formatter_would(seed, tmp_path):
    trees = Trees(seed)
    study = parse_document({**document().model_dump(), "model": trees.model()})
    shape = DataShape("multiclass", trees.shape, 3)
    files = []
    for name, program in (
        ("search", hypermodel_program(study, shape, CATALOGUE)),
        ("train", training_program(study, shape, CATALOGUE, search_space(study).defaults(), 1)),
    ):
        files.append(tmp_path / f"{name}.py")
        files[-1].write_text(program.script())
    ruff = [sys.executable, "-m", "ruff"]
    options = ["--isolated", "--line-length", "100"]
    for command in (["format", "--diff"], ["check", "--select", "E,F,W,I"]):
        done = subprocess.run([*ruff, command[0], *options, *command[1:], *files], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_long_calls_are_broken_one_argument_a_line():
    call = Call(
        "f", (literal("a" * 40), Listing(tuple(map(str, range(25))))), {"key": literal({"b": [1, None]})}, "(x)"
    )
    assert statement("y = ", call, 0) == [
        "y = f(",
        f'    "{"a" * 40}",',
        "    [" + ", ".join(map(str, range(25))) + "],",
        '    key={"b": [1, None]},',
        ")(x)",
    ]


def test_a_name_that_keras_could_give_too_is_not_given_twice():
    unnamed = {"layer": "Dense", "arguments": {"units": 5}}
    alone = exported(document(dense(4, name="first"), unnamed))
    assert "x = layers.Dense(5)(x)" in alone
    mixed = exported(document(dense(4, name="dense_1"), unnamed))
    assert 'x = layers.Dense(4, name="dense_1")(x)' in mixed
    assert 'x = layers.Dense(5, name="dense_2")(x)' in mixed


def test_the_projection_of_a_named_skip_has_a_name_of_its_own():
    text = exported(document({"residual": True, "name": "skip", "blocks": [dense(4)]}))
    assert 'options = {"use_bias": False, "name": name and f"{name}_projection"}' in text
    assert 'x = add_skip(skip, x, name="skip")' in text
