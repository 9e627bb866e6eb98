import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication

from tests.gui.run_history import completed_trial, failed_trial, half_way, running_trial
from tunerstudio.analysis.filters import parse_filter
from tunerstudio.gui.trial_table.item_model import NUMBER_ROLE, TrialsItemModel
from tunerstudio.gui.trial_table.view import TrialsView
from tunerstudio.study.trials import Trial, TrialState

pytestmark = pytest.mark.gui

NAMES = ["dense_1_units", "dense_1_activation", "learning_rate"]


@pytest.fixture
def item_model(theme, qtmodeltester):
    made = TrialsItemModel(theme)
    qtmodeltester.check(made, force_py=True)
    made.set_value_names(NAMES, "val_accuracy", {"dense_1_activation"})
    made.update_trials(half_way()[0])
    return made


def numbers(item_model):
    return [item_model.index(row, 0).data(NUMBER_ROLE) for row in range(item_model.rowCount())]


def column(item_model, key):
    return [column.key for column in item_model.columns].index(key)


def cell(item_model, number, key, role=Qt.ItemDataRole.DisplayRole):
    return item_model.index(item_model.row_of(number), column(item_model, key)).data(role)


def test_the_model_keeps_qts_rules(item_model, qtmodeltester):
    rng = np.random.default_rng(3)
    item_model.sort(column(item_model, "score"), Qt.SortOrder.AscendingOrder)
    item_model.set_filter(parse_filter("units>=12"))
    item_model.update_trials([completed_trial(rng, number, 0.0)[0] for number in range(24, 60)])
    item_model.update_trials([completed_trial(rng, 60, 0.0)[0]])
    item_model.set_value_names([*NAMES, "batch_size"], "val_accuracy")
    item_model.set_filter(parse_filter(""))
    item_model.reset([])
    qtmodeltester.check(item_model, force_py=True)


def test_newest_first_until_a_heading_is_clicked(item_model):
    assert numbers(item_model) == list(range(24, 0, -1))


def test_numbers_sort_as_numbers_and_missing_ones_last(item_model):
    score = column(item_model, "score")
    item_model.sort(score, Qt.SortOrder.DescendingOrder)
    found = numbers(item_model)
    scores = [item_model.trial(row).score for row in range(22)]
    assert scores == sorted(scores, reverse=True)
    assert set(found[-2:]) == {9, 24}
    item_model.sort(score, Qt.SortOrder.AscendingOrder)
    assert set(numbers(item_model)[-2:]) == {9, 24}
    units = column(item_model, "value:dense_1_units")
    item_model.sort(units, Qt.SortOrder.AscendingOrder)
    values = [item_model.trial(row).values["dense_1_units"] for row in range(24)]
    assert values == sorted(values)
    assert values[0] == 9


@pytest.mark.parametrize("order", [Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder])
@pytest.mark.parametrize("key", ["state", "number", "score", "time", "message", "value:dense_1_activation"])
def test_single_insertions_land_where_sorting_would_put_them(theme, key, order):
    rng = np.random.default_rng(4)
    trials = [failed_trial(rng, n, 0.0) if n % 5 == 0 else completed_trial(rng, n, 0.0)[0] for n in range(1, 31)]
    one_by_one, at_once = TrialsItemModel(theme), TrialsItemModel(theme)
    for made in (one_by_one, at_once):
        made.set_value_names(NAMES, "val_accuracy")
        made.sort(column(made, key), order)
    for trial in trials:
        one_by_one.update_trials([trial])
    at_once.update_trials(trials)
    assert numbers(one_by_one) == numbers(at_once)


def test_a_changed_trial_moves_to_its_place(item_model):
    item_model.sort(column(item_model, "score"), Qt.SortOrder.DescendingOrder)
    finished, _ = completed_trial(np.random.default_rng(5), 24, 0.0)
    item_model.update_trials([finished])
    scores = [item_model.trial(row).score for row in range(23)]
    assert scores == sorted(scores, reverse=True)
    assert numbers(item_model)[-1] == 9


