import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QPushButton

from tests.gui.run_history import completed_trial, half_way, with_training
from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.pages.base import Readiness
from tunerstudio.gui.pages.run import RunPage
from tunerstudio.gui.run_view.search_phase import SearchPhase, format_eta, search_phase
from tunerstudio.store.reader import LogLine
from tunerstudio.study.trials import TrialState

pytestmark = pytest.mark.gui


@pytest.fixture
def study(study_context: StudyContext):
    study_context.edit("train longer", with_training(study_context.document))
    return study_context


@pytest.fixture
def page(qtbot, theme, study):
    made = RunPage(theme, None)
    qtbot.addWidget(made)
    made.resize(1190, 620)
    made.set_study(study)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    return made


@pytest.fixture
def live(page, study):
    """A search half way, running."""
    trials, epochs, log = half_way()
    study.set_search_state("running", "")
    study.add_history(trials, epochs)
    study.add_log(log)
    page.view.refresh()
    return page


def click(qtbot, button):
    assert button.isVisible()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def click_row(qtbot, page, number, modifier=Qt.KeyboardModifier.NoModifier):
    view = page.view.trials.view
    page.view.trials.view.reveal(number)
    where = view.visualRect(view.model().index(view.model().row_of(number), 1)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, modifier, where)


def test_before_the_first_run(qtbot, page):
    assert page.view is None
    assert page.status().readiness is Readiness.NOT_YET
    button = next(b for b in page.findChildren(QPushButton) if b.text() == "Run" and b.isVisible())
    with qtbot.waitSignal(page.action_requested) as asked:
        click(qtbot, button)
    assert asked.args == ["run"]


def test_building_the_page_opens_no_other_window(live, qapp):
    assert live.isActiveWindow()
    assert [widget for widget in qapp.topLevelWidgets() if widget.isVisible()] == [live]


def test_plots_are_not_imported_before_they_are_needed():
    code = "import sys, tunerstudio.gui.pages.run, tunerstudio.gui.pages.models; print('pyqtgraph' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_banner_of_a_running_search(qtbot, live):
    banner = live.view.banner
    assert live.view.phase is SearchPhase.RUNNING
    assert banner.trials_text.text() == "Trial 24 of 50"
    assert banner.epochs_text.text() == "Epoch 7 of 15 · execution 2 of 3"
    assert banner.eta_text.text().endswith(" s")
    assert banner.best_button.text() == "0.9834 (trial 23)"
    assert not banner.run_button.isVisible()
    assert live.status().readiness is Readiness.READY
    assert "val_accuracy" in live.status().sentence


@pytest.mark.parametrize(("button", "command"), [("stop_epoch_button", "stop:epoch"), ("stop_now_button", "stop:now")])
def test_stopping(qtbot, live, button, command):
    found = getattr(live.view.banner, button)
    assert len(found.toolTip()) > 20
    with qtbot.waitSignal(live.action_requested) as asked:
        click(qtbot, found)
    assert asked.args == [command]


def test_a_stopping_search_can_still_be_stopped_now(live, study):
    study.set_search_state("stopping", "")
    live.view.refresh()
    assert not live.view.banner.stop_epoch_button.isEnabled()
    assert live.view.banner.stop_now_button.isEnabled()


def test_resuming(qtbot, live, study):
    study.set_search_state("idle", "")
    live.view.refresh()
    assert live.view.phase is SearchPhase.STOPPED
    assert not live.view.banner.stop_now_button.isVisible()
    assert live.view.banner.run_button.text() == "Resume"
    with qtbot.waitSignal(live.action_requested) as asked:
        click(qtbot, live.view.banner.run_button)
    assert asked.args == ["run"]


def test_more_trials_after_the_budget(qtbot, live, study):
    rng = np.random.default_rng(2)
    study.add_history([completed_trial(rng, number, 0.0)[0] for number in range(24, 51)], [])
    study.set_search_state("idle", "")
    live.view.refresh()
    assert live.view.phase is SearchPhase.FINISHED
    assert live.view.banner.trials_text.text() == "50 of 50 trials"
    with qtbot.waitSignal(live.action_requested) as asked:
        click(qtbot, live.view.banner.more_button)
    assert asked.args == ["run:59"]


