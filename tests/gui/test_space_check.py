"""The check of the whole space on the Model page: when it is asked for, and what is said of its answer."""

import json
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QPushButton

from tunerstudio.gui.model_editor.space_panel import SpacePanel, headline
from tunerstudio.gui.pages.model import ModelPage
from tunerstudio.gui.services import Services
from tunerstudio.protocol.preview import Preview
from tunerstudio.protocol.service import Failure
from tunerstudio.protocol.space import (
    CheckedConfiguration,
    LayerDescription,
    Narrowing,
    NetworkDescription,
    SearchForecast,
    SpaceProblem,
    SpaceReport,
)
from tunerstudio.study.hyperparameters import Int, SearchSpace
from tunerstudio.study.model import CodeModel

pytestmark = pytest.mark.gui


def configuration(parameters, problem=None):
    return CheckedConfiguration(
        kind="random", values={}, parameters=parameters, problem=problem, memory_mb=1.0, seconds_per_epoch=0.1
    )


GOOD = SpaceReport(
    done=3,
    total=3,
    combinations=1248,
    configurations=(configuration(60), configuration(900), configuration(2100)),
    forecast=SearchForecast(trials=50, low_s=200.0, high_s=400.0),
    complete=True,
)
BAD = GOOD.model_copy(
    update={
        "configurations": (configuration(60), configuration(None, problem=0)),
        "done": 2,
        "invalid_share": 0.5,
        "problems": (
            SpaceProblem(
                layer="pool",
                field="model.blocks.0",
                reason="the picture is smaller than the window",
                repair="Keep pool_size at 2 or less.",
                count=1,
                share=0.5,
                example={},
                narrowings=(
                    Narrowing(hyperparameter="pool_size", constraint="pool_size <= 2", sentence="Keep pool_size at 2"),
                ),
            ),
        ),
    }
)


def test_the_headline_says_size_failures_parameters_and_time():
    assert headline(GOOD) == (
        "1,248 networks, none of 3 checked fails, 60–2,100 parameters, "
        "50 trials take 3 min 20 s to 6 min 40 s on this machine"
    )
    assert "1 of 2 checked fail" in headline(BAD)


def test_a_failure_names_layer_reason_and_repair_and_is_repaired_by_a_click(qtbot, theme):
    panel = SpacePanel(theme)
    qtbot.addWidget(panel)
    panel.show_report(BAD)
    assert "50% of the networks fail at pool: the picture is smaller than the window" in panel.text
    assert "Keep pool_size at 2 or less." in panel.text
    buttons = {button.text(): button for button in panel.findChildren(QPushButton)}
    with qtbot.waitSignal(panel.constraint_wanted) as wanted:
        buttons["Add the constraint pool_size <= 2"].click()
    assert wanted.args == ["pool_size <= 2"]
    with qtbot.waitSignal(panel.field_wanted) as wanted:
        buttons["Show it"].click()
    assert wanted.args == ["model.blocks.0"]
    panel.show_report(GOOD)
    assert "pool" not in panel.text


@pytest.fixture
def services(qapp):
    layer = LayerDescription(name="dense_1", layer="Dense", inputs=("input",), shape=(9,), weights=27)
    last = LayerDescription(name="output", layer="Dense", inputs=("dense_1",), shape=(1,), weights=10)
    values = {"dense_1_units": 9, "dense_1_activation": "relu", "learning_rate": 0.001}
    described = NetworkDescription(values=values, input_shape=(2,), layers=(layer, last), weights=37)
    canned = {
        "check_space": {"report": BAD.model_dump(mode="json")},
        "describe": {"description": described.model_dump(mode="json")},
        "cancel_check": {},
    }
    fake = [sys.executable, str(Path(__file__).with_name("fake_service.py")), json.dumps(canned)]
    made = Services(engine_command=fake)
    made.engine.start()
    yield made
    made.stop()


@pytest.fixture
def page(qtbot, theme, services, study_context):
    made = ModelPage(theme, services)
    qtbot.addWidget(made)
    study_context.folder.mkdir(parents=True, exist_ok=True)
    data = study_context.document.data
    study_context.set_preview(Preview(data=data, title="t", summary="s", rows=10, columns=(), sample=()))
    made.set_study(study_context)
    made.show()
    yield made
    made.set_study(None)
    made.hide()


def test_the_space_is_checked_by_itself_and_an_edit_makes_the_answer_old(page, qtbot, study_context):
    qtbot.waitUntil(lambda: page.watcher.report is not None)
    assert "1 of 2 checked fail" in page._space.text()
    assert page.layers.below.tabText(1) == "Whole space (!)"
    page.layers.below.space.constraint_wanted.emit("pool_size <= 2")
    assert study_context.document.search.constraints == ("pool_size <= 2",)
    assert page.watcher.report is None
    study_context.undo_stack.undo()


