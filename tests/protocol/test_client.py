"""The plain client of a service process."""

from pathlib import Path

import pytest

from tunerstudio.protocol.client import ServiceError, ServiceProcess


@pytest.fixture(autouse=True)
def tests_can_be_imported(monkeypatch):
    monkeypatch.chdir(Path(__file__).resolve().parents[2])


def test_a_notice_that_comes_before_the_answer_is_not_lost(tmp_path):
    with ServiceProcess("tests.protocol.chatty", tmp_path / "log") as service:
        assert service.request("run") == {"done": True}
        assert service.request("end") == {"done": True}
        assert [message.data["method"] for message in service.messages()] == ["run", "end"]


def test_a_service_that_has_ended_is_a_sentence(tmp_path):
    with ServiceProcess("tests.protocol.chatty", tmp_path / "log") as service:
        service.request("end")
        service._process.wait(20)
        for _ in range(2):
            with pytest.raises(ServiceError, match="ended with code 0"):
                service.request("run")
