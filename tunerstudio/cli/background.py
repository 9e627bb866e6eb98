"""Starting a search that goes on without the terminal it was started from."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from tunerstudio.cli.output import Output
from tunerstudio.store.lock import is_in_use
from tunerstudio.store.reader import StudyReader, has_history
from tunerstudio.store.schema import StoreError
from tunerstudio.study.errors import Problem, StudyError, TunerStudioError
from tunerstudio.study.files import load_document
from tunerstudio.study.trials import SessionState

LOG_FILE = "background.log"
"""In the study's folder: what a search in the background printed."""

_NOT_UNDER_WAY = (SessionState.STARTING, SessionState.ENDED)
_START_LIMIT_S = 300.0
_POLL_S = 0.1


def run_in_background(options: argparse.Namespace, output: Output) -> int:
    """Start the search in a process of its own and return once it is under way."""
    folder: Path = options.study
    load_document(folder)
    if is_in_use(folder):
        raise TunerStudioError(f"a search runs on this study already: tunerstudio watch {quote(str(folder))}")
    process = _start(folder, options.trials)
    is_running = _wait_until_started(folder, process)
    output.result({"study": str(folder), "pid": process.pid, "running": is_running, "log": str(folder / LOG_FILE)})
    if not is_running:
        output.say(f"The search is over already: tunerstudio status {quote(str(folder))}")
        return 0
    output.say(f"The search runs in the background (process {process.pid}).")
    output.say(f"Next: tunerstudio watch {quote(str(folder))}   or   tunerstudio stop {quote(str(folder))}")
    process.returncode = 0  # it outlives this program, which is no leak
    return 0


def _start(folder: Path, trials: int | None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tunerstudio", "run", str(folder.resolve()), "--json"]
    command += [] if trials is None else ["--trials", str(trials)]
    own: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        own = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    package_parent = str(Path(__file__).resolve().parents[2])
    paths = [package_parent, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), "PYTHONUTF8": "1"}
    try:
        log = (folder / LOG_FILE).open("wb")
    except OSError as error:
        raise StoreError(f"{folder} cannot be written to ({error.strerror}): copy the study elsewhere") from error
    with log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, **own)


def _wait_until_started(folder: Path, process: subprocess.Popen[bytes]) -> bool:
    """Return when its session trains; False: it had nothing to do. Raises what it failed with, if it ends before."""
    until = time.monotonic() + _START_LIMIT_S
    while not _has_started(folder, process.pid):
        if process.poll() is not None:
            if process.returncode in {0, 3}:
                return False
            raise _failure(folder / LOG_FILE)
        if time.monotonic() > until:
            raise TunerStudioError(
                f"process {process.pid} has not begun to search within {_START_LIMIT_S:g} s; see {folder / LOG_FILE}"
            )
        time.sleep(_POLL_S)
    return True


def _has_started(folder: Path, pid: int) -> bool:
    if not has_history(folder):
        return False
    try:
        with StudyReader(folder) as reader:
            session = reader.session()
    except StoreError:
        return False  # it is just being made
    return session is not None and session.pid == pid and session.state not in _NOT_UNDER_WAY


def _failure(log: Path) -> TunerStudioError:
    """What a search that ended before it began says on its last lines: the JSON that every command prints."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    told = _last_json(lines)
    if told is None:
        return TunerStudioError(f"the search ended before it began; see {log}")
    problems = [Problem(item["field"], item["message"]) for item in told.get("problems", ())]
    return StudyError(problems) if problems else TunerStudioError(str(told.get("error", "the search ended")))


def _last_json(lines: Sequence[str]) -> dict[str, Any] | None:
    for start in range(len(lines) - 1, -1, -1):
        if lines[start] == "{":
            try:
                found = json.loads("\n".join(lines[start:]))
            except json.JSONDecodeError:
                return None
            return found if isinstance(found, dict) else None
    return None
