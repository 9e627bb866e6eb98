import datetime
import gzip
import io
import zipfile

import numpy as np
import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.data.desk import HEADER, found, kinds, measurements, only, roles, table
from tunerstudio.data.inspect import inspect
from tunerstudio.data.prepare import prepare
from tunerstudio.study.data import BundledSource, Data
from tunerstudio.study.errors import DataError


def zipped(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def npz(**arrays):
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def workbook(sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def test_gzip_and_zip_are_read_by_content_whatever_the_name(desk):
    plain = desk.look(table(measurements()))
    text = table(measurements()).encode()
    packed = desk.look(gzip.compress(text), name="data.txt")
    archived = desk.look(zipped({"folder/data.csv": text, "__MACOSX/._data.csv": b"\0\0"}), name="data2.csv")
    assert packed.columns == archived.columns == plain.columns
    assert packed.fingerprint != plain.fingerprint


def test_a_zip_with_a_read_me_beside_the_table(desk):
    preview = desk.look(zipped({"readme.md": "hello", "t.csv": table(measurements())}), name="a.zip")
    assert preview.rows == 60


def test_parquet_keeps_types(desk):
    count = 40
    days = [datetime.datetime(2020, 1, 1) + datetime.timedelta(days=i) for i in range(count)]
    columns = {
        "when": pa.array(days),
        "number": pa.array([None if i == 3 else i / 3 for i in range(count)]),
        "flag": pa.array([i % 3 == 0 for i in range(count)]),
        "word": pa.array(["ab"[i % 2] for i in range(count)]).dictionary_encode(),
        "list": pa.array([[i] for i in range(count)]),
        "grade": pa.array([i % 5 for i in range(count)], pa.int8()),
    }
    parquet.write_table(pa.table(columns), desk.folder / "t.parquet")
    preview = desk.look(name="t.parquet")
    assert roles(preview) == {
        "when": "ignore", "number": "feature", "flag": "feature",
        "word": "feature", "list": "ignore", "grade": "target",
    }  # fmt: skip
    assert kinds(preview)["flag"] == kinds(preview)["word"] == "categorical"
    assert preview.columns[1].missing == 1
    assert preview.sample[0][2] == "True"
    plan = prepare(preview.data, desk.folder, desk.folder / "to")
    assert [spec.name for spec in plan.inputs] == ["number", "flag", "word"]


def test_excel_takes_the_first_sheet_with_rows_and_offers_the_others(desk):
    rows = [[i / 8, datetime.date(2020, 1, 1 + i % 28), i % 3 == 0, None, "ab"[i % 2]] for i in range(30)]
    content = workbook(
        {"Notes": [], "Data": [["x", "day", "flag", None, "class"], *rows], "More": [["a", "b"], [1, 2]]}
    )
    preview = desk.look(content, name="book.xlsx")
    assert preview.data.format.sheet == "Data"
    assert roles(preview) == {"x": "feature", "day": "ignore", "flag": "feature", "class": "target"}
    assert preview.sample[1] == ("0.125", "2020-01-02", "False", "b")
    repairs = only(preview, "sheets").repairs
    assert [repair.label for repair in repairs] == ['Use "Notes"', 'Use "More"']
    assert inspect(repairs[1].data, desk.folder).rows == 1


def test_excel_without_a_header(desk):
    preview = desk.look(workbook({"S": [[i, i * i % 7, i % 2] for i in range(30)]}), name="book.xlsx")
    assert [column.name for column in preview.columns] == ["column_1", "column_2", "column_3"]
    assert preview.rows == 30


def test_npz_with_two_dimensions_is_a_table(desk):
    dice = np.random.default_rng(1)
    preview = desk.look(npz(X=dice.normal(size=(50, 3)), y=dice.integers(0, 2, 50)), name="d.npz")
    assert roles(preview) == {"x1": "feature", "x2": "feature", "x3": "feature", "y": "target"}
    assert preview.data.task == "binary"


def test_npz_pictures_stay_an_array(desk):
    dice = np.random.default_rng(1)
    x = dice.integers(0, 256, (40, 5, 4, 3), dtype=np.uint8)
    preview = desk.look(npz(images=x, labels=np.arange(40) % 4), name="d.npz")
    assert roles(preview) == {"x": "feature", "y": "target"}
    assert preview.columns[0].maximum == 255
    plan = prepare(preview.data, desk.folder, desk.folder / "to")
    assert plan.inputs[0].shape == (5, 4, 3)
    written = np.load(desk.folder / "to" / "array.npy")
    assert np.array_equal(written, x.astype(np.float32))
    training = written[np.load(desk.folder / "to" / "parts.npy") == 0]
    assert plan.inputs[0].offset == pytest.approx(training.mean())
    assert plan.inputs[0].scale == pytest.approx(training.std())


def test_npz_with_its_own_test_part(desk):
    dice = np.random.default_rng(1)
    content = npz(
        x_test=dice.normal(size=(20, 2)), y_test=np.arange(20) % 2,
        x_train=dice.normal(size=(80, 2)), y_train=np.arange(80) % 2,
    )  # fmt: skip
    preview = desk.look(content, name="d.npz")
    assert preview.parts == (60, 20, 20)
    assert found(preview, "given_parts")
    prepare(preview.data, desk.folder, desk.folder / "to")
    parts = np.load(desk.folder / "to" / "parts.npy")
    assert set(parts[:80]) == {0, 1}
    assert set(parts[80:]) == {2}


def test_npz_one_hot_targets_are_classes_and_wide_ones_are_numbers(desk):
    dice = np.random.default_rng(1)
    x = dice.normal(size=(60, 2)).astype(np.float16)
    preview = desk.look(npz(x=x, y=np.eye(3)[np.arange(60) % 3]), name="d.npz")
    assert preview.data.task == "multiclass"
    assert [name for name, _ in preview.classes] == ["0", "1", "2"]
    preview = desk.look(npz(x=x, y=dice.normal(size=(60, 2))), name="e.npz")
    assert preview.data.named_with_role("target") == ["y1", "y2"]
    plan = prepare(preview.data, desk.folder, desk.folder / "to")
    assert plan.target.outputs == 2
    assert np.load(desk.folder / "to" / "target.npy").shape == (60, 2)


def test_npz_of_columns(desk):
    preview = desk.look(
        npz(age=np.arange(30) % 13, name=np.array(["a", "b", "c"] * 10), price=np.arange(30) / 7), name="d.npz"
    )
    assert roles(preview) == {"age": "feature", "name": "feature", "price": "target"}


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"x": np.array([{}, 3], dtype=object)}, "Python objects"),
        ({"x": np.zeros((5, 2)), "y": np.zeros(4)}, "same number of rows"),
        ({"x": np.zeros(()), "y": np.zeros(4)}, "same number of rows"),
        ({"x": np.zeros((0, 2)), "y": np.zeros(0)}, "same number of rows"),
        (
            {"x_train": np.zeros((5, 2)), "x_test": np.zeros((5, 2)), "y_train": np.zeros(5)},
            "an x and a y for each part",
        ),
        ({"x_train": np.zeros((5, 2)), "y_train": np.zeros(4)}, "different numbers of rows"),
        ({"x": np.zeros((5, 2), dtype=complex), "y": np.zeros(5)}, "complex"),
        ({"x": np.zeros((5, 30_000)), "y": np.zeros(5)}, "at most 20000"),
    ],
)
def test_npz_that_does_not_fit_is_explained(desk, arrays, sentence):
    with pytest.raises(DataError, match=sentence):
        desk.look(npz(**arrays), name="d.npz")


