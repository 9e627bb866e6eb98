"""A study whose code never returns must not keep the program from preparing another one."""

import threading

import pytest

from tunerstudio.engine import engine as engine_module
from tunerstudio.engine.control import SessionControl
from tunerstudio.engine.engine import Engine
from tunerstudio.engine.executors.local import WorkerDiedError
from tunerstudio.engine.session import SessionListener
from tunerstudio.engine.turns import Turns


class HangingWorker:
    """Answers once it was interrupted."""

    def __init__(self):
        self.interrupted = threading.Event()

    def interrupt(self):
        self.interrupted.set()

    def ask(self):
        assert self.interrupted.wait(20)
        raise WorkerDiedError("it was interrupted")


def test_a_worker_that_hangs_is_ended_when_its_turn_is_over():
    turns, hanging, has_begun, deaths, said = Turns(0.2), HangingWorker(), threading.Event(), [], []

    def hang():
        try:
            with turns.take(), turns.using(lambda: hanging) as worker:
                asked = worker()
                has_begun.set()
                asked.ask()
        except WorkerDiedError as error:
            deaths.append(error)

    thread = threading.Thread(target=hang)
    thread.start()
    assert has_begun.wait(20)
    with turns.take(said.append):
        assert len(deaths) == 0 or hanging.interrupted.is_set()
    thread.join(20)
    assert len(deaths) == 1
    assert "given up" in said[0]


def test_the_worker_of_somebody_without_a_turn_is_left_alone():
    turns, other = Turns(0.1), HangingWorker()
    may_end, has_turn = threading.Event(), threading.Event()

    def slow():
        with turns.take():
            has_turn.set()
            assert may_end.wait(20)

    thread = threading.Thread(target=slow)
    thread.start()
    assert has_turn.wait(20)
    with turns.using(lambda: other) as worker:
        worker()
    threading.Timer(0.5, may_end.set).start()
    with turns.take():
        pass
    thread.join(20)
    assert not other.interrupted.is_set()


@pytest.mark.tensorflow
def test_code_that_never_returns_holds_up_no_later_search(code_study, blocks_study, monkeypatch, tmp_path):
    monkeypatch.setenv("TUNERSTUDIO_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(engine_module, "Turns", lambda: Turns(2.0))
    marker = tmp_path / "building"
    hangs = code_study(f"open({str(marker)!r}, 'w').close()\n    while True: pass")
    sound = blocks_study("sound", search={"budget": {"trials": 1}}, training={"epochs": 1})
    control = SessionControl()
    with Engine() as engine:

        def get_ready():
            with pytest.raises(WorkerDiedError):
                engine.get_ready(hangs)

        thread = threading.Thread(target=get_ready)
        thread.start()
        try:
            while not marker.exists():
                thread.join(0.05)
                assert thread.is_alive()
            assert engine.run(sound, control, SessionListener()).reason == "budget"
        finally:
            control.close()
            thread.join(60)
    assert not thread.is_alive()
