"""The check of the whole space and the drawing of models that the user's own code builds."""

import resource
import textwrap
import time

import pytest

from tests.worker.worker_samples import Bench, binary_folder, document
from tunerstudio.protocol.worker import CheckSpace, CommandFailed, DescribeNetwork, NetworkDescribed, SpaceChecked
from tunerstudio.study.errors import ModelError
from tunerstudio.worker.space_code import CodeInference
from tunerstudio.worker.time_limits import TooSlowError, time_limit
from tunerstudio.worker.training import StopRequest

HEAD = """
import keras
from keras import layers


def compiled(body):
    model = keras.Sequential([keras.Input((6,)), *body, layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


"""


@pytest.fixture
def bench(tmp_path):
    def opened(body, **changes):
        (tmp_path / "model.py").write_text(HEAD.lstrip() + textwrap.dedent(body).lstrip())
        study = document(model={"kind": "code", "file": "model.py"}, **changes)
        return Bench(study, binary_folder(tmp_path / "data"), tmp_path)

    return opened


def checked(bench, count=30):
    bench.handler.check_space(CheckSpace(count=count), StopRequest())
    answer = bench.reports.reports[-1]
    assert isinstance(answer, SpaceChecked), answer
    return answer.report


def described(bench, **values):
    bench.handler.handle(DescribeNetwork(values=values))
    answer = bench.reports.reports[-1]
    assert isinstance(answer, NetworkDescribed), answer
    return answer.description


def test_sizes_and_times_of_a_sound_space(bench):
    report = checked(bench('def build(hp):\n    return compiled([layers.Dense(hp.Int("units", 2, 9))])\n'))
    assert report.complete
    assert report.problems == ()
    assert report.combinations == 8
    for one in report.configurations:
        assert one.parameters == 8 * one.values["units"] + 1
        assert one.flops > 0
        assert one.seconds_per_epoch > 0
    assert report.forecast is not None


def test_a_failure_names_the_line_and_the_range_that_avoids_it(bench):
    body = """
    def build(hp):
        depth = hp.Int("depth", 1, 5)
        if depth > 3:
            raise ValueError(f"{depth} is too deep")
        return compiled([layers.Dense(4) for _ in range(depth)])
    """
    report = checked(bench(body))
    (problem,) = report.problems
    assert problem.layer == "model.py, line 14, in build"
    assert problem.line == 14
    assert problem.field == "model.file"
    assert problem.reason.startswith("ValueError: ")
    assert "the line reads `raise ValueError" in problem.reason
    assert problem.count == 2
    (narrowing,) = problem.narrowings
    assert narrowing.constraint == "depth <= 3"


def test_an_enormous_network_is_refused_without_making_it(bench):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    body = """
    def build(hp):
        units = hp.Int("units", 10, 10_000_000, step=10, sampling="log")
        return compiled([layers.Dense(units), layers.Dense(100_000)])
    """
    report = checked(bench(body))
    problem = next(one for one in report.problems if "GB" in one.reason)
    assert "the network has 1,000,0" in problem.reason
    assert problem.repair == "Make dense_1 smaller: most of the weights are there."
    assert problem.narrowings[0].hyperparameter == "units"
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (after - before) / 1000 < 1500  # MB


def test_code_that_needs_the_numbers_in_its_weights_is_called_in_earnest(bench):
    body = """
    def build(hp):
        first = layers.Dense(hp.Int("units", 2, 4))
        model = compiled([first])
        first.set_weights([weight * 0.5 for weight in first.get_weights()])
        return model
    """
    report = checked(bench(body))
    assert report.problems == ()
    assert {one.parameters for one in report.configurations} == {17, 25, 33}


def test_code_that_never_ends_is_interrupted():
    def build(values):
        while values["forever"]:
            pass
        raise ModelError("this one is short")

    inference = CodeInference(build, limit_s=0.2)
    with pytest.raises(ModelError, match=r"has not built the model within 0\.2 seconds"):
        inference.network({"forever": True})
    with pytest.raises(ModelError, match="short"):
        inference.network({"forever": False})


def _spin(seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pass


def test_what_ends_in_time_is_not_interrupted():
    with time_limit(0.05):
        pass
    with pytest.raises(TooSlowError), time_limit(0.05):
        _spin(60.0)
    _spin(0.2)  # a limit that came late would come up here


def test_a_check_of_slow_code_ends_with_what_it_has(bench):
    slow = bench('def build(hp):\n    return compiled([layers.Dense(hp.Int("units", 2, 900))])\n')
    from tunerstudio.worker.space_check import SpaceCheck

    actions = slow.handler._opened()
    check = SpaceCheck(actions._study, actions._roads.choose, StopRequest(), lambda report: None, time_limit_s=0.0)
    report = check.run()
    assert report.complete
    assert report.done == report.total == 1
    assert report.forecast is not None


def test_the_layers_of_a_graph_are_described(bench):
    body = """
    def build(hp):
        start = keras.Input((6,))
        left = layers.Dense(hp.Int("units", 3, 5), name="left")(start)
        both = layers.Concatenate(name="both")([left, start * 2.0])
        end = layers.Dense(1, activation="sigmoid", name="end")(both)
        model = keras.Model(start, end)
        model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
        return model
    """
    opened = bench(body)
    found = described(opened)
    assert found.values == {"units": 3}
    assert found.space.names() == ["units"]
    assert found.input_shape == (6,)
    by_name = {layer.name: layer for layer in found.layers}
    assert by_name["left"].inputs == ("input",)
    assert (by_name["left"].shape, by_name["left"].weights) == ((3,), 21)
    assert "left" in by_name["both"].inputs
    assert len(by_name["both"].inputs) == 2
    assert by_name["both"].shape == (9,)
    assert found.layers[-1].name == "end"
    assert found.weights == 21 + 10
    assert described(opened, units=5).layers[-1].weights == 12


def test_names_of_layers_are_the_same_every_time(bench):
    opened = bench('def build(hp):\n    return compiled([layers.Dense(hp.Int("units", 2, 9))])\n')
    first, second = described(opened), described(opened)
    assert [layer.name for layer in first.layers] == [layer.name for layer in second.layers]


def test_a_subclassed_model_is_a_chain_of_its_layers(bench):
    body = """
    class Own(keras.Model):
        def __init__(self, units):
            super().__init__()
            self.first = layers.Dense(units)
            self.last = layers.Dense(1, activation="sigmoid")

        def call(self, x):
            return self.last(self.first(x))


    def build(hp):
        model = Own(hp.Int("units", 2, 4))
        model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
        return model
    """
    found = described(bench(body))
    assert [(layer.layer, layer.weights) for layer in found.layers] == [("Dense", 14), ("Dense", 3)]
    assert found.layers[1].inputs == (found.layers[0].name,)
    assert found.weights == 17


def test_a_network_that_cannot_be_built_says_the_line(bench):
    body = """
    def build(hp):
        if hp.Int("units", 2, 4) > 3:
            raise RuntimeError("no")
        return compiled([])
    """
    opened = bench(body)
    opened.handler.handle(DescribeNetwork(values={"units": 4}))
    answer = opened.reports.reports[-1]
    assert isinstance(answer, CommandFailed)
    assert "model.py, line 13, in build: RuntimeError: no" in answer.message
