"""A service process for tests: speaks the real protocol over real pipes and answers as it is told."""

import json
import os
import sys


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def answer(request):
    number, method, params = request["id"], request["method"], request["params"]
    if method == "echo":
        say({"type": "progress", "id": number, "fraction": 0.5, "text": "half"})
        say({"type": "reply", "id": number, "result": params})
    elif method == "pid":
        say({"type": "reply", "id": number, "result": {"pid": os.getpid()}})
    elif method == "fail":
        say({"type": "failure", "id": number, "message": "It cannot be done.", "problems": [], "details": "why"})
    elif method == "notice":
        say({"type": "notice", "name": params["name"], "data": params["data"]})
        say({"type": "reply", "id": number, "result": {}})
    elif method == "noise":
        sys.stdout.write("not of the protocol\n")
        say({"type": "reply", "id": number, "result": {}})
    elif method == "die":
        sys.stderr.write("last words\n")
        os._exit(7)
    elif method in CANNED:
        say({"type": "reply", "id": number, "result": CANNED[method]})


CANNED = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
for line in sys.stdin:
    answer(json.loads(line))
