"""What an analyst would say about a table, and what the buttons beside it do."""

import math
import random

import pytest

from tests.data.desk import HEADER, found, kinds, measurements, only, roles, table
from tunerstudio.data.inspect import inspect
from tunerstudio.study.data import Column, Data, Split


def numbers(rows=80, seed=5):
    dice = random.Random(seed)
    return [[round(dice.gauss(10, 3), 3), dice.randrange(50), dice.random()] for _ in range(rows)]


def csv(rows, header):
    return table([[str(cell) for cell in row] for row in rows], header)


def test_a_clean_table_needs_nothing(desk):
    preview = desk.look(table(measurements(200)))
    assert roles(preview) == dict(zip(HEADER, ["feature"] * 3 + ["target"], strict=True))
    assert kinds(preview) == {"length": "numeric", "weight": "numeric", "colour": "categorical", "ripe": "categorical"}
    assert preview.data.task == "binary"
    assert not preview.findings
    assert preview.summary == "200 rows x 4 columns; UTF-8, comma"
    assert sum(preview.parts) == 200


def test_profiles(desk):
    preview = desk.look("n,c,y\n" + "1.5,a,u\n2.5,b,v\n,a,u\n4.5,,v\n" * 10)
    number, category, target = preview.columns
    assert (number.minimum, number.maximum, number.missing, number.distinct) == (1.5, 4.5, 10, 3)
    assert number.mean == pytest.approx(8.5 / 3)
    assert number.histogram == (10, 10, 10)
    assert category.top == (("a", 20), ("b", 10))
    assert category.histogram == ()
    assert target.top == (("u", 20), ("v", 20))
    assert preview.classes == (("u", 20), ("v", 20))
    assert preview.sample[3] == ("4.5", "", "v")


@pytest.mark.parametrize("name", ["id", "customer_id", "PassengerId", "Unnamed: 0", "uuid"])
def test_ids_by_name(desk, name):
    dice = random.Random(1)
    keys = dice.sample(range(1000), 80)
    preview = desk.look(csv([[key, *row] for key, row in zip(keys, numbers(), strict=True)], [name, "a", "b", "y"]))
    finding = only(preview, "id_column")
    assert roles(preview)[name] == "ignore"
    assert finding.column == name
    assert roles(inspect(finding.repairs[0].data, desk.folder))[name] == "feature"


def test_ids_by_counting_and_by_code(desk):
    rows = [[i + 1, f"K{i * 7919 % 10007:05}", *row] for i, row in enumerate(numbers())]
    preview = desk.look(csv(rows, ["n", "code", "a", "b", "y"]))
    assert roles(preview) == {"n": "ignore", "code": "ignore", "a": "feature", "b": "feature", "y": "target"}
    assert len(found(preview, "id_column")) == 2


def test_columns_that_tell_nothing(desk):
    rows = [
        ["same", "", f"2020-{1 + i % 12:02}-{1 + i % 28:02}", f"{i % 24:02}:30", *row]
        for i, row in enumerate(numbers())
    ]
    preview = desk.look(csv(rows, ["const", "void", "day", "clock", "a", "b", "y"]))
    assert [roles(preview)[name] for name in ("const", "void", "day", "clock")] == ["ignore"] * 4
    assert only(preview, "constant_column").column == "const"
    assert only(preview, "empty_column").column == "void"
    assert only(preview, "date_column").repairs[0].data.split.method == "ordered"


def test_free_text_and_many_categories(desk):
    dice = random.Random(2)
    rows = [[f"note {dice.random()} and more", f"town{dice.randrange(130)}", dice.random()] for _ in range(600)]
    preview = desk.look(csv(rows, ["note", "town", "y"]))
    assert roles(preview) == {"note": "ignore", "town": "feature", "y": "target"}
    assert only(preview, "free_text")
    assert "100 most frequent" in only(preview, "many_categories").message


