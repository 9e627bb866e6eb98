"""An execution that is interrupted and goes on gives what it would have given without the interruption."""

import h5py
import numpy as np
import pytest

from tests.worker.worker_samples import Bench, binary_folder, document
from tunerstudio.protocol.worker import Checkpointed, EpochEnded, ExecutionEnded, ExecutionResumed, TrialBuilt
from tunerstudio.worker.checkpoint_file import checkpoint_path
from tunerstudio.worker.training import StopRequest
from tunerstudio.worker.weights import weights_path

VALUES = {"units": 8, "learning_rate": 0.01}
EPOCHS = 9
UNITS = {"tune": "int", "name": "units", "min": 4, "max": 8}
RICH = {
    "kind": "blocks",
    "blocks": [
        {"layer": "GaussianNoise", "name": "noise", "arguments": {"stddev": 0.3}},
        {
            "layer": "Dense",
            "name": "dense",
            "arguments": {"units": {"tune": "int", "name": "units", "min": 4, "max": 8}},
        },
        {"layer": "BatchNormalization", "name": "norm"},
        {"layer": "Dropout", "name": "drop", "arguments": {"rate": 0.4}},
    ],
    "optimizer": {"name": "Adam", "arguments": {"learning_rate": {"tune": "float", "min": 0.001, "max": 0.1}}},
}


def study(road="auto", patience=None, **more):
    early = None if patience is None else {"patience": patience}
    training = {"road": road, "early_stopping": early, "class_weight": "balanced", **more}
    return document(model=RICH, training=training, search={"objective": {"name": "val_loss", "direction": "min"}})


def bench(tmp_path, name, doc, weighted=False):
    data = tmp_path / "data"
    return Bench(doc, data if data.exists() else binary_folder(data, weighted), tmp_path / name)


def run(bench, **more):
    return bench.run(**{"values": VALUES, "epochs": EPOCHS, "checkpoint_every_s": 1e9, **more})


def stop_after(bench, epoch, when="epoch"):
    stop = StopRequest()

    def hook(report):
        if isinstance(report, EpochEnded) and report.epoch == epoch:
            stop.request(when)

    bench.reports.hook = hook
    return stop


def weights(bench, execution=0):
    """All that the weights file of an execution holds, the optimizer's state included."""
    found = {}
    with h5py.File(weights_path(bench.folder / "1", execution)) as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


def assert_same_end(resumed, whole, execution=0):
    epochs = {one.epoch: one.metrics for one in resumed.reports.of(EpochEnded) if one.execution == execution}
    for report in resumed.reports.of(ExecutionResumed):
        if report.execution == execution:
            epochs.update({one.epoch: one.metrics for one in report.history})
    assert [epochs[epoch] for epoch in sorted(epochs)] == [
        one.metrics for one in whole.reports.of(EpochEnded) if one.execution == execution
    ]
    ended, expected = ({one.execution: one for one in bench.reports.of(ExecutionEnded)} for bench in (resumed, whole))
    assert ended[execution] == expected[execution]
    left, right = weights(resumed, execution), weights(whole, execution)
    assert left.keys() == right.keys()
    for name, array in left.items():
        np.testing.assert_array_equal(array, right[name], err_msg=name)


@pytest.mark.parametrize("patience", [None, 2])
@pytest.mark.parametrize("road", ["auto", "fit"])
def test_a_resumed_execution_is_exactly_the_uninterrupted_one(tmp_path, road, patience):
    doc = study(road, patience)
    whole = bench(tmp_path, "whole", doc, weighted=True)
    assert run(whole).outcome == "completed"
    assert whole.reports.of(TrialBuilt)[0].road == ("fit" if road == "fit" else "fused")
    broken = bench(tmp_path, "broken", doc)
    assert run(broken, stop=stop_after(broken, 3)).outcome == "stopped"
    assert [one.epoch for one in broken.reports.of(Checkpointed)] == [3]
    after = bench(tmp_path, "broken", doc)  # a new process, as far as the trainer can tell
    assert run(after).outcome == "completed"
    (resumed,) = after.reports.of(ExecutionResumed)
    assert (resumed.epoch, [one.epoch for one in resumed.history]) == (3, [1, 2, 3])
    assert after.reports.of(EpochEnded)[0].epoch == 4
    assert_same_end(after, whole)
    assert not checkpoint_path(after.folder / "1", 0).exists()


