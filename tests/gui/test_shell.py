"""The window's frame: commands, pages, marks, errors, and how it ends."""

import time

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QMessageBox, QPushButton

from tunerstudio.gui import dialogs
from tunerstudio.gui.actions import action_table, menu_titles
from tunerstudio.gui.main_window import MainWindow
from tunerstudio.gui.pages.base import Readiness
from tunerstudio.gui.settings import load_settings
from tunerstudio.gui.settings_dialog import SettingsDialog
from tunerstudio.gui.widgets.command_palette import CommandPalette
from tunerstudio.store.writer import StudyWriter
from tunerstudio.study.examples import find_examples
from tunerstudio.study.files import load_document, save_document
from tunerstudio.study.model import CodeModel
from tunerstudio.study.trials import Trial, TrialState

pytestmark = pytest.mark.gui


@pytest.fixture
def window(qtbot, theme, fake_services):
    made = MainWindow(theme, fake_services)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.finish()


@pytest.fixture
def opened(window, document, tmp_path, qtbot):
    save_document(document, tmp_path / "study")
    window.workspace.open_folder(tmp_path / "study")
    qtbot.waitUntil(lambda: window.study.preview is not None)
    return window


def say_search(window, **data):
    data = {"folder": str(window.study.folder), "message": "", **data}
    window._services.engine.request("notice", {"name": "search", "data": data}, lambda reply: None)


def test_every_action_can_be_done_and_ids_and_shortcuts_are_unique(window):
    specs = action_table()
    assert {spec.menu for spec in specs} == set(menu_titles())
    assert len({spec.id for spec in specs}) == len(specs)
    shortcuts = [spec.shortcut for spec in specs if spec.shortcut]
    assert len(set(shortcuts)) == len(shortcuts)
    for spec in specs:
        name, _, argument = spec.id.partition(":")
        assert name in window._handlers(argument)


def test_without_a_study_only_what_needs_none_can_be_done(window):
    assert window.current_page == "welcome"
    assert window.menus.actions["new"].isEnabled()
    for name in ("run", "go:data", "undo", "stop:now"):
        assert not window.menus.actions[name].isEnabled()


def test_keys_go_to_the_pages(opened, qtbot):
    for number, page in enumerate(("data", "model", "search", "run", "models"), start=1):
        opened.menus.actions[f"go:{page}"].trigger()
        assert opened.current_page == page
        assert opened.menus.actions[f"go:{page}"].shortcut().toString() == f"Ctrl+{number}"
        assert opened.rail.buttons[number - 1].isChecked()


def test_the_rail_says_how_ready_a_page_is(opened):
    assert opened.rail.buttons[0].readiness is Readiness.READY
    assert opened.rail.buttons[0].accessibleName() == "Data: ready"
    opened.pages[0].table.role_chosen.emit("class", "feature")
    assert opened.rail.buttons[0].readiness is Readiness.NEEDS_YOU
    assert "Choose the column" in opened.rail.buttons[0].toolTip()


def test_undo_and_redo_name_what_they_do(opened):
    opened.pages[0].table.role_chosen.emit("size", "ignore")
    undo = opened.menus.actions["undo"]
    assert undo.isEnabled()
    assert undo.text().endswith("size: ignore")
    undo.trigger()
    assert opened.study.document.data.columns[1].role == "feature"
    opened.menus.actions["redo"].trigger()
    assert opened.study.document.data.columns[1].role == "ignore"


def test_an_example_runs_in_two_clicks(window, qtbot):
    window.welcome.example_cards[0].run_button.click()
    assert window.current_page == "run"
    assert window.study.search_state == "starting"
    assert window.study.document.name == find_examples()[0].document().name
    assert not (window.study.folder / "example.toml").exists()
    say_search(window, state="ended", reason="finished", message="The budget is used up.")
    qtbot.waitUntil(lambda: window.study.search_state == "idle")
    assert "The budget is used up." in window.messages.text


def test_a_dropped_file_becomes_a_study_that_is_saved(window, qtbot, tmp_path):
    file = tmp_path / "tiny.csv"
    file.write_text("id,size,colour,class\n")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(file))])
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    window.dropEvent(event)
    qtbot.waitUntil(lambda: window.study is not None)
    assert window.current_page == "data"
    assert load_document(window.study.folder).name == "tiny"


def test_the_same_name_twice_gives_two_folders(window):
    example = find_examples()[0]
    window.workspace.open_example(example)
    first = window.study.folder
    window.workspace.open_example(example)
    assert window.study.folder.name == f"{first.name} 2"


