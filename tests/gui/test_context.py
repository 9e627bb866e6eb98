"""The open study: edits, undo, redo, history."""

import pytest

from tunerstudio.study.files import load_document
from tunerstudio.study.trials import Epoch, Trial, TrialState

pytestmark = pytest.mark.gui


def renamed(study, name):
    return study.document.model_copy(update={"name": name})


def test_an_edit_is_saved_and_can_be_undone_and_redone(study_context):
    seen = []
    study_context.document_changed.connect(lambda document: seen.append(document.name))
    study_context.edit("rename", renamed(study_context, "new"))
    assert load_document(study_context.folder).name == "new"
    study_context.undo_stack.undo()
    assert load_document(study_context.folder).name == "tiny"
    study_context.undo_stack.redo()
    assert seen == ["new", "tiny", "new"]


def test_an_edit_that_changes_nothing_is_no_step(study_context):
    study_context.edit("nothing", study_context.document)
    assert study_context.undo_stack.count() == 0


def test_typing_into_one_field_is_one_step(study_context):
    for name in ("a", "ab", "abc"):
        study_context.edit("rename", renamed(study_context, name), "name")
    assert study_context.undo_stack.count() == 1
    study_context.edit("rename", renamed(study_context, "x"), "another field")
    assert study_context.undo_stack.count() == 2
    study_context.undo_stack.undo()
    study_context.undo_stack.undo()
    assert study_context.document.name == "tiny"


def test_what_detection_fills_in_is_no_step_and_undo_goes_before_the_edit(study_context):
    study_context.edit("rename", renamed(study_context, "edited"))
    study_context.complete(renamed(study_context, "completed"))
    assert load_document(study_context.folder).name == "completed"
    assert study_context.undo_stack.count() == 1
    study_context.undo_stack.undo()
    assert study_context.document.name == "tiny"


def test_history_is_kept_by_trial_and_execution(study_context, qtbot):
    trial = Trial(number=3, state=TrialState.RUNNING, values={"units": 9})
    epochs = [Epoch(3, 0, 1, {"loss": 1.0}, 0.0), Epoch(3, 1, 1, {"loss": 2.0}, 0.0)]
    study_context.add_history([trial], epochs)
    assert study_context.trials == {3: trial}
    assert study_context.epochs[(3, 1)] == [epochs[1]]
    with qtbot.waitSignal(study_context.history_reset):
        study_context.reset_history()
    assert not study_context.trials
    assert not study_context.epochs


def test_selecting_the_same_trials_again_is_silent(study_context, qtbot):
    with qtbot.waitSignal(study_context.selection_changed) as heard:
        study_context.select([2, 1])
    assert heard.args == [[2, 1]]
    with qtbot.assertNotEmitted(study_context.selection_changed):
        study_context.select([2, 1])
