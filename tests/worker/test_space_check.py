"""The check of a whole search space, in this process; the engine's side of it is tested with the engine."""

import resource
import time

import pytest

from tests.worker.worker_samples import Bench, binary_folder, document, image_folder
from tunerstudio.protocol.worker import (
    CheckSpace,
    CommandFailed,
    DescribeNetwork,
    NetworkDescribed,
    SpaceChecked,
    SpaceSeen,
)
from tunerstudio.study.hyperparameters import values_key
from tunerstudio.worker.space_time import Timing, speed_from
from tunerstudio.worker.training import StopRequest


def layer(name, **arguments):
    return {"layer": name, "arguments": arguments}


def conv(**arguments):
    return {"layer": "Conv2D", "arguments": {"filters": 4, "kernel_size": 3, **arguments}}


def blocks(*content, **more):
    return {"kind": "blocks", "blocks": list(content), **more}


@pytest.fixture
def check(tmp_path):
    def run(model, image=True, stop=None, count=60, **changes):
        data = (image_folder if image else binary_folder)(tmp_path / "data")
        bench = Bench(document(model=model, **changes), data, tmp_path)
        bench.reports.reports.clear()
        bench.handler.check_space(CheckSpace(count=count), stop or StopRequest())
        assert isinstance(bench.reports.reports[-1], SpaceChecked), bench.reports.reports[-1]
        return bench.reports.reports[-1].report, bench.reports.of(SpaceSeen)

    return run


def test_a_sound_space_has_sizes_times_and_a_forecast(check):
    units = {"tune": "int", "min": 4, "max": 64, "step": 4}
    report, seen = check(blocks(layer("Flatten"), {**layer("Dense", units=units), "name": "d"}))
    assert report.complete
    assert report.problems == ()
    assert report.invalid_share == 0
    assert report.combinations == 16
    assert {one.kind for one in report.configurations} >= {"default", "largest"}
    assert len({values_key(one.values) for one in report.configurations}) == len(report.configurations) == 16
    for one in report.configurations:
        assert one.parameters == 37 * one.values["d_units"] + 3 * one.values["d_units"] + 3
        assert 0 < one.seconds_per_epoch < 10
    assert 0 < report.forecast.low_s < report.forecast.high_s
    assert report.compile_s > 0
    assert seen


def test_shrunk_away_pictures_name_the_layer_and_what_would_help(check):
    strides = {"tune": "int", "min": 1, "max": 4}
    report, _ = check(blocks({**conv(strides=strides, padding="same"), "name": "first"}, {**conv(), "name": "second"}))
    (problem,) = report.problems
    assert problem.layer == "second"
    assert problem.field == "model.blocks.1"
    assert "cannot follow what comes before it, of shape (rows, 2, 2, 4)" in problem.reason
    assert problem.repair.startswith("Set padding to same")
    (narrowing,) = problem.narrowings
    assert (narrowing.hyperparameter, narrowing.maximum) == ("first_strides", 2)
    assert narrowing.constraint == "first_strides <= 2"
    assert problem.count == sum(one.problem == 0 for one in report.configurations) == 2


def test_a_choice_that_never_works_is_left_out(check):
    kernel = {"tune": "choice", "choices": [3, 9, 5]}
    report, _ = check(blocks({**conv(kernel_size=kernel), "name": "c"}, {**conv(kernel_size=2), "name": "d"}))
    assert [one.layer for one in report.problems] == ["c"]
    both, _ = check(blocks({**conv(kernel_size={"tune": "choice", "choices": [3, 8, 9]}), "name": "c"}))
    (narrowing,) = both.problems[0].narrowings
    assert narrowing.choices == (3,)
    assert narrowing.constraint == "c_kernel_size not in [8, 9]"


def test_a_thousand_million_weights_are_refused_without_making_them(check):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    units = {"tune": "int", "min": 10, "max": 100_000_000, "step": 10, "sampling": "log"}
    start = time.process_time()
    report, _ = check(
        blocks(layer("Flatten"), {**layer("Dense", units=units), "name": "wide"}, layer("Dense", units=10_000))
    )
    assert time.process_time() - start < 20
    problem = next(one for one in report.problems if "GB" in one.reason)
    assert "the network has 1,003,700,040,003 weights" in problem.reason
    assert problem.repair == "Make dense_1 smaller: most of the weights are there."
    assert problem.narrowings[0].hyperparameter == "wide_units"
    assert problem.narrowings[0].maximum == 100_000
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (after - before) / 1000 < 1500  # MB; the network would need hundreds of GB