def test_filtering(item_model):
    item_model.set_filter(parse_filter("failed"))
    assert numbers(item_model) == [9]
    assert item_model.total == 24
    item_model.set_filter(parse_filter("activation=tanh dense_1_activation=tanh"))
    assert numbers(item_model) == []
    item_model.set_filter(parse_filter("dense_1_activation=tanh"))
    assert 0 < item_model.rowCount() < 24


def test_a_trial_that_stops_passing_the_filter_leaves(item_model):
    item_model.set_filter(parse_filter("running"))
    assert numbers(item_model) == [24]
    item_model.update_trials([completed_trial(np.random.default_rng(5), 24, 0.0)[0]])
    assert numbers(item_model) == []


def test_cells(item_model, theme):
    assert cell(item_model, 1, "score").endswith("(3)")
    assert "±" in cell(item_model, 1, "score")
    assert cell(item_model, 9, "message").startswith("The loss became NaN")
    assert cell(item_model, 9, "score", Qt.ItemDataRole.ToolTipRole).startswith("The loss became NaN")
    assert cell(item_model, 9, "state") == "failed"
    assert cell(item_model, 9, "state", Qt.ItemDataRole.ForegroundRole) == theme.state(TrialState.FAILED).color
    assert not cell(item_model, 9, "state", Qt.ItemDataRole.DecorationRole).isNull()
    assert cell(item_model, 1, "score", Qt.ItemDataRole.TextAlignmentRole) & Qt.AlignmentFlag.AlignRight
    assert cell(item_model, 1, "value:dense_1_activation", Qt.ItemDataRole.TextAlignmentRole) & (
        Qt.AlignmentFlag.AlignLeft
    )


def test_further_objectives_have_columns(item_model):
    trial, _ = completed_trial(np.random.default_rng(6), 25, 0.0)
    item_model.set_value_names(NAMES, "val_accuracy", {"dense_1_activation"}, ["latency_ms", "parameters"])
    item_model.update_trials([replace(trial, measures={"latency_ms": 0.25}), replace(trial, number=26)])
    assert cell(item_model, 25, "also:latency_ms") == "0.25"
    assert cell(item_model, 26, "also:latency_ms") == ""
    assert [c.key for c in item_model.columns].count("parameters") == 1
    assert "also:parameters" not in [c.key for c in item_model.columns]
    item_model.sort(column(item_model, "also:latency_ms"), Qt.SortOrder.AscendingOrder)
    assert numbers(item_model)[0] == 25


def test_a_trial_says_why_it_was_tried(item_model):
    trial, _ = completed_trial(np.random.default_rng(6), 25, 0.0)
    why = "Expected improvement 0.01 at the edge of what the model knows"
    item_model.update_trials([replace(trial, reason=why)])
    assert cell(item_model, 25, "why") == why
    assert cell(item_model, 25, "why", Qt.ItemDataRole.ToolTipRole) == why
    assert cell(item_model, 25, "number", Qt.ItemDataRole.ToolTipRole) == why


def test_progress_shows_until_the_trial_ends(item_model):
    item_model.set_progress(24, "7/15", "0.95 …")
    assert cell(item_model, 24, "epochs") == "7/15"
    assert cell(item_model, 24, "score") == "0.95 …"
    running, _ = running_trial(np.random.default_rng(1), 24, 0.0)
    item_model.update_trials([running])
    assert cell(item_model, 24, "epochs") == "7/15"
    item_model.update_trials([completed_trial(np.random.default_rng(5), 24, 0.0)[0]])
    assert cell(item_model, 24, "epochs") == "45"


def test_headings_and_bounds(item_model):
    assert item_model.headerData(1, Qt.Orientation.Horizontal) == "Trial"
    assert item_model.headerData(99, Qt.Orientation.Horizontal) is None
    assert item_model.data(QModelIndex()) is None
    assert item_model.rowCount(item_model.index(0, 0)) == 0


