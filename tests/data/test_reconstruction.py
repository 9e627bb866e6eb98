import numpy as np
import pytest

from tests.data.desk import found, measurements, only, table
from tunerstudio.data.inspect import inspect
from tunerstudio.data.prepare import prepare
from tunerstudio.study.data import Column, ImageShape, Window
from tunerstudio.study.errors import DataError
from tunerstudio.study.preprocessing import ImageInput

NUMBERS = (Column(name="length"), Column(name="weight"))


def itself(desk, columns=NUMBERS, **fields):
    rows = measurements(80)
    rows[3][0] = ""
    desk.write(table([row[:2] for row in rows], ["length", "weight"]))
    return desk.data(columns=columns, reconstruct=True, **fields)


def test_the_target_is_what_the_network_sees(desk):
    plan = prepare(itself(desk), desk.folder, desk.folder / "cache")
    numeric, target = (np.load(desk.folder / "cache" / f"{name}.npy") for name in ("numeric", "target"))
    assert plan.target.reconstructs
    assert plan.target.columns == ("length", "weight")
    assert plan.target.outputs == 2
    for place, spec in enumerate(plan.inputs):
        filled = np.where(np.isnan(numeric[:, place]), spec.fill[0], numeric[:, place])
        np.testing.assert_allclose(target[:, place], (filled - spec.offset[0]) / spec.scale[0], rtol=1e-5, atol=1e-6)
    assert not np.isnan(target).any()


def test_pictures_are_given_back_from_0_to_1(desk):
    dice = np.random.default_rng(0)
    rows = [[str(int(value)) for value in row] for row in dice.integers(0, 17, (60, 64))]
    desk.write(table(rows, [f"p{index}" for index in range(64)]))
    image = ImageShape(height=8, width=8, maximum=16.0)
    plan = prepare(desk.data(reconstruct=True, image=image), desk.folder, desk.folder / "cache")
    assert isinstance(plan.inputs[0], ImageInput)
    target = np.load(desk.folder / "cache" / "target.npy")
    np.testing.assert_allclose(target, np.load(desk.folder / "cache" / "numeric.npy") / 16.0)


def test_nothing_must_be_chosen_to_be_predicted(desk):
    preview = inspect(itself(desk), desk.folder)
    assert preview.data.task == "regression"
    assert preview.data.look == "itself"
    assert sum(preview.parts) == 80
    assert not [finding for finding in preview.findings if finding.severity == "error"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"columns": (Column(name="length"), Column(name="weight", kind="categorical"))}, "reconstruct_words"),
        ({"window": Window(past=4)}, "reconstruct_series"),
    ],
)
def test_what_cannot_be_given_back_says_so_with_a_repair(desk, changes, code):
    data = itself(desk).model_copy(update=changes)
    finding = only(inspect(data, desk.folder), code)
    with pytest.raises(DataError) as raised:
        prepare(data, desk.folder, desk.folder / "cache")
    assert finding.message in str(raised.value)
    assert not found(inspect(finding.repairs[-1].data, desk.folder), code)
