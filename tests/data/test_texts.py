import itertools

import numpy as np
import pytest

from tests.data.desk import HEADER, kinds, measurements, only, roles, table
from tunerstudio.data.prepare import prepare
from tunerstudio.data.texts import MOST_WORDS_BESIDE
from tunerstudio.study.data import Column, TextOptions
from tunerstudio.study.preprocessing import TextInput
from tunerstudio.study.words import words_of

SAYINGS = ("Free prize; call now!", "see you at home", "call me   later", "Won't you win a prize?")


def messages(rows=80):
    return [[f"{SAYINGS[index % 4]} number{index}", "yn"[index % 2]] for index in range(rows)]


def text_spec(plan, name="column_1"):
    (spec,) = (one for one in plan.inputs if one.name == name)
    assert isinstance(spec, TextInput)
    return spec


def test_words_are_small_and_without_punctuation():
    assert words_of("Don't  STOP, d'ÉCOLE\u00a0x — 3.5%\n") == ["dont", "stop", "dÉcole\u00a0x", "—", "35"]
    assert words_of(" .,! ") == []


def test_text_is_learned_from_where_there_is_nothing_else(desk):
    preview = desk.look(table(messages(), None, "\t"), "sms.tsv")
    assert roles(preview) == {"column_1": "feature", "column_2": "target"}
    assert kinds(preview)["column_1"] == "text"
    assert preview.data.look == "text"
    assert "in their order" in only(preview, "text").message


def test_beside_other_features_text_is_offered(desk):
    rows = [[*row[:3], f"{SAYINGS[index % 4]} {index}", row[3]] for index, row in enumerate(measurements(80))]
    preview = desk.look(table(rows, [*HEADER[:3], "remark", "ripe"]))
    assert roles(preview)["remark"] == "ignore"
    (repair,) = only(preview, "free_text").repairs
    assert repair.label == "Learn from its words"
    changed = next(column for column in repair.data.columns if column.name == "remark")
    assert (changed.role, changed.kind) == ("feature", "text")
    plan = prepare(repair.data, desk.folder, desk.folder / "cache")
    spec = text_spec(plan, "remark")
    assert spec.length is None
    assert 10 < len(spec.vocabulary) <= MOST_WORDS_BESIDE
    assert {one.kind for one in plan.inputs} == {"numeric", "categorical", "text"}


def test_the_vocabulary_comes_from_the_training_rows_most_frequent_first(desk):
    preview = desk.look(table(messages(), None, "\t"), "sms.tsv")
    plan = prepare(preview.data, desk.folder, desk.folder / "cache")
    spec = text_spec(plan)
    parts = np.load(desk.folder / "cache" / "parts.npy")
    assert spec.vocabulary[0] in {"call", "you", "prize"}
    numbered = {word for word in spec.vocabulary if word.startswith("number")}
    assert numbered == {f"number{row}" for row in np.flatnonzero(parts == 0)}
    assert plan.word_numbers == len(spec.vocabulary) + 2


@pytest.mark.parametrize(("options", "words", "length"), [({}, None, 6), ({"words": 12, "length": 3}, 10, 3)])
def test_options_bound_words_and_length(desk, options, words, length):
    preview = desk.look(table(messages(), None, "\t"), "sms.tsv")
    data = preview.data.model_copy(update={"text": TextOptions(**options)})
    spec = text_spec(prepare(data, desk.folder, desk.folder / "cache"))
    assert spec.length == length
    assert words is None or len(spec.vocabulary) == words


def test_every_text_stands_on_disk_as_it_was(desk):
    rows = [[cell, "yn"[index % 2]] for index, cell in enumerate(["", "Größe ✓", *(f"x{i} y" for i in range(60))])]
    desk.write(table(rows, ["remark", "class"]))
    data = desk.data(columns=(Column(name="remark", kind="text"), Column(name="class", role="target")))
    prepare(data, desk.folder, desk.folder / "cache")
    content = np.load(desk.folder / "cache" / "text_0.npy").tobytes()
    ends = [0, *np.load(desk.folder / "cache" / "text_0_ends.npy").tolist()]
    assert [content[a:b].decode() for a, b in itertools.pairwise(ends)] == [row[0] for row in rows]


def test_text_without_words_is_left_out(desk):
    rows = [[*row[:1], "!!!" if index % 2 else "??", row[3]] for index, row in enumerate(measurements(60))]
    desk.write(table(rows, ["length", "remark", "ripe"]))
    columns = (Column(name="length"), Column(name="remark", kind="text"), Column(name="ripe", role="target"))
    plan = prepare(desk.data(columns=columns), desk.folder, desk.folder / "cache")
    assert [one.name for one in plan.inputs] == ["length"]
    assert any("no words" in note for note in plan.notes)
