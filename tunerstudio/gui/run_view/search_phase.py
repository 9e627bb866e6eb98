"""Where a search stands, in the words of the banner; and how long it may take, as a range."""

from __future__ import annotations

import math
from enum import Enum

from PySide6.QtCore import QCoreApplication

from tunerstudio.gui.formats import format_duration
from tunerstudio.study.trials import TrialState


class SearchPhase(Enum):
    """What a person wants to know about a search at a glance."""

    NEW = "new"
    STARTING = "starting"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DIED = "died"
    FINISHED = "finished"

    @property
    def is_active(self) -> bool:
        """Whether the engine is at work."""
        return self in (SearchPhase.STARTING, SearchPhase.RUNNING, SearchPhase.PAUSING, SearchPhase.STOPPING)

    @property
    def is_open(self) -> bool:
        """Whether a session is under way, be it at work or paused."""
        return self.is_active or self is SearchPhase.PAUSED


def search_phase(search_state: str, has_trials: bool, done: int, budget: int, has_died: bool = False) -> SearchPhase:
    """The phase of a search.

    Args:
        search_state: idle, starting, running, pausing, paused or stopping, as the engine says.
        has_trials: Whether there is any trial.
        done: Trials that count towards the budget.
        budget: Trials that the budget allows.
        has_died: Whether its engine ended without a word.
    """
    if search_state != "idle":
        return SearchPhase(search_state)
    if not has_trials:
        return SearchPhase.NEW
    if done >= budget:
        return SearchPhase.FINISHED
    return SearchPhase.DIED if has_died else SearchPhase.STOPPED


def phase_word(phase: SearchPhase) -> str:
    """The translated word."""
    words = {
        SearchPhase.NEW: _tr("Not started"),
        SearchPhase.STARTING: _tr("Starting"),
        SearchPhase.RUNNING: _tr("Running"),
        SearchPhase.PAUSING: _tr("Pausing"),
        SearchPhase.PAUSED: _tr("Paused"),
        SearchPhase.STOPPING: _tr("Stopping"),
        SearchPhase.STOPPED: _tr("Stopped"),
        SearchPhase.DIED: _tr("Interrupted"),
        SearchPhase.FINISHED: _tr("Finished"),
    }
    return words[phase]


def phase_look(phase: SearchPhase) -> TrialState:
    """The trial state whose colour the phase shares."""
    looks = {
        SearchPhase.NEW: TrialState.QUEUED,
        SearchPhase.STARTING: TrialState.RUNNING,
        SearchPhase.RUNNING: TrialState.RUNNING,
        SearchPhase.PAUSING: TrialState.PAUSED,
        SearchPhase.PAUSED: TrialState.PAUSED,
        SearchPhase.STOPPING: TrialState.PRUNED,
        SearchPhase.STOPPED: TrialState.CANCELLED,
        SearchPhase.DIED: TrialState.FAILED,
        SearchPhase.FINISHED: TrialState.COMPLETED,
    }
    return looks[phase]


def format_eta(range_s: tuple[float, float] | None) -> str:
    """A range of seconds as a person would say it: `20–30 s`, `2–3 min`, `1.5–2 h`; an en dash for None."""
    if range_s is None:
        return "–"
    low, high = range_s
    if high < 5:
        return _tr("a few seconds")
    if high < 90:
        unit, word = (5.0 if high > 20 else 1.0), "s"
        return _between(math.floor(low / unit) * unit, math.ceil(high / unit) * unit, word)
    if high < 5400:
        return _between(math.floor(low / 60), math.ceil(high / 60), "min")
    if high < 172_800:
        return _between(math.floor(low / 1800) / 2, math.ceil(high / 1800) / 2, "h")
    return f"{format_duration(low)} – {format_duration(high)}"


def _between(low: float, high: float, unit: str) -> str:
    if low == high:
        return f"{high:g} {unit}"
    if low == 0:
        return _tr("up to {high} {unit}").format(high=f"{high:g}", unit=unit)
    return f"{low:g}–{high:g} {unit}"


def _tr(text: str) -> str:
    return QCoreApplication.translate("SearchPhase", text)
