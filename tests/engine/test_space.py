"""The check of a whole space through the engine: reports on the way, cancel, the service's messages."""

import threading

import pytest

from tunerstudio.protocol.client import ServiceProcess
from tunerstudio.protocol.space import NetworkDescription, SpaceReport
from tunerstudio.study.errors import ModelError, StudyError

pytestmark = pytest.mark.tensorflow

BAD = {
    "kind": "blocks",
    "blocks": [
        {"layer": "Reshape", "arguments": {"target_shape": [4, 1]}},
        {
            "layer": "Conv1D",
            "name": "first",
            "arguments": {"filters": 2, "kernel_size": 2, "strides": {"tune": "int", "min": 1, "max": 4}},
        },
        {"layer": "Conv1D", "name": "second", "arguments": {"filters": 2, "kernel_size": 2}},
        {"layer": "Flatten"},
        {
            "layer": "Dense",
            "name": "wide",
            "arguments": {"units": {"tune": "int", "min": 10, "max": 1_000_000_000, "step": 10, "sampling": "log"}},
        },
        {"layer": "Dense", "name": "after", "arguments": {"units": 1000}},
    ],
}


def test_a_bad_space_is_told_with_layer_reason_and_repair(engine, blocks_study):
    seen = []
    report = engine.check_space(blocks_study(model=BAD), on_report=seen.append)
    assert report.complete
    by_layer = {problem.layer: problem for problem in report.problems}
    assert set(by_layer) == {"second", "after"}
    assert by_layer["second"].narrowings[0].constraint == "first_strides <= 2"
    assert "Make after smaller" in by_layer["after"].repair
    assert by_layer["after"].narrowings[0].hyperparameter == "wide_units"
    assert 0 < report.invalid_share < 1
    assert report.forecast is not None
    first = next(one for one in seen if one.problems)
    assert first.took_s < 5
    assert not first.complete


def test_a_check_ends_when_it_is_cancelled(engine, blocks_study):
    cancel = threading.Event()
    cancel.set()
    report = engine.check_space(blocks_study(model=BAD), cancel=cancel)
    assert not report.complete
    assert engine.check_space(blocks_study(), count=3).complete  # the worker goes on


def test_what_has_no_network_is_told(engine, blocks_study):
    depth = {"tune": "int", "min": 2, "max": 4}
    model = {"kind": "estimator", "estimator": "DecisionTreeClassifier", "arguments": {"max_depth": depth}}
    with pytest.raises(ModelError, match="An estimator has no network"):
        engine.check_space(blocks_study(model=model))
    twice = {"kind": "blocks", "blocks": [{"layer": "Flatten", "name": "a"}, {"layer": "Flatten", "name": "a"}]}
    with pytest.raises(StudyError, match="used twice"):
        engine.check_space(blocks_study(model=twice))


def test_a_network_is_described_at_any_values(engine, blocks_study):
    found = engine.describe(blocks_study(), {"dense_1_units": 7})
    assert found.values == {"dense_1_units": 7}
    assert [(layer.name, layer.shape, layer.weights) for layer in found.layers] == [
        ("dense_1", (7,), 35),
        ("output", (3,), 24),
    ]


def test_the_service_sends_reports_and_takes_a_cancel(tmp_path, blocks_study):
    folder = str(blocks_study(model=BAD))
    with ServiceProcess("tunerstudio.engine", tmp_path / "log") as service:
        answer = service.request("check_space", folder=folder, count=5)
        report = SpaceReport.model_validate(answer["report"])
        assert report.complete
        described = service.request("describe", folder=folder, values={"first_strides": 1})
        assert NetworkDescription.model_validate(described["description"]).layers[0].shape == (4, 1)
        assert service.request("cancel_check") == {}
        notices = (message for message in service.messages() if message.name == "space")
        assert SpaceReport.model_validate(next(notices).data["report"]).total == report.total
