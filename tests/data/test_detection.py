import pytest

from tests.data.desk import HEADER, measurements, roles, table
from tunerstudio.data.detect import detect_layout
from tunerstudio.data.encodings import detect_encoding
from tunerstudio.data.tables import unique_names
from tunerstudio.study.data import FileFormat
from tunerstudio.study.errors import DataError


def layout(text, **wanted):
    return detect_layout(text, FileFormat(**wanted), "data.csv")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " "])
def test_delimiters_are_told_by_equal_rows(desk, delimiter):
    preview = desk.look(table(measurements(), delimiter=delimiter))
    assert preview.data.format.delimiter == delimiter
    assert list(roles(preview)) == HEADER
    assert preview.rows == 60


def test_runs_of_blanks_are_one_delimiter(desk):
    lines = [f"  {i / 7:8.3f}   {i % 5:4d}  'x y'  {'ab'[i % 2]}" for i in range(30)]
    preview = desk.look("\n".join(line.replace("'x y'", '"x y"') for line in lines) + "\n", name="old.data")
    assert preview.data.format.delimiter == " "
    assert len(preview.data.columns) == 4
    assert preview.sample[1] == ("0.143", "1", "x y", "b")


@pytest.mark.parametrize(
    ("encoding", "detected"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("latin-1", "latin-1"),
    ],
)
def test_encodings(desk, encoding, detected):
    rows = [[*row[:2], "azúl" if row[2] == "b" else row[2], row[3]] for row in measurements()]
    preview = desk.look(table(rows, ["año", *HEADER[1:]]), written=encoding)
    assert preview.data.format.encoding == detected
    assert preview.columns[0].name == "año"
    assert "azúl" in {cell for row in preview.sample for cell in row}


def test_windows_quotes_are_windows_1252():
    assert detect_encoding("l’eau, 5 €\n".encode("cp1252")) == "cp1252"


def test_a_late_odd_byte_changes_the_encoding_of_the_whole(desk):
    rows = [f"{i},{i % 7},plain\n" for i in range(150_000)]
    content = ("a,b,c\n" + "".join(rows)).encode() + "5,5,caf\xe9\n".encode("latin-1")
    preview = desk.look(content)
    assert preview.data.format.encoding == "latin-1"
    assert preview.rows == 150_001


def test_the_chosen_encoding_is_never_changed(desk):
    content = "a,b,c\n" + "".join(f"{i},{i % 7},plain\n" for i in range(150_000)) + "5,5,café\n"
    with pytest.raises(DataError, match=r"not text in the encoding UTF-8: leave the encoding"):
        desk.look(content, written="latin-1", encoding="utf-8")


def test_decimal_comma(desk):
    rows = [[f"{i / 7:.2f}".replace(".", ","), f"{1000 + i}", "ab"[i % 2]] for i in range(40)]
    preview = desk.look(table(rows, ["x", "y", "class"], ";"))
    assert preview.data.format.decimal == ","
    assert "decimal comma" in preview.summary
    assert preview.columns[0].maximum == pytest.approx(5.57)


def test_thousands_are_read_with_either_decimal_mark(desk):
    rows = [[f'"{1000 + 37 * i:,}"', str(i % 9), "ab"[i % 2]] for i in range(40)]
    preview = desk.look(table(rows, ["x", "y", "class"]))
    assert (preview.columns[0].minimum, preview.columns[0].maximum) == (1000, 2443)
    rows = [[f"{1000 + 37 * i:,}".replace(",", ".") + ",5", str(i % 9), "ab"[i % 2]] for i in range(40)]
    preview = desk.look(table(rows, ["x", "y", "class"], ";"))
    assert (preview.columns[0].minimum, preview.columns[0].maximum) == (1000.5, 2443.5)


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("a,b\n1,2\n3,4\n", True),
        ("1,2\n3,4\n5,6\n", False),
        ("M,0.4,15\nF,0.5,9\nM,0.6,9\n", False),
        ("ham\thello you\nspam\twin now\nham\tok\nham\tsee\n", False),
        ("name\ttext\nham\thello you\nspam\twin now\n", True),
        ("2020-01-01,5\n2020-01-02,6\n", False),
        ("city,country\nParis,France\nRome,Italy\n", True),
        ("0,1,2,3,target\n5,6,7,8,a\n5,6,9,8,b\n", True),
        ("x,\n1,2\n3,4\n", True),
        ("1,?,2\n3,4,2\n", False),
    ],
)
def test_headers(text, header):
    assert layout(text).header is header


def test_what_the_user_says_wins(desk):
    preview = desk.look("a,b,c\n1,2,x\n3,4,y\n" * 10, header=False, missing=("3",))
    assert preview.data.format.header is False
    assert preview.columns[0].name == "column_1"
    assert preview.rows == 30
    assert preview.data.format.missing == ("3",)
    assert layout("a;b,c\n1;2,5\n", delimiter=",").names == ("a;b", "c")
    assert layout('a,b\n"1,2",3\n', quoting=False).quoting is False


def test_stray_quotes_switch_quoting_off(desk):
    rows = [f"{'ham' if i % 3 else 'spam'}\t{'5' if i % 4 else chr(34) + 'go'} until {i}\n" for i in range(50)]
    preview = desk.look("".join(rows), name="sms.tsv")
    assert preview.data.format.quoting is False
    assert preview.rows == 50


def test_quoted_cells_keep_delimiters_and_line_ends(desk):
    rows = [[str(i), f'"{i} m, then\nleft"', "ab"[i % 2]] for i in range(30)]
    preview = desk.look(table(rows, ["x", "text", "class"]))
    assert preview.rows == 30
    assert preview.sample[2][1] == "2 m, then\nleft"


@pytest.mark.parametrize("before", ["sep=;\n", "\n\n", "# made by a logger\n# on Monday; early\n"])
def test_lines_before_the_table_are_skipped(desk, before):
    preview = desk.look(before + table(measurements(), delimiter=";"))
    assert [column.name for column in preview.columns] == HEADER
    assert preview.rows == 60


def test_line_ends_of_windows_and_a_missing_last_one(desk):
    preview = desk.look(table(measurements(), end="\r\n").removesuffix("\r\n"))
    assert preview.rows == 60
    assert preview.classes[1][0] == "yes"


def test_repeated_and_empty_names_are_numbered(desk):
    rows = [[str(i), str(i * i % 17), str(i % 3), "ab"[i % 2], str(i % 11)] for i in range(40)]
    preview = desk.look(table(rows, ["Hora", "Hora", "", "class", "Hora"]))
    assert [column.name for column in preview.columns] == ["Hora", "Hora.2", "column_3", "class", "Hora.3"]
    assert unique_names(["a", "a.2", "a", " a "]) == ("a", "a.2", "a.3", "a.4")


def test_a_delimiter_at_the_end_of_each_row_is_an_empty_column(desk):
    rows = [[*row, ""] for row in measurements()]
    preview = desk.look(table(rows))
    assert roles(preview)["column_5"] == "ignore"


def test_row_labels_without_a_name(desk):
    rows = [[str(i + 1), *row] for i, row in enumerate(measurements())]
    preview = desk.look(table(rows))
    assert [column.name for column in preview.columns] == ["row", *HEADER]
    assert roles(preview)["row"] == "ignore"


@pytest.mark.parametrize(
    ("form", "sentence"),
    [({"encoding": "klingon"}, "no encoding called 'klingon'"), ({"delimiter": "::"}, "must be one character")],
)
def test_impossible_wishes_are_explained(desk, form, sentence):
    with pytest.raises(DataError, match=sentence):
        desk.look(table(measurements()), **form)
