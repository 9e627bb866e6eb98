"""Which GPU a worker gets. The list is made up here: no GPU is needed, none is used."""

from tunerstudio.engine.executors.gpus import least_used, visible_gpus
from tunerstudio.engine.executors.local import Share, WorkerPool
from tunerstudio.study.machine import workers_for
from tunerstudio.study.search import Search


def test_the_environment_narrows_what_the_driver_lists():
    def asked():
        raise AssertionError("the driver need not be asked")

    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "2, 0"}, asked) == ("2", "0")
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "GPU-12ab,1,-1,3"}, asked) == ("GPU-12ab", "1")
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": ""}, asked) == ()
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "-1"}, asked) == ()
    assert visible_gpus({}, lambda: "0\n1\n") == ("0", "1")
    assert visible_gpus({}, lambda: "") == ()


def test_each_worker_gets_a_gpu_of_its_own_as_long_as_there_are_enough():
    in_use = []
    for _ in range(5):
        in_use.append(least_used(("0", "1"), in_use))
    assert in_use == ["0", "1", "0", "1", "0"]
    assert least_used((), []) is None


def test_a_gpu_that_was_given_back_is_taken_next():
    assert least_used(("0", "1", "2"), ["0", "2", None]) == "1"


def test_one_worker_per_gpu_unless_the_study_says_otherwise():
    assert workers_for(Search(), gpus=3) == 3
    assert workers_for(Search(workers=2), gpus=3) == 2


class Recorded(WorkerPool):
    """A pool whose workers are not started."""

    def shares(self, count):
        return [self._share_of_next([Share(None, gpu) for gpu in self.gpus][:taken]) for taken in range(count)]


def test_a_pool_hands_out_what_it_was_given(tmp_path):
    pool = Recorded(tmp_path, threads=1, gpus=("0", "1"))
    assert pool.shares(3) == [Share(1, "0"), Share(1, "1"), Share(1, "0")]
    assert Recorded(tmp_path, gpus=()).shares(1) == [Share(None, None)]
