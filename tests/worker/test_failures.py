"""Why a training ended, in plain words."""

import contextlib
import subprocess
from pathlib import Path

import pytest
import tensorflow as tf

from tests.worker.test_checkpoint import bench, run, stop_after, study
from tunerstudio.protocol.worker import Checkpointed
from tunerstudio.study.errors import ModelError
from tunerstudio.worker.checkpoint_file import checkpoint_path
from tunerstudio.worker.failures import DISK_FULL, explain
from tunerstudio.worker.training import NotFiniteError


def caught(work):
    try:
        work()
    except Exception as error:  # noqa: BLE001
        return error
    raise AssertionError("nothing was raised")


def told(error):
    return explain(error, "The training failed")[0]


def test_memory_of_host_and_gpu():
    assert told(MemoryError()) == "There was not enough memory: try smaller layers or a smaller batch size."
    error = caught(lambda: tf.zeros((2**20, 2**20, 2**9)))
    assert told(error).startswith("There was not enough memory: ")
    on_gpu = tf.errors.ResourceExhaustedError(
        None, None, "OOM when allocating tensor on /job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc"
    )
    assert told(on_gpu).startswith("There was not enough memory on the GPU: ")


def test_shortage_behind_a_line_of_the_users_code_is_what_counts():
    error = ModelError("own.py, line 3: MemoryError")
    error.__cause__ = MemoryError()
    assert told(error).startswith("There was not enough memory: ")
    error.__cause__ = ValueError("wrong")
    assert told(error) == "own.py, line 3: MemoryError"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told_from_other_faults_of_files():
    def fill():
        with open("/dev/full", "w") as file:
            file.write("x")

    assert told(caught(fill)) == f"{DISK_FULL}: free some space, then resume the search."
    assert told(caught(lambda: open("/no/such/file"))).startswith("A file could not be read or written: ")  # noqa: SIM115
    hidden = RuntimeError("Unable to write (errno = 28, error message = 'No space left on device')")
    assert told(hidden).startswith(DISK_FULL)


def test_divergence_names_metric_and_epoch():
    assert told(NotFiniteError("val_loss", 4, float("nan"))).startswith("val_loss became nan at epoch 4")


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 64 kB, where the test may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_fills_costs_no_checkpoint(tmp_path, small_disk):
    broken = bench(tmp_path, "small", study())
    run(broken, stop=stop_after(broken, 3))
    assert broken.reports.of(Checkpointed)
    path = checkpoint_path(broken.folder / "1", 0)
    before = path.read_bytes()
    filler = small_disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 1024)
    after = bench(tmp_path, "small", study())
    ended = run(after, checkpoint_every_s=0.0)
    assert (ended.outcome, ended.message.split(":")[0]) == ("failed", DISK_FULL)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    filler.unlink()
    assert run(bench(tmp_path, "small", study())).outcome == "completed"
