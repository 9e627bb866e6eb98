"""The Search page: real clicks and keys, the document after each; a real child process answers the check."""

import json
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from tunerstudio.algorithms.switches import set_enabled
from tunerstudio.gui.pages.base import Readiness
from tunerstudio.gui.pages.search import SearchPage
from tunerstudio.gui.search_form.space_table import row_of
from tunerstudio.gui.services import Services
from tunerstudio.locations import user_plugins_folder
from tunerstudio.study.files import load_document, parse_document
from tunerstudio.study.hyperparameters import Choice, Condition, Float, Int, SearchSpace
from tunerstudio.study.model import CodeModel, EstimatorModel
from tunerstudio.study.search import EarlyStopping, Objective, RateReduction
from tunerstudio.study.trust import trust
from tunerstudio.study.tunable import TuneInt

pytestmark = pytest.mark.gui
FAKE = str(Path(__file__).with_name("fake_service.py"))

SPACE = SearchSpace(hyperparameters=(Int(name="from_code", min=1, max=4),))
REPORT = {
    "ok": True,
    "problems": [],
    "warnings": [],
    "metrics": ["loss", "val_accuracy"],
    "parameters": 1234,
    "space": SPACE.model_dump(mode="json"),
    "size": 4,
    "road": "fused",
    "device": "CPU (2 cores)",
    "device_reason": "No GPU was found.",
}


@pytest.fixture
def answers():
    return {"check": REPORT}


@pytest.fixture
def services(qtbot, answers):
    made = Services(engine_command=[sys.executable, FAKE, json.dumps(answers)])
    made.engine.start()
    yield made
    made.stop()
    made.deleteLater()


@pytest.fixture
def page(qtbot, theme, study_context, services):
    made = SearchPage(theme, services)
    qtbot.addWidget(made)
    made.resize(1200, 900)
    made.set_study(study_context)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.set_study(None)
    made.hide()


def line(form, name):
    return next(e for e in form.form.rows[name].findChildren(QLineEdit) if e.isVisibleTo(form))


def replace_text(editor, text):
    editor.setFocus()
    editor.selectAll()
    QTest.keyClicks(editor, text) if text else QTest.keyClick(editor, Qt.Key.Key_Delete)


def edit_model(study_context, model):
    study_context.edit("another model", study_context.document.model_copy(update={"model": model}))


def test_it_says_what_will_run(page):
    assert page.status().readiness is Readiness.READY
    assert page.status().sentence == "Auto, 5 trials, for the greatest val_accuracy."
    assert page.primary_action() == ("Run", "run")


def test_a_click_on_a_card_takes_the_algorithm(page, study_context):
    assert {"random", "grid", "hyperband", "bayesian"} <= set(page.algorithm.cards.cards)
    card = page.algorithm.cards.cards["grid"]
    QTest.mouseClick(card, Qt.MouseButton.LeftButton, pos=QPoint(10, card.height() - 10))
    assert study_context.document.search.algorithm.id == "grid"
    assert card.property("hot") == "true"
    study_context.undo_stack.undo()
    assert study_context.document.search.algorithm.id == "auto"
    assert page.algorithm.cards.cards["auto"].button.isChecked()
    assert next(iter(page.algorithm.cards.cards)) == "auto"


def test_all_cards_stand_under_the_heading_of_their_family(page):
    cards = page.algorithm.cards
    assert cards.headings == []
    cards.more.click()
    titles = [heading.text() for heading in cards.headings]
    assert titles[:2] == ["Recommended", "With a model"]
    assert len(set(titles)) == len(titles)
    assert {card.family.text() for card in cards.cards.values() if card.usable} <= set(titles)
    cards.more.click()
    assert cards.headings == []


def test_an_algorithm_that_is_switched_off_says_so(page):
    set_enabled("grid", False)
    page.algorithm.cards.chosen.emit("grid")
    page.reload_algorithms()
    assert "grid" not in page.algorithm.cards.cards
    assert "switched off, see Tools > Plugins" in page.status().sentence


def test_fields_of_a_form_begin_alike(page):
    page.resize(1200, 700)
    rows = page.training.form.rows
    lefts = {row._plain.mapTo(page, QPoint(0, 0)).x() for name, row in rows.items() if row.isVisibleTo(page)}
    assert len(rows) > 3
    assert len(lefts) == 1


