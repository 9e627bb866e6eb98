import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from tests.worker.worker_samples import (
    BLOCKS,
    VALUES,
    Bench,
    Recorder,
    binary_folder,
    document,
    image_folder,
    regression_folder,
)
from tunerstudio.protocol.worker import (
    CommandFailed,
    ExecutionEnded,
    ExportModel,
    ModelExported,
    ModelVerified,
    VerifyModel,
)
from tunerstudio.worker.commands import CommandHandler

OWN = """
import keras

class Gate(keras.layers.Layer):
    def call(self, x):
        return x * 2.0

def build(hp):
    model = keras.Sequential([keras.Input((6,)), Gate(), keras.layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model
"""
LOGITS = """
import keras

def build(hp):
    model = keras.Sequential([keras.layers.Dense(1)])
    accuracy = keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0)
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True), metrics=[accuracy])
    return model
"""
OWN_METRIC = """
import keras

def distance(y_true, y_pred):
    return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)

def build(hp):
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae", distance])
    return model
"""


class Saved:
    """A trial that was run, exported by one worker and verified by another, in the way the engine does it."""

    def __init__(self, doc, data, folder, values=VALUES, **run):
        self.folder, self.data = folder, data
        bench = Bench(doc, data, folder)
        assert bench.run(values, **{"epochs": 4, **run}).outcome == "completed", bench.ended
        self.score = bench.reports.of(ExecutionEnded)[0].score
        self.to = folder / "model"
        self.to.mkdir()
        bench.handler.handle(
            ExportModel(trial=1, values=values, execution=0, seed=5, folder=str(folder / "1"), to=str(self.to))
        )
        (self.exported,) = bench.reports.of(ModelExported) or [bench.reports.reports[-1]]
        assert isinstance(self.exported, ModelExported), self.exported

    def verify(self):
        reports = Recorder()
        path = self.to / self.exported.file
        command = VerifyModel(model=str(path), data_folder=str(self.data), metrics=tuple(self.exported.validation))
        CommandHandler(reports).handle(command)
        return reports.reports[-1]

    def python(self, lines, check=True):
        environment = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}
        run = subprocess.run(
            [sys.executable, "-c", lines], cwd=self.to, env=environment, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0 or not check, run.stderr[-3000:]
        return run


def check_round_trip(saved, name):
    verified = saved.verify()
    assert isinstance(verified, ModelVerified), verified
    assert set(verified.validation) == set(saved.exported.validation)
    assert verified.validation[name] == pytest.approx(saved.score, rel=1e-5)
    for metric, value in saved.exported.validation.items():
        assert verified.validation[metric] == pytest.approx(value, rel=1e-5)


def test_classes_round_trip(tmp_path):
    saved = Saved(document(), binary_folder(tmp_path / "data", weighted=True), tmp_path)
    check_round_trip(saved, "accuracy")
    assert set(saved.exported.test) == {"loss", "accuracy"}
    assert saved.exported.parameters == 6 * 8 + 8 + 9
    assert sorted(path.name for path in saved.to.iterdir()) == ["measures.json", "model.keras"]


def test_regularisation_is_part_of_the_loss_that_is_verified(tmp_path):
    layer = {"layer": "Dense", "arguments": {"units": 4, "kernel_regularizer": "l2"}}
    model = {
        **BLOCKS,
        "blocks": [layer, {"layer": "BatchNormalization"}, {"layer": "Dropout", "arguments": {"rate": 0.3}}],
    }
    doc = document(model=model, search={"objective": {"name": "val_loss", "direction": "min"}})
    check_round_trip(Saved(doc, binary_folder(tmp_path / "data"), tmp_path, {"learning_rate": 0.05}), "loss")


def test_values_round_trip(tmp_path):
    doc = document(
        model={**BLOCKS, "metrics": ["mae", "rmse", "mape", "r2_score"]},
        search={"objective": {"name": "val_rmse", "direction": "min"}},
    )
    saved = Saved(doc, regression_folder(tmp_path / "data"), tmp_path)
    check_round_trip(saved, "rmse")
    rows = np.load(saved.data / "numeric.npy")
    assert np.isnan(rows).any()
    code = """
        import keras, numpy as np, tensorflow as tf
        numeric, words = np.load("../data/numeric.npy"), np.load("../data/categorical.npy")
        model = keras.saving.load_model("model.keras", safe_mode=True)
        raw = {"year": numeric[:, :1], "colour a/b": words, "share": numeric[:, 1:]}
        found = model({name: tf.constant(values) for name, values in raw.items()})
        price = np.load("../data/target.npy") * 35.0 + 300.0
        rows = np.load("../data/parts.npy") == 1
        print(np.sqrt(np.mean((found["price €/m"].numpy() - price)[rows] ** 2)))
    """
    assert float(saved.python(textwrap.dedent(code)).stdout) == pytest.approx(saved.score, rel=1e-5)


def test_images_round_trip_and_rows_predict_class_names(tmp_path):
    blocks = {"kind": "blocks", "blocks": [{"layer": "Conv2D", "arguments": {"filters": 4, "kernel_size": 3}}]}
    doc = document(model=blocks, search={"objective": {"name": "val_f1_score", "direction": "max"}})
    saved = Saved(doc, image_folder(tmp_path / "data"), tmp_path, {}, epochs=30)
    check_round_trip(saved, "f1_score")
    code = """
        import keras, numpy as np
        model = keras.saving.load_model("model.keras", safe_mode=True)
        found = model({"image": np.load("../data/numeric.npy")})
        names = np.array(["zero", "one", "two"])[np.load("../data/target.npy")]
        assert found["probability"].shape == (90, 3)
        print(np.mean(found["class"].numpy().astype(str) == names))
    """
    assert float(saved.python(textwrap.dedent(code)).stdout) > 0.9


@pytest.mark.parametrize(
    ("make", "changes", "words"),
    [
        (binary_folder, {}, ("benign", "malignant")),
        (regression_folder, {"search": {"objective": {"name": "val_mae", "direction": "min"}}}, ("price €/m",)),
    ],
)
def test_the_lines_that_load_it_run_as_they_stand(tmp_path, make, changes, words):
    saved = Saved(document(**changes), make(tmp_path / "data"), tmp_path)
    assert "safe_mode=True" in saved.exported.how_to_load
    assert saved.python(saved.exported.how_to_load).stdout.startswith(words)


def test_code_that_ends_without_a_sigmoid(tmp_path):
    (tmp_path / "mine.py").write_text(LOGITS)
    saved = Saved(document(model={"kind": "code", "file": "mine.py"}), binary_folder(tmp_path / "data"), tmp_path, {})
    check_round_trip(saved, "accuracy")
    code = """
        import keras, numpy as np, tensorflow as tf
        numeric, words = np.load("../data/numeric.npy"), np.load("../data/categorical.npy")
        model = keras.saving.load_model("model.keras", safe_mode=True)
        raw = {"year": numeric[:, :1], "colour a/b": words, "share": numeric[:, 1:]}
        found = model({name: tf.constant(values) for name, values in raw.items()})
        assert np.allclose(found["probability"].numpy().sum(1), 1.0) and found["probability"].numpy().min() > 0.0
        names = np.array(["benign", "malignant"])[np.load("../data/target.npy")]
        print(np.mean((found["class"].numpy().astype(str) == names)[np.load("../data/parts.npy") == 1]))
    """
    assert float(saved.python(textwrap.dedent(code)).stdout) == pytest.approx(saved.score)


def test_a_layer_of_ones_own_is_told_and_its_lines_run(tmp_path):
    (tmp_path / "mine.py").write_text(OWN)
    saved = Saved(document(model={"kind": "code", "file": "mine.py"}), binary_folder(tmp_path / "data"), tmp_path, {})
    assert "mine.py defines parts of this model (Gate)" in saved.exported.how_to_load
    assert saved.python(saved.exported.how_to_load).stdout.startswith(("benign", "malignant"))
    verify = f"""
        import sys; sys.path.insert(0, {os.getcwd()!r})
        from pathlib import Path
        from tunerstudio.worker.verify import load_safely
        load_safely(Path("model.keras"))
    """
    run = saved.python(textwrap.dedent(verify), check=False)
    assert "model.keras cannot be loaded without the code that made it" in run.stderr


def test_a_metric_of_ones_own_is_left_out_of_the_verification(tmp_path):
    (tmp_path / "mine.py").write_text(OWN_METRIC)
    doc = document(
        model={"kind": "code", "file": "mine.py"}, search={"objective": {"name": "val_mae", "direction": "min"}}
    )
    saved = Saved(doc, regression_folder(tmp_path / "data"), tmp_path, {})
    assert set(saved.exported.validation) == {"loss", "mae", "distance"}
    verified = saved.verify()
    assert set(verified.validation) == {"loss", "mae"}
    assert verified.validation["mae"] == pytest.approx(saved.score, rel=1e-5)


@pytest.mark.parametrize(
    ("estimator", "make", "name"),
    [
        ("RandomForestClassifier", binary_folder, "accuracy"),
        ("HistGradientBoostingRegressor", regression_folder, "mae"),
        ("SVC", image_folder, "accuracy"),
        ("MLPClassifier", image_folder, "f1_score"),
    ],
)
def test_estimators_round_trip(tmp_path, estimator, make, name):
    arguments = {"max_iter": 20} if estimator.startswith(("Hist",)) else {}
    if estimator == "MLPClassifier":
        arguments = {"max_iter": 400, "hidden_layer_sizes": [4], "tol": 0.01}
    model = {"kind": "estimator", "estimator": estimator, "arguments": arguments, "folds": 2}
    doc = document(model=model, search={"objective": {"name": f"val_{name}", "direction": "max"}})
    saved = Saved(doc, make(tmp_path / "data"), tmp_path, {}, executions=(0, 1))
    assert saved.exported.file == "model.skops"
    verified = saved.verify()
    assert verified.validation == pytest.approx(saved.exported.validation, rel=1e-9)
    assert set(saved.exported.test) == set(saved.exported.validation)
    assert saved.python(saved.exported.how_to_load).stdout


def failed(path, data):
    reports = Recorder()
    CommandHandler(reports).handle(VerifyModel(model=str(path), data_folder=str(data), metrics=("accuracy",)))
    (report,) = reports.of(CommandFailed)
    return report.message


def test_damaged_and_foreign_files_are_sentences(tmp_path):
    data = binary_folder(tmp_path / "data")
    (tmp_path / "broken.keras").write_bytes(b"nothing")
    (tmp_path / "broken.skops").write_bytes(b"nothing")
    assert "broken.keras cannot be loaded" in failed(tmp_path / "broken.keras", data)
    assert "broken.skops cannot be loaded" in failed(tmp_path / "broken.skops", data)
    assert "none.keras" in failed(tmp_path / "none.keras", data)


def test_a_model_from_elsewhere_is_told(tmp_path):
    code = "import keras; keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]).save('other.keras')"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    assert "was not saved by this program" in failed(tmp_path / "other.keras", binary_folder(tmp_path / "data"))


def test_weights_that_are_gone_are_a_sentence(tmp_path):
    bench = Bench(document(), binary_folder(tmp_path / "data"), tmp_path)
    bench.handler.handle(
        ExportModel(trial=1, values=VALUES, execution=0, seed=1, folder=str(tmp_path / "1"), to=str(tmp_path))
    )
    assert "run the trial again" in bench.reports.of(CommandFailed)[0].message
