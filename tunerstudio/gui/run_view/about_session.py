"""What is worth saying about a session: who runs it, why it pauses, how it ended, what will end it."""

from __future__ import annotations

import os
import socket
from datetime import datetime

import psutil
from PySide6.QtCore import QCoreApplication

from tunerstudio.analysis.endings import Endings
from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.formats import as_sentence, format_number
from tunerstudio.gui.run_view.search_phase import SearchPhase
from tunerstudio.study.search import Objective
from tunerstudio.study.trials import SessionRecord


def about_session(study: StudyContext, phase: SearchPhase) -> str:
    """One line under the figures of the banner; "" if there is nothing to add to them."""
    session = study.session
    if session is None:
        return ""
    parts = []
    if phase.is_open and study.runner == "other":
        parts.append(_runner(session))
    if phase is SearchPhase.DIED:
        text = _tr("The program that ran the search (process {pid}) ended without a word. Resume goes on from there.")
        parts.append(text.format(pid=session.pid))
    elif session.message and phase in (SearchPhase.PAUSED, SearchPhase.STOPPED, SearchPhase.FINISHED):
        parts.append(f"{as_sentence(session.message).rstrip('.')}.")
    return " ".join(parts)


def about_endings(found: Endings, objective: Objective) -> str:
    """What ends the search before its trials are used up, in a sentence; "" if nothing does."""
    parts = []
    if found.finish_at is not None:
        parts.append(_tr("at {time}").format(time=_moment(found.finish_at)))
    if found.plateau is not None:
        text = _tr("after {n} trials without improvement (now {k})")
        parts.append(text.format(n=found.plateau, k=found.since_best))
    if found.target is not None:
        sign = "≥" if objective.direction == "max" else "≤"
        parts.append(
            _tr("at {name} {sign} {score}").format(name=objective.name, sign=sign, score=format_number(found.target))
        )
    return _tr("Ends early {when}.").format(when=_tr(" or ").join(parts)) if parts else ""


def _runner(session: SessionRecord) -> str:
    since = _moment(session.started_at)
    if session.machine != socket.gethostname():
        text = _tr("Run on {machine} since {since} (process {pid}).")
    elif _is_in_background(session.pid):
        text = _tr("Running in the background since {since} (process {pid}).")
    else:
        text = _tr("Run by another program since {since} (process {pid}).")
    return text.format(machine=session.machine, since=since, pid=session.pid)


def _is_in_background(pid: int) -> bool:
    """Whether nobody waits for process `pid` but this program or the system."""
    try:
        return psutil.Process(pid).ppid() in {0, 1, os.getpid()}
    except psutil.Error:
        return False


def _moment(seconds: float) -> str:
    """Clock time; with the date if it is another day."""
    moment = datetime.fromtimestamp(seconds)
    return moment.strftime("%H:%M" if moment.date() == datetime.now().date() else "%Y-%m-%d %H:%M")


def _tr(text: str) -> str:
    return QCoreApplication.translate("AboutSession", text)