def test_a_folder_that_is_no_study_is_said(window, tmp_path):
    assert not window.workspace.open_folder(tmp_path)
    assert window.banner.text.startswith("This study cannot be opened: ")
    assert "study.yaml" in window.messages.text
    assert window.current_page == "welcome"


def test_problems_of_the_engine_lead_to_the_page(opened, qtbot):
    opened.workspace.worker.run()
    say_search(
        opened,
        state="ended",
        reason="failed",
        message="1 problem",
        problems=[["model.layers.0.arguments.units", "min must be less than max"]],
    )
    qtbot.waitUntil(lambda: opened.current_page == "model")
    assert "min must be less" in opened.banner.text


@pytest.fixture
def foreign(window, document, tmp_path):
    """A study with code that nobody has trusted yet, open."""
    save_document(document.model_copy(update={"model": CodeModel(file="model.py")}), tmp_path / "foreign")
    (tmp_path / "foreign" / "model.py").write_text("def build(hp):\n    return None\n")
    window.workspace.open_folder(tmp_path / "foreign")
    return window


def click_in_banner(window, qtbot, text):
    buttons = window.banner.findChildren(QPushButton)
    button = next(button for button in buttons if button.text() == text and button.isVisible())
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_code_of_a_stranger_asks_for_trust(foreign, qtbot):
    folder = foreign.study.folder
    assert "trust" in foreign.banner.text
    click_in_banner(foreign, qtbot, "Trust this study")
    assert foreign.banner.text == ""
    foreign.workspace.close()
    foreign.workspace.open_folder(folder)
    assert foreign.banner.text == ""


def test_running_the_code_of_a_stranger_shows_it_and_goes_on_once_it_is_trusted(foreign, qtbot):
    foreign.banner.clear()
    foreign.do("run")
    assert foreign.study.search_state == "idle"
    assert foreign.current_page == "model"
    click_in_banner(foreign, qtbot, "Trust this study")
    assert foreign.study.search_state == "starting"
    assert foreign.current_page == "run"
    say_search(foreign, state="ended", reason="stopped")
    qtbot.waitUntil(lambda: foreign.study.search_state == "idle")


def test_checking_the_code_of_a_stranger_asks_first(foreign):
    foreign.banner.clear()
    foreign.do("check")
    assert "trust" in foreign.banner.text
    assert foreign.current_page == "model"


def test_the_check_of_the_menu_answers_on_the_search_page(opened, qtbot):
    opened.do("check")
    assert opened.current_page == "search"
    qtbot.waitUntil(lambda: "The study can run." in opened.pages[2].check.text)


def test_the_theme_is_switched_and_remembered(window, theme):
    window.do("look:dark")
    assert theme.is_dark
    assert window._services.settings.appearance == "dark"
    assert window.menus.actions["look:dark"].isChecked()
    window.do("look:light")
    assert not theme.is_dark


def test_find_anything_finds_and_does(opened, qtbot):
    opened.do("palette")
    palette = opened.findChild(CommandPalette)
    palette.set_query("mod")
    assert palette.shown[:2] == ["Model", "Models"]
    qtbot.keyClick(palette._field, Qt.Key.Key_Down)
    qtbot.keyClick(palette._field, Qt.Key.Key_Return)
    assert opened.current_page == "models"
    assert not palette.isVisible()


def test_what_is_not_there_is_not_found(opened):
    opened.do("palette")
    palette = opened.findChild(CommandPalette)
    palette.set_query("xyzzy")
    assert palette.shown == []
    palette.close()


@pytest.mark.parametrize("answer", ["epoch", "now"])
def test_closing_while_a_search_runs_stops_it_first(opened, qtbot, monkeypatch, answer):
    asked = []
    monkeypatch.setattr(dialogs, "ask_before_leaving", lambda parent, is_closing: asked.append(1) or (answer, False))
    opened.workspace.worker.run()
    say_search(opened, state="running")
    qtbot.waitUntil(lambda: opened.study.search_state == "running")
    opened.close()
    assert asked
    assert opened.isVisible()
    assert opened.study.search_state == "stopping"
    with qtbot.waitSignal(opened.closed):
        say_search(opened, state="ended", reason="stopped")
    assert not opened.isVisible()


def test_keep_running_keeps_the_window(opened, qtbot, monkeypatch):
    monkeypatch.setattr(dialogs, "ask_before_leaving", lambda parent, is_closing: ("", False))
    opened.workspace.worker.run()
    opened.close()
    assert opened.isVisible()
    assert opened.study.search_state == "starting"
    say_search(opened, state="ended", reason="stopped")
    qtbot.waitUntil(lambda: opened.study.search_state == "idle")


