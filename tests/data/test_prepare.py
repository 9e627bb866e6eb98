import json
import os

import numpy as np
import pytest

from tests.data.desk import HEADER, measurements, table
from tunerstudio.data.inspect import inspect
from tunerstudio.data.prepare import prepare
from tunerstudio.study.data import Column, Data, ImageShape, Split
from tunerstudio.study.errors import DataError
from tunerstudio.study.preprocessing import CategoricalInput, ImageInput, NumericInput, PreparedData


class Prepared:
    """A plan with the arrays beside it."""

    def __init__(self, desk, data=None, to="to"):
        self.folder = desk.folder / to
        self.plan = prepare(data if data is not None else desk.data(), desk.folder, self.folder)

    def __getattr__(self, name):
        return np.load(self.folder / f"{name}.npy", allow_pickle=False)

    def inputs(self):
        return {spec.name: spec for spec in self.plan.inputs}


def with_holes(rows=200):
    """Numbers whose holes and scale differ from part to part."""
    cells = measurements(rows)
    for index in range(0, rows, 9):
        cells[index][0] = ""
    for index in range(4, rows, 25):
        cells[index][2] = ""
    return cells


def test_the_layout_on_disk(desk):
    desk.write(table(with_holes()))
    made = Prepared(desk)
    assert sorted(path.name for path in made.folder.iterdir()) == [
        "categorical.npy", "key.json", "numeric.npy", "parts.npy", "plan.json", "source_rows.npy", "target.npy",
    ]  # fmt: skip
    assert PreparedData.model_validate_json((made.folder / "plan.json").read_bytes()) == made.plan
    assert (made.numeric.dtype, made.numeric.shape) == (np.float32, (200, 2))
    assert (made.categorical.dtype.kind, made.categorical.shape) == ("U", (200, 1))
    assert (made.target.dtype, made.target.shape) == (np.int64, (200,))
    assert (made.parts.dtype, made.source_rows.dtype) == (np.int8, np.int64)
    assert made.plan.parts == tuple(np.bincount(made.parts)) == (130, 40, 30)
    assert made.plan.target.classes == ("no", "yes")
    assert made.plan.source == "data.csv"
    assert len(made.plan.fingerprint) == 64


def test_cells_arrive_as_they_are(desk):
    cells = with_holes()
    desk.write(table(cells))
    made = Prepared(desk)
    lengths = [float(row[0]) if row[0] else np.nan for row in cells]
    assert np.array_equal(made.numeric[:, 0], np.array(lengths, np.float32), equal_nan=True)
    assert made.categorical[:, 0].tolist() == [row[2] for row in cells]
    assert [made.plan.target.classes[number] for number in made.target] == [row[3] for row in cells]


@pytest.mark.parametrize("fill", ["median", "mean", "zero"])
@pytest.mark.parametrize("scaling", ["standard", "minmax", "none"])
def test_numbers_are_fitted_on_the_training_part_alone(desk, fill, scaling):
    cells = with_holes()
    for row in cells[150:]:
        row[1] = str(float(row[1]) + 1000)
    desk.write(table(cells))
    made = Prepared(desk, desk.data(missing=fill, scaling=scaling, split=Split(method="ordered", validation=0.1)))
    for index, name in enumerate(("length", "weight")):
        spec = made.inputs()[name]
        train = made.numeric[made.parts == 0, index].astype(float)
        expected = {"median": np.nanmedian(train), "mean": np.nanmean(train), "zero": 0.0}[fill]
        assert spec.fill[0] == pytest.approx(expected)
        filled = np.where(np.isnan(train), expected, train)
        offset, scale = {
            "standard": (filled.mean(), filled.std()),
            "minmax": (filled.min(), np.ptp(filled)),
            "none": (0.0, 1.0),
        }[scaling]
        assert (spec.offset[0], spec.scale[0]) == (pytest.approx(offset), pytest.approx(scale))
    assert made.inputs()["weight"].offset[0] < 500


def test_vocabularies_come_from_the_training_part_alone(desk):
    cells = measurements(100)
    for row in cells[90:]:
        row[2] = "late"
    desk.write(table(cells))
    made = Prepared(desk, desk.data(split=Split(method="ordered")))
    assert made.inputs()["colour"].vocabulary == ("b", "g", "r")
    assert not made.inputs().get("late")
    late = made.categorical[95, 0]
    assert late not in ("b", "g", "r", "")


