"""Trials on a real Ray cluster of several nodes, all of them on this machine's loopback."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.reading import epochs_of, trials_of
from tunerstudio.store.reader import StudyReader
from tunerstudio.study.errors import StudyError
from tunerstudio.study.trials import TrialState
from tunerstudio.study.trust import trust

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray, an extra, is not installed"),
    pytest.mark.skipif(sys.platform == "win32", reason="Ray has no clusters of Windows machines"),
]


class Cluster:
    """The nodes, in a process of their own."""

    def __init__(self, process):
        self._process = process
        self.address = self._answer()

    def _answer(self):
        answer = self._process.stdout.readline().strip()
        assert answer, "the cluster could not be started"
        return answer

    def __call__(self, command):
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        assert self._answer() == "done"


@pytest.fixture(scope="module")
def caches(tmp_path_factory):
    return tmp_path_factory.mktemp("caches")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, caches):
    """Two nodes with one CPU each: `head` and `second`."""
    patch = pytest.MonkeyPatch()
    patch.setenv("RAY_AUTH_MODE", "token")
    patch.setenv("RAY_AUTH_TOKEN", "0123456789abcdef" * 4)
    patch.setenv("TUNERSTUDIO_NODE_CACHE", str(caches))
    errors = tmp_path_factory.mktemp("cluster") / "stderr"
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("ray_cluster.py")), "1"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    try:
        cluster = Cluster(process)
        cluster("add second 1")
        yield cluster
    finally:
        process.stdin.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        patch.undo()


def attempts_of(folder):
    with StudyReader(folder) as reader:
        return reader.attempts()


def on(cluster, workers=2, **search):
    return {"executor": {"kind": "ray", "address": cluster.address}, "workers": workers, **search}


SLOW = """
import time
import keras
import keras_tuner


class Slow(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        time.sleep(0.2)


class Model(keras_tuner.HyperModel):
    def build(self, hp):
        hp.Float("a", 0.0, 1.0)
        model = keras.Sequential([keras.layers.Dense(3, activation="softmax")])
        model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(*args, **{**kwargs, "callbacks": [*kwargs.get("callbacks", []), Slow()]})
"""


def test_two_nodes_train_what_one_machine_trains(cluster, caches, blocks_study, run, engine):
    # Other algorithms learn from what ended first, which two workers do not do in a fixed order.
    same = {"algorithm": {"id": "random"}, "budget": {"trials": 6}, "seed": 3}
    local = blocks_study("local", search={"workers": 1, **same})
    there = blocks_study("there", search=on(cluster, **same))
    run(local)
    result = run(there)

    assert result.reason == "budget"
    trials, expected = trials_of(there), trials_of(local)
    assert [trial.state for trial in trials] == [TrialState.COMPLETED] * 6
    assert [trial.values for trial in trials] == [trial.values for trial in expected]
    assert [trial.score for trial in trials] == pytest.approx([trial.score for trial in expected], abs=1e-6)
    assert {attempt.node for attempt in attempts_of(there)} == {"head", "second"}
    for node in ("head", "second"):
        # Each node got the data once, whoever needed them first.
        folders = [path for path in (caches / node / "cluster").iterdir() if path.is_dir()]
        assert [(path / "plan.json").is_file() for path in folders] == [True]
    for trial in trials:
        assert (there / "trials" / f"{trial.number:04d}" / "execution_0.weights.h5").is_file()
    assert all(saved.verified for saved in engine.save(there, 2, None, lambda share, text: None))


def test_a_crash_is_one_failed_trial_and_names_the_node(cluster, code_study, run):
    folder = code_study(
        "if os.environ.get('TUNERSTUDIO_NODE_CACHE') and 0.5 < a < 0.999: os._exit(9)",
        search=on(cluster, budget={"trials": 6}, seed=1),
    )
    run(folder)
    by_state = {state: [t for t in trials_of(folder) if t.state is state] for state in TrialState}
    assert len(by_state[TrialState.COMPLETED]) + len(by_state[TrialState.FAILED]) == 6
    assert by_state[TrialState.COMPLETED]
    assert by_state[TrialState.FAILED]
    for trial in by_state[TrialState.FAILED]:
        assert "exit code 9" in trial.message
        assert "on the node" in trial.message


def test_a_node_is_lost_and_another_one_comes(cluster, code_study, run):
    folder = code_study("", search=on(cluster, budget={"trials": 6}), training={"epochs": 8})
    (folder / "model.py").write_text(SLOW)
    trust(folder)
    events = []

    def lose_it(epochs):
        if events:
            return
        nodes = {attempt.trial: attempt.node for attempt in attempts_of(folder)}
        if any(nodes.get(epoch.trial) == "second" for epoch in epochs):
            events.append("lost")
            cluster("kill second")
            cluster("add third 1")

    run.on_epochs = lose_it
    result = run(folder)

    assert events == ["lost"]
    assert result.reason == "budget"
    trials = trials_of(folder)
    assert [trial.number for trial in trials] == [1, 2, 3, 4, 5, 6]
    assert [trial.state for trial in trials] == [TrialState.COMPLETED] * 6
    for trial in trials:
        assert [epoch.epoch for epoch in epochs_of(folder, trial.number)] == list(range(1, 9))
    attempts = attempts_of(folder)
    assert [attempt.outcome for attempt in attempts if attempt.node == "second"][-1] == "lost"
    assert sum(attempt.outcome == "completed" for attempt in attempts) == 6
    assert "third" in {attempt.node for attempt in attempts}


def test_no_cluster_at_the_address(blocks_study, run):
    folder = blocks_study(search={"executor": {"kind": "ray", "address": "127.0.0.1:1"}})
    with pytest.raises(StudyError) as caught:
        run(folder)
    assert caught.value.problems[0].field == "search.executor.address"
    assert "127.0.0.1:1" in str(caught.value)
