import shutil

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from tests.gui.run_history import completed_trial, half_way, with_training
from tests.registry.cards import make_card
from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.models_view.ranking_model import RankingItemModel
from tunerstudio.gui.pages.base import Readiness
from tunerstudio.gui.pages.models import ModelsPage
from tunerstudio.registry.card import write_card
from tunerstudio.registry.ranking import Rule, rank

pytestmark = pytest.mark.gui


@pytest.fixture
def study(study_context: StudyContext):
    study_context.edit("train longer", with_training(study_context.document))
    study_context.save_now()  # a study that is open lies in its folder
    return study_context


@pytest.fixture
def page(qtbot, theme, study):
    made = ModelsPage(theme, None)
    qtbot.addWidget(made)
    made.resize(1190, 620)
    made.set_study(study)
    with qtbot.waitExposed(made):
        made.show()
    return made


@pytest.fixture
def filled(page, study):
    trials, epochs, _ = half_way()
    study.add_history(trials, epochs)
    page.view.refresh()
    return page


def save(study, number, score=0.9, **changes):
    folder = study.folder / "models" / f"trial-{number:04d}"
    folder.mkdir(parents=True)
    write_card(folder, make_card(trial=number, score=score, **changes))
    (folder / "model.keras").write_bytes(b"weights")
    return folder


def ranked_numbers(page):
    return [trial.number for trial in page.view.item_model.trials]


def click_row(qtbot, page, row, modifier=Qt.KeyboardModifier.NoModifier):
    table = page.view.table
    where = table.visualRect(table.model().index(row, 1)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, modifier, where)


def shown_texts(table):
    return [
        [table.item(row, column).text() for column in range(table.columnCount())] for row in range(table.rowCount())
    ]


def test_before_there_is_anything(qtbot, page):
    assert page.view is None
    assert page.status().readiness is Readiness.NOT_YET
    button = next(b for b in page.findChildren(QPushButton) if b.isVisible())
    with qtbot.waitSignal(page.action_requested) as asked:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert asked.args == ["go:run"]


def test_the_best_come_first(filled):
    scores = [trial.score for trial in filled.view.item_model.trials]
    assert len(scores) == 22
    assert scores == sorted(scores, reverse=True)
    assert filled.view.item_model.index(0, 2).data() == "0.9834 ± 0.0045 (3)"


def test_saving_the_best_three(qtbot, filled):
    assert filled.view.chooser.save_button.text() == "Save top 3"
    with qtbot.waitSignal(filled.action_requested) as asked:
        qtbot.mouseClick(filled.view.chooser.save_button, Qt.MouseButton.LeftButton)
    assert asked.args == ["save_models:3"]


def test_saving_another_number(qtbot, filled):
    box = filled.view.chooser.count_box
    box.selectAll()
    qtbot.keyClicks(box, "1")
    assert filled.view.chooser.save_button.text() == "Save the best"
    with qtbot.waitSignal(filled.action_requested) as asked:
        qtbot.mouseClick(filled.view.chooser.save_button, Qt.MouseButton.LeftButton)
    assert asked.args == ["save_models:1"]


def test_the_smallest_of_the_equally_good(qtbot, filled, study):
    rng = np.random.default_rng(0)
    trial, _ = completed_trial(rng, 30, 0.0)
    tiny = type(trial)(**{**vars(trial), "score": 0.9800, "parameters": 12})
    study.add_history([tiny], [])
    box = filled.view.chooser.rule_box
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Down)
    assert filled.view.chooser.rule is Rule.SMALLEST_WITHIN_ONE_STANDARD_ERROR
    assert ranked_numbers(filled)[:2] == [30, 23]
    assert "As good as the best, from 0.9789 on: 2." in filled.view.chooser.explanation.text()
    with qtbot.waitSignal(filled.action_requested) as asked:
        qtbot.mouseClick(filled.view.chooser.save_button, Qt.MouseButton.LeftButton)
    assert asked.args[0].startswith("save_trials:30,23,")


def test_a_limit_on_the_size(qtbot, filled):
    box = filled.view.chooser.limit_box
    box.selectAll()
    qtbot.keyClicks(box, "150")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert all(trial.parameters <= 150 for trial in filled.view.item_model.trials)
    assert 0 < len(ranked_numbers(filled)) < 22
    assert "Left out by the limit" in filled.view.chooser.explanation.text()


def test_a_limit_that_nothing_keeps_to(qtbot, filled):
    filled.view.chooser.limit_box.setValue(1)
    assert ranked_numbers(filled) == []
    assert not filled.view.chooser.save_button.isEnabled()
    assert filled.view.detail.isHidden()