def test_rare_categories_are_unknown_and_never_taken_for_known_ones(desk):
    rows = [[f"{i % 7}", f"t{i % 100:02}" if i % 4 else f"t{i % 100:02}-rare-{i}", "yn"[i % 2]] for i in range(2000)]
    columns = (Column(name="town", kind="categorical"),)
    desk.write(table(rows, ["x", "town", "y"]))
    made = Prepared(desk, desk.data(columns=columns))
    spec = made.inputs()["town"]
    assert isinstance(spec, CategoricalInput)
    assert len(spec.vocabulary) == 100
    known = [row[1] in spec.vocabulary for row in rows]
    assert [str(cell) in spec.vocabulary for cell in made.categorical[:, 0]] == known


def test_a_column_without_spread_or_without_values_in_training(desk):
    cells = measurements(100)
    for index, row in enumerate(cells):
        row[0] = "7" if index < 65 else str(index)
        row[1] = "" if index < 65 else str(index * index % 97)
    desk.write(table(cells))
    made = Prepared(desk, desk.data(split=Split(method="ordered")))
    assert (made.inputs()["length"].offset, made.inputs()["length"].scale) == ((7.0,), (1.0,))
    assert (made.inputs()["weight"].fill, made.inputs()["weight"].scale) == ((0.0,), (1.0,))
    assert '"weight" has no value in the training part' in " ".join(made.plan.notes)


@pytest.mark.parametrize(("features", "inputs"), [(64, 64), (65, 1)])
def test_many_numbers_are_one_input(desk, features, inputs):
    dice = np.random.default_rng(0)
    rows = [[*(f"{x:.3f}" for x in row), "ab"[i % 2]] for i, row in enumerate(dice.normal(size=(50, features)))]
    desk.write(table(rows, [*(f"f{i}" for i in range(features)), "class"]))
    made = Prepared(desk)
    assert len(made.plan.inputs) == inputs
    assert sum(len(spec.columns) for spec in made.plan.inputs) == features
    assert made.numeric.shape == (50, features)
    if inputs == 1:
        assert made.plan.inputs[0].name == "features"
        assert isinstance(made.plan.inputs[0], NumericInput)


def test_pictures_are_one_input_of_raw_pixels(desk):
    dice = np.random.default_rng(0)
    pixels = dice.integers(0, 256, (60, 64))
    rows = [[*map(str, row), str(i % 3)] for i, row in enumerate(pixels)]
    desk.write(table(rows, None))
    made = Prepared(desk)
    assert isinstance(made.plan.inputs[0], ImageInput)
    assert made.plan.inputs[0].name == "pixels"
    assert made.plan.inputs[0].shape == ImageShape(height=8, width=8)
    assert np.array_equal(made.numeric, pixels)
    assert made.plan.target.classes == ("0", "1", "2")


def test_numeric_classes_are_named_and_ordered_by_value(desk):
    rows = [[str(i * i % 83), ["10", "2", "2.0"][i % 3]] for i in range(90)]
    desk.write(table(rows, ["x", "y"]))
    made = Prepared(desk, desk.data(task="binary"))
    assert made.plan.target.classes == ("2", "10")
    assert made.target.tolist() == [1, 0, 0] * 30
    assert made.plan.target.outputs == 1
    assert inspect(desk.data(), desk.folder).classes == (("2", 60), ("10", 30))


def test_amounts_are_standardised_on_the_training_part(desk):
    rows = [[str(i * i % 83), str(1000 + i * 7 % 311)] for i in range(100)]
    desk.write(table(rows, ["x", "y"]))
    made = Prepared(desk)
    values = np.array([float(row[1]) for row in rows])
    train = values[made.parts == 0]
    assert made.plan.target.offset == (pytest.approx(train.mean()),)
    assert made.plan.target.scale == (pytest.approx(train.std()),)
    assert (made.target.dtype, made.target.shape) == (np.float32, (100, 1))
    assert np.allclose(made.target[:, 0] * made.plan.target.scale[0] + made.plan.target.offset[0], values)


