import gc
from pathlib import Path

import keras
import numpy as np
import pytest
from tensorflow.python.framework.func_graph import FuncGraph

from tests.worker.worker_samples import (
    BLOCKS,
    VALUES,
    Bench,
    Recorder,
    binary_folder,
    document,
    image_folder,
    regression_folder,
)
from tunerstudio.protocol.worker import (
    CommandFailed,
    EpochEnded,
    ExecutionEnded,
    ModelProbed,
    ProbeModel,
    RunTrial,
    TrialBuilt,
    TrialEnded,
)
from tunerstudio.worker.commands import CommandHandler
from tunerstudio.worker.training import StopRequest
from tunerstudio.worker.weights import load_weights


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return binary_folder(tmp_path_factory.mktemp("worker") / "data")


@pytest.fixture(scope="module", params=["auto", "fit"])
def bench(request, data, tmp_path_factory):
    return Bench(document(training={"road": request.param}), data, tmp_path_factory.mktemp("trials"))


def test_reports_of_a_trial_in_order(bench):
    assert bench.run(executions=(0, 1)).outcome == "completed"
    kinds = [type(one) for one in bench.reports.reports]
    assert kinds == [TrialBuilt, *([EpochEnded] * 3 + [ExecutionEnded]) * 2, TrialEnded]
    assert [one.epoch for one in bench.reports.of(EpochEnded)] == [1, 2, 3, 1, 2, 3]
    first = bench.reports.of(ExecutionEnded)[0]
    assert first.score == max(bench.curve("val_accuracy"))
    assert first.metrics["val_accuracy"] == first.score
    assert bench.reports.of(TrialBuilt)[0].parameters == 6 * 8 + 8 + 9
    assert sorted(path.name for path in (bench.folder / "1").iterdir()) == [
        "execution_0.weights.h5",
        "execution_1.weights.h5",
    ]


def test_same_seed_same_curve_other_seed_other_curve(bench):
    bench.run(executions=(0, 1))
    first, second = bench.curve(), bench.curve(execution=1)
    bench.run(number=2)
    assert bench.curve() == first
    assert second != first


def test_only_the_executions_asked_for(bench):
    bench.run(executions=(0, 1))
    whole = bench.curve(execution=1)
    bench.run(executions=(1,), number=3)
    assert {one.execution for one in bench.reports.of(EpochEnded)} == {1}
    assert bench.curve(execution=1) == whole


def stored(bench, number):
    model = bench.handler._study._study.hypermodel.build(VALUES).model
    load_weights(model, bench.folder / str(number), 0)
    return model


def test_weights_on_disk_are_those_of_the_best_epoch(bench):
    bench.run(epochs=6, number=4)
    arrays = bench.handler._study._study.arrays
    measured = stored(bench, 4).evaluate(arrays.x_validation, arrays.y_validation, verbose=0, return_dict=True)
    done = bench.reports.of(ExecutionEnded)[0]
    assert measured["accuracy"] == pytest.approx(done.score)
    assert measured["loss"] == pytest.approx(done.metrics["val_loss"], rel=1e-5)


def test_continuation_numbers_epochs_on_and_keeps_the_optimizer(bench):
    bench.run(epochs=2, number=6)
    assert int(stored(bench, 6).optimizer.iterations.numpy()) == 2 * 4
    bench.run(epochs=4, initial_epoch=2, parent_folder=str(bench.folder / "6"), number=7)
    assert [one.epoch for one in bench.reports.of(EpochEnded)] == [3, 4]
    assert bench.reports.of(ExecutionEnded)[0].epochs == 2
    assert int(stored(bench, 7).optimizer.iterations.numpy()) == 4 * 4


def test_continuation_takes_its_own_learning_rate(bench):
    bench.run(epochs=2, number=12)
    slow = {**VALUES, "learning_rate": 0.001}
    bench.run(epochs=3, initial_epoch=2, parent_folder=str(bench.folder / "12"), number=13, values=slow)
    assert float(stored(bench, 13).optimizer.learning_rate) == pytest.approx(0.001)


def test_missing_parent_is_a_sentence(bench):
    ended = bench.run(epochs=4, initial_epoch=2, parent_folder=str(bench.folder / "99"), number=8)
    assert ended.outcome == "failed"
    assert "not there any more: run the trial again" in ended.message


def test_stop_after_the_epoch(bench):
    stop = StopRequest()
    stop.request("epoch")
    ended = bench.run(stop=stop, number=9)
    assert ended.outcome == "stopped"
    assert not bench.reports.of(ExecutionEnded)
    assert not (bench.folder / "9").exists()


def test_stop_while_it_trains(bench):
    stop = StopRequest()
    bench.reports.hook = lambda report: isinstance(report, EpochEnded) and stop.request("now")
    try:
        ended = bench.run(stop=stop, number=10, epochs=50)
    finally:
        bench.reports.hook = None
    assert ended.outcome == "stopped"
    assert len(bench.reports.of(EpochEnded)) == 1


def test_wrong_values_are_a_sentence(bench):
    ended = bench.run(values={"dense_units": -4, "learning_rate": 0.01}, number=11)
    assert ended.outcome == "failed"
    assert "layer dense (Dense) cannot be made with units=-4" in ended.message
    assert "Traceback" in ended.details


