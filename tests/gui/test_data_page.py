"""The Data page: what it shows and what its controls change."""

import json
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt

from tunerstudio.gui.inspector import Inspector
from tunerstudio.gui.pages.base import Readiness
from tunerstudio.gui.pages.data import DataPage
from tunerstudio.gui.services import Services
from tunerstudio.protocol.preview import Preview
from tunerstudio.study.data import FileFormat, TextOptions, Window
from tunerstudio.study.search import Objective

pytestmark = pytest.mark.gui
FAKE = str(Path(__file__).with_name("fake_service.py"))


@pytest.fixture
def inspector(fake_services):
    made = Inspector(fake_services.data)
    yield made
    made.set_study(None)
    made.deleteLater()


@pytest.fixture
def page(qtbot, theme, fake_services, inspector, study_context, preview):
    made = DataPage(theme, fake_services, inspector)
    qtbot.addWidget(made)
    made.resize(1100, 650)
    study_context.set_preview(preview)
    made.set_study(study_context)
    made.show()
    return made


def test_it_says_what_the_file_holds(page):
    assert page._facts.text().startswith("tiny.csv")
    assert page.table.item_model.columnCount() == 4
    assert page.table.item_model.rowCount() == 2
    status = page.status()
    assert status.readiness is Readiness.READY
    assert status.sentence == '2 columns predict "class" in 6 rows.'
    assert page.primary_action()[1] == "go:model"


def test_a_study_without_a_preview_waits_and_then_shows_it(
    qtbot, theme, fake_services, inspector, study_context, preview
):
    page = DataPage(theme, fake_services, inspector)
    qtbot.addWidget(page)
    page.set_study(study_context)
    assert page.status().readiness is Readiness.NOT_YET
    with qtbot.waitSignal(study_context.preview_changed):
        inspector.set_study(study_context)
    assert study_context.preview == preview
    assert study_context.document.data == preview.data
    assert study_context.undo_stack.count() == 0
    assert page.status().readiness is Readiness.READY


def test_a_chip_changes_a_role_and_undo_takes_it_back(page, study_context):
    menu = page.table.column_menu(1)
    ignore = next(action for action in menu.actions() if action.text().startswith("Ignore"))
    ignore.trigger()
    assert study_context.document.data.columns[1].role == "ignore"
    assert page.table.item_model.column(1).role == "ignore"
    study_context.undo_stack.undo()
    assert page.table.item_model.column(1).role == "feature"
    menu.deleteLater()


def test_clicking_a_chip_opens_the_menu_of_its_column(page, qtbot):
    header = page.table.horizontalHeader()
    chip = header.chip_rectangle(2)
    with qtbot.waitSignal(header.menu_requested) as heard:
        qtbot.mousePress(header.viewport(), Qt.MouseButton.LeftButton, pos=chip.center())
    assert heard.args[0] == 2
    above = QPoint(chip.center().x(), 2)
    with qtbot.assertNotEmitted(header.menu_requested):
        qtbot.mousePress(header.viewport(), Qt.MouseButton.LeftButton, pos=above)


def test_another_target_is_chosen_on_the_side(page, study_context, qtbot):
    page.side.target.setCurrentIndex(page.side.target.findText("size"))
    page.side.target.activated.emit(page.side.target.currentIndex())
    assert study_context.document.data.named_with_role("target") == ["size"]
    assert study_context.document.data.task is None


