"""Data that does not fit into memory stays on disk, and trains as if it were in memory."""

import pytest

tensorflow = pytest.importorskip("tensorflow")
import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers  # noqa: E402

from tests.worker.fused_samples import Curve, assert_same, binary, plan, seeded, table  # noqa: E402
from tunerstudio.worker import fit_road  # noqa: E402
from tunerstudio.worker.fused_support import unsupported_reason  # noqa: E402
from tunerstudio.worker.row_order import OrderedRows, shuffled  # noqa: E402
from tunerstudio.worker.rows_on_disk import RowsOnDisk, rows_of  # noqa: E402
from tunerstudio.worker.training import StopRequest  # noqa: E402

# Keras 3.15 turns variables into arrays in a way that NumPy 2 warns of.
pytestmark = [pytest.mark.tensorflow, pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")]


@pytest.fixture
def source(tmp_path):
    """Ten rows in a file."""
    path = tmp_path / "rows.npy"
    np.save(path, np.arange(30, dtype="float32").reshape(10, 3))
    return np.load(path, mmap_mode="r")


@pytest.fixture
def no_memory(monkeypatch):
    """Nothing is free."""
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"available": 0})())


def test_rows_come_in_the_order_asked_for(source):
    numbers = np.array([7, 2, 9, 0, 4])
    rows = RowsOnDisk(source, numbers)
    assert (rows.shape, rows.ndim, len(rows), rows.nbytes, rows.dtype) == ((5, 3), 2, 5, 60, np.float32)
    np.testing.assert_array_equal(rows[1:4], source[[2, 9, 0]])
    np.testing.assert_array_equal(rows[np.array([3, 0, 3])], source[[0, 7, 0]])
    np.testing.assert_array_equal(np.asarray(rows), source[numbers])


def test_rows_stay_on_disk_only_when_memory_is_short(source, monkeypatch):
    free = {"bytes": 240}
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"available": free["bytes"]})())
    assert isinstance(rows_of(source, np.arange(10)), np.ndarray)
    free["bytes"] = 230
    assert isinstance(rows_of(source, np.arange(10)), RowsOnDisk)


def test_batches_read_in_place_are_those_of_a_copy(source):
    parts = (RowsOnDisk(source, np.arange(10)), np.arange(10), np.ones(10))
    for epoch in (0, 1):
        seen = []
        for in_place in (True, False):
            rows = OrderedRows(tuple(map(np.asarray, parts)), 4, 3, shuffled)
            if in_place:
                rows = OrderedRows(parts, 4, 3, shuffled, in_place=True)
            rows.choose(epoch)
            seen.append([[tensor.numpy() for tensor in batch] for batch in rows.dataset])
        assert [len(batch[0]) for batch in seen[0]] == [4, 4, 2]
        for left, right in zip(*seen, strict=True):
            for one, other in zip(left, right, strict=True):
                assert one.dtype == other.dtype
                np.testing.assert_array_equal(one, other)


def on_disk(arrays):
    """The same rows as if they lay on disk."""
    parts = {name: RowsOnDisk(getattr(arrays, name), np.arange(len(getattr(arrays, name)))) for name in FEATURES}
    return type(arrays)(**{**vars(arrays), **parts})


FEATURES = ("x_train", "x_validation")


def build():
    return binary(layers.Dense(4, activation="tanh"), layers.Dropout(0.2), weighted_metrics=["mse"])


def test_data_on_disk_train_as_data_in_memory(no_memory):
    arrays, chosen = table(weights=True), plan(class_weight={0: 2.0, 1: 0.5})
    lazy = on_disk(arrays)
    assert "does not fit" in unsupported_reason(build(), lazy, chosen)
    pairs = []
    for given in (lazy, arrays):
        curve = Curve()
        keras.utils.set_random_seed(0)
        pairs.append((fit_road.train(build(), given, chosen, curve, StopRequest()), curve))
    assert_same(*pairs)


def test_data_in_memory_give_the_same_when_they_are_read_in_place(monkeypatch):
    arrays, chosen = table(weights=True), plan()
    curve = Curve()
    usual = fit_road.train(seeded(build), arrays, chosen, curve, StopRequest()), curve
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"available": 0})())
    curve = Curve()
    assert_same((fit_road.train(seeded(build), arrays, chosen, curve, StopRequest()), curve), usual)


def test_several_steps_per_call_train_the_same(no_memory, monkeypatch):
    arrays, chosen = table(), plan()
    given = on_disk(arrays)
    usual, curve = Curve(), Curve()
    results = [fit_road.train(seeded(build), given, chosen, usual, StopRequest())]
    monkeypatch.setattr("tunerstudio.worker.steps_per_call.LEAST_BATCHES", 2)
    model = seeded(build)
    results.append(fit_road.train(model, given, chosen, curve, StopRequest()))
    assert model.steps_per_execution > 1
    assert_same((results[1], curve), (results[0], usual))


def test_steps_that_take_long_are_called_one_by_one(no_memory, monkeypatch):
    monkeypatch.setattr("tunerstudio.worker.steps_per_call.LEAST_BATCHES", 2)
    monkeypatch.setattr("tunerstudio.worker.steps_per_call.CALL_S", 1e-9)
    model = seeded(build)
    fit_road.train(model, on_disk(table()), plan(), lambda epoch, metrics: None, StopRequest())
    assert model.steps_per_execution == 1


def test_a_callback_per_batch_hears_of_every_batch(no_memory, monkeypatch):
    monkeypatch.setattr("tunerstudio.worker.steps_per_call.LEAST_BATCHES", 2)
    heard = []
    callback = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: heard.append(batch))
    arrays = table()
    chosen = plan(callbacks=[callback])
    fit_road.train(seeded(build), on_disk(arrays), chosen, lambda epoch, metrics: None, StopRequest())
    assert len(heard) == chosen.epochs * -(-len(arrays.x_train) // chosen.batch_size)


def test_a_fit_of_the_users_gets_all_rows(no_memory):
    seen = []

    def own(x, y, **arguments):
        seen.append((type(x), x.shape))
        return {"loss": 0.5}

    fit_road.train(build(), on_disk(table()), plan(), lambda epoch, metrics: None, StopRequest(), fit=own)
    assert seen == [(np.ndarray, table().x_train.shape)]
