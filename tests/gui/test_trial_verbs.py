"""What can be done with a trial: in the menu, by keys, in the form for a trial of one's own values."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.gui.run_history import half_way, with_training
from tunerstudio.gui import dialogs
from tunerstudio.gui.pages.run import RunPage
from tunerstudio.gui.run_view.enqueue_form import EnqueueForm
from tunerstudio.protocol.control import (
    EnqueueTrial,
    PauseTrial,
    ResumeTrial,
    RetryTrial,
    SetNote,
    SkipTrial,
    StopTrialEarly,
)
from tunerstudio.study.hyperparameters import Boolean, Choice, Condition, Float, Int, SearchSpace
from tunerstudio.study.trials import Trial, TrialState

pytestmark = pytest.mark.gui

SPACE = SearchSpace(
    hyperparameters=(
        Int(name="units", min=8, max=32, step=8),
        Float(name="rate", min=0.001, max=0.1, sampling="log"),
        Boolean(name="drop"),
        Choice(name="share", choices=(0.1, 0.5), conditions=(Condition(parent="drop", values=(True,)),)),
    )
)


@pytest.fixture
def page(qtbot, theme, study_context):
    study_context.edit("train longer", with_training(study_context.document))
    made = RunPage(theme, None)
    qtbot.addWidget(made)
    made.resize(1190, 620)
    made.set_study(study_context)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    trials, epochs, _ = half_way()
    study_context.set_search_state("running", "")
    study_context.add_history(trials, epochs)
    waiting = [Trial(number=n, state=s, values=trials[0].values) for n, s in ((25, "QUEUED"), (26, "PAUSED"))]
    study_context.add_history([Trial(**{**vars(t), "state": TrialState(t.state)}) for t in waiting], [])
    made.view.refresh()
    return made


@pytest.fixture
def asked(study_context):
    commands = []
    study_context.command_requested.connect(commands.append)
    return commands


def enabled_for(page, number):
    page.view.trials.view.show_selection([number])
    return {name for name, action in page.view.trials.view.verb_actions.items() if action.isEnabled()}


@pytest.mark.parametrize(
    ("number", "verbs"),
    [
        (24, {"pause", "stop_early", "skip"}),  # running
        (25, {"pause", "skip"}),  # queued
        (26, {"resume", "stop_early", "skip"}),  # paused
        (9, {"retry"}),  # failed
        (1, set()),  # completed
    ],
)
def test_only_what_applies_can_be_chosen(page, number, verbs):
    assert enabled_for(page, number) == verbs | {"edit_and_queue", "note"}


@pytest.mark.parametrize(
    ("number", "key", "command"),
    [
        (24, "P", PauseTrial(trial=24)),
        (26, "R", ResumeTrial(trial=26)),
        (24, "E", StopTrialEarly(trial=24)),
        (25, "Del", SkipTrial(trial=25)),
        (9, "Ctrl+R", RetryTrial(trial=9)),
    ],
)
def test_a_key_asks_for_it(page, asked, number, key, command):
    view = page.view.trials.view
    view.show_selection([number])
    view.setFocus()
    keys = {"Del": (Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier)}
    plain = key.removeprefix("Ctrl+")
    modifier = Qt.KeyboardModifier.ControlModifier if plain != key else Qt.KeyboardModifier.NoModifier
    code, modifier = keys.get(key, (getattr(Qt.Key, f"Key_{plain}", None), modifier))
    QTest.keyClick(view, code, modifier)
    assert asked == [command]


def test_a_verb_is_done_with_all_chosen_trials_that_it_applies_to(page, asked):
    page.view.trials.view.show_selection([24, 25, 1])
    page.view.trials.view.verb_actions["skip"].trigger()
    assert {command.trial for command in asked} == {24, 25}


def test_every_verb_says_its_consequence(page):
    for action in page.view.trials.view.verb_actions.values():
        assert len(action.toolTip()) > 20


def test_a_failed_trial_offers_to_try_again_where_it_says_why(page, asked, study_context, qtbot):
    study_context.select([9])
    message = page.view.trials.message
    assert "NaN" in message.text
    button = next(b for b in message.findChildren(type(message._close_button)) if b.text() == "Retry")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert asked == [RetryTrial(trial=9)]


def test_a_paused_trial_says_so_and_offers_to_resume(page, study_context):
    study_context.select([26])
    assert "paused" in page.view.trials.message.text


def test_a_note_is_asked_for(page, asked, monkeypatch):
    monkeypatch.setattr(dialogs, "ask_note", lambda parent, number, present: f"{number}{present}!")
    page.view.trials.view.show_selection([1])
    page.view.trials.view.verb_actions["note"].trigger()
    assert asked == [SetNote(trial=1, note="1!")]


def test_a_trial_is_edited_and_queued(page, asked, study_context, qtbot):
    page.view.trials.view.show_selection([1])
    page.view.trials.view.verb_actions["edit_and_queue"].trigger()
    form = page.view.trials.form
    values = study_context.trials[1].values
    assert form.fields["dense_1_activation"].value() == values["dense_1_activation"]
    form.fields["dense_1_units"].type_text("12")
    form.fields["learning_rate"].type_text("0.002")
    form.note.setText("narrower")
    qtbot.mouseClick(form.accept_button, Qt.MouseButton.LeftButton)
    wanted = {**values, "dense_1_units": 12, "learning_rate": 0.002}
    assert asked == [EnqueueTrial(values=wanted, note="narrower")]
    qtbot.waitUntil(lambda: page.view.trials.form is None)


def test_a_trial_of_ones_own_begins_with_the_defaults(page, qtbot):
    qtbot.mouseClick(page.view.trials.add_button, Qt.MouseButton.LeftButton)
    form = page.view.trials.form
    assert form.fields["dense_1_units"].value() == 9
    form.reject()
    qtbot.waitUntil(lambda: page.view.trials.form is None)


@pytest.fixture
def form(qtbot, theme):
    made = EnqueueForm(theme, SPACE, {"units": 16, "gone": 3}, "a trial")
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    return made


def test_illegal_values_are_told_and_cannot_be_queued(form):
    assert form.accept_button.isEnabled()
    form.fields["units"].type_text("9")
    assert form.troubles["units"].text() == "possible: 8 … 32 step 8"
    assert not form.accept_button.isEnabled()
    form.fields["units"].type_text("many")
    assert "whole number" in form.troubles["units"].text()
    form.fields["units"].type_text("24")
    form.fields["rate"].type_text("0,01")
    assert form.accept_button.isEnabled()


def test_fields_that_do_not_count_are_hidden_and_not_sent(form, qtbot):
    assert not form.fields["share"].isVisible()
    with qtbot.waitSignal(form.enqueued) as heard:
        form.accept_button.click()
    assert heard.args[0] == {"units": 16, "rate": 0.001, "drop": False}
    form.show()
    form.fields["drop"].type_text("true")
    assert form.fields["share"].isVisible()
    with qtbot.waitSignal(form.enqueued) as heard:
        form.accept_button.click()
    assert heard.args[0] == {"units": 16, "rate": 0.001, "drop": True, "share": 0.1}
