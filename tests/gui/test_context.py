"""The open study: edits, undo, redo, history."""

import pytest

from tunerstudio.gui import context
from tunerstudio.study.files import load_document
from tunerstudio.study.trials import Epoch, Trial, TrialState

pytestmark = pytest.mark.gui


def renamed(study, name):
    return study.document.model_copy(update={"name": name})


def test_an_edit_is_saved_and_can_be_undone_and_redone(study_context):
    seen = []
    study_context.document_changed.connect(lambda document: seen.append(document.name))
    study_context.edit("rename", renamed(study_context, "new"))
    study_context.save_now()
    assert load_document(study_context.folder).name == "new"
    study_context.undo_stack.undo()
    study_context.save_now()
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
    study_context.save_now()
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


def test_edits_are_saved_together_a_moment_later(study_context, qtbot, monkeypatch):
    written = []
    monkeypatch.setattr(context, "save_document", lambda document, folder: written.append(document.name))
    for name in ("a", "ab", "abc"):
        study_context.edit("rename", renamed(study_context, name), "name")
    assert written == []
    qtbot.waitUntil(lambda: written == ["abc"])
    study_context.save_now()
    assert written == ["abc"]


def test_a_study_that_cannot_be_saved_is_told_and_tried_again(study_context, qtbot):
    study_context.folder.parent.mkdir(exist_ok=True)
    study_context.folder.write_text("in the way")
    study_context.edit("rename", renamed(study_context, "new"))
    with qtbot.waitSignal(study_context.save_failed) as heard:
        study_context.save_now()
    assert str(study_context.folder) in heard.args[0]
    study_context.folder.unlink()
    study_context.save_now()
    assert load_document(study_context.folder).name == "new"


def test_what_another_program_wrote_is_an_edit_that_can_be_undone(study_context):
    study_context.edit("rename", renamed(study_context, "mine"))
    study_context.save_now()
    study_context.take_from_disk(renamed(study_context, "tiny"))
    assert study_context.document.name == "mine"
    study_context.take_from_disk(renamed(study_context, "theirs"))
    assert study_context.document.name == "theirs"
    study_context.undo_stack.undo()
    assert study_context.document.name == "mine"
