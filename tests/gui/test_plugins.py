"""The plugin manager: rows, reasons, switches, installing by drop, and a watch on the plugin folder."""

import zipfile

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from tunerstudio.algorithms.discovery import find_plugins
from tunerstudio.algorithms.skeleton import write_skeleton
from tunerstudio.gui.main_window import MainWindow
from tunerstudio.gui.plugins.checker import PluginChecker
from tunerstudio.gui.plugins.dialog import PluginsDialog
from tunerstudio.gui.plugins.item_model import KIND, NAME, STATE, VERSION
from tunerstudio.gui.plugins.watcher import PluginWatcher
from tunerstudio.locations import user_plugins_folder

pytestmark = pytest.mark.gui


@pytest.fixture
def dialog(theme, qtbot):
    made = PluginsDialog(theme)
    qtbot.addWidget(made)
    return made


def row_of(dialog, name):
    row = next(row for row, info in enumerate(dialog.model.plugins) if info.id == name)
    return [dialog.model.index(row, column).data() for column in range(dialog.model.columnCount())]


def show(dialog, name):
    row = next(row for row, info in enumerate(dialog.model.plugins) if info.id == name)
    dialog.table.selectRow(row)


def break_one():
    folder = user_plugins_folder() / "broken"
    folder.mkdir(parents=True)
    (folder / "MANIFEST.toml").write_text('id = "broken"\nname = "Broken one"\nkind = "propse"\n')


def test_every_plugin_is_a_row_and_a_broken_one_says_why(dialog):
    break_one()
    dialog.reload()
    assert len(dialog.model.plugins) == len(find_plugins())
    assert row_of(dialog, "asha")[KIND] == "pruner"
    assert row_of(dialog, "random")[STATE] == "on"
    assert (row_of(dialog, "broken")[VERSION], row_of(dialog, "broken")[STATE]) == ("–", "cannot be used")
    show(dialog, "broken")
    assert "kind: 'propse' is not known" in dialog.details.problems.text()
    assert "version: this field is required" in dialog.details.problems.text()
    row = dialog.table.currentIndex().row()
    colour = dialog.model.index(row, NAME).data(Qt.ItemDataRole.ForegroundRole)
    assert colour is not None
    assert dialog.model.index(0, NAME).data(Qt.ItemDataRole.ForegroundRole) is None


def test_the_details_show_the_form_without_running_the_plugin(dialog):
    folder = write_skeleton("Mine", user_plugins_folder())
    (folder / "mine.py").write_text("raise RuntimeError('nobody may run this')\n")
    dialog.reload()
    show(dialog, "mine")
    assert set(dialog.details.form.rows) == {"initial_trials", "step"}
    assert "runs with your rights" in dialog.details.about.text()
    assert not dialog.details.remove.isHidden()
    show(dialog, "random")
    assert dialog.details.remove.isHidden()


def test_plugins_are_switched_off_and_on(dialog, qtbot):
    show(dialog, "tpe")
    with qtbot.waitSignal(dialog.changed):
        dialog.details.switch.click()
    assert row_of(dialog, "tpe")[STATE] == "off"
    assert dialog.selected().id == "tpe"
    assert dialog.details.switch.text() == "Switch on"
    dialog.details.switch.click()
    assert row_of(dialog, "tpe")[STATE] == "on"


def test_a_plugin_of_the_user_goes_to_the_trash(dialog, qtbot):
    folder = write_skeleton("Mine", user_plugins_folder())
    dialog.reload()
    show(dialog, "mine")
    with qtbot.waitSignal(dialog.changed):
        dialog.details.remove.click()
    assert not folder.exists()
    assert "mine" not in {info.id for info in dialog.model.plugins}


@pytest.mark.parametrize("agreed", [True, False])
def test_a_dropped_zip_is_installed_if_the_user_agrees(dialog, tmp_path, monkeypatch, agreed):
    folder = write_skeleton("Mine", tmp_path)
    source = tmp_path / "mine.zip"
    with zipfile.ZipFile(source, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    asked = []

    def ask(text, more):
        asked.append((text, more))
        return agreed

    monkeypatch.setattr(dialog, "ask", ask)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(source))])
    button, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    dialog.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, button, keys))
    assert asked[0][0] == "Install Mine 0.1.0?"
    assert "mine.py, test_mine.py" in asked[0][1]
    assert (user_plugins_folder() / "mine").exists() is agreed
    if agreed:
        assert dialog.selected().id == "mine"
        assert dialog.message.text() == "Mine is installed."


def test_what_cannot_be_installed_is_said(dialog, tmp_path):
    (tmp_path / "notes.zip").write_text("x")
    dialog.install(tmp_path / "notes.zip")
    assert "cannot be unpacked" in dialog.message.text()
    assert not dialog.message.isHidden()