def test_a_search_may_go_on_without_the_window(opened, qtbot, monkeypatch):
    monkeypatch.setattr(dialogs, "ask_before_leaving", lambda parent, is_closing: ("background", is_closing))
    opened.workspace.worker.run()
    say_search(opened, state="running")
    qtbot.waitUntil(lambda: opened.study.search_state == "running")
    let_go = []
    monkeypatch.setattr(opened._services.engine, "let_go", lambda: let_go.append(1))
    with qtbot.waitSignal(opened.closed):
        opened.close()
    assert let_go
    assert load_settings().on_close == "background"  # the box was checked


def test_what_the_user_always_does_is_not_asked(opened, qtbot, monkeypatch):
    monkeypatch.setattr(dialogs, "ask_before_leaving", lambda parent, is_closing: pytest.fail("asked"))
    opened._services.settings.on_close = "now"
    opened.workspace.worker.run()
    opened.close()
    assert opened.study.search_state == "stopping"
    say_search(opened, state="ended", reason="stopped")
    with qtbot.waitSignal(opened.closed):
        pass


def test_a_search_of_another_program_is_left_without_a_question(opened, qtbot, monkeypatch):
    monkeypatch.setattr(dialogs, "ask_before_leaving", lambda parent, is_closing: pytest.fail("asked"))
    opened.study.set_search_state("running")
    with qtbot.waitSignal(opened.closed):
        opened.close()
    opened.study.set_search_state("idle")


def test_the_question_names_all_ways(window, qtbot, monkeypatch):
    def choose(box):
        buttons = {button.text(): button for button in box.buttons()}
        seen.append(list(buttons))
        if box.checkBox() is not None:
            box.checkBox().setChecked(True)
        monkeypatch.setattr(QMessageBox, "clickedButton", lambda box: buttons[wanted])

    seen = []
    monkeypatch.setattr(QMessageBox, "exec", choose)
    wanted = "Keep running in the background"
    assert dialogs.ask_before_leaving(window, is_closing=True) == ("background", True)
    wanted = "Stop now"
    assert dialogs.ask_before_leaving(window, is_closing=False) == ("now", False)
    wanted = "Cancel"
    assert dialogs.ask_before_leaving(window, is_closing=True) == ("", False)
    assert len(seen[0]) == 4


def test_settings_hold_at_once_and_are_kept(window, qtbot):
    window.do("settings")
    dialog = window.findChild(SettingsDialog)
    for field, choice in (("on_window_death", "continue"), ("on_close", "now"), ("appearance", "dark")):
        box = dialog.boxes[field]
        box.setCurrentIndex(box.findData(choice))
        box.activated.emit(box.currentIndex())
    saved = load_settings()
    assert (saved.on_window_death, saved.on_close, saved.appearance) == ("continue", "now", "dark")
    assert window.workspace.worker.on_window_death == "continue"
    assert window._theme.is_dark
    dialog.reject()


def test_problems_are_told_by_the_labels_of_their_fields(opened):
    opened._show_problems([("search.budget.trials", "1 or more is needed")], "")
    assert opened.banner.text == "Budget: trials: 1 or more is needed"


def test_the_window_comes_back_where_it_was(window, theme, fake_services, qtbot):
    window.resize(790, 666)
    window.finish()
    other = MainWindow(theme, fake_services)
    qtbot.addWidget(other)
    assert other.height() == 666
    assert load_settings().window_geometry
    other.finish()


def test_the_frame_is_built_quickly(theme, fake_services, qtbot):
    began = time.thread_time()
    window = MainWindow(theme, fake_services)
    qtbot.addWidget(window)
    assert time.thread_time() - began < 1.5
    window.finish()


def test_another_study_does_not_show_the_last_message(opened, tmp_path, document):
    opened.tell("3 models saved.")
    assert opened._status.message == "3 models saved."
    save_document(document, tmp_path / "other")
    opened.workspace.open_folder(tmp_path / "other")
    assert not opened._status.message
    assert "3 models saved." in opened.messages.text


def test_the_folder_of_the_last_data_file_is_remembered(opened, tmp_path, monkeypatch):
    started = []

    def choose(parent, start):
        started.append(start)
        return tmp_path / "tiny.csv"

    monkeypatch.setattr(dialogs, "choose_data_file", choose)
    opened.do("other_data")
    opened.do("other_data")
    assert started[1] == tmp_path
    assert load_settings().data_folder == str(tmp_path)


def test_a_study_that_ran_opens_on_its_run(window, document, tmp_path):
    save_document(document, tmp_path / "study")
    with StudyWriter(tmp_path / "study") as writer:
        writer.put_trial(Trial(number=1, state=TrialState.COMPLETED, values={}, score=0.5))
    window.workspace.open_folder(tmp_path / "study")
    assert window.current_page == "run"