@pytest.fixture
def view(qtbot, theme, item_model):
    made = TrialsView(theme, item_model)
    qtbot.addWidget(made)
    made.resize(900, 500)
    with qtbot.waitExposed(made):
        made.show()
    return made


def click(qtbot, view, number, modifier=Qt.KeyboardModifier.NoModifier):
    where = view.visualRect(view.model().index(view.model().row_of(number), 1)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, modifier, where)


def test_selection_keeps_its_order(qtbot, view):
    heard = []
    view.numbers_selected.connect(heard.append)
    click(qtbot, view, 20)
    click(qtbot, view, 23, Qt.KeyboardModifier.ControlModifier)
    click(qtbot, view, 21, Qt.KeyboardModifier.ControlModifier)
    click(qtbot, view, 23, Qt.KeyboardModifier.ControlModifier)
    assert heard == [[20], [20, 23], [20, 23, 21], [20, 21]]


def test_a_selection_from_elsewhere_is_not_echoed(qtbot, view):
    heard = []
    view.numbers_selected.connect(heard.append)
    view.show_selection([3, 22])
    assert heard == []
    assert [trial.number for trial in view.selected_trials()] == [22, 3]
    view.reveal(3)
    assert view.rowAt(view.viewport().height() // 2) > 5


def test_the_selection_survives_sorting_and_new_trials(qtbot, view, item_model):
    click(qtbot, view, 22)
    view.sortByColumn(column(item_model, "score"), Qt.SortOrder.AscendingOrder)
    rng = np.random.default_rng(8)
    item_model.update_trials([completed_trial(rng, number, 0.0)[0] for number in range(25, 45)])
    assert [trial.number for trial in view.selected_trials()] == [22]


def test_a_click_on_a_heading_sorts(qtbot, view, item_model):
    header = view.horizontalHeader()
    section = column(item_model, "value:learning_rate")
    where = header.viewport().rect().topLeft()
    where.setX(header.sectionViewportPosition(section) + header.sectionSize(section) // 2)
    where.setY(header.height() // 2)
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=where)
    rates = [item_model.trial(row).values["learning_rate"] for row in range(24)]
    assert rates in (sorted(rates), sorted(rates, reverse=True))


def test_copying_rows_and_values(qtbot, view):
    click(qtbot, view, 23)
    click(qtbot, view, 9 + 11, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    rows = list(csv.DictReader(io.StringIO(QGuiApplication.clipboard().text()), delimiter="\t"))
    assert [row["trial"] for row in rows] == ["23", "20"]
    assert float(rows[0]["score"]) == view.selected_trials()[0].score
    view.copy_rows(",")
    assert QGuiApplication.clipboard().text().startswith("trial,state,score")
    click(qtbot, view, 23)
    view.copy_values()
    assert "learning_rate: " in QGuiApplication.clipboard().text()


def test_the_menu_offers_what_a_row_allows(qtbot, view):
    click(qtbot, view, 9 + 10)
    menu = view.build_menu()
    entries = {action.text(): action for action in menu.actions() if action.text()}
    with qtbot.waitSignal(view.details_requested) as details:
        entries["Message and details…"].trigger()
    assert details.args == [19]
    with qtbot.waitSignal(view.folder_requested) as folder:
        entries["Open folder"].trigger()
    assert folder.args == [19]
    menu.deleteLater()


def test_a_queued_trial_that_had_started_was_interrupted(item_model):
    waiting = Trial(number=90, state=TrialState.QUEUED, values={})
    item_model.update_trials([waiting, replace(waiting, number=91, started_at=1.0)])
    assert cell(item_model, 90, "state") == "queued"
    assert cell(item_model, 91, "state") == "interrupted"
    assert "Resume" in cell(item_model, 91, "state", Qt.ItemDataRole.ToolTipRole)
