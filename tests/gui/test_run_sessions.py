"""The Run page and who runs the search: paused, in the background, interrupted; what workers use."""

import os
import socket
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

from tests.gui.run_history import half_way, with_training
from tunerstudio.analysis.disk import DiskUse
from tunerstudio.gui.pages.run import RunPage
from tunerstudio.gui.run_view.search_phase import SearchPhase, phase_word, search_phase
from tunerstudio.gui.search_form.settings import with_value
from tunerstudio.study.search import Plateau
from tunerstudio.study.trials import Attempt, ResourceUse, SessionRecord, SessionState

pytestmark = pytest.mark.gui


@pytest.fixture
def study(study_context):
    study_context.edit("train longer", with_training(study_context.document))
    return study_context


@pytest.fixture
def page(qtbot, theme, study):
    made = RunPage(theme, None)
    qtbot.addWidget(made)
    made.resize(1190, 620)
    made.set_study(study)
    made.show()
    trials, epochs, _ = half_way()
    study.set_search_state("running")
    study.add_history(trials, epochs)
    made.view.refresh()
    return made


def session(**changes):
    record = SessionRecord(1, SessionState.RUNNING, time.time() - 60, os.getpid(), socket.gethostname(), 2)
    return replace(record, **changes)


def shown(page, *names):
    page.view.refresh()
    buttons = {name: getattr(page.view.banner, f"{name}_button") for name in ("run", "pause", "stop_epoch", "stop_now")}
    visible = {name for name, button in buttons.items() if button.isVisible() and button.isEnabled()}
    assert visible == set(names)
    return page.view.banner


def test_each_state_offers_its_verbs(page, study, qtbot):
    shown(page, "pause", "stop_epoch", "stop_now")
    study.set_search_state("pausing")
    shown(page, "run", "stop_epoch", "stop_now")
    study.set_search_state("paused")
    banner = shown(page, "run", "stop_now")
    assert banner.run_button.text() == "Resume"
    with qtbot.waitSignal(page.action_requested) as asked:
        qtbot.mouseClick(banner.run_button, Qt.MouseButton.LeftButton)
    assert asked.args == ["go_on"]
    study.set_search_state("stopping")
    shown(page, "stop_now")
    study.set_search_state("idle")
    banner = shown(page, "run")
    with qtbot.waitSignal(page.action_requested) as asked:
        qtbot.mouseClick(banner.run_button, Qt.MouseButton.LeftButton)
    assert asked.args == ["run"]


def test_pausing_is_one_click(page, qtbot):
    with qtbot.waitSignal(page.action_requested) as asked:
        qtbot.mouseClick(page.view.banner.pause_button, Qt.MouseButton.LeftButton)
    assert asked.args == ["pause"]
    assert "Resume goes on" in page.view.banner.pause_button.toolTip()


def test_who_runs_it_is_said(page, study):
    shell = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        study.set_session(session(pid=shell.pid), "other")
        page.view.refresh()
        assert page.view.banner.line.text().startswith("Running in the background since ")
        assert f"process {shell.pid}" in page.view.banner.line.text()
    finally:
        shell.communicate(b"\n")
    study.set_session(session(pid=2**22 - 1), "other")
    page.view.refresh()
    assert page.view.banner.line.text().startswith("Run by another program since ")
    study.set_session(session(machine="elsewhere"), "other")
    page.view.refresh()
    assert page.view.banner.line.text().startswith("Run on elsewhere since ")
    study.set_session(session(), "window")
    page.view.refresh()
    assert not page.view.banner.line.isVisible()


def test_why_it_pauses_is_said(page, study):
    paused = session(state=SessionState.PAUSED, reason="failures", message="paused after 10 failed trials in a row")
    study.set_session(paused, "window")
    study.set_search_state("paused")
    page.view.refresh()
    assert page.view.banner.line.text() == "Paused after 10 failed trials in a row."
    assert not page.view.banner.choose_button.isVisibleTo(page)


def test_a_plugin_that_fails_leads_to_the_search_page(page, study, qtbot):
    paused = session(state=SessionState.PAUSED, reason="plugin", message="paused: The search algorithm 'x' raised")
    study.set_session(paused, "window")
    study.set_search_state("paused")
    page.view.refresh()
    assert page.view.banner.choose_button.isVisibleTo(page)
    with qtbot.waitSignal(page.action_requested, check_params_cb=lambda action: action == "go:search"):
        page.view.banner.choose_button.click()


def test_an_engine_that_died_is_said_and_resume_is_offered(page, study):
    study.set_session(session(), "other")
    study.set_search_state("idle")
    study.set_session(session(), "")
    shown(page, "run")
    assert page.view.phase is SearchPhase.DIED
    assert phase_word(page.view.phase) == "Interrupted"
    assert "ended without a word" in page.view.banner.line.text()


def test_what_ends_it_early_is_said(page, study):
    document = with_value(study.document, ["search", "budget", "plateau"], Plateau(trials=20))
    document = with_value(document, ["search", "budget", "target"], 0.99)
    study.edit("limits", with_value(document, ["search", "budget", "finish_by"], "2100-01-01 07:00"))
    page.view.refresh()
    text = page.view.banner.line.text()
    assert "at 2100-01-01 07:00 or after 20 trials without improvement (now " in text
    assert text.endswith("or at val_accuracy ≥ 0.99.")


@pytest.mark.parametrize(
    ("state", "done", "died", "phase"),
    [
        ("paused", 3, False, SearchPhase.PAUSED),
        ("idle", 3, True, SearchPhase.DIED),
        ("idle", 5, True, SearchPhase.FINISHED),
        ("idle", 3, False, SearchPhase.STOPPED),
    ],
)
def test_phases(state, done, died, phase):
    assert search_phase(state, True, done, 5, died) is phase


def test_resources_and_rows_of_workers(page, study, qtbot):
    now = time.time()
    view = page.view
    assert not view.tabs.isTabVisible(view.tabs.indexOf(view.resources))
    study.add_resources(
        [
            ResourceUse(i, now - 10 + i, i % 3, None, 10**9, 40.0 + i, *((70.0, 10**9) if i % 3 else ()))
            for i in range(9)
        ]
    )
    study.set_attempts(
        [Attempt(n, 1, 1 + n % 2, "here", "CPU", now - 20 + n, now - 19 + n, "completed") for n in range(1, 6)]
    )
    study.set_disk(DiskUse(2_000_000, 0, 300_000, 0, 5 * 10**9))
    view.refresh()
    assert view.tabs.isTabVisible(view.tabs.indexOf(view.resources))
    view.tabs.setCurrentWidget(view.resources)
    view.resources.redraw_now()
    assert "engine" in view.resources.legend.text()
    assert "worker 2 48 %" in view.resources.legend.text()
    assert "On disk: 2.3 MB (trials 2.0 MB" in view.resources.note.text()
    view.resources.chooser.setCurrentIndex(view.resources.chooser.findData("gpu"))
    view.resources.redraw_now()
    assert "engine" not in view.resources.legend.text()  # it has no GPU
    view.timeline.redraw_now()
    assert view.timeline._line.rows == ("1", "2")
    view.refresh()
    assert view.tabs.currentWidget() is view.resources  # the user's choice stays
