import multiprocessing
import os
import signal
import subprocess
import sys

import pytest

from tests.worker.worker_samples import VALUES, binary_folder, document, open_study
from tunerstudio.protocol.worker import (
    CommandFailed,
    EpochEnded,
    ProbeModel,
    RunTrial,
    Shutdown,
    StopTrial,
    StudyOpened,
    TrialEnded,
    WorkerReady,
    decode_report,
    encode,
)
from tunerstudio.worker.process import worker_main

WAIT_S = 120.0


class Worker:
    """A real worker process and both ends of the talk."""

    def __init__(self, folder):
        context = multiprocessing.get_context("forkserver" if sys.platform != "win32" else "spawn")
        if sys.platform != "win32":
            context.set_forkserver_preload(["tunerstudio.worker.preload"])
        self.log = folder / "worker.log"
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=worker_main, args=(theirs, str(self.log), 1, ""))
        self.process.start()
        theirs.close()

    def send(self, *commands):
        for command in commands:
            self.connection.send_bytes(encode(command))

    def receive(self, kind):
        """Reports up to and with the first of `kind`."""
        found = []
        while not (found and isinstance(found[-1], kind)):
            assert self.connection.poll(WAIT_S), f"no {kind.__name__}; log: {self.log.read_text()}"
            found.append(decode_report(self.connection.recv_bytes()))
        return found

    def wait(self):
        self.process.join(WAIT_S)
        return self.process.exitcode

    def close(self):
        self.process.kill()
        self.process.join()
        self.connection.close()


@pytest.fixture
def worker(tmp_path):
    started = Worker(tmp_path)
    yield started
    started.close()


def trial(folder, number=1, epochs=3):
    return RunTrial(
        trial=number, values=VALUES, epochs=epochs, executions=(0,), seeds=(5,), folder=str(folder / str(number))
    )


def test_importing_the_entry_imports_no_tensorflow():
    code = (
        "import sys, tunerstudio.worker.process\n"
        "print([name for name in ('tensorflow', 'keras', 'keras_tuner', 'sklearn', 'pandas') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_preloading_keeps_heavy_packages_out_and_lets_them_in_later():
    code = (
        "import sys, tunerstudio.worker.preload\n"
        "print([name for name in ('keras_tuner', 'sklearn', 'pandas', 'scipy', 'matplotlib') if name in sys.modules])\n"
        "import sklearn"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_trial_from_start_to_end(worker, tmp_path):
    (ready,) = worker.receive(WorkerReady)
    assert ready.pid == worker.process.pid
    assert ready.device == "CPU (1 core)"
    assert ready.device_reason == "This worker was told to use the CPU."
    assert set(ready.versions) == {"python", "tensorflow", "keras", "keras_tuner", "numpy"}
    worker.send(open_study(document(), binary_folder(tmp_path / "data")), ProbeModel(), trial(tmp_path))
    worker.receive(StudyOpened)
    reports = worker.receive(TrialEnded)
    assert reports[-1].outcome == "completed"
    assert [one.epoch for one in reports if isinstance(one, EpochEnded)] == [1, 2, 3]
    worker.send(Shutdown())
    assert worker.wait() == 0


def test_what_is_printed_goes_to_the_log(worker, tmp_path):
    (tmp_path / "loud.py").write_text(
        "import os, sys\nprint('printed')\nos.write(2, b'from below\\n')\ndef build(hp):\n    return None\n"
    )
    doc = document(model={"kind": "code", "file": "loud.py"})
    worker.send(open_study(doc, binary_folder(tmp_path / "data"), tmp_path))
    failed = worker.receive(CommandFailed)[-1]
    assert "instead of a Keras model" in failed.message
    text = worker.log.read_text()
    assert "printed" in text
    assert "from below" in text


@pytest.mark.parametrize("when", ["now", "epoch"])
def test_stop_reaches_a_trial_that_trains(worker, tmp_path, when):
    worker.send(open_study(document(training={"epochs": 100_000}), binary_folder(tmp_path / "data")))
    worker.send(trial(tmp_path, epochs=100_000))
    worker.receive(EpochEnded)
    worker.send(StopTrial(trial=1, when=when))
    assert worker.receive(TrialEnded)[-1].outcome == "stopped"
    worker.send(StopTrial(trial=1, when=when), trial(tmp_path, number=2))  # a late stop harms nobody
    assert worker.receive(TrialEnded)[-1].outcome == "completed"


def test_shutdown_ends_a_trial_that_trains(worker, tmp_path):
    worker.send(open_study(document(), binary_folder(tmp_path / "data")), trial(tmp_path, epochs=100_000))
    worker.receive(EpochEnded)
    worker.send(Shutdown())
    assert worker.receive(TrialEnded)[-1].outcome == "stopped"
    assert worker.wait() == 0


def test_an_unknown_command_is_answered(worker):
    worker.connection.send_bytes(b'{"type": "Dance"}')
    assert "unknown command" in worker.receive(CommandFailed)[-1].message
    worker.send(Shutdown())
    assert worker.wait() == 0


def test_a_closed_pipe_ends_the_worker(worker):
    worker.receive(WorkerReady)
    worker.connection.close()
    assert worker.wait() == 0


def test_ctrl_c_is_left_to_the_engine(worker):
    worker.receive(WorkerReady)
    os.kill(worker.process.pid, signal.SIGINT)
    worker.send(ProbeModel())
    assert "before a study was opened" in worker.receive(CommandFailed)[-1].message


PARENT = """
import multiprocessing, os, sys
from tunerstudio.worker.process import worker_main

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=worker_main, args=(theirs, sys.argv[1], 1, ""))
    child.start()
    ours.recv_bytes()
    print("ready", flush=True)
    os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed by signal")
def test_a_worker_does_not_outlive_its_parent(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    # The worker inherits this pipe's writing end: it is closed when the worker, too, has ended.
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    command = [sys.executable, str(script), str(tmp_path / "log")]
    with subprocess.Popen(command, env=environment, stdout=writer, stderr=subprocess.DEVNULL) as parent:
        os.close(writer)
        assert parent.wait(WAIT_S) == -signal.SIGKILL
    with os.fdopen(reader) as output:
        assert output.read() == "ready\n"