def test_shapes_and_sizes_stand_in_the_drawing(page, qtbot):
    qtbot.waitUntil(lambda: bool(page.layers.below.drawing.canvas.drawn.facts))
    assert page.layers.below.drawing._total.text() == "37 parameters"


def test_nothing_is_asked_while_the_page_is_hidden(page, qtbot):
    qtbot.waitUntil(lambda: page.watcher.report is not None)
    page.hide()
    page.layers.add("Flatten")
    assert not page.watcher._check_soon.isActive()
    page.show()
    assert page.watcher._check_soon.isActive()


CODE = """import keras


def build(hp):
    units = hp.Int("units", 2, 9)
    return keras.Sequential([keras.layers.Dense(units)])
"""

LINE = BAD.problems[0].model_copy(
    update={"layer": "model.py, line 6, in build", "field": "model.file", "line": 6, "reason": "ValueError: too small"}
)


@pytest.fixture
def code_page(qtbot, theme, study_context):
    """The Model page with a Python file, and an engine that knows what it builds."""
    layers = (
        LayerDescription(name="first", layer="Dense", inputs=("input",), shape=(2,), weights=6),
        LayerDescription(name="last", layer="Dense", inputs=("first",), shape=(1,), weights=3),
    )
    space = SearchSpace(hyperparameters=(Int(name="units", min=2, max=9),))
    described = NetworkDescription(values={"units": 2}, input_shape=(2,), layers=layers, weights=9, space=space)
    report = BAD.model_copy(update={"problems": (LINE,)})
    canned = {
        "check_space": {"report": report.model_dump(mode="json")},
        "describe": {"description": described.model_dump(mode="json")},
        "cancel_check": {},
    }
    fake = [sys.executable, str(Path(__file__).with_name("fake_service.py")), json.dumps(canned)]
    services = Services(engine_command=fake)
    services.engine.start()
    made = ModelPage(theme, services)
    qtbot.addWidget(made)
    study_context.folder.mkdir(parents=True, exist_ok=True)
    (study_context.folder / "model.py").write_text(CODE)
    document = study_context.document
    study_context.edit("code", document.model_copy(update={"model": CodeModel(file="model.py")}))
    study_context.set_preview(Preview(data=document.data, title="t", summary="s", rows=10, columns=(), sample=()))
    made.set_study(study_context)
    made.show()
    yield made
    made.set_study(None)
    made.hide()
    services.stop()


def test_what_code_builds_is_drawn_and_its_space_is_checked(code_page, qtbot, study_context):
    views = code_page.code.below
    qtbot.waitUntil(lambda: bool(views.drawing.canvas.drawn.facts))
    assert [place.name for place in views.drawing.canvas.drawn.places][1:3] == ["first", "last"]
    qtbot.waitUntil(lambda: code_page.watcher.report is not None)
    assert "1 of 2 checked fail" in code_page._space.text()
    assert views.tabText(1) == "Whole space (!)"
    assert "fail at model.py, line 6, in build: ValueError: too small" in views.space.text
    links = {button.text(): button for button in views.space.findChildren(QPushButton)}
    links["Show the line"].click()
    assert code_page.code.view.marked_line == 6
    assert code_page.code.view.textCursor().blockNumber() == 5
    links["Add the constraint pool_size <= 2"].click()
    assert study_context.document.search.constraints == ("pool_size <= 2",)


def test_another_text_of_the_file_makes_the_answer_old(code_page, qtbot, study_context):
    qtbot.waitUntil(lambda: code_page.watcher.report is not None)
    with qtbot.waitSignal(code_page.watcher.report_changed):
        (study_context.folder / "model.py").write_text(CODE.replace("9", "8"))
    assert code_page.watcher.report is None


def test_code_that_cannot_be_read_is_not_asked_about(code_page, qtbot, study_context):
    qtbot.waitUntil(lambda: code_page.watcher.report is not None)
    with qtbot.waitSignal(code_page.code.trouble_changed):
        (study_context.folder / "model.py").write_text("def build(hp:\n")
    assert not code_page.watcher._check_soon.isActive()


def test_a_check_that_was_refused_is_asked_for_again(code_page, qtbot, study_context):
    qtbot.waitUntil(lambda: code_page.watcher.report is not None)
    code_page.watcher._check_failed(Failure(id=1, message="this study runs Python code of its own"))
    assert "This study runs Python code of its own" in code_page.code.below.space.text
    study_context.document_changed.emit(study_context.document)  # as trusting the study does
    assert code_page.watcher._check_soon.isActive()
