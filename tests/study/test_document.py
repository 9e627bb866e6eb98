import json
import os

import pytest
import yaml

from tunerstudio.locations import resources_folder
from tunerstudio.study.errors import StudyError
from tunerstudio.study.examples import find_example, find_examples
from tunerstudio.study.files import (
    DOCUMENT_FILE,
    document_text,
    json_schema,
    load_document,
    parse_document,
    save_document,
    write_atomically,
)


def content(**changes):
    return {"name": "x", "data": {"source": {"kind": "bundled", "name": "breast_cancer"}}, **changes}


@pytest.mark.parametrize("name", [example.name for example in find_examples()])
def test_examples_survive_a_round_trip(name, tmp_path):
    document = find_example(name).document()
    save_document(document, tmp_path)
    assert load_document(tmp_path) == document
    assert yaml.safe_load(document_text(document))["version"] == 2


def test_the_reference_study_is_there():
    document = find_example("reference").document()
    assert document.search.budget.trials == 50
    assert document.training.executions == 3
    assert document.search.seed == 232


def test_all_errors_come_at_once_with_their_fields():
    bad = content(
        modl={},
        search={"budget": {"trails": 5}, "seed": -1, "objective": {"direction": "up"}},
        model={
            "kind": "blocks",
            "blocks": [{"layer": "Dense", "arguments": {"units": {"tune": "int", "min": 9, "max": 1}}}],
        },
    )
    with pytest.raises(StudyError) as caught:
        parse_document(bad)
    problems = {problem.field: problem.message for problem in caught.value.problems}
    assert set(problems) == {
        "modl",
        "search.budget.trails",
        "search.seed",
        "search.objective.direction",
        "model.blocks.0.arguments.units",
    }
    assert "Did you mean 'model'?" in problems["modl"]
    assert "Did you mean 'trials'?" in problems["search.budget.trails"]
    assert "exchange them" in problems["model.blocks.0.arguments.units"]


def test_a_missing_field_is_named():
    with pytest.raises(StudyError, match=r"data\.source: this field is required"):
        parse_document({"name": "x", "data": {}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", "not valid YAML at line"),
        ("- a\n- b", "group of fields"),
        ("", "group of fields"),
        ("!!python/object/apply:os.system ['true']", "not valid YAML"),
        ("version: 99\nname: x", "newer Tuner Studio"),
        ("version: soon\nname: x", "whole number"),
    ],
)
def test_a_bad_file_is_a_sentence(text, message, tmp_path):
    (tmp_path / DOCUMENT_FILE).write_text(text)
    with pytest.raises(StudyError, match=message):
        load_document(tmp_path)


def test_no_study_here(tmp_path):
    with pytest.raises(StudyError, match="is not a study"):
        load_document(tmp_path)


def test_a_binary_file_is_a_sentence(tmp_path):
    (tmp_path / DOCUMENT_FILE).write_bytes(b"\xff\xfe\x00\x01\x02")
    with pytest.raises(StudyError, match="cannot be read"):
        load_document(tmp_path)


def test_writing_is_all_or_nothing(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full_disk(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_published_schema_matches_the_code():
    """To renew it: write `json_schema()` to the file, as the message shows."""
    published = json.loads((resources_folder() / "study.schema.json").read_text(encoding="utf-8"))
    assert published == json_schema(), "write json.dumps(json_schema(), indent=1) to resources/study.schema.json"


BASE = "name: s\ndata: {source: {kind: bundled, name: iris}}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: t\n", "line 3, column 1: 'name' stands here twice"),
        ("training: {batch_size: 0}", "training.batch_size: whole numbers from 1 are needed, not 0"),
        ("training: {batch_size: {tune: int, min: -3, max: 8}}", "training.batch_size: whole numbers from 1"),
        ("training: {batch_size: {tune: choice, choices: [8, 0]}}", "training.batch_size: whole numbers from 1"),
        ("training: {batch_size: {tune: choice, choices: []}}", "1 or more entries are needed"),
        (
            "training: {early_stopping: {patience: 0}}",
            "early_stopping.patience: whole numbers from 1 are needed, not 0",
        ),
        ("training: {reduce_rate: {factor: 1.5}}", "reduce_rate.factor: numbers between 0 and 1 are needed, not 1.5"),
        (
            "training: {reduce_rate: {factor: {tune: float, min: 0.1, max: 1.0}}}",
            "reduce_rate.factor: numbers between 0 and 1 are needed, not 1.0",
        ),
        ("training: {class_weight: even}", "class weights are none or balanced, not 'even'"),
        (
            "training: {class_weight: {tune: choice, choices: [none, even]}}",
            "class weights are none or balanced, not 'even'",
        ),
        ("search: {seed: -5}", "search.seed: 0 or more is needed, not -5"),
        ("notes: &a [*a]", "notes: a text is needed"),
        ("? [a, b]\n: c", "unhashable key"),
    ],
)
def test_what_cannot_be_meant_is_told_in_plain_words(tmp_path, text, message):
    (tmp_path / "study.yaml").write_text(BASE + text)
    with pytest.raises(StudyError) as caught:
        load_document(tmp_path)
    assert message in str(caught.value)


def test_a_study_of_the_first_format_means_what_it_meant():
    data = {"source": {"kind": "bundled", "name": "iris"}}
    old = parse_document({"version": 1, "name": "s", "data": data})
    assert (old.version, old.search.algorithm.id, old.search.workers) == (2, "random", 1)
    told = {"algorithm": {"id": "grid"}, "workers": 3}
    assert parse_document({"version": 1, "name": "s", "data": data, "search": told}).search.algorithm.id == "grid"
    assert parse_document({"version": 1, "name": "s", "data": data, "search": told}).search.workers == 3
    assert parse_document({"name": "s", "data": data}).search.algorithm.id == "auto"
    with pytest.raises(StudyError, match="search"):
        parse_document({"version": 1, "name": "s", "data": data, "search": "fast"})
