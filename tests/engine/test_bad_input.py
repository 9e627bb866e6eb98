"""Bad input of every kind gives a sentence that names the place, before the first trial, and harms nothing."""

import gzip

import numpy as np
import pytest
import yaml

from tunerstudio.store.reader import has_history
from tunerstudio.study.errors import TunerStudioError
from tunerstudio.study.trust import trust

pytestmark = pytest.mark.tensorflow

GOOD_CSV = "a,b,y\n" + "".join(f"{i},{i % 7},{'yes' if i % 3 else 'no'}\n" for i in range(60))


def study(tmp_path, **changes):
    """A study folder with a plain document."""
    content = {
        "version": 1,
        "name": "s",
        "data": {"source": {"kind": "bundled", "name": "iris"}},
        "model": {
            "kind": "blocks",
            "blocks": [{"layer": "Dense", "arguments": {"units": {"tune": "int", "min": 2, "max": 4}}}],
        },
        "search": {"objective": {"name": "val_accuracy", "direction": "max"}},
        "training": {"epochs": 1},
        **changes,
    }
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(content))
    return tmp_path


def refused(engine, folder):
    """The sentence with which a check and a run refuse the study."""
    with pytest.raises(TunerStudioError) as caught:
        engine.check(folder)
    text = str(caught.value)
    assert text.strip()
    assert "Traceback" not in text
    assert not has_history(folder)
    return text


FILES = {
    "missing": (None, "data.csv"),
    "empty": (b"", "empty"),
    "only a header": (b"a,b,y\n", "row"),
    "one column": (b"y\n1\n2\n3\n", "column"),
    "binary": (bytes(range(256)) * 40, "data.csv"),
    "one class": (b"a,b,y\n" + b"1,2,yes\n" * 30, "yes"),
    "no target value": (b"a,b,y\n" + b"1,2,\n3,4,\n" * 20, "y"),
    "nothing but missing": (b"a,b,y\n" + b",,\n" * 20, ""),
}


@pytest.mark.parametrize("name", FILES)
def test_bad_file(engine, tmp_path, name):
    content, message = FILES[name]
    if content is not None:
        (tmp_path / "data.csv").write_bytes(content)
    data = {
        "source": {"kind": "file", "path": "data.csv"},
        "columns": [{"name": "a"}, {"name": "b"}, {"name": "y", "role": "target", "kind": "categorical"}],
        "task": "binary",
    }
    assert message in refused(engine, study(tmp_path, data=data))


def test_broken_gzip(engine, tmp_path):
    (tmp_path / "data.csv.gz").write_bytes(gzip.compress(GOOD_CSV.encode())[:60])
    assert "data.csv.gz" in refused(engine, study(tmp_path, data={"source": {"kind": "file", "path": "data.csv.gz"}}))


def test_pickled_arrays(engine, tmp_path):
    np.savez(tmp_path / "data.npz", x=np.array([{"a": 1}] * 9, dtype=object), y=np.arange(9))
    refused(engine, study(tmp_path, data={"source": {"kind": "file", "path": "data.npz"}}))


def test_a_folder_instead_of_a_file(engine, tmp_path):
    (tmp_path / "data.csv").mkdir()
    assert "folder" in refused(engine, study(tmp_path, data={"source": {"kind": "file", "path": "data.csv"}}))


def test_a_target_that_is_not_in_the_file(engine, tmp_path):
    (tmp_path / "data.csv").write_text(GOOD_CSV)
    columns = [{"name": "a"}, {"name": "b"}, {"name": "z", "role": "target"}]
    data = {"source": {"kind": "file", "path": "data.csv"}, "columns": columns}
    assert "z" in refused(engine, study(tmp_path, data=data))


def dense(**arguments):
    return {"kind": "blocks", "blocks": [{"layer": "Dense", "arguments": arguments}]}


