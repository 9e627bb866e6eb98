import gzip
import io
import os
import zipfile

import pytest

from tests.data.desk import measurements, only, table
from tunerstudio.data.inspect import inspect
from tunerstudio.data.prepare import prepare
from tunerstudio.study.data import Data, FileSource
from tunerstudio.study.errors import DataError

GOOD = table(measurements()).encode()


def archive(*names):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return content.getvalue()


UNREADABLE = {
    "empty": (b"", "is empty"),
    "blank lines": (b"\n\n  \n", "is blank"),
    "only a header": (b"a,b,c\n", "no rows below it"),
    "one column": (b"a\n1\n2\n3\n", "only one column"),
    "prose": (b"Dear all,\nhere it is. More, or less,\nand so on\nYours\nA, B and C\n" * 4, "number of cells"),
    "verse": (b"Dear all\nhere it is\nmore, or less, and so\non\n" * 9, "is no table"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(50), "a picture"),
    "old excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(50), r"save it as \.xlsx"),
    "program": (b"\x7fELF" + bytes(50), "a program"),
    "pickle": (b"\x80\x04\x95\x00\x00", "pickle"),
    "random bytes": (bytes(range(1, 256)) * 20, "not a text file"),
    "web page": (b"\n<!DOCTYPE html><html>", "a web page"),
    "zero bytes": (GOOD + b"1,\x00,r,yes\n", r"zero bytes \(line 62\)"),
    "half a gzip": (gzip.compress(os.urandom(9000))[:3000], "damaged or cut short"),
    "not a gzip": (b"\x1f\x8b" + os.urandom(300), "damaged or cut short"),
    "half a zip": (archive("a.csv")[:60], "damaged zip"),
    "empty zip": (archive(), "nothing in it"),
    "many tables": (archive("a.csv", "b.csv"), "holds 2 files: unpack it"),
    "pictures": (archive("1/a.JPG", "1/b.JPG", "2/c.JPG"), "most of them pictures"),
    "word document": (archive("[Content_Types].xml", "word/document.xml"), "without a sheet"),
    "broken workbook": (archive("[Content_Types].xml", "xl/workbook.xml"), "damaged Excel workbook"),
    "broken npz": (archive("x.npy", "y.npy"), "damaged NPZ"),
    "broken parquet": (b"PAR1" + os.urandom(200), "damaged Parquet"),
    "ragged": (GOOD + b"1,2\n" * 20, r"line 62 has 2 cells instead of 4"),
    "too wide": (b",".join(b"1" for _ in range(20_001)) + b"\n", "20001 columns"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_unreadable_files_get_a_sentence(desk, case):
    content, sentence = UNREADABLE[case]
    desk.write(content)
    for action in (inspect, lambda data, folder: prepare(data, folder, folder / "to")):
        with pytest.raises(DataError, match=sentence):
            action(desk.data(), desk.folder)
    assert sorted(path.name for path in desk.folder.iterdir()) == ["data.csv"]


def test_places_without_a_file(desk):
    with pytest.raises(DataError, match="There is no file"):
        desk.look(name="nowhere.csv")
    (desk.folder / "inner").mkdir()
    with pytest.raises(DataError, match="is a folder"):
        desk.look(name="inner")
    desk.write("a")
    with pytest.raises(DataError, match=r"cannot be read|no file"):
        inspect(Data(source=FileSource(path="data.csv/inside.csv")), desk.folder)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user without all rights")
def test_a_file_that_may_not_be_read(desk):
    desk.write(GOOD).chmod(0)
    with pytest.raises(DataError, match="You may not read"):
        desk.look()


def test_an_encrypted_zip(desk):
    content = bytearray(archive("a.csv"))
    content[6] |= 1  # the flag in the local header,
    start = content.rindex(b"PK\x01\x02")
    content[start + 8] |= 1  # and in the directory
    with pytest.raises(DataError, match="protected by a password"):
        desk.look(bytes(content), name="a.zip")


UNUSABLE = {
    "nothing to predict": ("a,b\n" + "7,8\n" * 20, "no_target", "No column varies enough"),
    "no feature": ("a,y\n" + "".join(f"7,{i % 2}\n" for i in range(20)), "no_features", "No usable column is left"),
    "dates only": (
        "day,y\n" + "".join(f"2020-01-{i + 1:02},{i % 2}\n" for i in range(28)),
        "no_features",
        r"day \(dates\)",
    ),
    "one row": ("a,b,y\n1,2,3\n", "no_target", "Nothing says what is to be predicted"),
    "few rows": ("a,y\n1,x\n2,z\n", "too_few_rows", "cannot be divided"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_unusable_tables_are_shown_with_an_error(desk, case):
    content, code, sentence = UNUSABLE[case]
    preview = desk.look(content)
    finding = only(preview, code)
    assert finding.severity == "error"
    assert preview.parts == (0, 0, 0)
    with pytest.raises(DataError, match=sentence):
        prepare(preview.data, desk.folder, desk.folder / "to")
    assert not (desk.folder / "to").exists()


def with_target(desk, content, name="y", **fields):
    """Predict a column that would not have been proposed."""
    from tunerstudio.study.data import Column

    desk.write(content)
    return inspect(desk.data(columns=(Column(name=name, role="target"),), **fields), desk.folder)


@pytest.mark.parametrize(
    ("cells", "fields", "code", "sentence"),
    [
        (["a"] * 30, {}, "single_class", "one value only"),
        (["a"] * 29 + [""], {}, "single_class", "one value only"),
        ([""] * 30, {}, "target_empty", "has no values"),
        ([f"w{i}" for i in range(30)], {}, "too_many_classes", "30 different values"),
        (["a", "b", "c"] * 10, {"task": "binary"}, "task_mismatch", "3 classes"),
        (["a", "b", "c"] * 10, {"task": "regression"}, "task_mismatch", "holds text such as 'a'"),
        ([str(i) for i in range(30)], {"task": "multiclass"}, "too_many_classes", "30 different values"),
    ],
)
def test_targets_that_cannot_be_predicted(desk, cells, fields, code, sentence):
    rows = "".join(f"{i % 7},{i % 5},{cell}\n" for i, cell in enumerate(cells))
    preview = with_target(desk, "a,b,y\n" + rows, **fields)
    finding = only(preview, code)
    assert sentence in finding.message
    assert finding.severity == "error"
    for repair in finding.repairs:
        assert code not in {other.code for other in inspect(repair.data, desk.folder).findings}
    with pytest.raises(DataError, match=sentence):
        prepare(preview.data, desk.folder, desk.folder / "to")


def test_no_row_with_both_targets(desk):
    from tunerstudio.study.data import Column

    desk.write("a,y,z\n" + "".join(f"{i % 7},{i if i % 2 else ''},{'' if i % 2 else i}\n" for i in range(40)))
    targets = (Column(name="y", role="target"), Column(name="z", role="target"))
    assert only(inspect(desk.data(columns=targets), desk.folder), "no_rows")


def test_a_few_ragged_rows_are_left_out_and_told(desk):
    lines = table(measurements()).splitlines(keepends=True)
    lines[20] = "\n1,2,3,4,5,6\n"
    lines[30] = "9\n"
    preview = desk.look("".join(lines))
    assert preview.rows == 58
    assert "2 rows have another number of cells" in only(preview, "ragged_rows").message
    assert "line 22 has 6 cells instead of 4" in only(preview, "ragged_rows").message
    assert "2 rows with another number of cells" in prepare(preview.data, desk.folder, desk.folder / "to").notes[0]


def test_infinite_and_huge_numbers_count_as_missing(desk):
    rows = measurements()
    rows[3][0], rows[4][0], rows[5][0] = "inf", "-Infinity", "1e300"
    preview = desk.look(table(rows))
    assert "2 infinite values" in only(preview, "infinite_values").message
    plan = prepare(preview.data, desk.folder, desk.folder / "to")
    assert any(note.startswith("3 missing values") for note in plan.notes)


def test_a_wide_table_is_looked_at(desk):
    rows = [",".join(str((i * j) % 97 / 7) for j in range(1, 3001)) + f",{i % 2}" for i in range(20)]
    preview = desk.look("\n".join(rows) + "\n")
    assert len(preview.columns) == 3001
    assert len(preview.sample) == 6
    plan = prepare(preview.data, desk.folder, desk.folder / "to")
    assert [len(spec.columns) for spec in plan.inputs] == [2970]