def test_changes_in_the_folder_are_noticed(qtbot, qapp):
    watcher = PluginWatcher()
    with qtbot.waitSignal(watcher.changed, timeout=5000):
        folder = write_skeleton("Mine", user_plugins_folder())
    manifest = folder / "MANIFEST.toml"
    with qtbot.waitSignal(watcher.changed, timeout=5000):
        manifest.write_text(manifest.read_text().replace("0.1.0", "0.2.0"))
    watcher.deleteLater()


def test_changed_code_is_noticed(qtbot, qapp):
    folder = write_skeleton("Mine", user_plugins_folder())
    watcher = PluginWatcher()
    with qtbot.waitSignal(watcher.changed, timeout=5000):
        (folder / "mine.py").write_text("from tunerstudio.algorithms.api import random_values\n")
    watcher.deleteLater()


def test_a_verdict_holds_until_the_plugin_changes(dialog):
    folder = write_skeleton("Mine", user_plugins_folder())
    dialog.reload()
    dialog.model.set_verdict(folder, ("it raises",))
    (folder / "__pycache__").mkdir()
    dialog.reload()
    assert row_of(dialog, "mine")[STATE] == "misbehaves"
    (folder / "mine.py").write_text("mended = True\n")
    dialog.reload()
    assert row_of(dialog, "mine")[STATE] == "on"


@pytest.mark.parametrize("is_zip", [True, False])
def test_a_plugin_dropped_on_the_window_opens_the_manager(theme, fake_services, qtbot, tmp_path, monkeypatch, is_zip):
    window = MainWindow(theme, fake_services)
    qtbot.addWidget(window)
    source = folder = write_skeleton("Mine", tmp_path)
    if is_zip:
        source = tmp_path / "mine.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for file in folder.iterdir():
                archive.write(file, f"mine/{file.name}")
    monkeypatch.setattr(PluginsDialog, "ask", lambda dialog, text, more: True)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(source))])
    button, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, button, keys))
    (dialog,) = window.findChildren(PluginsDialog)
    assert dialog.selected().id == "mine"
    assert (user_plugins_folder() / "mine" / "mine.py").is_file()
    assert window.study is None
    dialog.close()
    window.finish()


def test_the_menu_opens_it_and_the_search_page_follows(theme, fake_services, qtbot):
    window = MainWindow(theme, fake_services)
    qtbot.addWidget(window)
    window.do("plugins")
    (dialog,) = window.findChildren(PluginsDialog)
    assert "plugins" in window.menus.actions
    installing_folder = write_skeleton("Mine", user_plugins_folder())
    with qtbot.waitSignal(window._plugins.changed, timeout=5000):
        (installing_folder / "note.txt").write_text("x")
    assert "mine" in {info.id for info in dialog.model.plugins}
    dialog.close()
    window.finish()


def write_plugin(code):
    folder = write_skeleton("Mine", user_plugins_folder())
    (folder / "mine.py").write_text(code)
    return folder


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("raise OSError('no licence file')\n", "OSError: no licence file"),
        ("import os\nos._exit(3)\n", "it ended the program that checked it"),
        ("def propose(s, h, r, o): raise SystemExit\n", "tried to end the program"),
    ],
)
def test_a_check_makes_the_row_of_a_plugin_red_that_misbehaves(dialog, qtbot, code, told):
    write_plugin(code)
    dialog.reload()
    show(dialog, "mine")
    assert row_of(dialog, "mine")[STATE] == "on"
    with qtbot.waitSignal(dialog.checker.checked, timeout=60_000):
        dialog.details.check.click()
        assert dialog.details.check.text() == "Checking…"
    assert row_of(dialog, "mine")[STATE] == "misbehaves"
    assert told.lower() in dialog.details.problems.text().lower()
    assert dialog.details.check.isEnabled()
    (dialog.selected().folder / "mine.py").write_text("mended = True\n")
    dialog.reload()
    assert row_of(dialog, "mine")[STATE] == "on"


def test_a_check_that_passes_says_so_and_one_that_hangs_is_ended(dialog, qtbot):
    code = "from tunerstudio.algorithms.api import random_values\n"
    module = write_plugin(f"{code}def propose(s, h, r, o): return random_values(s, r)\n") / "mine.py"
    dialog.reload()
    show(dialog, "mine")
    with qtbot.waitSignal(dialog.checker.checked, timeout=60_000):
        dialog.details.check.click()
    assert dialog.details.passed.isVisibleTo(dialog)
    assert dialog.details.problems.isHidden()
    module.write_text("import re\nre.match('(a+)+$', 'a' * 60 + 'b')\n")
    checker = PluginChecker(dialog, limit_ms=1500)
    with qtbot.waitSignal(checker.checked, timeout=30_000) as checked:
        checker.check(dialog.selected().folder)
    assert checked.args[1] == ("it did not come to an end within 1 seconds, and was ended",)
    assert checker.folder is None


def test_a_dialog_that_closes_ends_its_check(dialog, qtbot):
    write_plugin("import time\ntime.sleep(1e6)\n")
    dialog.reload()
    show(dialog, "mine")
    dialog.details.check.click()
    assert dialog.checker.folder is not None
    dialog.reject()
    assert dialog.checker.folder is None