def test_missing_values(desk):
    rows = [["" if i % 10 == 0 else a, "" if i % 3 else b, y] for i, (a, b, y) in enumerate(numbers())]
    preview = desk.look(csv(rows, ["a", "b", "y"]))
    few = only(preview, "missing_values")
    assert few.message == '8 missing in "a": filled with the median.'
    assert few.repairs[0].data.missing == "mean"
    many = only(preview, "many_missing")
    assert many.column == "b"
    assert roles(inspect(many.repairs[0].data, desk.folder))["b"] == "ignore"


def test_missing_markers_are_found_where_they_can_be_markers(desk):
    rows = [
        ["?" if i == 3 else a, "-" if i == 4 else b, "none" if i % 2 else "some", y]
        for i, (a, b, y) in enumerate(numbers())
    ]
    preview = desk.look(csv(rows, ["a", "b", "damage", "y"]))
    assert preview.data.format.missing == ("?", "-")
    assert [column.missing for column in preview.columns] == [1, 1, 0, 0]
    assert kinds(preview)["damage"] == "categorical"
    assert "missing ? -" in preview.summary


def test_words_among_numbers(desk):
    rows = [["Ip" if i % 20 == 0 else a, b, y] for i, (a, b, y) in enumerate(numbers())]
    preview = desk.look(csv(rows, ["rain", "b", "y"]))
    finding = only(preview, "text_in_numbers")
    assert "4 cells" in finding.message
    assert "'Ip'" in finding.message
    assert kinds(preview)["rain"] == "numeric"
    assert kinds(inspect(finding.repairs[0].data, desk.folder))["rain"] == "categorical"


def test_sentinels_of_all_columns_together(desk):
    rows = [
        [-200 if i % 9 == 0 else a, -200 if i % 7 == 0 else b, -200 if i % 11 == 0 else y]
        for i, (a, b, y) in enumerate(numbers())
    ]
    preview = desk.look(csv(rows, ["a", "b", "y"]))
    finding = only(preview, "sentinel")
    assert '"a", "b", "y"' in finding.message
    repaired = inspect(finding.repairs[0].data, desk.folder)
    assert not found(repaired, "sentinel")
    assert [column.missing for column in repaired.columns] == [9, 12, 8]
    assert "8 rows" in only(repaired, "target_missing").message
    assert sum(repaired.parts) == 72


def test_zeros_that_look_like_missing_values(desk):
    dice = random.Random(4)
    rows = [[0 if i % 8 == 0 else dice.randrange(40, 120), dice.randrange(20), dice.random()] for i in range(200)]
    preview = desk.look(csv(rows, ["pressure", "children", "y"]))
    assert only(preview, "zeros").column == "pressure"


def test_targets_by_name_and_by_place(desk):
    rows = numbers()
    assert desk.look(csv(rows, ["mpg", "b", "name"])).data.named_with_role("target") == ["mpg"]
    assert desk.look(csv(rows, ["a", "Class", "c"])).data.named_with_role("target") == ["Class"]
    assert desk.look(csv(rows, ["a", "b", "c"])).data.named_with_role("target") == ["c"]
    assert desk.look(csv([[a, y, b % 24] for a, b, y in rows], ["a", "b", "hour"])).data.named_with_role("target") == [
        "b"
    ]