def test_the_best_trial_is_one_click_away(qtbot, live, study):
    with qtbot.waitSignal(study.selection_changed) as selected:
        click(qtbot, live.view.banner.best_button)
    assert selected.args == [[23]]


def test_one_selection_everywhere(qtbot, live, study):
    click_row(qtbot, live, 21)
    assert study.selection == [21]
    click_row(qtbot, live, 20, Qt.KeyboardModifier.ControlModifier)
    assert study.selection == [21, 20]
    live.view.curves.redraw_now()
    for number in (24, 21, 20):
        assert f"Trial {number}" in live.view.curves.legend.text()
    live.view.history.redraw_now()
    plot, history = live.view.history.plot, live.view.history.history
    score = history.scores[history.numbers.tolist().index(7)]
    where = plot.mapFromScene(plot.getViewBox().mapViewToScene(QPointF(7, score)))
    qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, where)
    assert study.selection == [21, 20, 7]
    assert {trial.number for trial in live.view.trials.view.selected_trials()} == {21, 20, 7}


def test_a_failed_trial_says_why(qtbot, live):
    click_row(qtbot, live, 9)
    message = live.view.trials.message
    assert message.text.startswith("Trial 9 (failed): The loss became NaN in epoch 3")
    details = next(b for b in message.findChildren(QPushButton) if b.text() == "Details" and b.isVisible())
    click(qtbot, details)
    click_row(qtbot, live, 10)
    assert message.text == ""


def test_details_of_a_completed_trial_by_key(qtbot, live):
    click_row(qtbot, live, 22)
    assert live.view.trials.view.hasFocus()
    qtbot.keyClick(live.view.trials.view, Qt.Key.Key_Return, Qt.KeyboardModifier.AltModifier)
    assert "dense_1_units" in live.view.trials.message.text


def test_filtering_by_typing(qtbot, live):
    panel = live.view.trials
    assert panel.count_label.text() == "24"
    qtbot.keyClicks(panel.filter_box, "state=failed")
    qtbot.waitUntil(lambda: panel.count_label.text() == "1 of 24")
    assert panel.item_model.rowCount() == 1


def test_the_running_row_shows_its_progress(live, study):
    model = live.view.trials.item_model
    keys = [column.key for column in model.columns]
    row = model.row_of(24)
    assert model.index(row, keys.index("epochs")).data() == "7/15 (2 of 3)"
    assert model.index(row, keys.index("score")).data().endswith("…")


def test_live_batches_reach_table_and_plots(qtbot, live, study):
    trial, epochs = completed_trial(np.random.default_rng(3), 25, 0.0)
    study.add_history([trial], epochs)
    assert live.view.trials.item_model.row_of(25) == 0
    qtbot.waitUntil(lambda: len(live.view.history.history) == 23)


def test_cards_appear_with_their_data(qtbot, page, study):
    study.set_search_state("starting", "")
    view = page.view
    view.refresh()
    assert view.phase is SearchPhase.STARTING
    assert not view.history.isVisible()
    assert not view.curves.isVisible()
    trials, epochs, _ = half_way()
    study.add_history(trials[-1:], epochs[-7:])
    view.refresh()
    assert view.curves.isVisible()
    assert not view.history.isVisible()
    study.add_history(trials[:1], [])
    view.refresh()
    assert view.history.isVisible()
    assert not view.tabs.isTabVisible(view.tabs.indexOf(view.parallel))
    study.add_history(trials[1:4], [])
    view.refresh()
    assert view.tabs.isTabVisible(view.tabs.indexOf(view.parallel))


def test_the_best_trial_is_there_to_compare_with(live, study):
    live.view.curves.redraw_now()
    assert "Trial 24" in live.view.curves.legend.text()
    assert "Trial 23" in live.view.curves.legend.text()


def test_the_timeline_comes_first_until_a_tab_is_chosen(qtbot, live, study):
    tabs = live.view.tabs
    assert tabs.currentWidget() is live.view.timeline
    bar = tabs.tabBar()
    where = bar.tabRect(tabs.indexOf(live.view.log)).center()
    qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=where)
    study.add_history([completed_trial(np.random.default_rng(0), 30, 0.0)[0]], [])
    live.view.refresh()
    assert tabs.currentWidget() is live.view.log


