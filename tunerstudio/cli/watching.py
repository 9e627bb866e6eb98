"""Watching a search from the terminal, whoever runs it: live progress, and where it stands."""

from __future__ import annotations

import argparse
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from tunerstudio.analysis.clock import trained_s
from tunerstudio.analysis.disk import disk_use
from tunerstudio.analysis.endings import Endings, endings
from tunerstudio.analysis.progress import progress, training_of
from tunerstudio.cli.commands import plain_objective, stored_trials, trial_json
from tunerstudio.cli.output import Output, duration_text, number
from tunerstudio.cli.progress import RunProgress
from tunerstudio.store.lock import is_in_use
from tunerstudio.store.reader import Cursor, StudyReader, has_history
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.files import load_document
from tunerstudio.study.trials import Attempt, Epoch, SessionRecord, SessionState, TrialState, ranked

_POLL_S = 0.2
_LOOKS_WITHOUT_SESSION = 25
"""A program that holds the study that long without a session is only writing something down."""


def watch(options: argparse.Namespace, output: Output) -> int:
    """Show the progress of whoever runs the search until it ends."""
    folder: Path = options.study
    document = load_document(folder)
    try:
        if not _wait_for_search(folder, options.follow, output):
            output.say("No search runs on this study.")
            output.result(_status(folder, document))
            return 0
        _follow(folder, document, output)
    except KeyboardInterrupt:
        output.say("No longer watching; the search goes on.")
        return 0
    document = load_document(folder)
    found = _status(folder, document)
    output.result(found)
    output.say(_ended_text(found))
    return 0


def status(options: argparse.Namespace, output: Output) -> int:
    """Say where a search stands and who runs it."""
    folder: Path = options.study
    document = load_document(folder)
    found = _status(folder, document)
    output.result(found)
    for line in _status_lines(document, found):
        output.say(line)
    return 0


# -- watching -----------------------------------------------------------------------------------------------------


def _wait_for_search(folder: Path, follow: bool, output: Output) -> bool:
    """Whether a search runs; with `follow` waits for one."""
    if follow and not is_in_use(folder):
        output.note("waiting for a search to start")
    while follow and not is_in_use(folder):
        time.sleep(_POLL_S)
    for _ in range(_LOOKS_WITHOUT_SESSION):
        if not is_in_use(folder):
            return False
        session = _session(folder)
        if session is not None and session.state is not SessionState.ENDED:
            return True
        time.sleep(_POLL_S)
    return False


def _follow(folder: Path, document: StudyDocument, output: Output) -> None:
    shown = RunProgress(document, stored_trials(folder), None, output)
    listener = shown.listener()
    with StudyReader(folder) as reader, shown:
        cursor, is_first, was_paused = Cursor(), True, False
        while True:
            running = is_in_use(folder)
            changes = reader.changes(cursor)
            cursor = changes.cursor
            for trial in changes.trials:
                if not is_first or not trial.state.is_finished:
                    listener.on_trial(trial)
            listener.on_epochs(changes.epochs)
            for line in changes.log if not is_first else ():
                listener.on_log(line.level, line.text)
            is_first = is_first and changes.more
            session = reader.session()
            is_paused = session is not None and session.state is SessionState.PAUSED
            if is_paused and not was_paused and session is not None:
                output.note(f"paused: {session.message or 'by the user'}")
            was_paused = is_paused
            if not running and not changes.more:
                return
            if not changes.more:
                time.sleep(_POLL_S)


# -- status -------------------------------------------------------------------------------------------------------


def _session(folder: Path) -> SessionRecord | None:
    if not has_history(folder):
        return None
    with StudyReader(folder) as reader:
        return reader.session()


def _attempts(folder: Path) -> list[Attempt]:
    if not has_history(folder):
        return []
    with StudyReader(folder) as reader:
        return reader.attempts()