UNITS = {"tune": "int", "min": 2, "max": 4}
DOCUMENTS = {
    "unknown field": ({"modle": {}}, "modle"),
    "newer version": ({"version": 99}, "newer"),
    "wrong type": ({"training": {"epochs": "many"}}, "training.epochs"),
    "min over max": ({"model": dense(units={"tune": "int", "min": 9, "max": 2})}, "arguments.units"),
    "log from zero": (
        {"model": dense(units={"tune": "float", "min": 0, "max": 2, "sampling": "log"})},
        "min above 0",
    ),
    "default off the grid": (
        {"model": dense(units={"tune": "int", "min": 2, "max": 8, "step": 2, "default": 3})},
        "default 3",
    ),
    "nothing tunable": ({"model": dense(units=4)}, "nothing may vary"),
    "unknown layer": (
        {"model": {"kind": "blocks", "blocks": [{"layer": "Danse", "arguments": {"units": UNITS}}]}},
        "Danse",
    ),
    "unknown argument": ({"model": dense(units=UNITS, unitz=3)}, "unitz"),
    "impossible argument": ({"model": dense(units={"tune": "int", "min": -5, "max": -1})}, "units"),
    "layer of the wrong shape": (
        {
            "model": {
                "kind": "blocks",
                "blocks": [{"layer": "Conv2D", "arguments": {"filters": UNITS, "kernel_size": 3}}],
            }
        },
        "Conv2D",
    ),
    "unknown optimizer": ({"model": {**dense(units=UNITS), "optimizer": {"name": "Adan"}}}, "Adan"),
    "unknown loss": ({"model": {**dense(units=UNITS), "loss": "nonsense"}}, "nonsense"),
    "unknown metric": ({"model": {**dense(units=UNITS), "metrics": ["acuracy"]}}, "acuracy"),
    "unknown estimator": ({"model": {"kind": "estimator", "estimator": "Forest", "arguments": {"n": UNITS}}}, "Forest"),
    "unknown objective": ({"search": {"objective": {"name": "val_f2", "direction": "max"}}}, "val_f2"),
    "wrong direction": ({"search": {"objective": {"name": "val_accuracy", "direction": "min"}}}, "direction max"),
    "unknown algorithm": ({"search": {"algorithm": {"id": "rondom"}}}, "random"),
    "unknown option": ({"search": {"algorithm": {"id": "random", "options": {"depth": 3}}}}, "depth"),
    "algorithm and model do not fit": (
        {
            "model": {
                "kind": "estimator",
                "estimator": "RandomForestClassifier",
                "arguments": {"n_estimators": {"tune": "int", "min": 5, "max": 9}},
            },
            "search": {
                "objective": {"name": "val_accuracy", "direction": "max"},
                "algorithm": {"id": "hyperband"},
            },
        },
        "no epochs",
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_bad_document(engine, tmp_path, name):
    changes, message = DOCUMENTS[name]
    assert message in refused(engine, study(tmp_path, **changes))


def test_a_document_that_is_no_yaml(engine, tmp_path):
    study(tmp_path)
    (tmp_path / "study.yaml").write_text("name: [unclosed")
    assert "line" in refused(engine, tmp_path)


CODES = {
    "syntax error": ("def build(hp)\n    pass\n", "line 1"),
    "no build": ("x = 1\n", "build"),
    "returns no model": ("def build(hp):\n    hp.Int('n', 1, 3)\n    return 7\n", "model"),
    "raises": ("def build(hp):\n    raise RuntimeError('out of tea')\n", "out of tea"),
    "missing package": ("import no_such_package\n", "no_such_package"),
    "not compiled": (
        "import keras\n\ndef build(hp):\n    hp.Int('n', 1, 3)\n    return keras.Sequential([keras.layers.Dense(3)])\n",
        "compile",
    ),
    "exits": ("import sys\nsys.exit(3)\n", ""),
}


@pytest.mark.parametrize("name", CODES)
def test_bad_code(engine, tmp_path, name):
    code, message = CODES[name]
    (tmp_path / "model.py").write_text(code)
    folder = study(tmp_path, model={"kind": "code", "file": "model.py"})
    trust(folder)
    assert message in refused(engine, folder)


def test_a_code_file_that_is_not_there(engine, tmp_path):
    folder = study(tmp_path, model={"kind": "code", "file": "model.py"})
    trust(folder)
    assert "model.py" in refused(engine, folder)