@pytest.mark.parametrize(
    ("name", "rows", "task", "target"),
    [
        ("breast_cancer", 569, "binary", "diagnosis"),
        ("digits", 1797, "multiclass", "digit"),
        ("wine", 178, "multiclass", "class"),
        ("iris", 150, "multiclass", "species"),
        ("diabetes", 442, "regression", "target"),
    ],
)
def test_bundled_sets(tmp_path, name, rows, task, target):
    data = Data(source=BundledSource(name=name))
    preview = inspect(data, tmp_path)
    assert (preview.rows, preview.data.task) == (rows, task)
    assert preview.data.named_with_role("target") == [target]
    assert not [finding for finding in preview.findings if finding.severity == "error"]
    plan = prepare(data, tmp_path, tmp_path / "to")
    assert plan.rows == rows
    assert prepare(preview.data, tmp_path, tmp_path / "to2").fingerprint == plan.fingerprint == preview.fingerprint


def test_the_digits_are_pictures(tmp_path):
    image = inspect(Data(source=BundledSource(name="digits")), tmp_path).data.image
    assert (image.height, image.width, image.channels, image.maximum) == (8, 8, 1, 16.0)


def test_the_same_table_means_the_same_in_every_format(desk):
    rows = measurements()
    plain = desk.look(table(rows))
    values = [[float(row[0]), float(row[1]), row[2], row[3]] for row in rows]
    book = desk.look(workbook({"S": [HEADER, *values]}), name="book.xlsx")
    parquet.write_table(
        pa.table({name: [row[i] for row in values] for i, name in enumerate(HEADER)}), desk.folder / "t.parquet"
    )
    typed = desk.look(name="t.parquet")
    assert plain.columns == book.columns == typed.columns
    assert plain.classes == book.classes == typed.classes
