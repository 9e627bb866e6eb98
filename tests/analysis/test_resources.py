import numpy as np

from tunerstudio.analysis.disk import disk_use
from tunerstudio.analysis.resources import GAP_S, last_stretch, worker_use
from tunerstudio.analysis.timeline import attempts_timeline
from tunerstudio.study.trials import Attempt, ResourceUse, TrialState


def sample(row, at, worker, cpu=50.0, gpu=None):
    return ResourceUse(row, at, worker, None, 10**9, cpu, gpu, None if gpu is None else 2 * 10**9)


def test_each_worker_has_its_lines_and_pauses_break_them():
    found = worker_use([sample(1, 0.0, 1), sample(2, 0.0, 2, gpu=80.0), sample(3, GAP_S + 1, 1, cpu=70.0)])
    first, second = found
    assert [use.worker for use in found] == [1, 2]
    np.testing.assert_array_equal(first.cpu_percent, [50.0, np.nan, 70.0])
    assert first.at.tolist() == [0.0, 0.0, GAP_S + 1]
    assert first.memory_bytes[0] == 10**9
    assert not first.has_gpu
    assert second.has_gpu
    assert second.gpu_bytes.tolist() == [2 * 10**9]


def test_the_last_stretch_begins_after_the_last_long_pause():
    assert last_stretch(np.array([0.0, 10.0, 1000.0, 1010.0])) == 1000.0
    assert last_stretch(np.array([])) is None


def attempt(trial, worker, start, end, outcome="completed", node="here"):
    return Attempt(trial, 1, worker, node, "CPU", start, end, outcome)


def test_what_ran_where_has_a_row_for_each_worker():
    line = attempts_timeline(
        [attempt(2, 2, 1.0, 3.0, "failed"), attempt(1, 1, 0.0, 2.0), attempt(3, 1, 2.0, None, "")], now=9.0
    )
    assert line.numbers.tolist() == [1, 2, 3]
    assert line.lanes.tolist() == [0, 1, 0]
    assert line.rows == ("1", "2")
    assert line.ends.tolist() == [2.0, 3.0, 9.0]
    assert line.states == (TrialState.COMPLETED, TrialState.FAILED, TrialState.RUNNING)
    assert line.places[0] == "here, CPU"


def test_machines_are_named_where_there_are_several():
    line = attempts_timeline([attempt(1, 1, 0.0, 1.0), attempt(2, 1, 0.0, 1.0, node="there")], now=9.0)
    assert line.rows == ("here 1", "there 1")


def test_what_a_dead_engine_left_open_ends_with_what_is_known():
    line = attempts_timeline([attempt(1, 1, 0.0, 2.0), attempt(2, 1, 2.5, None, "")], now=9.0, is_live=False)
    assert line.ends.tolist() == [2.0, 2.5]
    assert line.states[1] is TrialState.QUEUED


def test_the_disk_is_counted_by_what_it_is_for(tmp_path):
    for name, size in (("trials/0001/a", 10), ("models/m/b", 20), ("cache/c", 30), ("study.db", 40)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    found = disk_use(tmp_path)
    assert (found.trials, found.models, found.cache, found.rest, found.total) == (10, 20, 30, 40, 100)
    assert found.free > 0
