"""Texts and windows from raw rows to a saved model."""

import itertools
import textwrap
from pathlib import Path

import numpy as np
import pytest

from tests.worker.test_worker_export import Saved, check_round_trip
from tests.worker.worker_samples import PARTS, ROWS, Bench, document, parts, write_prepared
from tunerstudio.data.inspect import inspect
from tunerstudio.data.prepare import prepare
from tunerstudio.export_code.data import plain_features
from tunerstudio.study.data import Column, Data, FileSource, Split, Window
from tunerstudio.study.preprocessing import (
    PLAN_FILE,
    CategoricalInput,
    NumericInput,
    PreparedData,
    TargetPlan,
    TextInput,
)
from tunerstudio.worker.prepared import PreparedFolder
from tunerstudio.worker.preprocessing import features

ODD = (
    "Don't STOP, d'École\u00a0x — 3.5%",
    "",
    "win\tWIN\nwin [UNK] [unk]",
    "?!",
    "a b c d e f g h i j",
    "Größe_x @home",
)
CLASSES = TargetPlan(columns=("kind",), task="binary", classes=("ham", "spam"))
PAST = 5


def text_folder(folder: Path, length: int | None) -> Path:
    texts = [f"{ODD[row % len(ODD)]} {'prize' if row % 3 else 'lunch'}" for row in range(ROWS)]
    content = [text.encode() for text in texts]
    arrays = {
        "text_0": np.frombuffer(b"".join(content), dtype=np.uint8),
        "text_0_ends": np.cumsum([len(one) for one in content]),
        "target": np.array([row % 3 > 0 for row in range(ROWS)]).astype("int64"),
    }
    vocabulary = ("win", "prize", "lunch", "unk", "dont", "dÉcole\u00a0x", "—", "35", "größex", "home")
    spec = TextInput(name="a text", columns=("a text",), vocabulary=vocabulary, length=length)
    return write_prepared(folder, (spec,), CLASSES, arrays)


def series_folder(folder: Path, regression: bool = True) -> Path:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(2)
    rows = ROWS + PAST
    numeric = np.stack([np.sin(np.arange(rows) / 3.0), rng.normal(size=rows)], axis=1).astype("float32")
    numeric[::13, 1] = np.nan
    ends = np.arange(PAST - 1, PAST - 1 + ROWS)
    value = numeric[ends + 1, 0]
    number = TargetPlan(columns=("wave",), task="regression", offset=(0.0,), scale=(0.7,))
    target = (value / 0.7).astype("float32").reshape(-1, 1) if regression else (value > 0).astype("int64")
    plan = PreparedData(
        inputs=(
            NumericInput(name="wave", columns=("wave",), fill=(0.0,), offset=(0.0,), scale=(0.7,)),
            CategoricalInput(name="word", columns=("word",), vocabulary=("a", "b")),
            NumericInput(name="noise", columns=("noise",), fill=(0.1,), offset=(0.0,), scale=(1.0,)),
        ),
        target=number if regression else CLASSES,
        rows=ROWS,
        past=PAST,
        parts=PARTS,
        fingerprint="series",
        source="by-hand.csv",
    )
    (folder / PLAN_FILE).write_text(plan.model_dump_json())
    words = rng.choice(np.array(["a", "b", ""]), rows).reshape(-1, 1)
    arrays = {"numeric": numeric, "categorical": words, "ends": ends, "target": target, "parts": parts()}
    for name, array in {**arrays, "source_rows": ends + 1}.items():
        np.save(folder / f"{name}.npy", array)
    return folder


@pytest.mark.parametrize("length", [4, None])
def test_the_front_reads_words_as_the_data_room_does(tmp_path, length):
    folder = text_folder(tmp_path / "data", length)
    data = PreparedFolder.open(folder)
    found = features(data)
    assert found.shape == (ROWS, 4 if length else 11)
    np.testing.assert_array_equal(found, plain_features(folder, data.plan))
    if length:
        assert found[:3].tolist() == [[6, 1, 7, 8], [3, 0, 0, 0], [2, 2, 2, 5]]


def test_texts_are_read_row_by_row(tmp_path):
    data = PreparedFolder.open(text_folder(tmp_path / "data", 4))
    some = data.raw(np.array([3, 0]))["a text"]
    assert some.tolist() == [["?! lunch"], [f"{ODD[0]} lunch"]]
    assert data.raw(slice(1, 3))["a text"].tolist() == [[" prize"], [f"{ODD[2]} prize"]]


def test_windows_are_steps_of_numbers_and_words(tmp_path):
    folder = series_folder(tmp_path / "data")
    data = PreparedFolder.open(folder)
    found = features(data)
    assert found.shape == (ROWS, PAST, 5)
    np.testing.assert_allclose(found, plain_features(folder, data.plan), rtol=1e-5, atol=1e-6)
    raw = data.raw(np.array([7]))
    np.testing.assert_array_equal(raw["wave"], np.load(folder / "numeric.npy")[7 : 7 + PAST, 0][None])
    assert raw["word"].shape == (1, PAST)


