import io
import json
import os
import subprocess
import sys
import threading

import pytest

from tunerstudio.protocol.loop import Channel, ChannelClosedError, serve
from tunerstudio.protocol.service import Notice, Request, to_line
from tunerstudio.study.errors import DataError, ModelError, Problem, StudyError


class Refuses(io.RawIOBase):
    """A pipe whose reader is gone."""

    def writable(self):
        return True

    def write(self, content):
        raise BrokenPipeError("nobody reads")


def answers(handlers, *lines):
    out = io.BytesIO()
    serve(handlers, Channel(out), [line if isinstance(line, bytes) else to_line(line) for line in lines])
    return [json.loads(line) for line in out.getvalue().splitlines()]


def failing(error):
    def handler(params, report):
        raise error

    return {"do": handler}


def test_a_request_is_answered_with_progress_on_the_way():
    def double(params, report):
        report(0.5, "half way")
        report(None)
        return {"value": 2 * params["value"]}

    said = answers({"double": double}, Request(id=7, method="double", params={"value": 4}))
    assert said == [
        {"type": "progress", "id": 7, "fraction": 0.5, "text": "half way"},
        {"type": "progress", "id": 7, "fraction": None, "text": ""},
        {"type": "reply", "id": 7, "result": {"value": 8}},
    ]


def test_errors_for_people_are_told_as_they_are():
    said = answers(failing(DataError("The file is empty.")), Request(id=1, method="do"))[0]
    assert (said["type"], said["id"], said["message"]) == ("failure", 1, "The file is empty.")
    assert "DataError" in said["details"]
    said = answers(failing(ModelError("It does not build.", "the traceback")), Request(id=1, method="do"))[0]
    assert said["details"] == "the traceback"
    problems = [Problem("data.task", "is wrong"), Problem("", "is odd")]
    said = answers(failing(StudyError(problems)), Request(id=1, method="do"))[0]
    assert said["problems"] == [["data.task", "is wrong"], ["", "is odd"]]


@pytest.mark.parametrize("error", [ZeroDivisionError("by zero"), KeyError("x"), MemoryError(), RecursionError()])
def test_unexpected_errors_become_a_sentence_and_the_loop_goes_on(error):
    handlers = {**failing(error), "ping": lambda params, report: {}}
    failure, reply = answers(handlers, Request(id=1, method="do"), Request(id=2, method="ping"))
    assert failure["type"] == "failure"
    assert "'do'" in failure["message"]
    assert "Traceback" in failure["details"]
    assert reply == {"type": "reply", "id": 2, "result": {}}


def test_lines_that_are_no_request():
    said = answers(
        {"ping": lambda params, report: {}}, b"hello\n", b"\n", Notice(name="x"), Request(id=3, method="pong")
    )
    assert [message["type"] for message in said] == ["failure"] * 3
    assert [message["id"] for message in said] == [-1, -1, 3]
    assert "there are ping" in said[2]["message"]


def test_the_loop_ends_when_nobody_listens():
    handled = []

    def note(params, report):
        handled.append(params)
        return {}

    serve(
        {"note": note}, Channel(io.BufferedWriter(Refuses())), [to_line(Request(id=i, method="note")) for i in (1, 2)]
    )
    assert len(handled) == 1
    with pytest.raises(ChannelClosedError):
        Channel(io.BufferedWriter(Refuses())).send(Notice(name="x"))


def test_threads_may_send_at_once():
    read, write = os.pipe()
    with os.fdopen(read, "rb") as source, os.fdopen(write, "wb") as sink:
        channel = Channel(sink)
        threads = [
            threading.Thread(
                target=lambda n=n: [channel.send(Notice(name="n", data={"n": n, "pad": "x" * 500})) for _ in range(50)]
            )
            for n in range(4)
        ]
        for thread in threads:
            thread.start()
        said = [json.loads(source.readline()) for _ in range(200)]
        for thread in threads:
            thread.join()
    assert sorted(message["data"]["n"] for message in said) == [n for n in range(4) for _ in range(50)]


NOISY = """
import os, sys
from tunerstudio.protocol.loop import Channel, claim_stdout, serve

def noise(params, report):
    print("a stray print")
    os.write(1, b"and one below Python\\n")
    return {"heard": True}

serve({"noise": noise}, Channel(claim_stdout()), sys.stdin.buffer)
"""


def test_stray_prints_do_not_reach_the_messages():
    done = subprocess.run(
        [sys.executable, "-c", NOISY],
        input=to_line(Request(id=1, method="noise")),
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert [json.loads(line)["result"] for line in done.stdout.splitlines()] == [{"heard": True}]
    assert b"a stray print" in done.stderr
    assert b"and one below Python" in done.stderr


def test_answers_are_sent_at_once_not_at_the_end():
    with subprocess.Popen(
        [sys.executable, "-c", NOISY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        try:
            for number in (1, 2):
                child.stdin.write(to_line(Request(id=number, method="noise")))
                child.stdin.flush()
                assert json.loads(child.stdout.readline())["id"] == number
            child.stdin.close()
            assert child.wait(timeout=30) == 0
        finally:
            child.kill()