def test_few_cards_are_shown_until_all_are_asked_for(page):
    def shown():
        return {name for name, card in page.algorithm.cards.cards.items() if card.isVisibleTo(page)}

    assert shown() == {"auto"}
    page.algorithm.cards.chosen.emit("grid")
    assert shown() == {"auto", "grid"}
    page.algorithm.cards.more.click()
    assert shown() == set(page.algorithm.cards.cards)
    page.algorithm.cards.chosen.emit("random")
    assert shown() == set(page.algorithm.cards.cards)
    page.algorithm.cards.more.click()
    assert shown() == {"auto", "random"}


def test_options_come_from_the_manifest_and_come_back(page, study_context):
    page.algorithm.cards.chosen.emit("hyperband")
    rows = page.algorithm.options.rows
    factor = rows["factor"]
    editor = next(e for e in factor.findChildren(QLineEdit) if e.isVisibleTo(factor))
    replace_text(editor, "4")
    assert study_context.document.search.algorithm.options == {"factor": 4}
    replace_text(editor, "1")
    assert "must be at least" in factor.trouble
    assert page.status().readiness is Readiness.NEEDS_YOU
    assert study_context.document.search.algorithm.options == {"factor": 4}
    replace_text(editor, "4")
    page.algorithm.cards.chosen.emit("random")
    assert study_context.document.search.algorithm.options == {}
    page.algorithm.cards.chosen.emit("hyperband")
    assert study_context.document.search.algorithm.options == {"factor": 4}


def test_every_option_of_every_algorithm_has_a_field(page):
    for name, card in page.algorithm.cards.cards.items():
        if not card.button.isEnabled():
            continue
        page.algorithm.cards.chosen.emit(name)
        page.algorithm.options._more.setChecked(True)
        manifest = page.algorithm.info.manifest
        assert set(page.algorithm.options.rows) == {option.name for option in manifest.options}


def test_a_broken_plugin_is_shown_with_its_reason(page):
    folder = user_plugins_folder() / "broken"
    folder.mkdir(parents=True)
    (folder / "MANIFEST.toml").write_text('id = "broken"\n')
    page.reload_algorithms()
    card = page.algorithm.cards.cards["broken"]
    assert not card.button.isEnabled()
    texts = [label.text() for label in card.findChildren(type(page._size))]
    assert any("name: this field is required" in text for text in texts)
    QTest.mouseClick(card, Qt.MouseButton.LeftButton)
    assert page.algorithm.info.id == "auto"


def test_a_study_with_an_unknown_algorithm_says_so(page, study_context):
    search = study_context.document.search
    choice = search.algorithm.model_copy(update={"id": "magic"})
    changed = search.model_copy(update={"algorithm": choice})
    study_context.edit("by hand", study_context.document.model_copy(update={"search": changed}))
    assert page.status().sentence == "There is no search algorithm magic: choose another."


def test_the_objective_brings_its_direction(page, study_context):
    names = [page.objective.name.itemText(index) for index in range(page.objective.name.count())]
    assert names[:2] == ["val_accuracy", "val_loss"]
    page.objective.name.setCurrentIndex(1)
    page.objective.name.activated.emit(1)
    assert study_context.document.search.objective == Objective(name="val_loss", direction="min")
    replace_text(page.objective.name.lineEdit(), "val_my_metric")
    assert study_context.document.search.objective.name == "val_my_metric"
    page.objective.direction.setCurrentIndex(0)
    page.objective.direction.activated.emit(0)
    assert study_context.document.search.objective == Objective(name="val_my_metric", direction="max")
    study_context.undo_stack.undo()
    study_context.undo_stack.undo()
    assert study_context.document.search.objective == Objective(name="val_loss", direction="min")
    assert page.objective.name.currentText() == "val_loss"


def test_an_objective_of_another_task_is_told_and_repaired(page, study_context):
    search = study_context.document.search.model_copy(update={"objective": Objective(name="val_mae")})
    study_context.edit("by hand", study_context.document.model_copy(update={"search": search}))
    assert page.status().sentence == "val_mae does not go with predicting classes: choose val_accuracy"
    assert page.objective._repair.text() == "Use val_accuracy"
    QTest.mouseClick(page.objective._repair, Qt.MouseButton.LeftButton)
    assert study_context.document.search.objective == Objective(name="val_accuracy", direction="max")
    assert page.status().readiness is Readiness.READY


