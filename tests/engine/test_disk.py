"""A full disk pauses or ends the search, and loses nothing that was written."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from tests.engine.fakes import FakePool, Play, at_once, ended
from tunerstudio.engine.disk import DiskWatch, says_disk_full
from tunerstudio.protocol.control import EnqueueTrial, ResumeSearch, StopSearch
from tunerstudio.store.mailbox import post
from tunerstudio.store.schema import DiskFullError
from tunerstudio.store.writer import StudyWriter
from tunerstudio.study.trials import SessionState


@pytest.fixture
def play(blocks_study):
    return Play(blocks_study(search={"budget": {"trials": 4}}))


class SmallDisk(StudyWriter):
    """Takes no further page from its third trial on, until it is told that there is space again."""

    opened = None

    def __init__(self, folder):
        super().__init__(folder)
        type(self).opened = self
        self.is_small = True

    def put_trial(self, trial, *arguments, **options):
        if trial.number == 3 and self.is_small:
            pages = self._connection.execute("PRAGMA page_count").fetchone()[0]
            self._connection.execute(f"PRAGMA max_page_count = {pages}")
            trial = type(trial)(**{**vars(trial), "details": "x" * 100_000})
        super().put_trial(trial, *arguments, **options)

    def grow(self):
        self.is_small = False
        self._connection.execute("PRAGMA max_page_count = 1000000")


def test_without_anybody_to_free_space_the_search_ends_and_goes_on_later(play):
    result = play(FakePool(), writer=SmallDisk)
    assert result.reason == "disk"
    assert "free some space" in result.message
    assert [trial.state.value for trial in play.trials] == ["COMPLETED", "COMPLETED"]
    assert play(FakePool()).reason == "budget"
    assert [trial.state.value for trial in play.trials] == ["COMPLETED"] * 4


def test_the_search_waits_for_space_and_goes_on(play):
    def space_again():
        SmallDisk.opened.grow()
        post(play.folder, ResumeSearch())

    play.on_session[SessionState.PAUSED] = space_again
    whole = FakePool()
    assert play(whole, writer=SmallDisk, is_interactive=True).reason == "budget"
    assert [trial.state.value for trial in play.trials] == ["COMPLETED"] * 4
    assert [trial.number for trial in play.trials] == [1, 2, 3, 4]


def test_a_pause_that_could_not_be_written_down_is_as_soon_as_there_is_space(play):
    """Others read there that the search can be resumed."""

    class Mute(SmallDisk):
        def put_session(self, session):
            if self.is_small and session.state is SessionState.PAUSED:
                raise DiskFullError("the disk is full")
            super().put_session(session)

    def watch():
        while play.read(lambda reader: reader.session()).state is not SessionState.PAUSED:
            if is_over.wait(0.05):
                return
        seen.append(True)
        post(play.folder, ResumeSearch())

    seen, is_over = [], threading.Event()
    thread = threading.Thread(target=watch)
    ends = threading.Timer(20.0, lambda: post(play.folder, StopSearch()))
    play.on_session[SessionState.PAUSED] = lambda: (Mute.opened.grow(), thread.start(), ends.start())
    play(FakePool(), writer=Mute, is_interactive=True)
    is_over.set()
    ends.cancel()
    thread.join()
    ends.join()
    assert seen == [True]


def test_commands_on_a_full_disk_wait_until_there_is_space(play):
    class Full(SmallDisk):
        refused = 0

        def put_command(self, *arguments):
            if self.is_small and Full.refused < 3:
                Full.refused += 1
                raise DiskFullError("the disk is full")
            self.grow()
            super().put_command(*arguments)

    def ask():
        post(play.folder, EnqueueTrial(values={}))
        post(play.folder, ResumeSearch())

    ends = threading.Timer(20.0, lambda: post(play.folder, StopSearch()))
    play.on_session[SessionState.PAUSED] = lambda: (ends.start(), ask())
    assert play(FakePool(), writer=Full, is_interactive=True).reason == "budget"
    ends.cancel()
    ends.join()
    assert [trial.state.value for trial in play.trials] == ["COMPLETED"] * 4
    assert "user" in {trial.origin for trial in play.trials}


def test_a_search_on_a_full_disk_can_be_stopped(play):
    class Full(SmallDisk):
        def put_command(self, *arguments):
            raise DiskFullError("the disk is full")

    def ask():
        post(play.folder, ResumeSearch())
        post(play.folder, StopSearch())

    play.on_session[SessionState.PAUSED] = ask
    with ThreadPoolExecutor(1) as others:
        found = others.submit(play, FakePool(), writer=Full, is_interactive=True)
        try:
            assert found.result(20).reason == "stopped"
        except TimeoutError:
            play.control.request_stop("now")
            raise


def test_a_folder_that_cannot_be_made_pauses_the_search(play):
    play(FakePool(), target=1)
    obstacle = play.folder / "trials" / "0002"
    obstacle.write_text("not a folder")
    result = play(FakePool())
    assert result.reason == "disk"
    assert "0002 cannot be made" in result.message
    assert [trial.state.value for trial in play.trials] == ["COMPLETED", "QUEUED"]
    obstacle.unlink()
    assert play(FakePool()).reason == "budget"
    assert [trial.state.value for trial in play.trials] == ["COMPLETED"] * 4


def test_a_worker_that_cannot_write_is_no_failure_of_its_trial(play):
    def script(command):
        if command.trial == 2 and len(pool.commands) == 2:
            yield ended(command, "failed", "OSError: [Errno 28] No space left on device: 'x.weights.h5'")
        else:
            yield from at_once(command)

    pool = FakePool(script)
    assert play(pool).reason == "disk"
    assert [trial.state.value for trial in play.trials] == ["COMPLETED", "QUEUED"]
    assert play(pool).reason == "budget"
    assert [trial.state.value for trial in play.trials] == ["COMPLETED"] * 4


def test_little_space_is_noticed_before_it_is_none(play, monkeypatch, tmp_path):
    left = [5_000_000]
    usage = lambda path: SimpleNamespace(free=left[0], total=10**12)  # noqa: E731
    monkeypatch.setattr("tunerstudio.engine.disk.psutil.disk_usage", usage)
    assert "only 5 MB are free" in DiskWatch(tmp_path).trouble()

    def space_again():
        left[0] = 10**11
        post(play.folder, ResumeSearch())

    play.on_session[SessionState.PAUSED] = space_again
    assert play(FakePool(), is_interactive=True).reason == "budget"
    left[0] = 5_000_000
    result = play(FakePool(), target=5)
    assert result.reason == "disk"
    assert "Nothing is lost" in result.message


def test_a_small_disk_is_not_called_full(monkeypatch, tmp_path):
    usage = lambda path: SimpleNamespace(free=20_000_000, total=30_000_000)  # noqa: E731
    monkeypatch.setattr("tunerstudio.engine.disk.psutil.disk_usage", usage)
    assert DiskWatch(tmp_path).trouble() is None


def test_what_systems_call_a_full_disk_is_recognised():
    assert says_disk_full("OSError: [Errno 28] No space left on device")
    assert not says_disk_full("ValueError: the space is left")