def test_the_split_can_be_typed_and_dragged_as_one_step_each(page, study_context, qtbot):
    page.side.split.validation.setValue(30)
    page.side.split.validation.setValue(31)
    assert study_context.document.data.split.validation == 0.31
    assert study_context.undo_stack.count() == 1
    bar = page.side.split.bar
    border = QPoint(round(bar.width() * 0.85), bar.height() // 2)
    qtbot.mousePress(bar, Qt.MouseButton.LeftButton, pos=border)
    qtbot.mouseMove(bar, border - QPoint(round(bar.width() * 0.05), 0))
    qtbot.mouseRelease(bar, Qt.MouseButton.LeftButton)
    split = study_context.document.data.split
    assert split.test == pytest.approx(0.20, abs=0.011)
    assert split.validation + split.test == pytest.approx(0.46)
    assert page.side.split.test.value() == round(split.test * 100)


def test_arrow_keys_move_the_border(page, study_context, qtbot):
    bar = page.side.split.bar
    bar.setFocus()
    qtbot.keyClick(bar, Qt.Key.Key_Left)
    assert study_context.document.data.split.validation == pytest.approx(0.21)
    qtbot.keyClick(bar, Qt.Key.Key_Down)
    qtbot.keyClick(bar, Qt.Key.Key_Right)
    assert study_context.document.data.split.test == pytest.approx(0.14)


def test_shares_that_leave_nothing_to_train_are_held_back(page, study_context):
    page.side.split.validation.setValue(85)
    page.side.split.test.setValue(80)
    split = study_context.document.data.split
    assert split.validation + split.test <= 0.9001


def test_a_repair_is_one_undoable_edit(page, study_context, preview):
    finding = next(finding for finding in preview.findings if finding.code == "id_column")
    page.side.repaired.emit(finding.repairs[0].label, finding.repairs[0].data)
    assert study_context.document.data.columns[0].role == "feature"
    assert study_context.undo_stack.undoText() == "Use anyway"


def test_the_form_shows_the_format_and_applies_another(page, study_context):
    popover = page._popover
    popover.open_at(
        QPoint(0, 0), FileFormat(encoding="latin-1", delimiter=";", decimal=",", header=False, missing=("?",))
    )
    assert popover.chosen() == FileFormat(
        encoding="latin-1", delimiter=";", decimal=",", header=False, quoting=True, missing=("?",)
    )
    popover._choose(popover.chosen())
    assert study_context.document.data.format.delimiter == ";"
    assert study_context.document.data.columns == ()
    study_context.undo_stack.undo()
    assert len(study_context.document.data.columns) == 4


def test_roles_survive_another_reading_of_the_file(page, study_context, preview):
    page.table.role_chosen.emit("size", "target")
    page._use_format(FileFormat(delimiter=","))
    study_context.complete(study_context.document.model_copy(update={"data": preview.data}))
    study_context.set_preview(preview)
    assert study_context.document.data.named_with_role("target") == ["size"]


def test_an_edit_makes_the_data_service_look_again(page, inspector, study_context, qtbot):
    inspector.set_study(study_context)
    with qtbot.waitSignal(study_context.preview_changed):
        page.table.role_chosen.emit("size", "ignore")


def test_the_objective_follows_another_kind_of_target(page, inspector, study_context, qtbot):
    document = study_context.document
    numbers = Objective(name="val_mae", direction="min")
    search = document.search.model_copy(update={"objective": numbers})
    study_context.edit("predict numbers", document.model_copy(update={"search": search}))
    inspector.set_study(study_context)
    with qtbot.waitSignal(study_context.preview_changed):
        page.table.role_chosen.emit("size", "target")  # the data service says: two classes
    assert study_context.document.search.objective == Objective(name="val_accuracy", direction="max")
    study_context.undo_stack.undo()
    assert study_context.document.search.objective == numbers


@pytest.fixture
def broken_services(qapp):
    command = [sys.executable, FAKE, json.dumps({})]
    made = Services(None, command, command)
    yield made
    made.stop()
    made.deleteLater()


def test_data_that_cannot_be_read_is_said_with_a_way_out(qtbot, theme, broken_services, study_context):
    inspector = Inspector(broken_services.data)
    page = DataPage(theme, broken_services, inspector)
    qtbot.addWidget(page)
    page.show()
    page.set_study(study_context)
    inspector.set_study(study_context)
    answer = {"message": "tiny.csv does not exist: choose another file.", "id": 1, "type": "failure"}
    broken_services.data.start()
    number = broken_services.data.request("echo", {}, lambda reply: None)
    assert number == 2
    broken_services.data._receive(_failure(answer))
    assert page.banner.text == "tiny.csv does not exist: choose another file."
    assert page.status().readiness is Readiness.NEEDS_YOU
    with qtbot.waitSignal(page.action_requested) as heard:
        page.empty._button.click()
    assert heard.args == ["other_data"]
    inspector.set_study(None)
    inspector.deleteLater()


def _failure(content):
    from tunerstudio.protocol.service import Failure

    return Failure.model_validate(content)


def test_reading_can_be_cancelled(qtbot, theme, broken_services, study_context):
    inspector = Inspector(broken_services.data)
    broken_services.data.start()
    inspector.set_study(study_context)
    assert inspector.state == "busy"
    inspector.cancel()
    assert inspector.state == "failed"
    assert not broken_services.data.busy
    inspector.set_study(None)
    inspector.deleteLater()


def test_many_columns_stay_quick(page, study_context, preview, qtbot):
    first = preview.columns[1]
    wide = Preview.model_validate(
        {
            **preview.model_dump(),
            "columns": [first.model_copy(update={"name": f"pixel {n}"}).model_dump() for n in range(800)],
            "sample": [["0"] * 800] * 20,
        }
    )
    study_context.set_preview(wide)
    assert page.table.item_model.columnCount() == 800
    assert page.grab().width() > 0


def test_rows_in_time_are_one_click_and_divided_in_order(page, study_context):
    page.side.series.on.click()
    data = study_context.document.data
    assert data.window == Window()
    assert data.split.method == "ordered"
    page.side.series.past.setValue(12)
    page.side.series.horizon.setValue(0)
    assert study_context.document.data.window == Window(past=12, horizon=0)
    assert not page.side.series.own_past.isEnabled()
    page.side.series.on.click()
    assert study_context.document.data.window is None
    study_context.undo_stack.undo()
    assert page.side.series.past.value() == 12
    assert page.side.series.on.isChecked()


def test_a_column_becomes_text_and_shows_how_it_is_read(page, study_context):
    assert not page.side.text.isVisibleTo(page.side)
    menu = page.table.column_menu(1)
    next(action for action in menu.actions() if action.text().startswith("Text")).trigger()
    assert study_context.document.data.columns[1].kind == "text"
    assert page.side.text.isVisibleTo(page.side)
    page.side.text.words.setValue(200)
    page.side.text.length.setValue(30)
    assert study_context.document.data.text == TextOptions(words=200, length=30)


def test_the_features_themselves_are_predicted_by_the_last_entry(page, study_context):
    before = study_context.document
    page.side.target.setCurrentIndex(page.side.target.count() - 1)
    page.side.target.activated.emit(page.side.target.count() - 1)
    data = study_context.document.data
    assert data.reconstruct
    assert data.named_with_role("target") == []
    assert study_context.document.search.objective == Objective(name="val_mae", direction="min")
    assert page.side.target.currentText() == "the features themselves"
    page.side.target.setCurrentIndex(3)
    page.side.target.activated.emit(3)
    assert not study_context.document.data.reconstruct
    assert study_context.document.data.named_with_role("target") == ["class"]
    study_context.undo_stack.undo()
    study_context.undo_stack.undo()
    assert study_context.document == before
