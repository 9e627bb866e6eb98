"""Ranges of a Python file, narrowed by clicks; the file stays as it is."""

import json
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLineEdit

from tunerstudio.gui.pages.model import ModelPage
from tunerstudio.gui.services import Services
from tunerstudio.study.hyperparameters import Boolean, Choice, Fixed, Float, Int, SearchSpace
from tunerstudio.study.tunable import TuneChoice, TuneInt

pytestmark = pytest.mark.gui

SPACE = SearchSpace(
    hyperparameters=(
        Int(name="units", min=8, max=64, step=8),
        Float(name="rate", min=1e-4, max=1e-1, sampling="log"),
        Choice(name="optimizer", choices=("adam", "sgd")),
        Choice(name="filters", choices=(8, 16)),
        Boolean(name="bias"),
        Fixed(name="layers", value=2),
    )
)


@pytest.fixture
def services(qapp):
    canned = {"space": {"space": SPACE.model_dump(mode="json")}, "cancel_check": {}}
    fake = [sys.executable, str(Path(__file__).with_name("fake_service.py")), json.dumps(canned)]
    made = Services(engine_command=fake)
    made.engine.start()
    yield made
    made.stop()


@pytest.fixture
def page(qtbot, theme, services, study_context, tmp_path):
    made = ModelPage(theme, services)
    qtbot.addWidget(made)
    made.resize(1200, 700)
    study_context.folder.mkdir(parents=True, exist_ok=True)
    made.set_study(study_context)
    made.show()
    file = tmp_path / "mine.py"
    file.write_text("def build(hp):\n    return None\n")
    made.code.take_file(file)
    made.code.ranges.button.click()
    qtbot.waitUntil(lambda: bool(made.code.ranges.form.rows))
    yield made
    made.set_study(None)
    made.hide()


@pytest.fixture
def ranges(page, study_context):
    return lambda: study_context.document.model.ranges


def test_every_hyperparameter_is_a_row_with_the_range_of_the_code(page, ranges):
    rows = page.code.ranges.form.rows
    assert list(rows) == SPACE.names()
    assert [name for name, row in rows.items() if row.dice.isChecked()] == SPACE.names()[:-1]
    assert ranges() == {}


def test_a_range_is_narrowed_and_given_back(page, ranges, study_context):
    row = page.code.ranges.form.rows["units"]
    lines = [line for line in row.findChildren(QLineEdit) if line.accessibleName() == "units max"]
    lines[0].setText("32")
    lines[0].textEdited.emit("32")
    assert ranges() == {"units": TuneInt(min=8, max=32, step=8)}
    study_context.undo_stack.undo()
    assert ranges() == {}
    assert lines[0].text() == "64"


def test_the_dice_fixes_a_value_and_lets_it_vary_again(page, ranges):
    row = page.code.ranges.form.rows["optimizer"]
    row.dice.click()
    assert ranges() == {"optimizer": "adam"}
    row.dice.click()
    assert ranges() == {}


def test_numbers_of_a_list_stay_numbers(page, ranges):
    row = page.code.ranges.form.rows["filters"]
    line = next(found for found in row.findChildren(QLineEdit) if "values" in found.accessibleName())
    line.setText("16")
    line.textEdited.emit("16")
    assert ranges() == {"filters": TuneChoice(choices=(16,))}


def test_another_text_makes_what_was_read_old(page, qtbot, tmp_path):
    (tmp_path / "mine.py").write_text("def build(hp):\n    return 1\n")
    qtbot.waitUntil(lambda: not page.code.ranges.form.rows)
    assert page.code.ranges.button.isEnabled()
