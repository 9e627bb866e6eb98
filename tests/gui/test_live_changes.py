"""Budget, workers and other fields changed while a search runs."""

import pytest
from PySide6.QtCore import Qt

from tests.gui.run_history import half_way
from tests.gui.test_search_page import line, replace_text
from tunerstudio.gui.field_labels import field_label
from tunerstudio.gui.live_changes import LiveChanges, commands_for, describe_changes
from tunerstudio.gui.pages.run import RunPage
from tunerstudio.gui.search_form.settings import with_value
from tunerstudio.protocol.control import ReloadStudy, SetBudget, SetWorkers
from tunerstudio.study.search import Budget, Plateau

pytestmark = pytest.mark.gui


def changed(document, path, value):
    return with_value(document, path.split("."), value)


@pytest.fixture
def changes(study_context):
    made = LiveChanges(study_context)
    made.set_study(study_context)
    return made


def test_edits_without_a_search_need_not_be_applied(changes, study_context):
    study_context.edit("x", changed(study_context.document, "search.budget.trials", 60))
    assert changes.pending == []


def test_each_change_has_its_command(document):
    more = changed(document, "search.budget.trials", 60)
    assert commands_for(document, more) == [SetBudget(budget=Budget(trials=60))]
    assert commands_for(more, changed(more, "search.workers", 3)) == [SetWorkers(workers=3)]
    assert commands_for(more, changed(more, "search.retries", 2)) == [ReloadStudy()]
    assert commands_for(more, changed(more, "name", "another")) == [ReloadStudy()]
    assert commands_for(more, more) == []


def test_changes_are_named(document):
    after = changed(changed(document, "search.budget.trials", 60), "search.workers", 3)
    trials, workers = describe_changes(document, after)
    assert trials == "trials 5 → 60"
    assert workers.startswith("workers automatic: ")
    assert workers.endswith("→ 3")
    assert describe_changes(document, changed(document, "model.blocks", ())) == ["model"]


def test_applying_tells_the_search_and_an_answer_settles_it(changes, study_context):
    asked = []
    study_context.command_requested.connect(asked.append)
    study_context.set_search_state("running")
    study_context.edit("x", changed(study_context.document, "search.budget.trials", 60))
    assert changes.pending == ["trials 5 → 60"]
    changes.apply()
    assert asked == [SetBudget(budget=study_context.document.search.budget)]
    study_context.command_answered.emit(asked[0], "the budget is less than what was done")
    assert changes.pending
    study_context.command_answered.emit(asked[0], "")
    assert changes.pending == []


def test_what_another_program_told_the_search_is_not_pending(changes, study_context):
    study_context.set_search_state("running")
    study_context.take_from_disk(changed(study_context.document, "search.budget.trials", 60))
    assert study_context.document.search.budget.trials == 60
    assert changes.pending == []


def test_the_run_page_changes_budget_and_workers(qtbot, theme, study_context):
    page = RunPage(theme, None)
    qtbot.addWidget(page)
    page.resize(1190, 620)
    page.show()
    page.set_study(study_context)
    study_context.set_search_state("running")
    study_context.add_history(*half_way()[:2])
    asked = []
    study_context.command_requested.connect(asked.append)
    view = page.view
    qtbot.mouseClick(view.banner.limits_button, Qt.MouseButton.LeftButton)
    assert view.limits.isVisible()
    assert not view.limits.apply_button.isEnabled()
    replace_text(line(view.limits.form, "trials"), "80")
    assert "trials 5 → 80" in view.strip.text
    qtbot.mouseClick(view.limits.apply_button, Qt.MouseButton.LeftButton)
    assert not view.limits.isVisible()
    assert asked == [SetBudget(budget=study_context.document.search.budget)]


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("search.budget.trials", "Budget: trials"),
        ("search.workers", "Budget: workers"),
        ("search.limits.memory_gb", "Advanced: memory per trial"),
        ("training.epochs", "Training: epochs"),
        ("model.blocks[2].arguments.units", "Layers: [2], arguments, units"),
        ("search.objective.name", "Objective"),
        ("something.quite_else", "quite else"),
    ],
)
def test_a_path_is_shown_as_the_label_of_its_field(qapp, path, label):
    assert field_label(path) == label


def test_the_moment_to_finish_by_is_checked(qtbot, theme, study_context):
    page = RunPage(theme, None)
    qtbot.addWidget(page)
    page.set_study(study_context)
    study_context.set_search_state("running")
    form = page.view.limits.form
    form.form._more.setChecked(True)
    replace_text(line(form, "finish_by"), "7 o'clock")
    assert "finish by" in form.troubles()
    assert study_context.document.search.budget.finish_by is None
    replace_text(line(form, "finish_by"), "07:00")
    assert form.troubles() == {}
    assert study_context.document.search.budget.finish_by == "07:00"
    replace_text(line(form, "plateau"), "7")
    replace_text(line(form, "target"), "0.98")
    budget = study_context.document.search.budget
    assert (budget.plateau, budget.target) == (Plateau(trials=7), 0.98)
    study_context.save_now()