def test_what_the_data_room_prepares_is_what_a_worker_reads(tmp_path):
    whens = [f"2020-01-{1 + index // 24:02}T{index % 24:02}:00" for index in range(120)]
    rows = [f"{when},{index * 0.37 % 7:.2f},{'ab'[index % 2]}" for index, when in enumerate(whens)]
    (tmp_path / "hours.csv").write_text("\n".join(["when,level,mood", *rows]))
    said = [" ".join(odd.split()) for odd in ODD]
    (tmp_path / "sms.tsv").write_text("\n".join(f"{'yn'[i % 2]}\t{said[i % len(said)]} {i} Ünï" for i in range(120)))
    columns = (
        Column(name="when", role="ignore"),
        Column(name="level", role="target"),
        Column(name="mood", kind="categorical"),
    )
    split = Split(method="ordered")
    series = Data(source=FileSource(path="hours.csv"), columns=columns, window=Window(past=6), split=split)
    text = inspect(Data(source=FileSource(path="sms.tsv")), tmp_path).data
    for name, data in (("series", series), ("text", text)):
        plan = prepare(data, tmp_path, tmp_path / name)
        found = features(PreparedFolder.open(tmp_path / name))
        assert found.shape == ((plan.rows, 6, 4) if name == "series" else (plan.rows, plan.inputs[0].length))
        np.testing.assert_allclose(found, plain_features(tmp_path / name, plan), rtol=1e-5, atol=1e-6)


EMBED = {"layer": "Embedding", "name": "embed", "arguments": {"input_dim": 12, "output_dim": 4}}
POOLED = [EMBED, {"layer": "GlobalMaxPooling1D", "name": "pool"}]
STEPS = [{"layer": "Conv1D", "name": "conv", "arguments": {"filters": 4, "kernel_size": 2}}]
NUMBERS = {"objective": {"name": "val_mae", "direction": "min"}}


@pytest.mark.parametrize(
    ("make", "blocks", "search"),
    [
        (lambda folder: text_folder(folder, 6), POOLED, {}),
        (series_folder, STEPS, NUMBERS),
        (lambda folder: series_folder(folder, regression=False), STEPS, {}),
    ],
    ids=["text", "numbers of a series", "classes of a series"],
)
def test_a_saved_model_takes_raw_texts_and_windows(make, blocks, search, tmp_path):
    doc = document(model={"kind": "blocks", "blocks": blocks}, search=search)
    saved = Saved(doc, make(tmp_path / "data"), tmp_path, {})
    check_round_trip(saved, doc.search.objective.name.removeprefix("val_"))


def reconstruction_folder(folder: Path) -> Path:
    numeric = np.random.default_rng(5).normal(3.0, 2.0, (ROWS, 2)).astype("float32")
    inputs = tuple(
        NumericInput(name=name, columns=(name,), fill=(0.0,), offset=(3.0,), scale=(2.0,)) for name in ("a", "b")
    )
    target = TargetPlan(columns=("a", "b"), task="regression", offset=(0.0, 0.0), scale=(1.0, 1.0), reconstructs=True)
    return write_prepared(folder, inputs, target, {"numeric": numeric, "target": (numeric - 3.0) / 2.0})


def test_a_saved_autoencoder_gives_rows_back_and_says_how_well(tmp_path):
    blocks = [{"layer": "Dense", "name": "code", "arguments": {"units": 3}}]
    doc = document(model={"kind": "blocks", "blocks": blocks}, search=NUMBERS)
    saved = Saved(doc, reconstruction_folder(tmp_path / "data"), tmp_path, {}, epochs=60)
    check_round_trip(saved, "mae")
    code = """
        import keras, numpy as np, tensorflow as tf
        rows = np.load("../data/numeric.npy")
        model = keras.saving.load_model("model.keras", safe_mode=True)
        found = model({"a": tf.constant(rows[:, :1]), "b": tf.constant(rows[:, 1:])})
        back = found["reconstruction"].numpy()
        assert np.abs(back - rows).mean() < np.abs(rows - rows.mean(axis=0)).mean() / 2
        error = np.square((back - rows) / 2.0).mean(axis=1)
        assert np.allclose(found["error"].numpy()[:, 0], error, rtol=1e-3, atol=1e-5)
    """
    saved.python(textwrap.dedent(code))
    saved.python(saved.exported.how_to_load)


def test_the_lines_of_the_card_feed_a_window(tmp_path):
    doc = document(model={"kind": "blocks", "blocks": STEPS}, search=NUMBERS)
    saved = Saved(doc, series_folder(tmp_path / "data"), tmp_path, {})
    assert saved.python(saved.exported.how_to_load).stdout.startswith("wave ")


def test_words_without_a_place_are_told_before_anything_trains(tmp_path):
    few = {**EMBED, "arguments": {"input_dim": 10, "output_dim": 4}}
    bench = Bench(document(model={"kind": "blocks", "blocks": [few]}), text_folder(tmp_path / "data", 6), tmp_path)
    ended = bench.run({})
    assert ended.outcome == "failed"
    assert "has places for 10 words, but the text has 12" in ended.message


def test_every_window_is_unlike_the_next(tmp_path):
    found = features(PreparedFolder.open(series_folder(tmp_path / "data")))
    for left, right in itertools.pairwise(found):
        np.testing.assert_array_equal(left[1:], right[:-1])