def _status(folder: Path, document: StudyDocument) -> dict[str, Any]:
    """Everything that `status --json` tells."""
    session, trials, epochs = _session(folder), stored_trials(folder), _running_epochs(folder)
    in_use = is_in_use(folder)
    running = in_use and session is not None and session.state is not SessionState.ENDED
    began = session.started_at if running and session is not None else time.time()
    early = endings(document.search.budget, document.search.objective, trials, began, time.time())
    slots = session.workers if running and session is not None else 1
    left = None if early.finish_at is None else early.finish_at - time.time()
    spent_s = trained_s(_attempts(folder), trials, time.time())
    how_far = progress(trials, epochs, document.search.budget, training_of(document), slots, left, spent_s)
    best_first = ranked(trials, document.search.objective.direction)
    best = best_first[0] if best_first and best_first[0].state is TrialState.COMPLETED else None
    return {
        "study": str(folder),
        "name": document.name,
        "objective": plain_objective(document),
        "running": running,
        "died": not in_use and session is not None and session.state is not SessionState.ENDED,
        "session": None if session is None else _session_json(session),
        "trials": {s.value: sum(1 for t in trials if t.state is s) for s in TrialState},
        "done": how_far.done,
        "planned": how_far.planned,
        "eta_s": list(how_far.eta_s) if running and how_far.eta_s is not None else None,
        "ends": _endings_json(early),
        "best": None if best is None else trial_json(best),
        "disk_bytes": disk_use(folder).total,
    }


def _running_epochs(folder: Path) -> dict[tuple[int, int], list[Epoch]]:
    """Epochs of the running trials, by trial and execution."""
    found: dict[tuple[int, int], list[Epoch]] = {}
    if not has_history(folder):
        return found
    with StudyReader(folder) as reader:
        for trial in reader.trials():
            if trial.state is TrialState.RUNNING:
                for epoch in reader.epochs(trial.number):
                    found.setdefault((epoch.trial, epoch.execution), []).append(epoch)
    return found


def _session_json(session: SessionRecord) -> dict[str, Any]:
    return {
        "number": session.number,
        "state": session.state.value,
        "reason": session.reason,
        "message": session.message,
        "pid": session.pid,
        "machine": session.machine,
        "workers": session.workers,
        "executor": session.executor,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
    }


def _endings_json(early: Endings) -> dict[str, Any]:
    return {
        "finish_at": early.finish_at,
        "plateau_trials": early.plateau,
        "trials_since_best": early.since_best if early.plateau is not None else None,
        "target": early.target,
    }


def _status_lines(document: StudyDocument, found: dict[str, Any]) -> list[str]:
    counts = ", ".join(f"{count} {state.lower()}" for state, count in found["trials"].items() if count)
    lines = [f"{document.name}: {_state_text(found)}", f"Trials: {counts or 'none yet'}; budget {found['planned']}."]
    if found["eta_s"] is not None:
        low, high = found["eta_s"]
        lines.append(f"Time left: {duration_text(low)} to {duration_text(high)}.")
    if found["running"] and found["ends"]["finish_at"] is not None:
        lines.append(f"It ends at {_clock(found['ends']['finish_at'])} at the latest.")
    best = found["best"]
    if best is not None:
        lines.append(f"Best: trial {best['number']}, {found['objective']['name']} {number(best['score'])}.")
    lines.append(f"On disk: {found['disk_bytes'] / 1e6:.1f} MB.")
    return lines


def _state_text(found: dict[str, Any]) -> str:
    session = found["session"]
    if session is None:
        return "not running" if any(found["trials"].values()) else "not started"
    who = f"process {session['pid']} on {session['machine']}, since {_clock(session['started_at'])}"
    if found["running"]:
        why = f": {session['message']}" if session["message"] and session["state"] == "paused" else ""
        return f"{session['state']} ({who}; workers: {session['workers']}){why}"
    if found["died"]:
        return f"interrupted: the program that ran it ended without a word ({who}); run it again to go on"
    return f"ended: {session['message'] or session['reason']}"


def _ended_text(found: dict[str, Any]) -> str:
    text = _state_text(found)
    return f"{text[0].upper()}{text[1:]}."


def _clock(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds)
    return moment.strftime("%H:%M" if moment.date() == datetime.now().date() else "%Y-%m-%d %H:%M")
