"""Trials on a real Ray cluster of several nodes, all of them on this machine's loopback."""

import importlib.util
import platform
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.engine.reading import epochs_of, trials_of
from tunerstudio.engine.executors.ray import NodeLostError, RayPool
from tunerstudio.store.reader import Cursor, StudyReader
from tunerstudio.study.errors import StudyError
from tunerstudio.study.search import Executor
from tunerstudio.study.trials import TrialState

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


def log_of(folder):
    with StudyReader(folder) as reader:
        return reader.changes(Cursor()).log


def on(cluster, workers=2, **search):
    return {"executor": {"kind": "ray", "address": cluster.address}, "workers": workers, **search}


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


WAIT_FOR_THIRD = """
    import pathlib
    import time
    place, here = os.environ.get("TUNERSTUDIO_NODE_CACHE", ""), pathlib.Path({here!r})
    if place.endswith("third"):
        (here / "came").touch()
    while place.endswith("head") and (here / "lost").exists() and not (here / "came").exists():
        time.sleep(0.1)
"""


def test_a_node_is_lost_and_another_one_comes(cluster, code_study, run, tmp_path):
    # Without the wait the first node may have trained everything before the new one is ready.
    wait = WAIT_FOR_THIRD.format(here=str(tmp_path))
    same = {"algorithm": {"id": "random"}, "budget": {"trials": 3}, "seed": 5, "checkpoints": {"every_s": 0.2}}
    # Keras's own fit is slow enough for a node to be lost on the way.
    training = {"epochs": 30, "road": "fit"}
    alone = code_study(wait, name="alone", search={"workers": 1, **same}, training=training)
    run(alone)
    folder = code_study(wait, name="there", search=on(cluster, **same), training=training)
    events = []

    def lose_it(epochs):
        nodes = {attempt.trial: attempt.node for attempt in attempts_of(folder)}
        if not events and any(nodes.get(epoch.trial) == "second" and epoch.epoch >= 8 for epoch in epochs):
            events.append("lost")
            (tmp_path / "lost").touch()
            cluster("kill second")
            cluster("add third 1")

    run.on_epochs = lose_it
    result = run(folder)

    assert events == ["lost"]
    assert result.reason == "budget"
    attempts = attempts_of(folder)
    assert [attempt.outcome for attempt in attempts if attempt.node == "second"][-1] == "lost"
    assert sorted(attempt.trial for attempt in attempts if attempt.outcome == "completed") == [1, 2, 3]
    assert "third" in {attempt.node for attempt in attempts}
    # Nothing is missing, nothing is there twice, and all is as if nothing had happened.
    trials, expected = trials_of(folder), trials_of(alone)
    assert [trial.state for trial in trials] == [TrialState.COMPLETED] * 3
    assert [trial.score for trial in trials] == pytest.approx([trial.score for trial in expected], abs=1e-6)
    for trial in trials:
        curve, whole = epochs_of(folder, trial.number), epochs_of(alone, trial.number)
        assert [epoch.epoch for epoch in curve] == list(range(1, 31))
        assert [epoch.metrics["loss"] for epoch in curve] == pytest.approx(
            [epoch.metrics["loss"] for epoch in whole], rel=1e-4
        )
    assert any("from its checkpoint" in entry.text for entry in log_of(folder))


def test_a_promotion_finds_its_parents_weights_on_any_node(cluster, blocks_study, run):
    folder = blocks_study(
        search=on(cluster, algorithm={"id": "hyperband", "options": {"factor": 3}}, budget={"trials": 8}),
        training={"epochs": 3},
    )
    run(folder)
    trials = trials_of(folder)
    assert [trial.state for trial in trials] == [TrialState.COMPLETED] * len(trials)
    promoted = [trial for trial in trials if trial.parent is not None]
    assert promoted
    assert all(trial.initial_epoch > 0 for trial in promoted)


def test_a_ray_of_our_own_runs_and_ends(blocks_study, run):
    folder = blocks_study(search={"executor": {"kind": "ray"}, "budget": {"trials": 1}, "workers": 1})
    run(folder)
    assert [trial.state for trial in trials_of(folder)] == [TrialState.COMPLETED]
    assert [attempt.node for attempt in attempts_of(folder)] == [platform.node()]
    # Other than those of the test's cluster, Ray's processes name the folder that the driver made for them.
    children = psutil.Process().children(recursive=True)
    assert not [child for child in children if "tunerstudio-ray-" in " ".join(child.cmdline())]


def test_the_way_to_the_cluster_is_lost_and_found_again(cluster, tmp_path):
    pool = RayPool(Executor(kind="ray", address=cluster.address), tmp_path)
    try:
        pool.wait_open()
        worker = pool.acquire()
        remote = psutil.Process(worker.wait_ready().pid)
        driver = next(child for child in psutil.Process().children() if child.pid == pool.driver_pid)
        driver.kill()
        with pytest.raises(NodeLostError, match="connection to the Ray cluster was lost"):
            worker.receive()
        assert not psutil.wait_procs([remote], timeout=30)[1]
        pool.discard(worker)
        with pytest.raises(StudyError, match="was lost"):
            pool.acquire()
        assert pool.acquire().wait_ready().pid != remote.pid
    finally:
        pool.close()
