import numpy as np
import pytest

from tests.data.desk import found, only, table
from tunerstudio.data.inspect import inspect
from tunerstudio.data.prepare import prepare
from tunerstudio.data.windows import make_windows
from tunerstudio.study.data import Column, FileFormat, FileSource, Split, Window
from tunerstudio.study.errors import DataError

ORDERED = Split(method="ordered")


def days(rows=200, start="2020-01-01"):
    dates = np.datetime64(start) + np.arange(rows)
    return [[str(date), f"{10 + 0.1 * index:.1f}", "ab"[index % 2]] for index, date in enumerate(dates)]


def series(desk, window, rows=200, missing=(), **fields):
    content = days(rows)
    for row in missing:
        content[row][1] = ""
    desk.write(table(content, ["date", "temp", "mood"]))
    columns = (
        Column(name="date", role="ignore"),
        Column(name="temp", role="target"),
        Column(name="mood", kind="categorical"),
    )
    return desk.data(columns=columns, split=ORDERED, window=window, task="regression", **fields)


def arrays(folder):
    return {path.stem: np.load(path) for path in (folder / "cache").glob("*.npy")}


def test_a_window_ends_the_horizon_before_what_it_predicts(desk):
    plan = prepare(series(desk, Window(past=7, horizon=3)), desk.folder, desk.folder / "cache")
    made = arrays(desk.folder)
    target = made["target"][:, 0] * plan.target.scale[0] + plan.target.offset[0]
    np.testing.assert_allclose(target, 10 + 0.1 * (made["ends"] + 3), rtol=1e-5)
    np.testing.assert_array_equal(made["source_rows"], made["ends"] + 3)
    assert made["ends"].min() == 6
    assert made["ends"].max() == 200 - 1 - 3
    assert plan.past == 7
    assert len(made["numeric"]) == 200
    assert {one.name for one in plan.inputs} == {"temp", "mood"}


def test_parts_follow_each_other_and_leave_out_what_was_not_known_yet(desk):
    horizon = 5
    plan = prepare(series(desk, Window(past=7, horizon=horizon)), desk.folder, desk.folder / "cache")
    made = arrays(desk.folder)
    assert np.all(np.diff(made["parts"]) >= 0)
    for part in (1, 2):
        first = made["ends"][made["parts"] == part][0]
        assert made["source_rows"][made["parts"] == part - 1].max() == first  # the last one that is known then
    windows = 200 - 7 - horizon + 1
    assert plan.rows == windows - 2 * (horizon - 1)


def test_numbers_are_scaled_by_what_training_windows_see(desk):
    plan = prepare(series(desk, Window(past=7)), desk.folder, desk.folder / "cache")
    made = arrays(desk.folder)
    seen = made["numeric"][: made["ends"][made["parts"] == 0].max() + 1, 0]
    spec = next(one for one in plan.inputs if one.name == "temp")
    assert spec.offset[0] == pytest.approx(seen.mean(), rel=1e-5)


def test_rows_without_a_target_are_seen_but_not_predicted(desk):
    plan = prepare(series(desk, Window(past=4), missing=(50, 51)), desk.folder, desk.folder / "cache")
    made = arrays(desk.folder)
    assert not {50, 51} & set(made["source_rows"].tolist())
    assert np.isnan(made["numeric"][50, 0])
    assert 52 in made["ends"]
    assert '2 of 200 rows without "temp" are not predicted.' in plan.notes


@pytest.mark.parametrize(
    ("window", "inputs"), [({"own_past": False}, {"mood"}), ({"horizon": 0}, {"mood"}), ({}, {"temp", "mood"})]
)
def test_the_targets_past_is_known_unless_it_is_the_same_row(desk, window, inputs):
    plan = prepare(series(desk, Window(past=4, **window)), desk.folder, desk.folder / "cache")
    assert {one.name for one in plan.inputs} == inputs


def test_classes_of_a_series_know_their_past_as_names(desk):
    data = series(desk, Window(past=4))
    columns = (
        Column(name="date", role="ignore"),
        Column(name="temp"),
        Column(name="mood", role="target", kind="categorical"),
    )
    plan = prepare(data.model_copy(update={"columns": columns, "task": "binary"}), desk.folder, desk.folder / "cache")
    made = arrays(desk.folder)
    assert {(one.name, one.kind) for one in plan.inputs} == {("temp", "numeric"), ("mood", "categorical")}
    np.testing.assert_array_equal(made["target"], made["source_rows"] % 2)


def test_dates_in_order_offer_a_series_and_the_offer_can_be_prepared(desk):
    preview = desk.look(table(days(), ["date", "temp", "mood"]))
    (repair,) = only(preview, "series").repairs
    assert repair.data.look == "series"
    assert repair.data.split.method == "ordered"
    again = inspect(repair.data, desk.folder)
    assert not [finding for finding in again.findings if finding.severity == "error"]
    made = prepare(repair.data, desk.folder, desk.folder / "cache")
    assert sum(again.parts) == made.rows


def test_a_column_alone_is_predicted_from_its_own_past(desk):
    preview = desk.look(table([row[:2] for row in days()], ["date", "temp"]))
    error = only(preview, "no_features")
    repair = next(one for one in error.repairs if one.label == "Predict it from its own past")
    assert prepare(repair.data, desk.folder, desk.folder / "cache").past == 24


def test_rows_out_of_order_are_told(desk):
    content = table([*days(100, "2021-01-01"), *days(100)], ["date", "temp", "mood"])
    preview = desk.look(content)
    assert not found(preview, "series")
    data = preview.data.model_copy(update={"window": Window(past=4), "split": ORDERED})
    assert "sort the file" in only(inspect(data, desk.folder), "window_unsorted").message


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"split": Split()}, "window_shuffled"),
        ({"window": Window(past=195)}, "window_too_long"),
        ({"columns": (Column(name="temp", role="target"), Column(name="mood", kind="text"))}, "window_of_text"),
    ],
)
def test_what_cannot_be_a_series_says_so_with_a_repair(desk, changes, code):
    data = series(desk, Window(past=7)).model_copy(update=changes)
    finding = only(inspect(data, desk.folder), code)
    with pytest.raises(DataError) as raised:
        prepare(data, desk.folder, desk.folder / "cache")
    assert finding.message in str(raised.value)
    fixed = inspect(finding.repairs[0].data, desk.folder)
    assert not found(fixed, code)


def test_too_few_rows_for_a_window():
    with pytest.raises(DataError, match="20 rows are too few for windows of 30 rows"):
        make_windows(np.ones(20, bool), Window(past=30), ORDERED)


def test_one_column_is_enough_for_a_series(desk):
    desk.write("\n".join(["level", *(str(index % 17) for index in range(300))]))
    data = desk.data(
        columns=(Column(name="level", role="target"),),
        split=ORDERED,
        window=Window(past=12),
        task="regression",
        format=FileFormat(delimiter=","),
    )
    assert isinstance(data.source, FileSource)
    assert prepare(data, desk.folder, desk.folder / "cache").past == 12
