import textwrap
from pathlib import Path

import numpy as np
import pytest

from tests.worker.worker_samples import (
    Bench,
    Recorder,
    binary_folder,
    document,
    image_folder,
    open_study,
    regression_folder,
)
from tunerstudio.protocol.worker import (
    CommandFailed,
    EpochEnded,
    ExecutionEnded,
    ModelProbed,
    ProbeModel,
    StudyOpened,
    TrialBuilt,
)
from tunerstudio.study.errors import ModelError
from tunerstudio.study.hyperparameters import Boolean, Choice, Condition, Fixed, Float, Int
from tunerstudio.worker.code import CodeHypermodel, load_module
from tunerstudio.worker.commands import CommandHandler


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return binary_folder(tmp_path_factory.mktemp("code") / "data")


def write(folder: Path, text: str) -> Path:
    file = folder / "my_model.py"
    file.write_text(textwrap.dedent(text))
    return file


def load(folder: Path, text: str, entry: str | None = None) -> CodeHypermodel:
    return CodeHypermodel.load(write(folder, text), entry, (6,))


def space(folder: Path, body: str):
    lines = textwrap.indent(textwrap.dedent(body), "    ")
    hypermodel = load(folder, f"import keras\ndef build(hp):\n{lines}\n    return network()\n{NETWORK}")
    return hypermodel.space(lambda: (np.zeros((2, 6), "float32"), np.zeros((2, 1), "float32")))


NETWORK = """
def network(units=3, rate=0.01):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(units), keras.layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model
"""


def test_the_five_kinds(tmp_path):
    found = space(
        tmp_path,
        """
        hp.Int("i", 2, 9, step=3, default=5)
        hp.Int("l", 8, 512, sampling="log")
        hp.Float("f", 0.0, 1.0, step=0.2)
        hp.Float("r", 1e-4, 1e-1, sampling="log", default=1e-3)
        hp.Choice("c", ["a", "b"], default="b")
        hp.Boolean("b", default=True)
        hp.Fixed("x", 7)
        """,
    )
    assert found.hyperparameters == (
        Int(name="i", min=2, max=9, step=3, default=5),
        Int(name="l", min=8, max=512, sampling="log"),
        Float(name="f", min=0.0, max=1.0, step=0.2),
        Float(name="r", min=1e-4, max=1e-1, sampling="log", default=1e-3),
        Choice(name="c", choices=("a", "b"), ordered=False, default="b"),
        Boolean(name="b", default=True),
        Fixed(name="x", value=7),
    )


def test_ends_are_reached_that_keras_tuner_never_tries(tmp_path):
    found = space(tmp_path, 'hp.Float("f", 0.0, 1.0, step=0.2)\nhp.Int("l", 8, 512, sampling="log")')
    assert list(found["f"].values()) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert found["l"].from_unit(1.0) == 512


def test_what_a_loop_asks_for_is_found_with_its_condition(tmp_path):
    found = space(tmp_path, 'for i in range(hp.Int("layers", 1, 3)):\n    hp.Int(f"units_{i}", 4, 8)')
    assert found.names() == ["layers", "units_0", "units_1", "units_2"]
    assert found["units_0"].conditions == ()
    assert found["units_1"].conditions == (Condition(parent="layers", values=(2, 3)),)
    assert found["units_2"].conditions == (Condition(parent="layers", values=(3,)),)


def test_nested_branches(tmp_path):
    found = space(
        tmp_path,
        """
        if hp.Choice("kind", ["flat", "deep"]) == "deep":
            if hp.Boolean("dropout"):
                hp.Float("rate", 0.1, 0.5)
        """,
    )
    assert found["dropout"].conditions == (Condition(parent="kind", values=("deep",)),)
    assert found["rate"].conditions == (Condition(parent="dropout", values=(True,)),)
    assert found.defaults() == {"kind": "flat"}


def test_stated_conditions(tmp_path):
    found = space(
        tmp_path,
        """
        hp.Choice("kind", ["a", "b", "c"])
        with hp.conditional_scope("kind", ["b", "c"]):
            hp.Int("n", 1, 3)
        """,
    )
    assert found["n"].conditions == (Condition(parent="kind", values=("b", "c")),)


def test_a_scope_that_never_gets_active_does_not_hang(tmp_path):
    found = space(
        tmp_path,
        """
        kind = hp.Choice("kind", ["a", "b"])
        if kind == "a":
            with hp.conditional_scope("kind", ["b"]):
                hp.Int("n", 1, 3)
        """,
    )
    assert found.names() == ["kind", "n"]


