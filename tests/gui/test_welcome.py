"""The welcome page and the list of recent studies."""

import pytest
from PySide6.QtCore import Qt

from tunerstudio.gui import recent
from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.pages.welcome import WelcomePage
from tunerstudio.gui.widgets.network_sketch import sketch_columns
from tunerstudio.store.writer import StudyWriter
from tunerstudio.study.examples import find_examples
from tunerstudio.study.files import save_document
from tunerstudio.study.trials import Trial, TrialState

pytestmark = pytest.mark.gui


@pytest.fixture
def page(qtbot, theme):
    made = WelcomePage(theme)
    qtbot.addWidget(made)
    made.resize(1366, 700)
    made.set_examples(find_examples())
    made.set_recent([])
    made.show()
    return made


def test_an_example_runs_with_one_click(page, qtbot):
    with qtbot.waitSignal(page.example_chosen) as heard:
        page.example_cards[0].run_button.click()
    example, run = heard.args
    assert (example.name, run) == ("reference", True)
    with qtbot.waitSignal(page.example_chosen) as heard:
        page.example_cards[1].open_button.click()
    assert heard.args[1] is False


def test_doors_open_by_mouse_and_keyboard(page, qtbot):
    with qtbot.waitSignal(page.new_requested):
        qtbot.mouseClick(page.data_door, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(page.open_requested):
        qtbot.keyClick(page.open_door, Qt.Key.Key_Return)


def test_without_recent_studies_it_says_what_to_do(page, qtbot):
    assert page._no_recent.isVisible()
    with qtbot.waitSignal(page.example_chosen) as heard:
        page._no_recent._button.click()
    assert heard.args[1] is True


def test_recent_studies_are_remembered_with_their_best_score(page, study_context, qtbot):
    save_document(study_context.document, study_context.folder)
    trials = [
        Trial(number=1, state=TrialState.COMPLETED, values={}, score=0.9),
        Trial(number=2, state=TrialState.COMPLETED, values={}, score=0.95),
        Trial(number=3, state=TrialState.FAILED, values={}),
    ]
    study_context.add_history(trials, [])
    recent.remember(study_context)
    recent.remember(study_context)
    (entry,) = recent.load_recent()
    assert (entry.name, entry.data, entry.trials, entry.best, entry.state) == (
        "tiny",
        "tiny.csv",
        3,
        "0.9500",
        "stopped",
    )
    page.set_recent([entry])
    with qtbot.waitSignal(page.recent_chosen) as heard:
        qtbot.mouseClick(page.recent_rows[0], Qt.MouseButton.LeftButton)
    assert heard.args == [str(study_context.folder)]


def test_opening_a_study_again_keeps_what_was_known_of_its_trials(study_context):
    save_document(study_context.document, study_context.folder)
    with StudyWriter(study_context.folder) as writer:
        writer.put_trial(Trial(number=1, state=TrialState.COMPLETED, values={}, score=0.9))
    study_context.add_history([Trial(number=1, state=TrialState.COMPLETED, values={}, score=0.9)], [])
    recent.remember(study_context)
    just_opened = StudyContext(study_context.folder, study_context.document)
    recent.remember(just_opened)
    (entry,) = recent.load_recent()
    assert (entry.trials, entry.best, entry.state) == (1, "0.9000", "stopped")


def test_the_picture_of_an_example_follows_its_blocks(document):
    columns = sketch_columns(document)
    assert [(column.dots, column.varies) for column in columns] == [(5, False), (4, True), (1, False)]
    digits = next(example for example in find_examples() if example.name == "digits").document()
    assert sketch_columns(digits)[0].square


def test_a_study_that_is_gone_is_not_listed(study_context):
    save_document(study_context.document, study_context.folder)
    recent.remember(study_context)
    (study_context.folder / "study.yaml").unlink()
    assert recent.load_recent() == []


def test_a_study_can_be_forgotten(study_context):
    save_document(study_context.document, study_context.folder)
    recent.remember(study_context)
    recent.forget(str(study_context.folder))
    assert recent.load_recent() == []


def test_a_damaged_list_is_an_empty_list(user_home):
    user_home.mkdir(parents=True)
    (user_home / "recent.json").write_text("{not json")
    assert recent.load_recent() == []


def test_a_search_in_the_background_is_listed_as_running(study_context):
    save_document(study_context.document, study_context.folder)
    study_context.set_search_state("running")
    recent.remember(study_context)
    with StudyWriter(study_context.folder):
        assert recent.load_recent()[0].state == "running"
    assert recent.load_recent()[0].state == "stopped"
