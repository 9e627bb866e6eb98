import multiprocessing
import signal
import threading

import pytest

from tunerstudio.engine.control import SessionControl
from tunerstudio.engine.executors.local import Worker, WorkerDiedError, WorkerPool, wait_for_any
from tunerstudio.engine.outcome import describe_exit
from tunerstudio.engine.seeds import execution_seed


def test_exits_are_told_in_english():
    assert "memory ran out" in describe_exit(-signal.SIGKILL)
    assert "segmentation fault" in describe_exit(-signal.SIGSEGV)
    assert "exit code 9" in describe_exit(9)
    assert describe_exit(None)


def test_seeds_are_stable_and_differ():
    seeds = {execution_seed(seed, trial, index) for seed in range(3) for trial in range(20) for index in range(3)}
    assert len(seeds) == 180
    assert execution_seed(0, 1, 0) == execution_seed(0, 1, 0)
    assert all(0 < seed < 2**31 for seed in seeds)


def test_a_stop_request_wakes_whoever_waits():
    control = SessionControl()
    assert wait_for_any([control.wake_up], 0.0) == []
    control.request_stop("now")
    control.request_stop("epoch")
    assert wait_for_any([control.wake_up], 5.0) == [control.wake_up]
    control.drain()
    assert wait_for_any([control.wake_up], 0.0) == []
    assert control.stop == "now"
    control.close()


def test_a_second_request_may_interrupt_the_first():
    control = SessionControl()
    with control._guard:  # as when Ctrl+C comes again while the first one is being handled
        control.request_stop("now")
    control.request_stop("epoch")
    assert control.stop == "now"
    control.close()


def test_the_end_of_a_long_log_is_read(tmp_path):
    log = tmp_path / "worker.log"
    log.write_text("flood " * 100_000 + "the last words: ä")
    worker = Worker(1, None, None, log)
    assert worker.log_tail(20).endswith("the last words: ä")
    assert len(worker.log_tail(20)) == 20


@pytest.mark.tensorflow
def test_a_pool_that_warms_up_can_be_closed_at_once(tmp_path):
    pool = WorkerPool(tmp_path)
    pool.warm_up(1)
    pool.close()
    warming = [thread for thread in threading.enumerate() if thread.name == "warm up"]
    for thread in warming:
        thread.join(60)
    assert multiprocessing.active_children() == []


@pytest.mark.tensorflow
def test_a_worker_that_owes_an_answer_is_not_used_again(tmp_path):
    pool = WorkerPool(tmp_path)
    with pool.lease() as lease:
        first = lease.worker()
        assert lease.worker() is first
    lease = pool.lease()
    assert lease.worker() is first
    lease.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert not first.is_alive
    with pool.lease() as lease:
        assert lease.worker() is not first
    pool.close()


class KilledProcess:
    """A process that only notes its end."""

    was_killed = False

    def kill(self):
        self.was_killed = True


@pytest.mark.parametrize("content", [b"hello", b'{"type": "EpochEnded"}', b"\xff\xfe"])
def test_a_worker_that_sends_nonsense_is_ended(tmp_path, content):
    ours, theirs = multiprocessing.Pipe()
    process = KilledProcess()
    worker = Worker(1, process, ours, tmp_path / "worker.log")
    theirs.send_bytes(content)
    with pytest.raises(WorkerDiedError, match="no report"):
        worker.receive()
    assert process.was_killed
    ours.close()
    theirs.close()
