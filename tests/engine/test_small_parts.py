import signal

from tunerstudio.engine.control import SessionControl
from tunerstudio.engine.executors.local import wait_for_any
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
