"""Several who prepare the same data at the same time."""

import threading

from tunerstudio.data.prepare import prepare
from tunerstudio.study.data import BundledSource, Data


def test_threads_that_prepare_at_once_do_it_once_and_all_get_it(tmp_path):
    data = Data(source=BundledSource(name="iris"), task="multiclass")
    to = tmp_path / "cache" / "data"
    start, found = threading.Barrier(4), []

    def work():
        start.wait()
        found.append(prepare(data, tmp_path, to))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(plan == found[0] for plan in found)
    assert sorted(path.name for path in to.parent.iterdir()) == ["data"]
