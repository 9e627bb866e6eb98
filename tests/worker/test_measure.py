"""Size, latency and memory of real networks."""

import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def models():
    import keras

    def make(units: int):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units), keras.layers.Dense(2)])
        model.compile(optimizer="adam", loss="mse")
        return model

    return make


def test_measured_values_are_those_of_the_network(models):
    from tunerstudio.worker.measure import measured_values

    rows = np.zeros((8, 4), dtype=np.float32)
    model = models(10)
    assert measured_values(model, rows, ["val_auc"]) == {}
    found = measured_values(model, rows, ["parameters", "size_bytes", "latency_ms"])
    assert found["parameters"] == 4 * 10 + 10 + 10 * 2 + 2
    assert found["size_bytes"] == 4 * found["parameters"]
    assert 0 < found["latency_ms"] < 1000


def test_memory_grows_with_the_network_and_the_batch(models):
    from tunerstudio.worker.measure import memory_mb

    small, large = models(10), models(1000)
    assert memory_mb(small, 32) < memory_mb(small, 3200) < memory_mb(large, 3200)
    parameters = 4 * 10 + 10 + 10 * 2 + 2
    assert memory_mb(small, 32) == pytest.approx((4 * parameters * 4 + 2 * 12 * 32 * 4) / 1e6)
    small.fit(np.zeros((4, 4)), np.zeros((4, 2)), verbose=0)
    assert memory_mb(small, 32) == pytest.approx((4 * parameters * 4 + 2 * 12 * 32 * 4) / 1e6, rel=0.01)


def test_a_network_that_is_not_of_layers_can_be_measured():
    import keras

    from tunerstudio.worker.measure import memory_mb

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2)

        def call(self, inputs):
            return self.dense(inputs)

    model = Own()
    model(np.zeros((1, 4), dtype=np.float32))
    assert memory_mb(model, 8) > 0


def test_a_trial_reports_what_the_study_asks_for(tmp_path):
    from tests.worker.worker_samples import Bench, binary_folder, document
    from tunerstudio.protocol.worker import ExecutionEnded, TrialBuilt

    data = binary_folder(tmp_path / "data")
    also = [{"name": "latency_ms"}, {"name": "parameters"}, {"name": "val_loss"}]
    asked = Bench(document(search={"also": also, "constraints": ["memory_mb < 5"]}), data, tmp_path / "asked")
    assert asked.run(executions=(0, 1)).outcome == "completed"
    for ended in asked.reports.of(ExecutionEnded):
        assert set(ended.measures) == {"latency_ms", "parameters"}
        assert ended.measures["parameters"] == 6 * 8 + 8 + 9
    assert 0 < asked.reports.of(TrialBuilt)[0].memory_mb < 1
    plain = Bench(document(), data, tmp_path / "plain")
    plain.run()
    assert plain.reports.of(ExecutionEnded)[0].measures == {}
    assert plain.reports.of(TrialBuilt)[0].memory_mb is None