@pytest.mark.parametrize("road", ["auto", "fit"])
def test_a_lowered_learning_rate_is_gone_on_with(tmp_path, road):
    doc = study(road, reduce_rate={"patience": 1, "factor": 0.1})
    whole = bench(tmp_path, "whole", doc)
    run(whole, values={**VALUES, "learning_rate": 0.1})
    broken = bench(tmp_path, "broken", doc)
    run(broken, values={**VALUES, "learning_rate": 0.1}, stop=stop_after(broken, 5))
    after = bench(tmp_path, "broken", doc)
    assert run(after, values={**VALUES, "learning_rate": 0.1}).outcome == "completed"
    assert len(after.reports.of(ExecutionResumed)) == 1
    assert_same_end(after, whole)


@pytest.mark.parametrize("road", ["auto", "fit"])
def test_interrupted_again_and_again_by_a_death_at_any_moment(tmp_path, road):
    doc = study(road)
    whole = bench(tmp_path, "whole", doc)
    run(whole, executions=(0, 1))
    for epoch in (2, 5, 6):  # reported, and then gone before anything of it could be saved
        dying = bench(tmp_path, "dying", doc)

        def die(report, epoch=epoch):
            if isinstance(report, EpochEnded) and (report.execution, report.epoch) == (0, epoch):
                raise BrokenPipeError

        dying.reports.hook = die
        with pytest.raises(BrokenPipeError):
            run(dying, executions=(0, 1), checkpoint_every_s=0.0)
    after = bench(tmp_path, "dying", doc)
    assert run(after, executions=(0, 1), checkpoint_every_s=0.0).outcome == "completed"
    assert after.reports.of(ExecutionResumed)[0].epoch == 5
    for execution in (0, 1):
        assert_same_end(after, whole, execution)
    assert not list((after.folder / "1").glob("*.checkpoint"))


def test_stop_now_leaves_the_checkpoint_before(tmp_path):
    doc = study()
    broken = bench(tmp_path, "broken", doc)
    stop = stop_after(broken, 3, "now")
    run(broken, stop=stop)
    assert broken.reports.of(Checkpointed) == []
    again = bench(tmp_path, "broken", doc)
    assert run(again, stop=stop_after(again, 4, "now"), checkpoint_every_s=0.0).outcome == "stopped"
    assert [one.epoch for one in again.reports.of(Checkpointed)] == [1, 2, 3]


@pytest.mark.parametrize("every_s", [None, 1e9])
def test_short_trials_write_no_checkpoint(tmp_path, every_s):
    short = bench(tmp_path, "short", study())
    run(short, checkpoint_every_s=every_s)
    assert short.reports.of(Checkpointed) == []


def test_without_checkpoints_a_stop_writes_none(tmp_path):
    plain = bench(tmp_path, "plain", study())
    assert run(plain, stop=stop_after(plain, 3), checkpoint_every_s=None).outcome == "stopped"
    assert not list((plain.folder / "1").glob("*"))