def test_a_default_off_the_grid_moves_to_the_nearest_value(tmp_path):
    assert space(tmp_path, 'hp.Int("i", 2, 9, step=3, default=6)')["i"].default == 5


def test_a_branch_that_cannot_be_built_is_left_to_its_trials(tmp_path):
    found = space(tmp_path, 'if hp.Boolean("bad"):\n    raise ValueError("no")\nhp.Int("i", 1, 2)')
    assert found.names() == ["bad", "i"]


HYPERMODEL = f"""
import keras, keras_tuner
{NETWORK}
class Mine(keras_tuner.HyperModel):
    def build(self, hp):
        return network(hp.Int("units", 2, 4))

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(*args, batch_size=hp.Choice("batch", [4, 8]), shuffle=False, **kwargs)
"""


def test_a_fit_of_ones_own(tmp_path, data):
    write(tmp_path, HYPERMODEL)
    bench = Bench(document(model={"kind": "code", "file": "my_model.py"}), data, tmp_path)
    assert bench.reports.of(StudyOpened)[0].space.names() == ["units", "batch"]
    assert bench.run({"units": 3, "batch": 8}).outcome == "completed", bench.ended
    built = bench.reports.of(TrialBuilt)[0]
    assert (built.road, built.road_reason) == ("fit", "The model's code has a fit of its own.")
    assert len(bench.reports.of(EpochEnded)) == 3


def test_divergence_in_a_fit_of_ones_own_is_still_divergence(tmp_path, data):
    write(tmp_path, HYPERMODEL.replace("network(hp.Int", "network(rate=float('nan'), units=hp.Int"))
    bench = Bench(document(model={"kind": "code", "file": "my_model.py"}), data, tmp_path)
    assert bench.run({"units": 3, "batch": 8}).message.startswith("loss became nan at epoch 1")


def test_function_trains_repeatably(tmp_path, data):
    write(tmp_path, f'import keras\n{NETWORK}\ndef build(hp):\n    return network(hp.Int("units", 2, 4))\n')
    bench = Bench(document(model={"kind": "code", "file": "my_model.py"}), data, tmp_path)
    curves = []
    for number in (1, 2):
        assert bench.run({"units": 3}, number=number).outcome == "completed", bench.ended
        curves.append(bench.curve())
    assert curves[0] == curves[1]
    assert bench.reports.of(TrialBuilt)[0].road == "fused"


def test_one_hot_targets_where_the_loss_wants_them(tmp_path):
    write(
        tmp_path,
        """
        import keras
        def make(hp):
            model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3, "softmax")])
            model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
            return model
        """,
    )
    model = {"kind": "code", "file": "my_model.py", "entry": "make"}
    bench = Bench(document(model=model), image_folder(tmp_path / "data"), tmp_path)
    assert bench.run({}).outcome == "completed", bench.ended
    assert bench.reports.of(TrialBuilt)[0].parameters == 36 * 3 + 3


def test_regression_code_sees_the_users_units(tmp_path):
    write(
        tmp_path,
        """
        import keras
        def build(hp):
            model = keras.Sequential([keras.layers.Dense(1)])
            model.compile("adam", "mse", metrics=["mae"])
            return model
        """,
    )
    doc = document(
        model={"kind": "code", "file": "my_model.py"}, search={"objective": {"name": "val_mae", "direction": "min"}}
    )
    bench = Bench(doc, regression_folder(tmp_path / "data"), tmp_path)
    bench.run({})
    assert bench.reports.of(ExecutionEnded)[0].score == pytest.approx(300.0, abs=60.0)


def test_neighbours_can_be_imported_and_no_bytecode_is_left(tmp_path):
    (tmp_path / "parts_of_mine.py").write_text("WIDTH = 5\n")
    hypermodel = load(
        tmp_path,
        f"import keras\nfrom parts_of_mine import WIDTH\n{NETWORK}\ndef build(hp):\n    return network(WIDTH)\n",
    )
    assert hypermodel.build({}).model.layers[0].units == 5
    assert not (tmp_path / "__pycache__").exists()


COMPILED = "model.compile('sgd', 'mse')"