def test_a_wrong_direction_is_told(page):
    page.objective.direction.setCurrentIndex(1)
    page.objective.direction.activated.emit(1)
    assert "the direction should be max" in page.status().sentence


def test_budget_and_training_are_typed(page, study_context):
    replace_text(line(page.budget, "trials"), "40")
    replace_text(line(page.budget, "time_limit"), "2.5")
    replace_text(line(page.training, "epochs"), "15")
    replace_text(line(page.training, "executions"), "3")
    replace_text(line(page.training, "patience"), "4")
    replace_text(line(page.more, "seed"), "232")
    document = study_context.document
    assert document.search.budget.trials == 40
    assert document.search.budget.time_limit_s == 150
    assert (document.training.epochs, document.training.executions) == (15, 3)
    assert document.training.early_stopping == EarlyStopping(patience=4)
    assert document.search.seed == 232
    study_context.save_now()
    assert load_document(study_context.folder) == document
    replace_text(line(page.training, "patience"), "")
    replace_text(line(page.budget, "time_limit"), "")
    assert study_context.document.training.early_stopping is None
    assert study_context.document.search.budget.time_limit_s is None


def test_typing_a_number_is_one_undo_step(page, study_context):
    replace_text(line(page.training, "epochs"), "250")
    assert study_context.undo_stack.count() == 1
    assert study_context.undo_stack.undoText() == "change epochs"
    study_context.undo_stack.undo()
    assert study_context.document.training.epochs == 20
    assert line(page.training, "epochs").text() == "20"


@pytest.mark.parametrize(
    ("form", "name", "text", "sentence"),
    [
        ("budget", "trials", "0", "trials must be at least 1"),
        ("budget", "trials", "", "trials is needed"),
        ("training", "epochs", "ten", "a whole number is needed"),
        ("more", "seed", "-1", "seed must be at least 0"),
        ("more", "retries", "11", "retries must be at most 10"),
    ],
)
def test_a_wrong_number_is_told_and_kept(page, study_context, form, name, text, sentence):
    before = study_context.document
    editor = line(getattr(page, form), name)
    replace_text(editor, text)
    assert editor.text() == text
    assert sentence in getattr(page, form).form.rows[name].trouble
    assert sentence in page.status().sentence
    assert study_context.document.search.budget.trials >= 1
    assert study_context.document.training == before.training


def test_the_learning_rate_falls_only_where_somebody_says_when(page, study_context):
    page.training.form._more.setChecked(True)
    replace_text(line(page.training, "rate_patience"), "2")
    assert study_context.document.training.reduce_rate == RateReduction(patience=2)
    replace_text(line(page.training, "rate_factor"), "0.2")
    assert study_context.document.training.reduce_rate == RateReduction(patience=2, factor=0.2)
    replace_text(line(page.training, "rate_patience"), "")
    assert study_context.document.training.reduce_rate is None


@pytest.mark.parametrize("name", ["class_weight", "patience", "rate_patience", "rate_factor"])
def test_training_settings_are_tunable(page, study_context, name):
    page.training.form._more.setChecked(True)
    QTest.mouseClick(page.training.form.rows[name].dice, Qt.MouseButton.LeftButton)
    names = [page.table.rows.data(page.table.rows.index(row, 0)) for row in range(page.table.rows.rowCount())]
    assert name in names
    assert not page.training.troubles()
    document = study_context.document
    assert parse_document(document.model_dump(mode="json")) == document


def test_the_batch_size_is_tunable(page, study_context):
    QTest.mouseClick(page.training.form.rows["batch_size"].dice, Qt.MouseButton.LeftButton)
    assert study_context.document.training.batch_size == TuneInt(min=8, max=128, step=2, sampling="log", default=32)
    names = [page.table.rows.data(page.table.rows.index(row, 0)) for row in range(page.table.rows.rowCount())]
    assert names == ["dense_1_units", "dense_1_activation", "learning_rate", "batch_size"]


def test_an_estimator_has_no_training_card(page, study_context):
    edit_model(study_context, EstimatorModel(estimator="GaussianNB"))
    assert not page.training.isVisibleTo(page)
    assert "Nothing varies" in page._size.text()


