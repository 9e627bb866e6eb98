import json
import subprocess
import sys

import pytest

from tests.data.desk import measurements, table
from tunerstudio.data.inspect import inspect
from tunerstudio.protocol.preview import Preview
from tunerstudio.protocol.service import Request, from_line, to_line


@pytest.fixture
def service():
    """The data service in its own process, as the window runs it."""
    command = [sys.executable, "-m", "tunerstudio.data"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with child:
        try:
            yield child
        finally:
            child.kill()


def ask(child, number, method, **params):
    """All messages up to the answer."""
    child.stdin.write(to_line(Request(id=number, method=method, params=params)))
    child.stdin.flush()
    said = [from_line(child.stdout.readline())]
    while said[-1].type == "progress":
        said.append(from_line(child.stdout.readline()))
    assert {message.id for message in said} == {number}
    return said


def test_the_service_inspects_and_ends_with_its_input(service, desk):
    desk.write(table(measurements()))
    assert ask(service, 1, "ping")[-1].type == "reply"
    said = ask(service, 2, "inspect", data=desk.data().model_dump(mode="json"), folder=str(desk.folder))
    assert {message.text for message in said[:-1]} >= {"Reading", "Looking at the columns"}
    assert Preview.model_validate(said[-1].result["preview"]) == inspect(desk.data(), desk.folder)

    missing = {"source": {"kind": "file", "path": "other.csv"}}
    failure = ask(service, 3, "inspect", data=missing, folder=str(desk.folder))[-1]
    assert failure.type == "failure"
    assert "There is no file" in failure.message

    wrong = {"source": {"kind": "file", "path": "data.csv"}, "tsk": "binary", "split": {"validation": 3}}
    failure = ask(service, 4, "inspect", data=wrong, folder=str(desk.folder))[-1]
    assert dict(failure.problems).keys() == {"data.tsk", "data.split.validation"}
    assert ask(service, 5, "inspect")[-1].problems == (("data", "this field is required"),)

    service.stdin.close()
    assert service.wait(timeout=30) == 0
    assert service.stderr.read() == b""


def test_every_line_of_a_preview_is_plain_json(service, desk):
    """No NaN or Infinity, which are no JSON, whatever the columns hold."""
    rows = [[str(10**i) if i < 308 else "inf", "", "ab"[i % 2]] for i in range(320)]
    desk.write(table(rows, ["huge", "void", "y"]))
    service.stdin.write(
        to_line(
            Request(
                id=1, method="inspect", params={"data": desk.data().model_dump(mode="json"), "folder": str(desk.folder)}
            )
        )
    )
    service.stdin.close()

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    lines = [json.loads(line, parse_constant=refuse) for line in service.stdout]
    assert lines[-1]["type"] == "reply"
