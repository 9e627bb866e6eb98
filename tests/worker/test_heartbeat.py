"""What a worker says while it trains, and what it leaves behind."""

import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from tests.worker.test_worker_process import WAIT_S, Worker, trial
from tests.worker.worker_samples import binary_folder, document, open_study
from tunerstudio.protocol.worker import EpochEnded, ResourcesUsed, Shutdown, StopTrial, StudyOpened, TrialEnded
from tunerstudio.worker.gpu_load import GpuLoad
from tunerstudio.worker.heartbeat import Heartbeat
from tunerstudio.worker.output import CUT, LIMIT_BYTES, cut_log
from tunerstudio.worker.temporary import remove_dead
from tunerstudio.worker.training import StopRequest


@pytest.fixture
def worker(tmp_path):
    started = Worker(tmp_path)
    yield started
    started.close()


def test_beats_tell_what_is_used_and_end_with_the_trial():
    beats, stop = queue.Queue(), StopRequest()
    with Heartbeat(beats.put, interval_s=0.01).beating(7, stop):
        first = beats.get(timeout=WAIT_S)
        assert not stop.now
        later = beats.get(timeout=WAIT_S)
        while later.progress == first.progress:  # one was on its way already
            later = beats.get(timeout=WAIT_S)
    assert first.trial == 7
    assert later.progress == first.progress + 1
    assert 0.5 < first.rss_bytes / psutil.Process().memory_info().rss < 2
    assert (first.gpu_percent, first.gpu_bytes) == (None, None)
    assert "heartbeat" not in [thread.name for thread in threading.enumerate()]


def test_an_engine_that_went_away_ends_the_beat_quietly():
    called = threading.Event()

    def send(_):
        called.set()
        raise BrokenPipeError

    with Heartbeat(send, interval_s=0.01).beating(1, StopRequest()):
        assert called.wait(WAIT_S)


def test_a_gpu_that_cannot_be_asked_has_no_load():
    assert GpuLoad(None, "0").percent() is None


def test_a_trial_that_trains_beats_and_gets_on_with_one_core(worker, tmp_path):
    wide = {
        "kind": "blocks",
        "blocks": [{"layer": "Dense", "name": "dense", "arguments": {"units": 3000}}],
        "optimizer": {"name": "Adam", "arguments": {"learning_rate": 1e-6}},
    }
    doc = document(model=wide, training={"epochs": 100_000, "batch_size": 54})
    worker.send(open_study(doc, binary_folder(tmp_path / "data")))
    worker.send(trial(tmp_path, epochs=100_000).model_copy(update={"values": {}}))
    worker.receive(EpochEnded)
    beats = [worker.receive(ResourcesUsed)[-1] for _ in range(2)]
    while beats[-1].progress == beats[0].progress and len(beats) < WAIT_S:  # one beat a second
        beats.append(worker.receive(ResourcesUsed)[-1])
    worker.send(StopTrial(trial=1, when="now"))
    assert worker.receive(TrialEnded)[-1].outcome == "stopped"
    assert beats[0].progress < beats[-1].progress
    assert all(0 < beat.cpu_percent < 150 for beat in beats)


def code(tmp_path, first_lines):
    """A study whose build(hp) does something before it builds."""
    (tmp_path / "own.py").write_text(
        "import keras, os, pathlib, tempfile, tensorflow as tf\n"
        f"def build(hp):\n{first_lines}"
        "    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1, 'sigmoid')])\n"
        "    model.compile('adam', 'binary_crossentropy', metrics=['accuracy'])\n"
        "    return model\n"
    )
    doc = document(model={"kind": "code", "file": "own.py"})
    opening = open_study(doc, binary_folder(tmp_path / "data"), tmp_path)
    return opening, trial(tmp_path).model_copy(update={"values": {}})


def test_a_worker_with_one_thread_computes_with_one(worker, tmp_path):
    asked = "tf.config.threading.get_intra_op_parallelism_threads(), os.environ['OMP_NUM_THREADS']"
    worker.send(*code(tmp_path, f"    print('threads', {asked})\n"))
    assert worker.receive(TrialEnded)[-1].outcome == "completed"
    assert "threads 1 1" in worker.log.read_text()
    if sys.platform == "linux":
        tasks = Path(f"/proc/{worker.process.pid}/task").glob("*/comm")
        assert [task.read_text().strip() for task in tasks].count("tf_Compute") == 1


def test_a_hung_trial_beats_without_progress(worker, tmp_path):
    hang = tmp_path / "hang"
    opening, command = code(tmp_path, f"    while pathlib.Path({str(hang)!r}).exists():\n        pass\n")
    worker.send(opening)
    worker.receive(StudyOpened)
    hang.touch()
    worker.send(command)
    beats = [worker.receive(ResourcesUsed)[-1] for _ in range(2)]
    assert beats[0].progress == beats[1].progress
    assert beats[1].at > beats[0].at
    hang.unlink()
    assert worker.receive(TrialEnded)[-1].outcome == "completed"


def test_a_flood_of_output_blocks_nobody_and_fills_no_disk(worker, tmp_path):
    worker.send(*code(tmp_path, "    for _ in range(60):\n        os.write(1, b'x' * 999_999 + b'\\n')\n"))
    assert worker.receive(TrialEnded)[-1].outcome == "completed"
    worker.send(Shutdown())
    assert worker.wait() == 0
    assert worker.log.stat().st_size <= LIMIT_BYTES
    assert CUT in worker.log.read_bytes()


def test_a_log_keeps_its_end(tmp_path):
    log = tmp_path / "worker.log"
    with log.open("ab", buffering=0) as printing:
        printing.write(b"old" * 10 + b"end")
        cut_log(str(log), limit=40, kept=3)
        assert log.stat().st_size == 33
        cut_log(str(log), limit=30, kept=3)
        printing.write(b", new")
    assert log.read_bytes() == CUT + b"end, new"
    cut_log(str(tmp_path / "gone.log"))


def test_temporary_files_of_a_killed_worker_are_removed_by_the_next(tmp_path):
    program = (
        "import sys, tempfile\n"
        "from tunerstudio.worker.temporary import TemporaryFolder\n"
        "folder = TemporaryFolder()\n"
        "folder.remove_others()\n"
        "tempfile.NamedTemporaryFile(delete=False).write(b'graph')\n"
        "print(folder.path, flush=True)\n"
        "sys.stdin.readline()\n"
        "folder.remove()\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path), "TEMP": str(tmp_path), "TMP": str(tmp_path)}
    foreign = [tmp_path / "tuner-notes", tmp_path / "tuner-1x-abc"]
    for folder in foreign:
        folder.mkdir()

    def start():
        pipe = subprocess.PIPE
        return subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe, env=environment, text=True)

    with start() as killed, start() as living:
        dead, alive = Path(killed.stdout.readline().strip()), Path(living.stdout.readline().strip())
        assert len(list(dead.iterdir())) == len(list(alive.iterdir())) == 2  # the lock and the file
        killed.kill()
        killed.wait(WAIT_S)
        with start() as following:
            own = Path(following.stdout.readline().strip())
            assert (dead.exists(), alive.exists(), own.exists()) == (False, True, True)
            following.communicate("end\n", WAIT_S)
        living.communicate("end\n", WAIT_S)
    assert sorted(tmp_path.iterdir()) == sorted(foreign)


def test_links_are_not_followed(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait(WAIT_S)
    kept = tmp_path / "kept"
    kept.mkdir()
    (tmp_path / f"tuner-{ended.pid}-abc").symlink_to(kept)
    remove_dead(tmp_path)
    assert kept.exists()