def test_a_reset_empties_everything(live, study):
    study.reset_history()
    live.view.refresh()
    assert live.view.trials.item_model.rowCount() == 0
    assert live.view.log.toPlainText() == ""
    assert not live.view.history.isVisible()


def test_the_log_grows_and_colours_errors(live, study, theme):
    log = live.view.log
    lines = log.toPlainText().splitlines()
    assert len(lines) == len(study.log)
    assert any("error: Trial 9 failed" in line for line in lines)
    study.add_log([LogLine(0.0, "warning", "slow disk")])
    assert log.toPlainText().endswith("warning: slow disk")
    block = log.document().lastBlock()
    assert block.begin().fragment().charFormat().foreground().color() == theme.color("warning")


def test_another_study_takes_over(qtbot, live, study, tmp_path, document):
    other = StudyContext(tmp_path / "other", document)
    live.set_study(other)
    assert not live.view.isVisible()
    study.add_history([completed_trial(np.random.default_rng(0), 30, 0.0)[0]], [])
    assert live.view.trials.item_model.rowCount() == 0
    live.set_study(None)
    live.set_study(study)
    assert live.view.trials.item_model.rowCount() == 25
    other.deleteLater()


def test_a_finished_history_opens_without_a_search(qtbot, theme, study):
    trials, epochs, _ = half_way()
    study.add_history(trials[:-1], epochs)
    made = RunPage(theme, None)
    qtbot.addWidget(made)
    made.set_study(study)
    assert made.view.phase is SearchPhase.STOPPED
    assert made.view.trials.item_model.rowCount() == 23
    assert made.view.banner.best_button.text() == "0.9834 (trial 23)"


@pytest.mark.parametrize(
    ("range_s", "text"),
    [
        (None, "–"),
        ((0.2, 3.0), "a few seconds"),
        ((6.4, 11.2), "6–12 s"),
        ((21.0, 33.0), "20–35 s"),
        ((130.0, 170.0), "2–3 min"),
        ((5.0, 100.0), "up to 2 min"),
        ((5500.0, 7300.0), "1.5–2.5 h"),
        ((90_000.0, 400_000.0), "1 d 1 h – 4 d 15 h"),
    ],
)
def test_time_left_in_words(range_s, text):
    assert format_eta(range_s) == text


def test_phases():
    assert search_phase("idle", has_trials=False, done=0, budget=5) is SearchPhase.NEW
    assert search_phase("idle", has_trials=True, done=4, budget=5) is SearchPhase.STOPPED
    assert search_phase("idle", has_trials=True, done=5, budget=5) is SearchPhase.FINISHED
    assert search_phase("running", has_trials=True, done=5, budget=5) is SearchPhase.RUNNING


def test_the_keyboard_goes_on_from_stop_to_resume(qtbot, live, study):
    banner = live.view.banner
    banner.stop_now_button.setFocus()
    study.set_search_state("idle", "")
    live.view.refresh()
    assert banner.run_button.hasFocus()


def test_time_left_counts_the_workers(live, study):
    document = study.document

    def longest():
        how_far = live.view.banner.eta_text.text().split()[0]
        return float(how_far.split("–")[-1])

    def with_workers(number):
        search = document.search.model_copy(update={"workers": number})
        study.edit(f"{number} workers", document.model_copy(update={"search": search}))
        live.view.refresh()
        return longest()

    assert with_workers(2) < with_workers(1)


def test_a_trial_without_curves_leaves_the_best_to_look_at(live, study):
    study.set_search_state("idle", "")
    failed = next(n for n, trial in study.trials.items() if trial.state is TrialState.FAILED)
    study.select([failed])
    assert live.view.curves._trials == [23]


def test_a_selected_trial_says_why_it_was_tried_as_long_as_it_is_selected(qtbot, live, study):
    panel = live.view.trials
    trial, _ = completed_trial(np.random.default_rng(0), 22, 0.0)
    why = "Expected improvement 0.01"
    study.add_history([replace(trial, state=TrialState.RUNNING, reason=why)], [])
    live.view.refresh()
    study.select([22])
    assert panel.message.text == f"Trial 22 (running): {why}"
    study.add_history([replace(trial, reason=why)], [])
    live.view.refresh()
    assert panel.message.text == f"Trial 22 (completed): {why}"
