"""Files on their way between machines, and the cache of a node."""

import os
import threading

import pytest

from tunerstudio.engine.executors.ray_cache import KEPT_S, DataCache
from tunerstudio.engine.executors.ray_files import (
    CHUNK_BYTES,
    Changes,
    Watch,
    pieces,
    read_files,
    take_inventory,
    write_files,
)


def fill(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def test_inventories_tell_contents_and_names(tmp_path):
    one = take_inventory(fill(tmp_path / "1", a=b"x", b=b"y"))
    assert one.names == ("a", "b")
    assert take_inventory(fill(tmp_path / "2", a=b"x", b=b"y")) == one
    assert take_inventory(fill(tmp_path / "3", a=b"x", b=b"z")).key != one.key
    assert take_inventory(fill(tmp_path / "4", a=b"x", c=b"y")).key != one.key
    assert take_inventory(fill(tmp_path / "5", a=b"xy", b=b"")).key != one.key


def test_a_large_file_travels_in_pieces(tmp_path):
    content = os.urandom(1024) * (CHUNK_BYTES // 1024) + b"end"
    fill(tmp_path, big=content)
    parts = list(pieces(tmp_path / "big"))
    assert [len(part) for part in parts] == [CHUNK_BYTES, 3]
    write_files(tmp_path / "there", {"big": iter(parts)})
    assert (tmp_path / "there" / "big").read_bytes() == content


def test_files_that_are_being_written_stay_at_home(tmp_path):
    (tmp_path / "sub").mkdir()
    fill(tmp_path, a=b"1")
    (tmp_path / ".a.part").write_bytes(b"half")
    (tmp_path / "sub" / "w.weights.h5").write_bytes(b"2")
    assert read_files(tmp_path) == {"a": b"1", "sub/w.weights.h5": b"2"}
    assert read_files(tmp_path, suffix=".weights.h5") == {"sub/w.weights.h5": b"2"}
    assert read_files(tmp_path / "nowhere") == {}


def test_a_watch_tells_each_change_once(tmp_path):
    fill(tmp_path, old=b"1", kept=b"2")
    watch = Watch(tmp_path)
    assert watch.changes() == Changes()
    write_files(tmp_path, {"new": b"3", "kept": b"4"}, removed=["old"])
    assert watch.changes() == Changes({"new": b"3", "kept": b"4"}, ("old",))
    assert watch.changes() == Changes()
    # Of the same length: the file is another one, although it looks the same.
    write_files(tmp_path, {"new": b"5"})
    assert watch.changes() == Changes({"new": b"5"})


@pytest.mark.parametrize("name", ["../out", "/etc/out", "", "a/../../out", "a\\..\\out"])
def test_no_file_leaves_its_folder(tmp_path, name):
    with pytest.raises(ValueError, match="no file name inside"):
        write_files(tmp_path / "in", {name: b"x"})
    with pytest.raises(ValueError, match="no file name inside"):
        write_files(tmp_path / "in", {}, removed=[name])


def test_a_file_arrives_whole_or_not_at_all(tmp_path):
    def broken():
        yield b"half"
        raise OSError("the line is dead")

    fill(tmp_path, a=b"before")
    with pytest.raises(OSError, match="dead"):
        write_files(tmp_path, {"a": broken()})
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"before"


@pytest.fixture
def cache(tmp_path):
    pytest.importorskip("filelock", reason="comes with Ray")
    return DataCache(tmp_path / "cache")


def test_data_are_fetched_once_even_by_many_at_once(cache):
    fetches = []
    together = threading.Barrier(4)

    def files():
        fetches.append(1)
        return {"x.npy": [b"12", b"34"]}

    def worker():
        together.wait()
        cache.fetch("key", files)

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fetches == [1]
    assert (cache.folder("key") / "x.npy").read_bytes() == b"1234"


def test_data_that_did_not_arrive_are_fetched_again(cache):
    def broken():
        yield b"half"
        raise OSError("the line is dead")

    with pytest.raises(OSError, match="dead"):
        cache.fetch("key", lambda: {"x": broken()})
    assert not cache.has("key")
    assert cache.fetch("key", lambda: {"x": [b"whole"]})
    assert (cache.folder("key") / "x").read_bytes() == b"whole"


def test_data_that_nobody_uses_are_removed(cache):
    for key in ("old", "used"):
        cache.fetch(key, lambda: {"x": [b"1"]})
        os.utime(cache.folder(key), (0, os.stat(cache.folder(key)).st_mtime - KEPT_S - 60))
    assert cache.has("used")
    cache.fetch("new", lambda: {"x": [b"1"]})
    assert (cache.has("used"), cache.has("old"), cache.has("new")) == (True, False, True)