@pytest.mark.parametrize(
    ("text", "entry", "words"),
    [
        ("def build(hp):\n  return (", None, r"my_model.py, line 2: '\(' was never closed: `return \(`"),
        (
            "import nothing_like_this\n",
            None,
            r"my_model.py, line 1: ModuleNotFoundError: No module named 'nothing_like",
        ),
        ("x = 1\ny = x / 0\n", None, r"my_model.py, line 2: ZeroDivisionError: .* `y = x / 0`"),
        ("raise SystemExit(3)\n", None, "my_model.py, line 1: SystemExit: 3"),
        ("def make(hp): pass\n", None, r"neither a function build\(hp\) nor .*, only make"),
        ("def make(hp): pass\n", "mak", "does not define 'mak'. Did you mean 'make'?"),
        ("make = 3\n", "make", "'make' in my_model.py is no function"),
        ("def build(): pass\n", None, r"build in my_model.py must take one argument, .* def build\(hp\)"),
        (
            "import keras_tuner as kt\nclass A(kt.HyperModel): pass\nclass B(kt.HyperModel): pass\n",
            None,
            r"several HyperModel classes \(A, B\): name one in model.entry",
        ),
        (
            "import keras_tuner as kt\nclass A(kt.HyperModel):\n  def __init__(self, size):\n    self.size = size\n",
            None,
            r"my_model.py, A\(\): TypeError: .*size",
        ),
    ],
)
def test_files_without_a_model_are_sentences(tmp_path, text, entry, words):
    with pytest.raises(ModelError, match=words):
        load(tmp_path, text, entry)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "return None",
            r"build\(hp\) in my_model.py returned nothing \(None\) instead of a Keras model: .*return model",
        ),
        ("return 5", "returned a int instead"),
        ("return keras.Sequential([keras.layers.Dense(1)])", "not compiled: call model.compile"),
        ("units = 3\nreturn network(unts)", r"my_model.py, line 4, in build: NameError: .* `return network\(unts\)`"),
        ("return network(units=-1)", r"my_model.py, line 6, in network: ValueError: .*-1"),
        ("hp.Int('a', 5, 1)", r"my_model.py, line 3, in build: ValueError"),
        (
            f"model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])\n{COMPILED}\nreturn model",
            r"takes rows of shape \(4,\), but the features have the shape \(6,\): change its Input",
        ),
        (
            "a, b = keras.Input((6,)), keras.Input((2,))\n"
            f"model = keras.Model([a, b], keras.layers.Concatenate()([a, b]))\n{COMPILED}\nreturn model",
            "a model with 2 inputs",
        ),
        (
            f"model = keras.Sequential([keras.layers.LSTM(3)])\n{COMPILED}\nreturn model",
            "my_model.py, .*expected ndim=3",
        ),
    ],
)
def test_models_that_cannot_be_trained_are_sentences(tmp_path, body, words):
    hypermodel = load(tmp_path, f"import keras\ndef build(hp):\n{textwrap.indent(body, '    ')}\n{NETWORK}")
    with pytest.raises(ModelError, match=words):
        hypermodel.build({})


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(ModelError, match=r"model.file: .*none.py does not exist"):
        load_module(tmp_path / "none.py")


def test_an_error_while_training_names_the_users_line(tmp_path, data):
    write(
        tmp_path,
        """
        import keras
        class Gate(keras.layers.Layer):
            def call(self, x, training=False):
                if training:
                    raise RuntimeError("not in training")
                return x
        def build(hp):
            model = keras.Sequential([keras.Input((6,)), Gate(), keras.layers.Dense(1, "sigmoid")])
            model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
            return model
        """,
    )
    bench = Bench(document(model={"kind": "code", "file": "my_model.py"}), data, tmp_path)
    ended = bench.run({})
    assert ended.outcome == "failed"
    assert "my_model.py, line 6, in call: RuntimeError" in ended.message


def test_opening_a_broken_file_fails_the_command(tmp_path, data):
    write(tmp_path, "def build(hp):\n    return undefined\n")
    reports = Recorder()
    doc = document(model={"kind": "code", "file": "my_model.py"})
    CommandHandler(reports).handle(open_study(doc, data, tmp_path))
    (failed,) = reports.of(CommandFailed)
    assert failed.command == "OpenStudy"
    assert "my_model.py, line 2, in build: NameError" in failed.message


def test_probe_of_code(tmp_path, data):
    write(tmp_path, HYPERMODEL)
    bench = Bench(document(model={"kind": "code", "file": "my_model.py"}), data, tmp_path)
    bench.handler.handle(ProbeModel())
    assert not bench.reports.of(CommandFailed), bench.reports.of(CommandFailed)
    assert set(bench.reports.of(ModelProbed)[0].metrics) == {"loss", "accuracy", "val_loss", "val_accuracy"}
