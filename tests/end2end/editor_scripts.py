"""What a person does in the model editor, as scripts for the driver.

Run one by hand: `python -m tests.end2end.editor_scripts NAME`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from typing import TypeVar

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QMenu,
    QTabBar,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from tests.end2end.driver import Condition, button, click, drive, picture, pictures_folder, shows
from tests.end2end.window_scripts import completed, study
from tunerstudio.gui.main_window import MainWindow
from tunerstudio.gui.pages.model import ModelPage
from tunerstudio.study.model import BlocksModel

PICTURES = pictures_folder()
TRIALS = int(os.environ.get("TUNERSTUDIO_TRIALS", "10"))
EXPORTED = "Handwritten_digits_search.py"

W = TypeVar("W", bound=QWidget)

Steps = Generator[Condition, None, None]


def build_a_network(window: MainWindow) -> Steps:
    """A convolutional network from nothing, its space checked, ten trials, and the code of the search."""
    click(button(window, "Open Which digit is it?"))
    yield lambda: window.study is not None and study(window).preview is not None
    click(button(window, "Next: Model"))
    yield lambda: window.current_page == "model"
    yield from _draw(window)
    yield from _tune(window)
    yield from _check(window)
    yield from _search(window)
    yield from _export(window)


def _draw(window: MainWindow) -> Steps:
    """Repeat(convolution, optional normalisation, one of two poolings), then a flat layer."""
    rows = _named(window, QTreeWidget, "network")
    while isinstance(model := study(window).document.model, BlocksModel) and model.blocks:
        click_row(rows, 1)
        QTest.keyClick(rows, Qt.Key.Key_Delete)
        yield lambda: True
    picture(window, PICTURES, "1-empty")
    add(window, "Conv2D")
    put_into(window, "Repeat")
    click_row(rows, row_of(rows, "Conv2D 1"))
    add(window, "BatchNormalization")
    put_into(window, "Optional")
    add(window, "MaxPooling2D")
    put_into(window, "One of")
    click_row(rows, row_of(rows, "b"))
    add(window, "AveragePooling2D")
    click_row(rows, row_of(rows, "Repeat 1"))
    add(window, "Flatten")
    yield lambda: True
    picture(window, PICTURES, "2-drawn")


def _tune(window: MainWindow) -> Steps:
    """One to four copies, the filters, the optimizer."""
    rows = _named(window, QTreeWidget, "network")
    click_row(rows, row_of(rows, "Repeat 1"))
    write(window, "repeat max", "4")
    yield lambda: True
    picture(window, PICTURES, "3-repeat")
    click_row(rows, row_of(rows, "Conv2D 1"))
    click(button(window, "tune filters"))
    choose_in(window, "padding", "same")
    yield lambda: True
    picture(window, PICTURES, "4-convolution")
    click_row(rows, row_of(rows, "Optimizer"))
    click(button(window, "tune optimizer"))
    yield lambda: True
    picture(window, PICTURES, "5-optimizer")


def _check(window: MainWindow) -> Steps:
    """What the whole space says: too many poolings for small pictures; then padding, and all is well."""
    page = next(page for page in window.pages if isinstance(page, ModelPage))
    click_tab(page.layers.below.tabBar(), 1)
    yield lambda: page.watcher.report is not None and bool(page.watcher.report.problems)
    yield lambda: page.watcher.report is not None and page.watcher.report.complete and shows(window, "Show it")
    picture(window, PICTURES, "6-problem")
    report = page.watcher.report
    assert report is not None
    assert "Pooling2D" in report.problems[0].reason
    click(button(window, "Show it"))
    choose_in(window, "padding", "same")
    rows = _named(window, QTreeWidget, "network")
    other = {"MaxPooling2D 1": "AveragePooling2D 1", "AveragePooling2D 1": "MaxPooling2D 1"}
    selected = rows.currentItem()
    assert selected is not None
    click_row(rows, row_of(rows, other[selected.text(0)]))
    choose_in(window, "padding", "same")
    yield lambda: page.watcher.report is not None and page.watcher.report.complete
    picture(window, PICTURES, "7-sound")
    report = page.watcher.report
    assert report is not None
    assert not report.problems, report.problems
    click_tab(page.layers.below.tabBar(), 0)
    drawing = page.layers.below.drawing
    drawing._which.setCurrentIndex(2)
    drawing._choose()
    yield lambda: bool(drawing.canvas.drawn.facts)
    picture(window, PICTURES, "8-largest")


def _search(window: MainWindow) -> Steps:
    click(button(window, "Next: Search"))
    yield lambda: window.current_page == "search"
    write(window, "trials", str(TRIALS))
    write(window, "epochs", "2")
    yield lambda: study(window).document.search.budget.trials == TRIALS and study(window).document.training.epochs == 2
    picture(window, PICTURES, "9-search")
    click(window.header.findChildren(QAbstractButton)[0])
    yield lambda: len(completed(window)) >= 1
    picture(window, PICTURES, "10-running")
    yield lambda: len(completed(window)) >= TRIALS and study(window).search_state == "idle"
    picture(window, PICTURES, "11-done")


def _export(window: MainWindow) -> Steps:
    window.go("model")
    yield lambda: window.current_page == "model"
    python = button(window, "Python")
    QTimer.singleShot(0, lambda: click(python))
    yield lambda: isinstance(QApplication.activePopupWidget(), QMenu)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    picture(menu, PICTURES, "12-menu")
    QTimer.singleShot(0, lambda: choose(menu, "Export the search as Python…"))
    yield lambda: bool(dialogs())
    dialog = dialogs()[0]
    picture(dialog, PICTURES, "13-dialog")
    click(button(dialog, "Save"))
    yield lambda: EXPORTED in window.banner.text
    assert (study(window).folder / EXPORTED).exists()
    picture(window, PICTURES, "14-exported")


def dialogs() -> list[QFileDialog]:
    """The file dialog that stands open, if one does."""
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, QFileDialog) and w.isVisible()]


def write(window: QWidget, name: str, text: str) -> None:
    """Type into the field with this name."""
    field = _named(window, QWidget, name)
    line = field if isinstance(field, QLineEdit) else field.findChild(QLineEdit)
    assert line is not None
    line.setFocus()
    QTest.keyClick(line, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(line, text)
    QTest.keyClick(line, Qt.Key.Key_Return)


def choose_in(window: QWidget, name: str, text: str) -> None:
    """Choose an entry of a list that opens, by keyboard."""
    field = _named(window, QWidget, name)
    box = field if isinstance(field, QComboBox) else field.findChild(QComboBox)
    assert box is not None
    box.setFocus()
    index = box.findText(text)
    assert index >= 0, [box.itemText(i) for i in range(box.count())]
    QTest.keyClick(box, Qt.Key.Key_Home)
    for _ in range(index):
        QTest.keyClick(box, Qt.Key.Key_Down)
    assert box.currentText() == text


def click_tab(bar: QTabBar, index: int) -> None:
    """Click a tab."""
    click(bar, bar.tabRect(index).center())


def add(window: QWidget, name: str) -> None:
    """Type the name of a layer and press Enter."""
    line = _named(window, QLineEdit, "find a layer")
    line.setFocus()
    QTest.keyClick(line, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(line, name)
    QTest.keyClick(line, Qt.Key.Key_Return)


def put_into(window: QWidget, container: str) -> None:
    """Open the menu beside the button that wraps the selected block, and choose a container."""
    page = next(page for page in window.findChildren(ModelPage))
    choose(page.layers._wrap_menu, container)


def choose(menu: QMenu, text: str) -> None:
    """Click an entry of a menu."""
    action = next(action for action in menu.actions() if action.text().replace("&", "") == text)
    menu.popup(QPoint(200, 200))
    QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())


def items(tree: QTreeWidget) -> list[QTreeWidgetItem]:
    """All rows that can be seen, from top to bottom."""
    found, item = [], tree.topLevelItem(0)
    while item is not None:
        found.append(item)
        item = tree.itemBelow(item)
    return found


def row_of(tree: QTreeWidget, title: str) -> int:
    """Place of the row with this title."""
    return [item.text(0) for item in items(tree)].index(title)


def click_row(tree: QTreeWidget, row: int) -> None:
    """Click a row of the network."""
    item = items(tree)[row]
    tree.scrollToItem(item)
    click(tree.viewport(), tree.visualItemRect(item).center())


def _named(window: QWidget, kind: type[W], name: str) -> W:
    """The visible widget of a kind with this accessible name."""
    for widget in window.findChildren(kind):
        if widget.accessibleName() == name and widget.isVisible():
            return widget
    seen = sorted({w.accessibleName() for w in window.findChildren(QWidget) if w.isVisible() and w.accessibleName()})
    raise LookupError(f"there is no visible {kind.__name__} {name!r}; there are {seen}")


SCRIPTS = {"build_a_network": build_a_network}

if __name__ == "__main__":
    sys.exit(drive(SCRIPTS[sys.argv[1]], PICTURES))
