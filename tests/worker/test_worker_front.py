import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.worker.worker_samples import ROWS, binary_folder, image_folder, table, table_inputs, write_prepared
from tunerstudio.study.errors import DataError
from tunerstudio.study.preprocessing import ArrayInput, CategoricalInput, PreparedData, TargetPlan
from tunerstudio.worker.prepared import PreparedFolder
from tunerstudio.worker.preprocessing import build_front, features, to_tensors


def expected_table():
    numeric, words = table()
    share = np.where(np.isnan(numeric[:, 1]), np.float32(0.5), numeric[:, 1])
    one_hot = np.stack([~np.isin(words[:, 0], ["blue/grey", "green", "red"])], axis=1)
    one_hot = np.concatenate([one_hot, words == ["blue/grey", "green", "red"]], axis=1)
    year = (numeric[:, :1] - np.float32(2000.0)) / np.float32(5.0)
    return np.concatenate([year, one_hot, ((share - np.float32(0.5)) / np.float32(0.3))[:, None]], axis=1)


def test_table_is_filled_scaled_and_one_hot_encoded(tmp_path):
    found = features(PreparedFolder.open(binary_folder(tmp_path / "data")))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected_table(), rtol=1e-6, atol=1e-6)


def test_features_are_computed_once(tmp_path):
    data = PreparedFolder.open(binary_folder(tmp_path / "data"))
    features(data)
    (cached,) = data.folder.glob("features-*.npy")
    np.save(cached, np.full((ROWS, 6), 7.0, "float32"))
    assert features(data)[0, 0] == 7.0
    assert not list(data.folder.glob("*.tmp"))


def test_other_plan_other_features(tmp_path):
    first = PreparedFolder.open(binary_folder(tmp_path / "data"))
    features(first)
    inputs = [one.model_copy(update={"offset": (0.0,)}) if one.name == "year" else one for one in table_inputs()]
    second = PreparedFolder(first.folder, first.plan.model_copy(update={"inputs": tuple(inputs)}))
    assert features(second)[0, 0] != features(first)[0, 0]


def test_image_is_divided_and_shaped(tmp_path):
    data = PreparedFolder.open(image_folder(tmp_path / "data"))
    found = features(data)
    assert found.shape == (ROWS, 6, 6, 1)
    np.testing.assert_allclose(found[4, :, :, 0], data.raw(slice(4, 5))["image"].reshape(6, 6) / 255.0, rtol=1e-6)


def test_array_keeps_its_shape(tmp_path):
    array = np.random.default_rng(0).normal(size=(ROWS, 5, 3)).astype("float32")
    target = TargetPlan(columns=("y",), task="regression", offset=(0.0,), scale=(1.0,))
    folder = write_prepared(
        tmp_path / "data",
        (ArrayInput(name="x", shape=(5, 3), offset=1.0, scale=2.0),),
        target,
        {"array": array, "target": np.zeros((ROWS, 1), "float32")},
    )
    np.testing.assert_allclose(features(PreparedFolder.open(folder)), (array - 1.0) / 2.0, rtol=1e-6)


def test_unknown_and_missing_words_share_the_first_place():
    plan = CategoricalInput(name="w", columns=("w",), vocabulary=("[UNK]", "a\nb", ""))
    front = build_front_of(plan)
    rows = np.asarray(front(to_tensors({"w": np.array([["nie"], ["[UNK]"], ["a\nb"], [""]])})))
    np.testing.assert_array_equal(rows, np.eye(4))


def build_front_of(*inputs):
    target = TargetPlan(columns=("y",), task="binary", classes=("no", "yes"))
    return build_front(PreparedData(inputs=inputs, target=target, rows=1, parts=(1, 0, 0), fingerprint="", source=""))


def test_front_loads_without_this_program(tmp_path):
    data = PreparedFolder.open(binary_folder(tmp_path / "data"))
    build_front(data.plan).save(tmp_path / "front.keras")
    code = (
        "import sys, keras, tensorflow as tf\n"
        "front = keras.saving.load_model('front.keras', safe_mode=True)\n"
        "x = {'year': tf.constant([[2005.0]]), 'colour a/b': tf.constant([['red']]), 'share': tf.constant([[0.5]])}\n"
        "assert 'tunerstudio' not in sys.modules\n"
        "print(front(x).numpy().tolist())\n"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={}, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]]"


def test_only_builtin_parts(tmp_path):
    front = build_front(PreparedFolder.open(binary_folder(tmp_path / "data")).plan)
    assert all(type(layer).__module__.startswith("keras.src.") for layer in front.layers)
    assert isinstance(front, keras.Model)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "plan.json").unlink(), "prepare"),
        (lambda folder: (folder / "plan.json").write_text("{}"), "damaged"),
        (lambda folder: (folder / "numeric.npy").write_bytes(b"x"), "numeric.npy cannot be read"),
        (lambda folder: np.save(folder / "numeric.npy", np.zeros((2, 2), "float32")), "2 rows where 90"),
    ],
)
def test_damaged_folder_is_a_sentence(tmp_path, damage, words):
    folder = binary_folder(tmp_path / "data")
    damage(folder)
    with pytest.raises(DataError, match=words):
        features(PreparedFolder.open(folder))
