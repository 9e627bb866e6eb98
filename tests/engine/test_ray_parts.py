"""Parts of the Ray executor that need no cluster."""

import importlib.util
import subprocess
import sys
import threading

import pytest

from tunerstudio.engine.executors import ray as ray_executor
from tunerstudio.engine.executors.choose import trial_pool, workers_wanted
from tunerstudio.engine.executors.local import WorkerPool
from tunerstudio.engine.executors.ray import NodeLostError, RayPool, RayWorker
from tunerstudio.engine.executors.ray_messages import DEATH, GREETING, REPORT, Settings
from tunerstudio.protocol.worker import ResourcesUsed, StudyOpened, WorkerReady, encode
from tunerstudio.study.errors import StudyError
from tunerstudio.study.search import Executor, Search

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray, an extra, is not installed")

READY = WorkerReady(pid=7, device="CPU (1 core)", versions={})
BEAT = ResourcesUsed(trial=1, at=0.0, rss_bytes=1, cpu_percent=1.0, progress=1)


def test_the_engine_does_not_import_ray():
    code = (
        "import sys, tunerstudio.engine.engine, tunerstudio.engine.executors.choose;"
        "print([name for name in sys.modules if name == 'ray' or name.startswith('ray.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_local_study_gets_the_pool_of_this_machine(tmp_path):
    pool = WorkerPool(tmp_path)
    with trial_pool(Executor(), pool) as chosen:
        chosen.wait_open(lambda: False)
        assert chosen.pool is pool
        assert pool.tend() == []
    pool.close()


def test_without_the_extra_the_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(ray_executor.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StudyError, match=r"pip install 'tunerstudio\[ray\]'") as caught:
        RayPool(Executor(kind="ray"), tmp_path)
    assert caught.value.problems[0].field == "search.executor.kind"


@pytest.fixture
def pipe(tmp_path):
    """A worker, and the driver's end of its pipe."""
    from multiprocessing import Pipe

    ours, theirs = Pipe()
    worker = RayWorker(3, ours, tmp_path / "log")
    yield worker, theirs
    worker.close()
    theirs.close()


def test_the_greeting_names_the_node(pipe):
    worker, driver = pipe
    driver.send_bytes(GREETING + "büro".encode() + b"\0" + encode(READY))
    assert worker.wait_ready() == READY
    assert worker.node == "büro"
    driver.send_bytes(REPORT + encode(StudyOpened()))
    assert worker.receive() == StudyOpened()


@pytest.mark.parametrize(("flag", "blameless"), [(b"0", False), (b"1", True)])
def test_a_death_says_why_and_whose_fault_it_was(pipe, flag, blameless):
    worker, driver = pipe
    driver.send_bytes(DEATH + flag + b"the node bench was lost")
    driver.close()
    for _ in range(2):  # and says it again
        with pytest.raises(ray_executor.WorkerDiedError, match="bench was lost") as caught:
            worker.receive()
        assert caught.value.is_blameless is blameless
    assert not worker.is_alive


def test_a_command_to_a_dead_worker_tells_why_it_died(pipe):
    worker, driver = pipe
    driver.send_bytes(REPORT + encode(BEAT))
    driver.send_bytes(DEATH + b"0it ran out of memory")
    driver.close()
    with pytest.raises(ray_executor.WorkerDiedError, match="out of memory"):
        worker.send(BEAT)


def test_a_driver_that_vanished_is_nobodys_fault(pipe):
    worker, driver = pipe
    driver.close()
    with pytest.raises(NodeLostError, match="connection to the Ray cluster"):
        worker.wait_ready()


def test_an_idle_worker_forgets_late_heartbeats(pipe):
    worker, driver = pipe
    driver.send_bytes(GREETING + b"bench\0" + encode(READY))
    driver.send_bytes(REPORT + encode(BEAT))
    assert worker.look()
    assert worker.ready == READY
    assert not worker.connection.poll()
    driver.close()
    assert not worker.look()


def node(name="bench", alive=True, **resources):
    return {"NodeName": name, "Alive": alive, "Resources": {key.upper(): value for key, value in resources.items()}}


@needs_ray
def test_waiting_is_told_with_figures():
    from tunerstudio.engine.executors.ray_places import waiting_text

    settings = Settings("a:1", 2.0, 0.0, "")
    level, text = waiting_text(settings, [node(cpu=4.0), node(cpu=2.0), node(cpu=9.0, alive=False)], {"CPU": 1.0})
    assert level == "info"
    assert "a trial needs 2 CPU" in text
    assert "2 nodes have 6 CPU, of which 1 CPU are free" in text


@needs_ray
def test_a_place_that_no_node_can_ever_give_is_a_warning():
    from tunerstudio.engine.executors.ray_places import waiting_text

    settings = Settings("a:1", 2.0, 1.0, "")
    level, text = waiting_text(settings, [node(cpu=1.0, gpu=4.0), node(cpu=8.0)], {"CPU": 9.0, "GPU": 4.0})
    assert level == "warning"
    assert "no node of the cluster has 2 CPU and 1 GPU" in text
    assert "the most that a node has is 8 CPU and 4 GPU" in text


@needs_ray
def test_nobody_at_the_address_is_told_at_once(tmp_path):
    pool = RayPool(Executor(kind="ray", address="127.0.0.1:1"), tmp_path)
    try:
        pool.warm_up(2)
        with pytest.raises(StudyError, match="nothing answers there") as caught:
            pool.wait_open()
        assert caught.value.problems[0].field == "search.executor.address"
    finally:
        pool.close()


@needs_ray
def test_nobody_has_to_wait_for_a_cluster(tmp_path):
    given_up = threading.Event()
    given_up.set()
    pool = RayPool(Executor(kind="ray", address="127.0.0.1:1"), tmp_path)
    pool.wait_open(given_up.is_set)
    pool.close()
    pool.close()


@needs_ray
def test_left_open_a_search_takes_all_the_room_of_the_cluster(tmp_path, monkeypatch):
    pool = RayPool(Executor(kind="ray", address="127.0.0.1:1"), tmp_path)
    for room, expected in ((5, 5), (0, 1), (1000, 64)):
        monkeypatch.setattr(pool, "_room", room)
        assert workers_wanted(Search(workers="auto"), pool) == expected
        assert workers_wanted(Search(workers=3), pool) == 3
    pool.close()