def test_the_table_says_all_that_keras_tuner_prints(qtmodeltester, page):
    units = row_of(Int(name="units", min=9, max=27, step=3, default=12))
    assert (units["type"], units["default"], units["min"], units["max"]) == ("Int", "12", "9", "27")
    assert (units["step"], units["sampling"], units["only_if"]) == ("3", "linear", "")
    rate = row_of(Float(name="rate", min=1e-4, max=1e-2, sampling="log"))
    assert (rate["default"], rate["min"], rate["step"], rate["sampling"]) == ("0.0001", "0.0001", "", "log")
    condition = Condition(parent="n", values=(2, 3, 4))
    kind = row_of(Choice(name="kind", choices=("relu", "tanh"), conditions=(condition,)))
    assert (kind["min"], kind["only_if"]) == ("relu, tanh", "n = 2 … 4")
    qtmodeltester.check(page.table.rows, force_py=True)


def test_the_check_says_what_it_found(page, study_context, qtbot):
    assert "Not checked yet" in page.check.text
    QTest.mouseClick(page.check.button, Qt.MouseButton.LeftButton)
    assert not page.check.button.isEnabled()
    qtbot.waitUntil(lambda: "The study can run." in page.check.text)
    assert "Parameters at the defaults: 1,234" in page.check.text
    assert "CPU (2 cores). No GPU was found." in page.check.text
    assert load_document(study_context.folder) == study_context.document
    replace_text(line(page.budget, "trials"), "7")
    assert page.check.text == "The study has changed since the last check."


def test_the_space_of_code_comes_from_the_check(page, study_context, qtbot):
    trust(study_context.folder)
    edit_model(study_context, CodeModel(file="mine.py"))
    assert page.table.rows.rowCount() == 0
    assert "press Check now" in page._size.text()
    page.check.check()
    qtbot.waitUntil(lambda: page.table.rows.rowCount() == 1)
    assert page._size.text() == "1 hyperparameter, 4 combinations. All of them can be tried within the budget."
    edit_model(study_context, CodeModel(file="other.py"))
    assert page.table.rows.rowCount() == 0


def test_a_cancelled_check_is_forgotten(page, qtbot, study_context):
    page.check.check()
    QTest.mouseClick(page.check._cancel, Qt.MouseButton.LeftButton)
    assert page.check.text == "The check was cancelled."
    assert page.check.button.isEnabled()


class TestFailedCheck:
    """The engine names fields that are wrong."""

    @pytest.fixture
    def answers(self):
        return {}

    def test_problems_stand_at_their_fields_and_lead_to_their_page(self, page, qtbot, services):
        from tunerstudio.protocol.service import Failure

        problems = (("model.blocks.0.arguments.units", "units is odd"), ("training.epochs", "too many epochs"))
        page.check._fail(Failure(id=1, message="no", problems=problems, details="why"))
        assert "Units is odd\nToo many epochs" in page.check.text
        assert page.training.form.rows["epochs"]._trouble_label.text() == "too many epochs"
        link = page.check._links.itemAt(0).widget()
        with qtbot.waitSignal(page.action_requested) as asked:
            QTest.mouseClick(link, Qt.MouseButton.LeftButton)
        assert asked.args == ["go:model"]

    def test_an_engine_that_dies_is_told(self, page, qtbot, services):
        page.check.check()
        services.engine.request("die", {}, lambda reply: None, lambda failure: None)
        qtbot.waitUntil(lambda: "did not answer" in page.check.text)
        assert page.check.button.isEnabled()


def test_while_a_search_runs_the_button_leads_to_it(page, study_context):
    study_context.set_search_state("running")
    assert page.primary_action() == ("Show the run", "go:run")


def test_a_hidden_page_catches_up_when_it_is_shown(page, study_context):
    page.hide()
    training = study_context.document.training.model_copy(update={"epochs": 77})
    study_context.edit("elsewhere", study_context.document.model_copy(update={"training": training}))
    edit_model(study_context, EstimatorModel(estimator="GaussianNB"))
    page.show()
    assert page.training.form.rows["epochs"].findChildren(QLineEdit)[0].text() == "77"
    assert page.table.rows.rowCount() == 0