def test_rows_without_target_or_weight_are_dropped(desk):
    cells = [[*row, "1.5"] for row in measurements(60)]
    cells[4][3] = cells[9][3] = ""
    cells[20][4] = ""
    desk.write(table(cells, [*HEADER, "w"]))
    columns = (Column(name="w", role="sample_weight"), Column(name="ripe", role="target"))
    made = Prepared(desk, desk.data(columns=columns))
    assert made.plan.rows == len(made.numeric) == len(made.weights) == 57
    assert made.source_rows.tolist() == [i for i in range(60) if i not in (4, 9, 20)]
    assert set(made.weights) == {1.5}
    assert "3 of 60 rows" in made.plan.notes[1]
    assert "w" not in made.inputs()


def test_it_is_made_once(desk):
    path = desk.write(table(measurements()))
    made = Prepared(desk)
    stamps = {file.name: file.stat().st_mtime_ns for file in made.folder.iterdir()}

    def again(data=None):
        plan = prepare(data if data is not None else desk.data(), desk.folder, made.folder)
        return plan, {file.name: file.stat().st_mtime_ns for file in made.folder.iterdir()} == stamps

    assert again() == (made.plan, True)
    os.utime(path, (1, 1))
    assert again() == (made.plan, True), "the same bytes at another time"
    (made.folder / "features-of-a-worker.npy").write_bytes(b"1")
    other, same = again(desk.data(split=Split(seed=8)))
    assert not same
    assert other.parts == made.plan.parts
    assert not (made.folder / "features-of-a-worker.npy").exists(), "replaced as a whole"
    assert {entry.name for entry in desk.folder.iterdir()} == {"data.csv", "to"}


def test_changed_or_damaged_data_is_made_anew(desk):
    path = desk.write(table(measurements()))
    made = Prepared(desk)
    path.write_text(path.read_text().replace("yes", "yep"))
    os.utime(path, (1, 1))
    assert Prepared(desk).plan.target.classes == ("no", "yep")
    (made.folder / "target.npy").unlink()
    assert Prepared(desk).target.shape == (60,)
    (made.folder / "key.json").write_text("{")
    assert json.loads((Prepared(desk).folder / "key.json").read_text())["files"]


def test_a_missing_column_stops_the_study(desk):
    data = desk.look(table(measurements())).data
    desk.write(table([row[1:] for row in measurements()], HEADER[1:]))
    with pytest.raises(DataError, match='has no "length", which the study uses'):
        Prepared(desk, data)


def test_a_failure_leaves_what_was_there(desk):
    desk.write(table(measurements()))
    made = Prepared(desk)
    desk.write("a,b\n")
    with pytest.raises(DataError, match="no rows"):
        Prepared(desk)
    assert made.plan.rows == 60
    assert len(made.target) == 60
    assert {entry.name for entry in desk.folder.iterdir()} == {"data.csv", "to"}


def test_a_place_that_cannot_be_written(desk):
    desk.write(table(measurements()))
    desk.write("a file", "to")
    with pytest.raises(DataError, match="cannot be written"):
        prepare(desk.data(), desk.folder, desk.folder / "to" / "data")


def test_the_document_may_say_everything_or_nothing(desk):
    desk.write(table(with_holes()))
    detected = Prepared(desk, to="a")
    decided = Prepared(desk, inspect(desk.data(), desk.folder).data, to="b")
    assert detected.plan == decided.plan
    assert np.array_equal(detected.parts, decided.parts)


def test_progress_is_told(desk):
    desk.write(table(measurements()))
    told = []
    prepare(desk.data(), desk.folder, desk.folder / "to", lambda fraction, text: told.append((fraction, text)))
    assert "Reading" in {text for _, text in told}
    assert all(fraction is None or 0 <= fraction <= 1 for fraction, _ in told)


def test_relative_paths_start_at_the_study(desk):
    desk.write(table(measurements()))
    (desk.folder / "study").mkdir()
    data = Data.model_validate({"source": {"kind": "file", "path": "../data.csv"}})
    assert prepare(data, desk.folder / "study", desk.folder / "study" / "data").rows == 60
