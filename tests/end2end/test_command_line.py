"""The command line, from a data file to saved models; every command is a process of its own."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import yaml

pytestmark = [pytest.mark.end2end, pytest.mark.tensorflow]


@pytest.fixture
def blobs(program):
    """Two groups of points, in the form that a Spanish spreadsheet writes."""
    rng = np.random.default_rng(3)
    rows = ["a;b;kind;answer"]
    for _ in range(160):
        answer = rng.integers(2)
        a, b = rng.normal(answer * 3, 1), rng.normal(0, 1)
        cells = f"{a:.3f};{b:.3f}".replace(".", ",")
        rows.append(f"{cells};{'x' if b > 0 else 'y'};{'yes' if answer else 'no'}")
    path = program.folder / "blobs.csv"
    path.write_text("\n".join(rows), encoding="latin-1")
    return path


def shrink(folder, **training):
    """Make a study small enough for a test."""
    path = folder / "study.yaml"
    content = yaml.safe_load(path.read_text())
    content["training"] = {"epochs": 3, "batch_size": 32, **training}
    path.write_text(yaml.safe_dump(content))


def test_from_a_data_file_to_saved_models(program, blobs):
    new = program.run("new", "s", "--data", blobs)
    assert "answer" in new.out
    shrink(program.folder / "s", executions=2)
    assert program.run("check", "s", "--json").json["ok"]
    assert program.run("space", "s", "--json").json["hyperparameters"]
    ran = program.run("run", "s", "--trials", "3", "--json").json
    assert ran["completed"] == 3
    results = program.run("results", "s", "--json").json
    assert results["objective"] == {"name": "val_accuracy", "direction": "max"}
    scores = [trial["score"] for trial in results["trials"]]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
    assert all(len(trial["executions"]) == 2 for trial in results["trials"])
    models = program.run("save", "s", "--top", "2", "--json").json["models"]
    assert [model["trial"] for model in models] == [trial["number"] for trial in results["trials"][:2]]
    assert all(model["verified"] and "accuracy" in model["test"] for model in models)
    again = program.run("run", "s", "--trials", "3", "--json").json
    assert again["completed"] == 3


def test_a_saved_model_takes_raw_rows_without_our_package(program, blobs):
    program.run("new", "s", "--data", blobs)
    shrink(program.folder / "s")
    program.run("run", "s", "--trials", "1")
    (model,) = program.run("save", "s", "--top", "1", "--json").json["models"]
    code = (
        "import sys; sys.modules['tunerstudio'] = None\n"
        "import tensorflow as tf, keras\n"
        f"model = keras.saving.load_model({model['path']!r}, safe_mode=True)\n"
        "row = {'a': tf.constant([[3.0], [0.0]]), 'b': tf.constant([[0.5], [float('nan')]]),\n"
        "       'kind': tf.constant([['x'], ['never seen']])}\n"
        "answer = model(row)\n"
        "print(sorted(answer), [bytes(v).decode() for v in answer['class'].numpy().ravel()])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=program.folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    keys, classes = done.stdout.strip().split("] [")
    assert "probability" in keys
    assert all(name in ("'yes'", "'no'") for name in classes.rstrip("]").split(", "))


MANY = "40"
"""Trials that no machine is done with before a signal arrives."""


def test_ctrl_c_ends_after_the_epoch_and_the_search_goes_on_as_if_nothing_had_happened(program):
    for name in ("whole", "cut"):
        program.run("new", name, "--example", "reference")
        shrink(program.folder / name, epochs=4)
    program.run("run", "whole", "--trials", MANY)
    process = program.start("run", "cut", "--trials", MANY)
    for line in process.stderr:
        if line.startswith("trial 2:"):
            process.send_signal(signal.SIGINT)
            break
    process.communicate(timeout=120)
    assert process.returncode == 130
    program.run("run", "cut", "--trials", MANY)

    def told(name):
        trials = program.run("results", name, "--json", "--top", "0").json["trials"]
        return sorted((t["number"], t["state"], t["score"], sorted(t["values"].items())) for t in trials)

    assert told("cut") == told("whole")


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_a_killed_search_loses_nothing_that_was_completed(program):
    program.run("new", "s", "--example", "reference")
    shrink(program.folder / "s", epochs=4)
    process = program.start("run", "s", "--trials", "8")
    told = (line for line in process.stderr if line.startswith("trial "))
    for _ in range(3):  # with several workers the third to end need not be trial 3
        assert next(told)
    process.kill()
    process.communicate(timeout=120)
    before = program.run("results", "s", "--json", "--top", "0").json["trials"]
    completed = {t["number"]: t["score"] for t in before if t["state"] == "COMPLETED"}
    assert len(completed) >= 3
    program.run("run", "s", "--trials", "8")
    after = program.run("results", "s", "--json", "--top", "0").json["trials"]
    assert len(after) == 8
    assert {t["state"] for t in after} == {"COMPLETED"}
    assert all(score == next(t["score"] for t in after if t["number"] == n) for n, score in completed.items())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "nowhere"), "is not a study"),
        (("new", "s", "--data", "nothing.csv"), "nothing.csv"),
        (("new", "s", "--example", "referenc"), "Did you mean 'reference'?"),
        (("results", "nowhere"), "is not a study"),
        (("save", "nowhere"), "is not a study"),
    ],
)
def test_bad_input_is_a_sentence_and_exit_code_2(program, words, message):
    done = program.run(*words, code=2)
    assert message in done.err
    assert "Traceback" not in done.err