def test_divergence_is_a_failure_with_its_epoch(data, tmp_path):
    model = {**BLOCKS, "loss": "mse", "optimizer": {"name": "SGD", "arguments": {"learning_rate": 1e35}}}
    model["blocks"] = [{"layer": "Dense", "arguments": {"units": 4}}, {"layer": "Dense", "arguments": {"units": 4}}]
    model["metrics"] = ["accuracy"]
    bench = Bench(document(model=model, search={"objective": {"name": "val_loss", "direction": "min"}}), data, tmp_path)
    ended = bench.run(values={})
    assert ended.outcome == "failed"
    assert "loss became nan at epoch 1" in ended.message
    assert "smaller learning rate" in ended.message


def test_unknown_objective_fails_the_trial_at_once(data, tmp_path):
    bench = Bench(document(search={"objective": {"name": "val_acuracy", "direction": "max"}}), data, tmp_path)
    assert "Did you mean 'val_accuracy'?" in bench.run().message
    assert not bench.reports.of(EpochEnded)


def test_probe_names_what_will_be_logged(data, tmp_path):
    bench = Bench(document(search={"objective": {"name": "val_nonsense", "direction": "max"}}), data, tmp_path)
    bench.handler.handle(ProbeModel())
    probed = bench.reports.of(ModelProbed)[0]
    assert set(probed.metrics) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert probed.parameters == 6 * 4 + 4 + 5
    assert probed.road == "fused"
    assert "dense" in probed.summary


def test_probe_of_a_model_that_cannot_be_built(data, tmp_path):
    blocks = {"kind": "blocks", "blocks": [{"layer": "LSTM", "arguments": {"units": 3}}]}
    bench = Bench(document(model=blocks), data, tmp_path)
    bench.handler.handle(ProbeModel())
    failed = bench.reports.of(CommandFailed)[0]
    assert failed.command == "ProbeModel"
    assert "it needs (rows, steps, features)" in failed.message


@pytest.mark.parametrize("road", ["auto", "fit"])
def test_weights_change_what_is_learned(tmp_path, road):
    curves = {}
    for weighted in (False, True):
        for balance in ("none", "balanced"):
            folder = binary_folder(tmp_path / f"{weighted}", weighted)
            doc = document(training={"road": road, "class_weight": balance})
            bench = Bench(doc, folder, tmp_path / f"{weighted}-{balance}")
            assert bench.run().outcome == "completed"
            curves[weighted, balance] = bench.curve("loss")
    assert len({tuple(np.round(curve, 6)) for curve in curves.values()}) == 4


def test_training_settings_follow_the_values_of_the_trial(tmp_path):
    choice = {"tune": "choice", "choices": ["none", "balanced"]}
    training = {
        "class_weight": choice,
        "early_stopping": {"patience": {"tune": "int", "min": 1, "max": 9}},
        "reduce_rate": {"patience": {"tune": "int", "min": 1, "max": 5}, "factor": 0.5},
    }
    bench = Bench(document(training=training), binary_folder(tmp_path / "data"), tmp_path)
    study = bench.handler._study._study
    plans = [
        study.fit_plan({**VALUES, "class_weight": weight, "patience": patience, "rate_patience": 4}, 1, 9)
        for weight, patience in (("none", 2), ("balanced", 7))
    ]
    assert [plan.class_weight is None for plan in plans] == [True, False]
    assert [plan.early_stopping.patience for plan in plans] == [2, 7]
    assert plans[0].reduce_rate.patience == 4


def test_regression_reports_the_users_units(tmp_path):
    doc = document(search={"objective": {"name": "val_rmse", "direction": "min"}})
    bench = Bench(doc, regression_folder(tmp_path / "data"), tmp_path)
    assert bench.run(epochs=30).outcome == "completed"
    last = bench.reports.of(EpochEnded)[-1].metrics
    assert last["val_rmse"] == pytest.approx(35.0 * last["val_loss"] ** 0.5, rel=1e-4)
    assert last["val_mae"] < last["val_rmse"] < 35.0


def test_images_learn(tmp_path):
    blocks = {"kind": "blocks", "blocks": [{"layer": "Conv2D", "arguments": {"filters": 4, "kernel_size": 3}}]}
    bench = Bench(document(model=blocks), image_folder(tmp_path / "data"), tmp_path)
    bench.run(values={}, epochs=40)
    assert bench.reports.of(ExecutionEnded)[0].score > 0.9


def test_programs_are_kept_from_trial_to_trial(data, tmp_path):
    bench = Bench(document(), data, tmp_path)
    cache = bench.handler._roads._fused.cache
    bench.run(executions=(0, 1))
    bench.run(values={**VALUES, "learning_rate": 0.01}, number=2, executions=(0, 1))
    assert (cache.built, cache.reused) == (1, 3)


@pytest.mark.parametrize("road", ["auto", "fit"])
def test_finished_trials_leave_no_graphs_and_models_behind(data, tmp_path, road):
    def alive():
        gc.collect()
        return sum(isinstance(one, FuncGraph | keras.Model) for one in gc.get_objects())

    bench = Bench(document(training={"road": road}), data, tmp_path)
    counts = []
    for number in range(1, 4):
        bench.run(number=number)
        counts.append(alive())
    assert counts[1] == counts[2]


def test_nothing_works_before_a_study_is_open(tmp_path):
    reports = Recorder()
    handler = CommandHandler(reports)
    handler.handle(ProbeModel())
    handler.run_trial(
        RunTrial(trial=1, values={}, epochs=1, executions=(0,), seeds=(1,), folder=str(tmp_path)), StopRequest()
    )
    assert reports.of(CommandFailed)[0].message == reports.of(TrialEnded)[0].message
    assert "before a study was opened" in reports.of(TrialEnded)[0].message