@pytest.mark.parametrize("damage", ["truncated", "empty", "other bytes"])
def test_a_damaged_checkpoint_costs_only_itself(tmp_path, capfd, damage):
    doc = study()
    whole = bench(tmp_path, "whole", doc)
    run(whole)
    broken = bench(tmp_path, "broken", doc)
    run(broken, stop=stop_after(broken, 3))
    path = checkpoint_path(broken.folder / "1", 0)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes({"truncated": content[: len(content) // 2], "empty": b"", "other bytes": bytes(content)}[damage])
    after = bench(tmp_path, "broken", doc)
    assert run(after).outcome == "completed"
    assert after.reports.of(ExecutionResumed) == []
    assert_same_end(after, whole)
    assert "Trial 1, execution 1: it starts from its beginning: its checkpoint cannot be read" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("values", "more"),
    [
        ({"units": 7, "learning_rate": 0.01}, {}),
        ({"units": 8, "learning_rate": 0.02}, {}),
        (VALUES, {"seeds": (8, 9)}),
        (VALUES, {"epochs": 2}),
    ],
)
def test_a_checkpoint_of_something_else_is_not_used(tmp_path, capfd, values, more):
    broken = bench(tmp_path, "broken", study())
    run(broken, stop=stop_after(broken, 3))
    after = bench(tmp_path, "broken", study())
    assert run(after, values=values, **more).outcome == "completed"
    assert after.reports.of(ExecutionResumed) == []
    assert "belongs to other values, data or code" in capfd.readouterr().err


def changed_block(number, arguments):
    blocks = [*RICH["blocks"]]
    blocks[number] = {**blocks[number], "arguments": arguments}
    return study().model_copy(update={"model": document(model={**RICH, "blocks": blocks}).model})


def test_other_fixed_arguments_make_another_network_and_other_ranges_do_not(tmp_path):
    broken = bench(tmp_path, "broken", study())
    run(broken, stop=stop_after(broken, 3))
    after = bench(tmp_path, "broken", changed_block(1, {"units": {**UNITS, "max": 64}}))
    run(after, stop=stop_after(after, 4))
    assert [one.epoch for one in after.reports.of(ExecutionResumed)] == [3]
    after = bench(tmp_path, "broken", changed_block(3, {"rate": 0.3}))
    run(after)
    assert after.reports.of(ExecutionResumed) == []


def test_a_diverging_execution_leaves_no_checkpoint(tmp_path):
    diverging = bench(tmp_path, "broken", study())
    ended = run(diverging, values={"units": 8, "learning_rate": 1e38}, checkpoint_every_s=0.0)
    assert ended.outcome == "failed"
    assert not list((diverging.folder / "1").glob("*"))


def test_what_a_killed_worker_left_half_written_is_removed(tmp_path):
    clean = bench(tmp_path, "clean", study())
    folder = clean.folder / "1"
    folder.mkdir(parents=True)
    for name in (".execution_0.123.checkpoint", ".0.123.weights.h5"):
        (folder / name).write_bytes(b"half")
    run(clean)
    assert [path.name for path in folder.iterdir()] == ["execution_0.weights.h5"]


CODE = """
import keras
import keras_tuner

def network():
    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(4), Noise(), keras.layers.Dense(1, "sigmoid")])

class Noise(keras.layers.Layer):
    def call(self, inputs, training=False):
        return inputs + keras.random.normal(keras.ops.shape(inputs), stddev=0.1) if training else inputs

class Own(keras.Model):
    def train_step(self, data):
        return super().train_step(data)

def build(hp):
    hp.Int("units", 4, 8)
    inner = network()
    model = Own(inner.inputs, inner.outputs)
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"])
    return model

class WithFit(keras_tuner.HyperModel):
    def build(self, hp):
        return build(hp)

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(*args, **kwargs)
"""


def code_bench(tmp_path, name, entry, road, text=CODE):
    (tmp_path / "own.py").write_text(text)
    data = tmp_path / "data"
    objective = {"objective": {"name": "val_loss", "direction": "min"}}
    doc = document(model={"kind": "code", "file": "own.py", "entry": entry}, training={"road": road}, search=objective)
    folder = tmp_path / name
    made = Bench(doc, data if data.exists() else binary_folder(data), tmp_path)
    made.folder = folder
    return made


@pytest.mark.parametrize("road", ["auto", "fit"])
def test_code_with_layers_and_steps_of_its_own_resumes_exactly(tmp_path, road):
    whole = code_bench(tmp_path, "whole", "build", road)
    assert run(whole).outcome == "completed", whole.ended
    broken = code_bench(tmp_path, "broken", "build", road)
    run(broken, stop=stop_after(broken, 3))
    after = code_bench(tmp_path, "broken", "build", road)
    run(after)
    assert after.reports.of(ExecutionResumed)[0].epoch == 3
    assert_same_end(after, whole)


def test_code_that_changed_starts_from_the_beginning(tmp_path):
    broken = code_bench(tmp_path, "broken", "build", "auto")
    run(broken, stop=stop_after(broken, 3))
    after = code_bench(tmp_path, "broken", "build", "auto", CODE.replace("stddev=0.1", "stddev=0.2"))
    run(after)
    assert after.reports.of(ExecutionResumed) == []


@pytest.mark.parametrize(
    ("entry", "text", "reason"),
    [
        ("WithFit", CODE, "the model's code has a fit of its own"),
        (
            "build",
            CODE.replace("    return model\n", "    model.other = keras.optimizers.SGD()\n    return model\n"),
            "beside the one it was compiled with",
        ),
    ],
)
def test_what_cannot_be_resumed_exactly_starts_from_the_beginning_and_says_so(tmp_path, capfd, entry, text, reason):
    broken = code_bench(tmp_path, "broken", entry, "auto", text)
    run(broken, stop=stop_after(broken, 3))
    assert broken.reports.of(Checkpointed) == []
    assert reason in capfd.readouterr().err
    after = code_bench(tmp_path, "broken", entry, "auto", text)
    assert run(after).outcome == "completed"
    assert after.reports.of(EpochEnded)[0].epoch == 1
