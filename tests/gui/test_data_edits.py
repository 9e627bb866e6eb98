"""Edits of the data section."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from tunerstudio.gui.data_page import edits


def roles(document):
    return {column.name: column.role for column in document.data.columns}


def with_named_loss(document):
    model = document.model.model_copy(update={"loss": "binary_crossentropy", "metrics": ("accuracy",)})
    return document.model_copy(update={"model": model})


def test_another_target_takes_the_place_of_the_first(document):
    changed = edits.with_target(with_named_loss(document), "size")
    assert roles(changed) == {"id": "ignore", "size": "target", "colour": "feature", "class": "feature"}
    assert changed.data.task is None
    assert (changed.model.loss, changed.model.metrics) == ("auto", ())


def test_the_same_target_changes_nothing(document):
    assert edits.with_target(with_named_loss(document), "class") == with_named_loss(document)


def test_a_feature_that_is_ignored_leaves_the_task(document):
    changed = edits.with_role(document, "size", "ignore")
    assert roles(changed)["size"] == "ignore"
    assert changed.data.task == "binary"


def test_a_target_that_is_no_more_leaves_no_task(document):
    changed = edits.with_role(document, "class", "feature")
    assert not changed.data.named_with_role("target")
    assert changed.data.task is None


def test_another_kind_of_the_target_asks_for_the_task_again(document):
    assert edits.with_kind(document, "class", "numeric").data.task is None
    assert edits.with_kind(document, "size", "categorical").data.task == "binary"


def test_another_file_is_detected_anew_but_divided_alike(document):
    split = edits.with_split(document, test=0.3, seed=9)
    changed = edits.with_file(split, Path("/tmp/other.csv"))
    assert changed.data.source.path == "/tmp/other.csv"
    assert (changed.data.columns, changed.data.task) == ((), None)
    assert changed.data.split == split.data.split


def test_a_bundled_set_takes_the_place_of_a_file(document):
    assert edits.with_bundled(document, "wine").data.source.name == "wine"


def test_roles_come_back_only_with_their_target(document):
    read_anew = edits.with_role(edits.with_target(document, "size"), "colour", "ignore")
    assert roles(edits.with_roles(read_anew, roles(document))) == roles(document)
    assert edits.with_roles(read_anew, {"gone": "target", "size": "ignore"}) == read_anew


def test_a_split_that_leaves_nothing_to_train_is_refused(document):
    with pytest.raises(ValidationError, match="at least 5 %"):
        edits.with_split(document, validation=0.6, test=0.39)