def test_mismatched_branches_say_which_shapes(check):
    wide = {"tune": "choice", "choices": [4, 5]}
    branches = [{"name": "a", "blocks": [conv(filters=wide)]}, {"name": "b", "blocks": [conv()]}]
    report, _ = check(blocks({"parallel": branches, "merge": "add", "name": "both"}))
    (problem,) = report.problems
    assert problem.layer == "both"
    assert "(rows, 4, 4, 5) and (rows, 4, 4, 4) cannot be merged by Add" in problem.reason
    assert problem.count == 1


def test_units_of_nothing_are_reported(check):
    report, _ = check(
        blocks(layer("Flatten"), {**layer("Dense", units={"tune": "int", "min": 0, "max": 3}), "name": "d"})
    )
    problem = report.problems[0]
    assert problem.layer == "d"
    assert problem.narrowings == () or problem.narrowings[0].minimum == 1


def test_a_loss_that_does_not_fit_is_found_by_the_timing(check):
    report, _ = check(blocks(layer("Flatten"), loss="binary_crossentropyy"))
    assert any("there is no loss 'binary_crossentropyy'" in one.reason for one in report.problems)
    assert report.forecast is None


def test_constraints_of_the_search_are_kept(check):
    units = {"tune": "int", "min": 1, "max": 40}
    model = blocks(layer("Flatten"), {**layer("Dense", units=units), "name": "d"})
    report, _ = check(model, search={"constraints": ["d_units <= 10", "parameters < 300"]})
    assert max(one.values["d_units"] for one in report.configurations) == 7


def test_a_check_can_be_stopped(check):
    stop = StopRequest()
    stop.request("now")
    report, _ = check(blocks(layer("Flatten")), stop=stop)
    assert not report.complete
    assert report.done == 0


def test_other_models_say_that_there_is_nothing_to_check(tmp_path):
    model = {
        "kind": "estimator",
        "estimator": "LogisticRegression",
        "arguments": {"C": {"tune": "float", "min": 0.1, "max": 1}},
    }
    bench = Bench(document(model=model), binary_folder(tmp_path / "data"), tmp_path)
    bench.handler.check_space(CheckSpace(), StopRequest())
    assert isinstance(bench.reports.reports[-1], CommandFailed)
    assert "An estimator has no network" in bench.reports.reports[-1].message


def test_a_network_is_described_without_building_it(tmp_path):
    inside = {"residual": True, "name": "r", "blocks": [{**conv(padding="same"), "name": "c"}]}
    last = {**layer("MaxPooling2D", pool_size=9), "name": "p"}
    bench = Bench(document(model=blocks(inside, last)), image_folder(tmp_path / "data"), tmp_path)
    bench.handler.handle(DescribeNetwork())
    found = bench.reports.of(NetworkDescribed)[0].description
    assert found.input_shape == (6, 6, 1)
    assert [(one.name, one.layer, one.inputs, one.shape) for one in found.layers[:2]] == [
        ("c", "Conv2D", ("input",), (6, 6, 4)),
        ("r", "Add", ("input", "c"), (6, 6, 4)),
    ]
    assert found.layers[0].weights == 40
    assert found.layers[1].weights == 4  # the projection
    assert found.layers[2].shape is None
    assert "layer p (MaxPooling2D) cannot follow" in found.layers[2].error


def test_speed_is_a_line_through_two_timings():
    small, large = Timing(1.0, 0.010, 1e6), Timing(2.0, 0.110, 101e6)
    speed = speed_from(small, large)
    assert speed.compile_s == 2.0
    assert speed.epoch_s(flops=1e6 / 3, rows=100, batch_size=10) == pytest.approx(10 * 0.009 + 100e6 * 1e-9)
    alone = speed_from(small, None)
    assert alone.epoch_s(flops=1e6 / 30, rows=100, batch_size=10) == pytest.approx(0.1, rel=0.1)