@pytest.mark.parametrize(
    ("cells", "task"),
    [
        (["2", "4"], "binary"),
        (["yes", "no"], "binary"),
        (["0.0", "1.0"], "binary"),
        (["a", "b", "c"], "multiclass"),
        (["1", "2", "3"], "multiclass"),
        ([str(i) for i in range(26)], "multiclass"),
        ([str(i / 4) for i in range(9)], "regression"),
        ([str(i * 37) for i in range(9)], "regression"),
        ([str(min(i, 400 - i)) for i in range(400)], "regression"),
        ([str(round(20 * math.sin(i) * math.sin(3 * i))) for i in range(400)], "regression"),
    ],
)
def test_tasks(desk, cells, task):
    cells = cells * (400 // len(cells))
    preview = desk.look(csv([[i * i % 83, cell] for i, cell in enumerate(cells)], ["x", "y"]))
    assert preview.data.task == task


def test_number_or_classes_can_be_changed(desk):
    rows = [[i * i % 83, i % 5] for i in range(100)]
    finding = only(desk.look(csv(rows, ["x", "y"])), "number_or_classes")
    regression = inspect(finding.repairs[0].data, desk.folder)
    assert regression.data.task == "regression"
    assert regression.classes == ()
    back = only(regression, "number_or_classes")
    assert inspect(back.repairs[0].data, desk.folder).data.task == "multiclass"


def test_imbalance(desk):
    dice = random.Random(6)
    mild = [[dice.random(), "no" if i % 3 else "yes"] for i in range(90)]
    assert only(desk.look(csv(mild, ["x", "y"])), "class_imbalance").message == "Classes 67/33 %."
    strong = [[dice.random(), "no" if i % 30 else "yes"] for i in range(90)]
    finding = only(desk.look(csv(strong, ["x", "y"])), "class_imbalance")
    assert finding.severity == "warning"
    assert "right in 97 % of the rows" in finding.message


def test_a_class_with_one_row(desk):
    rows = [[i * i % 83, "odd" if i == 50 else "ab"[i % 2]] for i in range(100)]
    assert '"odd" of "y" has one row only' in only(desk.look(csv(rows, ["x", "y"])), "class_with_one_row").message


def test_sorted_by_class(desk):
    desk.write(csv([[i * i % 83, "abc"[i // 40]] for i in range(120)], ["x", "y"]))
    assert only(inspect(desk.data(), desk.folder), "sorted_by_class").severity == "info"
    finding = only(inspect(desk.data(split=Split(method="ordered")), desk.folder), "sorted_by_class")
    assert finding.severity == "warning"
    assert finding.repairs[0].data.split.method == "random"


def test_a_capped_target(desk):
    dice = random.Random(7)
    rows = [[dice.random(), min(500_001, round(dice.gauss(300_000, 150_000)))] for _ in range(2000)]
    preview = desk.look(csv([[a, y] for a, y in rows if y > 0], ["x", "price"]))
    assert "cut off above at 500001" in only(preview, "capped_target").message


def test_leaks(desk):
    rows = [[a, b, "N" if b > 24 else "Y", round(a + b, 3), y] for a, b, y in numbers(200)]
    classes = desk.look(
        csv([[row[0], "low" if row[2] == "N" else "high", row[2]] for row in rows], ["a", "word", "class"])
    )
    assert only(classes, "leak").column == "word"
    total = desk.look(csv([[row[0], row[1], row[4], row[3]] for row in rows], ["a", "b", "noise", "total"]))
    finding = only(total, "leak")
    assert '"a" and "b" together give "total"' in finding.message
    repaired = inspect(finding.repairs[0].data, desk.folder)
    assert repaired.data.named_with_role("ignore") == ["a", "b"]
    copy = desk.look(csv([[row[0], row[4] * 2 + 1, row[4]] for row in rows], ["a", "twice", "y"]))
    assert only(copy, "leak").column == "twice"


def test_no_leak_where_features_only_help(desk):
    dice = random.Random(8)
    rows = [[a, b, a + b + dice.gauss(0, 2)] for a, b, _ in numbers(300)]
    assert not found(desk.look(csv(rows, ["a", "b", "y"])), "leak")


def test_duplicate_rows(desk):
    rows = [[i, *row] for i, row in enumerate(numbers() + numbers()[:20])]
    finding = only(desk.look(csv(rows, ["id", "a", "b", "y"])), "duplicate_rows")
    assert finding.severity == "warning"
    assert finding.message.startswith("20 rows repeat another row (20.0 %)")


def test_pictures(desk):
    dice = random.Random(9)
    rows = [[*(min(255, dice.randrange(400)) for _ in range(64)), i % 4] for i in range(80)]
    preview = desk.look("\n".join(",".join(map(str, row)) for row in rows) + "\n")
    assert (preview.data.image.height, preview.data.image.width, preview.data.image.maximum) == (8, 8, 255.0)
    assert preview.data.task == "multiclass"
    off = inspect(only(preview, "image").repairs[0].data, desk.folder)
    assert off.data.image is None
    first = desk.look("\n".join(",".join(map(str, [row[-1], *row[:-1]])) for row in rows) + "\n")
    assert first.data.named_with_role("target") == ["column_1"]
    assert first.data.image == preview.data.image


def test_named_columns_are_no_pixels(desk):
    dice = random.Random(9)
    words = [f"{a}{b}" for a in ("red", "green", "blue", "grey", "pink", "tan", "teal", "plum") for b in "abcdefgh"]
    rows = [[*(dice.randrange(256) for _ in range(64)), i % 4] for i in range(80)]
    assert desk.look(csv(rows, [*words, "class"])).data.image is None


def test_what_the_document_decides_is_kept(desk):
    desk.write(table(measurements()))
    columns = (
        Column(name="ripe", role="feature", kind="categorical"),
        Column(name="length", role="target"),
        Column(name="weight", role="feature", kind="categorical"),
    )
    preview = inspect(desk.data(columns=columns), desk.folder)
    assert [column.name for column in preview.data.columns] == HEADER
    assert roles(preview) == {"length": "target", "weight": "feature", "colour": "feature", "ripe": "feature"}
    assert kinds(preview)["weight"] == "categorical"
    assert preview.columns[1].kind == "numeric"
    assert preview.data.task == "regression"
    assert inspect(preview.data, desk.folder).data == preview.data


def test_a_changed_file_is_reported(desk):
    first = desk.look(table(measurements())).data
    rows = [[row[0], row[2], row[3], row[1]] for row in measurements()]
    desk.write(table(rows, ["length", "colour", "ripe", "height"]))
    preview = inspect(first, desk.folder)
    assert '"weight"' in only(preview, "columns_gone").message
    assert '"height"' in only(preview, "columns_added").message
    desk.write(table(rows, ["length", "colour", "height", "weight"]))
    preview = inspect(first, desk.folder)
    assert only(preview, "target_gone").severity == "error"
    desk.write(table(rows, ["a", "b", "c", "d"]))
    preview = inspect(first, desk.folder)
    assert only(preview, "columns_anew")
    assert preview.data.named_with_role("target") == ["d"]


def test_numbers_forced_on_text(desk):
    desk.write(table(measurements()))
    preview = inspect(desk.data(columns=(Column(name="colour", kind="numeric"),)), desk.folder)
    finding = only(preview, "not_numbers")
    assert finding.severity == "error"
    assert not found(inspect(finding.repairs[0].data, desk.folder), "not_numbers")


def test_weights(desk):
    rows = [[*row, str(1 + i % 3)] for i, row in enumerate(measurements())]
    desk.write(table(rows, [*HEADER, "w"]))
    weight = (Column(name="w", role="sample_weight"), Column(name="ripe", role="target"))
    assert not inspect(desk.data(columns=weight), desk.folder).findings
    wrong = (Column(name="colour", role="sample_weight", kind="categorical"), Column(name="ripe", role="target"))
    assert only(inspect(desk.data(columns=wrong), desk.folder), "weight_text")
    desk.write(table([[*row[:4], "-1"] for row in rows], [*HEADER, "w"]))
    assert only(inspect(desk.data(columns=weight), desk.folder), "weight_negative")


def test_a_wrong_picture_shape(desk):
    preview = desk.look(table(measurements()))
    data = Data.model_validate({**preview.data.model_dump(), "image": {"height": 2, "width": 2}})
    assert "4 pixels, but 3 columns" in found(inspect(data, desk.folder), "image_mismatch")[0].message


def test_long_files_are_sampled_evenly(desk, monkeypatch):
    from tunerstudio.data import sampling

    rows = [[i, "abcd"[i // 5000], i % 13] for i in range(20_000)]
    content = csv(rows, ["n", "part", "y"])
    whole = desk.look(content)
    monkeypatch.setattr(sampling, "_MAX_CELLS", 6000)
    sampled = desk.look(content)
    assert found(sampled, "sampled")
    assert sampled.rows == whole.rows == 20_000
    assert [name for name, _ in sampled.columns[1].top] == list("abcd")
    assert sum(count for _, count in sampled.columns[1].top) == pytest.approx(20_000, rel=0.01)
    assert sum(sampled.parts) == 20_000