def test_the_detail_follows_the_selection(qtbot, filled, study):
    click_row(qtbot, filled, 2)
    number = ranked_numbers(filled)[2]
    assert study.selection == [number]
    detail = filled.view.detail
    values = dict(shown_texts(detail.values))
    assert set(values) == {"dense_1_units", "dense_1_activation", "learning_rate"}
    assert values["dense_1_units"] == str(study.trials[number].values["dense_1_units"])
    assert len(shown_texts(detail.executions)) == 3
    detail.curves.redraw_now()
    assert f"Trial {number}" in detail.curves.legend.text()


def test_several_trials_are_compared(qtbot, filled):
    click_row(qtbot, filled, 0)
    click_row(qtbot, filled, 1, Qt.KeyboardModifier.ControlModifier)
    filled.view.detail.curves.redraw_now()
    assert filled.view.detail.curves.legend.text().count("Trial ") == 2


def test_nothing_is_saved_while_the_search_runs(filled, study):
    study.set_search_state("running", "")
    filled.view.refresh()
    assert not filled.view.chooser.save_button.isEnabled()
    assert "stopped" in filled.view.chooser.save_button.toolTip()
    study.set_search_state("idle", "")
    filled.view.refresh()
    assert filled.view.chooser.save_button.isEnabled()


def test_models_that_appear_on_disk_are_noticed(qtbot, filled, study):
    assert filled.view.saved_panel.empty.isVisible()
    with qtbot.waitSignal(filled.status_changed):
        save(study, 23, 0.9834)
    qtbot.waitUntil(lambda: filled.status().readiness is Readiness.READY)
    qtbot.waitUntil(lambda: filled.view.saved_panel.table.rowCount() == 1)
    assert shown_texts(filled.view.saved_panel.table)[0][:4] == ["23", "0.9834 ± 0.0021 (2)", "0.9655", "yes"]
    save(study, 10)
    qtbot.waitUntil(lambda: filled.view.saved_panel.table.rowCount() == 2)
    shutil.rmtree(study.folder / "models" / "trial-0010")
    qtbot.waitUntil(lambda: filled.view.saved_panel.table.rowCount() == 1)


def test_a_saved_model_shows_its_metrics_and_opens(qtbot, filled, study):
    folder = save(study, 23, 0.9834)
    qtbot.waitUntil(lambda: filled.view.saved_panel.table.rowCount() == 1)
    click_row(qtbot, filled, 0)
    detail = filled.view.detail
    detail.tabs.setCurrentIndex(3)
    assert ["accuracy", "0.9864", "0.9655"] in shown_texts(detail.metrics)
    opened = []
    detail.open_requested.disconnect()
    detail.open_requested.connect(opened.append)
    qtbot.mouseClick(detail.open_card_button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(detail.open_folder_button, Qt.MouseButton.LeftButton)
    assert opened == [str(folder / "card.html"), str(folder)]


def test_damaged_models_are_listed_with_their_reason(qtbot, filled, study):
    (study.folder / "models" / "trial-0005").mkdir(parents=True)
    qtbot.waitUntil(lambda: filled.view.saved_panel.table.rowCount() == 1)
    assert "has no card.json" in shown_texts(filled.view.saved_panel.table)[0][4]
    assert filled.status().readiness is Readiness.NOT_YET


def test_saved_models_without_a_history_are_shown(qtbot, theme, study):
    save(study, 3)
    made = ModelsPage(theme, None)
    qtbot.addWidget(made)
    made.set_study(study)
    with qtbot.waitExposed(made):
        made.show()
    assert made.view.saved_panel.table.rowCount() == 1
    assert not made.view.chooser.save_button.isEnabled()


def test_the_ranking_keeps_qts_rules(theme, qtmodeltester):
    trials = half_way()[0]
    made = RankingItemModel(theme)
    qtmodeltester.check(made, force_py=True)
    made.set_ranking(rank(trials, "max"), ["dense_1_units"], {23})
    made.set_ranking(rank(trials, "max"), ["dense_1_units"], set())
    made.set_ranking(rank(trials[:3], "min"), [], set())
    assert made.row_of(99) is None
    qtmodeltester.check(made, force_py=True)


def test_nothing_is_saved_twice_at_a_time(qtbot, filled, study):
    button = filled.view.chooser.save_button
    assert button.isEnabled()
    study.set_saving(True)
    assert not button.isEnabled()
    assert "being saved" in button.toolTip()
    study.set_saving(False)
    assert button.isEnabled()
