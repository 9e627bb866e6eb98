"""Published files with their quirks: what the program proposes is what an analyst would."""

import numpy as np
import pytest

from tests.data.desk import found, kinds, only, roles
from tunerstudio.data.inspect import inspect
from tunerstudio.data.prepare import prepare
from tunerstudio.study.data import Data, FileSource, ImageShape
from tunerstudio.study.errors import DataError


@pytest.fixture
def look(datasets):
    def look_at(name):
        return inspect(Data(source=FileSource(path=name)), datasets)

    return look_at


def codes(preview):
    return {finding.code for finding in preview.findings}


def test_breast_cancer(look):
    preview = look("breast-cancer-wisconsin.data")
    assert preview.summary == "699 rows x 11 columns; UTF-8, comma, no header, missing ?"
    assert roles(preview) == {
        "column_1": "ignore",
        **{f"column_{i}": "feature" for i in range(2, 11)},
        "column_11": "target",
    }
    assert preview.data.task == "binary"
    assert preview.classes == (("2", 458), ("4", 241))
    assert only(preview, "id_column").column == "column_1"
    assert only(preview, "missing_values").message == '16 missing in "column_7": filled with the median.'
    assert set(kinds(preview).values()) == {"numeric"}
    assert codes(preview) == {"id_column", "missing_values", "class_imbalance", "duplicate_rows"}


def test_penguins(look):
    preview = look("penguins.csv")
    assert preview.data.named_with_role("target") == ["species"]
    assert preview.data.task == "multiclass"
    assert len(preview.data.named_with_role("feature")) == 6
    assert kinds(preview)["island"] == kinds(preview)["sex"] == "categorical"


def test_mpg(look):
    preview = look("mpg.csv")
    assert preview.data.named_with_role("target") == ["mpg"]
    assert preview.data.named_with_role("ignore") == ["name"]
    assert preview.data.task == "regression"
    assert kinds(preview)["origin"] == "categorical"


def test_california_housing(look):
    preview = look("california_housing.csv")
    assert preview.data.named_with_role("target") == ["median_house_value"]
    assert not preview.data.named_with_role("ignore")
    assert kinds(preview)["ocean_proximity"] == "categorical"
    assert "500001" in only(preview, "capped_target").message


def test_pima(look):
    preview = look("pima-indians-diabetes.csv")
    assert preview.data.named_with_role("target") == ["column_9"]
    assert preview.data.task == "binary"
    assert {finding.column for finding in found(preview, "zeros")} == {"column_2", "column_3", "column_4", "column_6"}


def test_abalone(look, datasets):
    preview = look("abalone.csv")
    assert preview.data.named_with_role("target") == ["column_9"]
    assert preview.data.task == "regression"
    assert kinds(preview)["column_1"] == "categorical"
    classes = inspect(only(preview, "number_or_classes").repairs[0].data, datasets)
    assert len(classes.classes) == 28
    assert only(classes, "class_with_one_row")


def test_the_spanish_weather_file(look):
    preview = look("aemet_3195_2000-2012.csv")
    form = preview.data.format
    assert (form.encoding, form.delimiter, form.decimal, form.header) == ("latin-1", ";", ",", True)
    assert [column.name for column in preview.columns][8:11] == ["Hora", "T.Min", "Hora.2"]
    assert preview.data.named_with_role("target") == ["T.Med"]
    assert preview.data.task == "regression"
    assert {"Indicativo", "Nombre", "Provincia", "Altitud", "Hora", "Hora.2"} <= set(
        preview.data.named_with_role("ignore")
    )
    assert "'Ip'" in found(preview, "text_in_numbers")[0].message
    assert '"T.Max" and "T.Min" together' in only(preview, "leak").message


def test_mnist(look):
    preview = look("mnist_5k.csv.gz")
    assert preview.data.image == ImageShape(height=28, width=28, channels=1, maximum=255.0)
    assert preview.data.named_with_role("target") == ["column_785"]
    assert len(preview.data.named_with_role("feature")) == 784
    assert preview.data.task == "multiclass"
    assert len(preview.classes) == 10
    assert only(preview, "sorted_by_class").severity == "info"


def test_bike_sharing(look):
    preview = look("bike_sharing_hour.csv")
    assert preview.data.named_with_role("target") == ["cnt"]
    assert preview.data.named_with_role("ignore") == ["instant", "dteday"]
    assert '"casual" and "registered" together give "cnt" exactly' in only(preview, "leak").message


def test_air_quality(look):
    assert "-200" in only(look("AirQuality_ISO.csv"), "sentinel").message


def test_messages(look):
    preview = look("sms.tsv")
    assert preview.rows == 5574
    assert preview.data.format.quoting is False
    assert preview.classes == (("ham", 4827), ("spam", 747))
    assert kinds(preview)["column_2"] == "text"
    assert preview.data.look == "text"


def test_a_series_of_dates_has_nothing_to_learn_from(look):
    preview = look("daily-min-temperatures.csv")
    assert preview.data.named_with_role("target") == ["Temp"]
    assert "Date (dates)" in only(preview, "no_features").message


@pytest.mark.parametrize("name", ["LEEME_aemet.txt", "sign_language_digits.zip"])
def test_what_is_no_table(look, name):
    with pytest.raises(DataError):
        look(name)


@pytest.mark.parametrize(
    ("name", "rows", "inputs"),
    [
        ("breast-cancer-wisconsin.data", 699, 9),
        ("penguins.csv", 344, 6),
        ("mpg.csv", 398, 7),
        ("california_housing.csv", 20640, 9),
        ("pima-indians-diabetes.csv", 768, 8),
        ("abalone.csv", 4177, 8),
        ("mnist_5k.csv.gz", 5000, 1),
        ("aemet_3195_2000-2012.csv", 4657, 14),
    ],
)
def test_all_can_be_prepared(datasets, look, tmp_path, name, rows, inputs):
    preview = look(name)
    plan = prepare(preview.data, datasets, tmp_path / "to")
    assert (plan.rows, len(plan.inputs)) == (rows, inputs)
    assert plan.parts == preview.parts
    assert plan.fingerprint == preview.fingerprint
    assert plan.target.classes == tuple(name for name, _ in preview.classes)
    target, parts = np.load(tmp_path / "to" / "target.npy"), np.load(tmp_path / "to" / "parts.npy")
    for number in range(len(plan.target.classes)):
        shares = [np.mean(target[parts == part] == number) for part in range(3)]
        assert max(shares) - min(shares) < 0.02
