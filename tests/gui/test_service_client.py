"""The client of a service process, against a real child process."""

import os
import socket
import sys
from pathlib import Path

import psutil
import pytest

from tunerstudio.gui.service_client import ServiceClient

pytestmark = pytest.mark.gui
FAKE = str(Path(__file__).with_name("fake_service.py"))


@pytest.fixture
def client(qtbot, tmp_path):
    made = ServiceClient("fake service", [sys.executable, FAKE], tmp_path / "logs" / "fake.log")
    yield made
    made.stop()
    made.deleteLater()


class Answers:
    """Collects what callbacks bring."""

    def __init__(self):
        self.replies, self.failures, self.progress = [], [], []

    def ask(self, client, method, **params):
        return client.request(method, params, self.replies.append, self.failures.append, self.progress.append)


def test_a_request_before_the_start_is_answered_after_it(client, qtbot):
    answers = Answers()
    answers.ask(client, "echo", text="año")
    client.start()
    qtbot.waitUntil(lambda: answers.replies == [{"text": "año"}])
    assert [(p.fraction, p.text) for p in answers.progress] == [(0.5, "half")]
    assert not client.busy


def test_a_failure_reaches_its_callback_or_becomes_a_notice(client, qtbot):
    answers = Answers()
    client.start()
    answers.ask(client, "fail")
    qtbot.waitUntil(lambda: len(answers.failures) == 1)
    assert answers.failures[0].message == "It cannot be done."
    with qtbot.waitSignal(client.notice) as heard:
        client.request("fail", {}, answers.replies.append)
    assert heard.args == ["failure", {"message": "It cannot be done.", "details": "why"}]


def test_notices_and_stray_output_are_told(client, qtbot):
    client.start()
    with qtbot.waitSignal(client.notice) as heard:
        Answers().ask(client, "notice", name="device", data={"device": "CPU"})
    assert heard.args == ["device", {"device": "CPU"}]
    with qtbot.waitSignal(client.notice) as heard:
        Answers().ask(client, "noise")
    assert heard.args == ["log", {"text": "not of the protocol"}]


def test_a_service_that_dies_fails_its_requests_and_comes_back(client, qtbot):
    answers = Answers()
    client.start()
    answers.ask(client, "die")
    qtbot.waitUntil(lambda: len(answers.failures) == 1)
    assert "exit code 7" in answers.failures[0].message
    assert "last words" in client.log_file.read_text()
    answers.ask(client, "echo", again=True)
    qtbot.waitUntil(lambda: answers.replies == [{"again": True}])


def test_a_service_that_dies_at_every_start_stays_down(qtbot, tmp_path):
    client = ServiceClient("fake service", [sys.executable, "-c", "raise SystemExit(3)"], tmp_path / "fake.log")
    with qtbot.waitSignal(client.state_changed, check_params_cb=lambda state: state == "broken"):
        client.start()
    client.stop()


def test_a_command_that_does_not_exist_is_told(qtbot, tmp_path):
    client = ServiceClient("fake service", [str(tmp_path / "nothing")], tmp_path / "fake.log")
    with qtbot.waitSignal(client.ended) as heard:
        client.start()
    assert "could not be started" in heard.args[0]
    client.stop()


def test_cancel_kills_the_process_and_forgets_its_requests(client, qtbot):
    answers = Answers()
    client.start()
    answers.ask(client, "pid")
    qtbot.waitUntil(lambda: len(answers.replies) == 1)
    answers.ask(client, "never answered")
    client.restart()
    assert not client.busy
    answers.ask(client, "pid")
    qtbot.waitUntil(lambda: len(answers.replies) == 2)
    assert answers.replies[0]["pid"] != answers.replies[1]["pid"]
    assert not answers.failures


def test_a_forgotten_request_stays_silent(client, qtbot):
    answers = Answers()
    client.start()
    number = answers.ask(client, "echo", first=True)
    client.forget(number)
    answers.ask(client, "echo", second=True)
    qtbot.waitUntil(lambda: len(answers.replies) == 1)
    assert answers.replies == [{"second": True}]


SURVIVOR = """
import os, socket, sys
from pathlib import Path
home = Path(sys.argv[1])
enough = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
(home / "pid").write_text(str(os.getpid()))
sys.stdin.read()
(home / "alone").touch()
enough.recv(1)
print("nobody hears this", flush=True)
(home / "over").touch()
"""


@pytest.fixture
def survivor(qtbot, tmp_path):
    """A client of a process that ends when the connection that it makes to `enough` is closed."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20.0)
        port = str(server.getsockname()[1])
        made = ServiceClient("engine", [sys.executable, "-c", SURVIVOR, str(tmp_path), port], tmp_path / "log")
        made.start()
        with server.accept()[0] as enough:
            yield made, enough
        made.stop()
        made.deleteLater()


def test_a_process_that_was_let_go_outlives_its_client(qtbot, tmp_path, survivor):
    client, enough = survivor
    qtbot.waitUntil(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()))
    with qtbot.assertNotEmitted(client.ended):
        client.let_go()
        qtbot.waitUntil((tmp_path / "alone").exists)
    client.stop()
    process = psutil.Process(int((tmp_path / "pid").read_text()))
    assert process.is_running()
    if hasattr(os, "getsid"):
        assert os.getsid(process.pid) == process.pid
    enough.close()
    qtbot.waitUntil((tmp_path / "over").exists)
    assert psutil.wait_procs([process], timeout=10)[1] == []


def test_after_letting_go_a_request_starts_another_process(client, qtbot):
    answers = Answers()
    client.start()
    answers.ask(client, "pid")
    qtbot.waitUntil(lambda: len(answers.replies) == 1)
    client.let_go()
    assert client.state == "stopped"
    answers.ask(client, "pid")
    qtbot.waitUntil(lambda: len(answers.replies) == 2)
    assert answers.replies[0]["pid"] != answers.replies[1]["pid"]
