"""Pruning, further objectives and constraints on the Search page."""

import json
import sys
from pathlib import Path

import pytest
from PySide6.QtTest import QTest

from tunerstudio.gui.pages.base import Readiness
from tunerstudio.gui.pages.search import SearchPage
from tunerstudio.gui.search_form.extra_form import objectives_from, objectives_text
from tunerstudio.gui.services import Services
from tunerstudio.study.search import AlgorithmChoice, SecondObjective

pytestmark = pytest.mark.gui
FAKE = str(Path(__file__).with_name("fake_service.py"))


@pytest.fixture
def page(qtbot, theme, study_context):
    services = Services(engine_command=[sys.executable, FAKE, json.dumps({})])
    made = SearchPage(theme, services)
    qtbot.addWidget(made)
    made.set_study(study_context)
    made.resize(1200, 900)
    with qtbot.waitExposed(made):
        made.show()
    yield made
    made.set_study(None)
    made.close()
    services.stop()
    services.deleteLater()


def choose(page, method):
    index = page.pruning.method.findData(method)
    assert index >= 0
    page.pruning.method.setCurrentIndex(index)
    page.pruning.method.activated.emit(index)


def with_search(study, **changes):
    search = study.document.search.model_copy(update=changes)
    study.edit("by hand", study.document.model_copy(update={"search": search}))


def test_a_pruner_is_chosen_with_its_options(page, study_context):
    offered = [page.pruning.method.itemData(index) for index in range(page.pruning.method.count())]
    assert {"none", "median", "percentile", "asha", "hyperband_pruning"} == set(offered)
    assert page.pruning.options.isHidden()
    choose(page, "asha")
    assert study_context.document.search.pruning.method == "asha"
    assert "only the best trials go on" in page.pruning.about.text()
    assert {"min_epochs", "factor"} <= set(page.pruning.options.rows)
    page.pruning.options.edited.emit("factor", 4, 1)
    assert study_context.document.search.pruning.options == {"factor": 4}
    choose(page, "none")
    assert study_context.document.search.pruning.options == {}
    choose(page, "asha")
    assert study_context.document.search.pruning.options == {"factor": 4}  # it comes back
    study_context.undo_stack.undo()
    assert page.pruning.method.currentData() == "none"


def test_what_does_not_fit_is_said_in_the_card(page, study_context):
    with_search(study_context, algorithm=AlgorithmChoice(id="hyperband"))
    choose(page, "median")
    assert "Hyperband cuts training short itself" in page.pruning.trouble.text()
    assert page.status().readiness is Readiness.NEEDS_YOU


def test_further_objectives_and_constraints_are_typed(page, study_context):
    also = page.extra.lines["also"]
    also.setFocus()
    QTest.keyClicks(also, "parameters, val_auc max")
    assert study_context.document.search.also == (
        SecondObjective(name="parameters"),
        SecondObjective(name="val_auc", direction="max"),
    )
    constraints = page.extra.lines["constraints"]
    constraints.setFocus()
    QTest.keyClicks(constraints, "dense_1_units <= 12; parameters < 1e6")
    assert study_context.document.search.constraints == ("dense_1_units <= 12", "parameters < 1e6")
    assert constraints.text() == "dense_1_units <= 12; parameters < 1e6"
    QTest.keyClicks(constraints, "; < 3")
    assert len(study_context.document.search.constraints) == 2  # the last right ones are kept
    assert "constraints" in page.status().sentence


def test_unknown_names_in_constraints_are_said(page, study_context):
    with_search(study_context, constraints=("dense_1_unitz < 3",))
    assert page.status().readiness is Readiness.NEEDS_YOU
    assert "There is no hyperparameter 'dense_1_unitz'" in page.status().sentence


@pytest.mark.parametrize(
    ("text", "message"), [("val_own", "Is val_own better when"), ("parameters down", "Write parameters max or")]
)
def test_objectives_need_a_direction(text, message):
    with pytest.raises(ValueError, match=message):
        objectives_from(text)


def test_objectives_as_text_are_the_same_again():
    assert objectives_text(objectives_from("latency_ms, val_f max,")) == "latency_ms, val_f max"
