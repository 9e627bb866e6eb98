"""The card that names earlier studies to learn from."""

import json
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QPushButton

from tunerstudio.gui import dialogs, recent
from tunerstudio.gui.pages.search import SearchPage
from tunerstudio.gui.services import Services
from tunerstudio.store.writer import StudyWriter
from tunerstudio.study.files import save_document
from tunerstudio.study.trials import Trial, TrialState

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


@pytest.fixture
def earlier(study_context, document):
    """Another study beside the open one, with a trial."""
    folder = study_context.folder.parent / "before"
    save_document(document.model_copy(update={"name": "The one before"}), folder)
    with StudyWriter(folder) as writer:
        writer.put_trial(Trial(1, TrialState.COMPLETED, {"units": 9}, score=0.5))
    return folder


def list_recent(folder, name, trials):
    recent._save([recent.RecentStudy(folder=str(folder), name=name, trials=trials)])


def rows(form):
    return [label for label in form.findChildren(QLabel) if label.toolTip() in form.folders()]


def test_a_recent_study_is_added_from_the_menu_and_removed(page, study_context, earlier):
    list_recent(earlier, "The one before", 1)
    form = page.warm_start
    form.add.menu().aboutToShow.emit()
    actions = form.add.menu().actions()
    assert [action.text() for action in actions if not action.isSeparator()] == [
        "The one before, 1 trial",
        "Another folder…",
    ]
    actions[0].trigger()
    assert study_context.document.search.warm_start == ("../before",)
    assert [label.text() for label in rows(form)] == ["The one before  (../before)"]
    assert form._sentence.isHidden()
    form.add.menu().aboutToShow.emit()
    assert len(form.add.menu().actions()) == 1  # it is there already
    remove = next(b for b in form.findChildren(QPushButton) if b.accessibleName() == "Remove The one before")
    remove.click()
    assert study_context.document.search.warm_start == ()
    study_context.undo_stack.undo()
    assert study_context.document.search.warm_start == ("../before",)


def test_a_folder_is_chosen_and_one_that_is_gone_is_told(page, study_context, tmp_path, monkeypatch):
    elsewhere = tmp_path / "far" / "away"
    elsewhere.mkdir(parents=True)
    monkeypatch.setattr(dialogs, "choose_study_folder", lambda parent, start: elsewhere)
    form = page.warm_start
    form.add.menu().aboutToShow.emit()
    form.add.menu().actions()[-1].trigger()
    assert study_context.document.search.warm_start == (str(elsewhere),)
    assert "holds no study with trials: it is left out" in form._sentence.text()
    assert form._sentence.isVisibleTo(page)


def test_the_study_itself_is_no_earlier_one(page, study_context):
    page.warm_start.add_folder(study_context.folder)
    assert study_context.document.search.warm_start == ()
