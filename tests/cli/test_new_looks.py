"""`tunerstudio new` for texts, series and autoencoders."""

import json

import pytest

from tunerstudio.cli import main
from tunerstudio.study.data import Window
from tunerstudio.study.files import load_document
from tunerstudio.study.templates import new_document


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hours = "".join(
        f"2021-03-{1 + i // 24:02},{i * 7 % 24 + 0.5},{i * 5 % 24 + 0.25},{'ab'[i % 2]}\n" for i in range(240)
    )
    (tmp_path / "hours.csv").write_text("day,wind,power,side\n" + hours)
    (tmp_path / "sms.tsv").write_text("".join(f"{'yn'[i % 2]}\tcall me back number {i}, please\n" for i in range(90)))
    return tmp_path


def study_of(here, *words):
    assert main(["new", "s", *words]) == 0
    return load_document(here / "s")


def test_a_text_gets_a_network_that_reads_words(here):
    document = study_of(here, "--data", "sms.tsv")
    assert document.data.look == "text"
    assert document.model == new_document("s", document.data, "text_convolution").model


@pytest.mark.parametrize(
    ("words", "window"),
    [
        (("--past", "12"), Window(past=12)),
        (("--horizon", "3"), Window(horizon=3)),
        (("--past", "6", "--horizon", "0"), Window(past=6, horizon=0)),
    ],
)
def test_a_series_looks_back_and_is_divided_in_order(here, words, window):
    document = study_of(here, "--data", "hours.csv", "--target", "power", *words)
    assert document.data.window == window
    assert document.data.split.method == "ordered"
    assert document.model == new_document("s", document.data, "series_convolution").model


def test_an_autoencoder_has_no_target_and_no_words(here):
    document = study_of(here, "--data", "hours.csv", "--autoencoder")
    assert document.data.reconstruct
    assert document.data.named_with_role("feature") == ["wind", "power"]
    assert document.search.objective.name == "val_mae"


@pytest.mark.parametrize("words", [("--past", "3"), ("--autoencoder",), ("--horizon", "2")])
def test_an_example_brings_its_own_data(here, capsys, words):
    assert main(["new", "s", "--example", "reference", *words, "--json"]) == 2
    assert "brings its own" in json.loads(capsys.readouterr().out)["error"]


def test_a_series_that_is_too_short_says_so(here, capsys):
    assert main(["new", "s", "--data", "hours.csv", "--target", "power", "--past", "300", "--json"]) == 2
    assert "too few for windows of 300 rows" in json.loads(capsys.readouterr().out)["error"]
