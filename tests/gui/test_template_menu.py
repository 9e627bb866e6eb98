"""The menu of templates, and what a page does when the data begin to look otherwise."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from tunerstudio.gui.data_page import edits
from tunerstudio.gui.model_editor.template_menu import TemplateRow, fill_template_menu
from tunerstudio.gui.widgets.network_sketch import sketch_columns
from tunerstudio.study.data import BundledSource, Column, Data, FileSource, ImageShape, TextOptions, Window
from tunerstudio.study.templates import new_document

pytestmark = pytest.mark.gui

NUMBERS = (Column(name="a"), Column(name="b"), Column(name="y", role="target"))
TABLE = Data(source=BundledSource(name="diabetes"), task="regression", columns=NUMBERS)
TEXT = Data(
    source=FileSource(path="a.tsv"),
    task="binary",
    columns=(Column(name="say", kind="text"), Column(name="y", role="target", kind="categorical")),
)
DIGITS = Data(source=BundledSource(name="digits"), task="multiclass", image=ImageShape(height=8, width=8))


def menu_of(theme, data, taken):
    menu = QMenu()
    fill_template_menu(menu, theme, new_document("s", data), taken.append)
    return menu


@pytest.mark.parametrize(
    ("data", "titles"),
    [
        (TEXT, ["Text, convolutions", "Text, recurrent", "Text, small transformer", "Random forest", "Linear model"]),
        (DIGITS, ["Small image network", "Residual image network", "One hidden layer", "Linear model"]),
    ],
)
def test_the_menu_shows_what_suits_the_data(qapp, theme, data, titles):
    menu = menu_of(theme, data, [])
    assert [action.text() for action in menu.actions()] == titles
    menu.deleteLater()


def test_a_template_is_taken_by_mouse_and_by_key(qapp, theme):
    taken = []
    menu = menu_of(theme, DIGITS, taken)
    menu.popup(menu.pos())
    place = menu.actionGeometry(menu.actions()[1]).center()
    QTest.mouseMove(menu, place)
    QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=place)
    assert taken == ["residual_image"]
    menu.popup(menu.pos())
    QTest.keyClick(menu, Qt.Key.Key_Down)
    rows = [row for row in menu.findChildren(TemplateRow) if row._chosen]
    assert len(rows) == 1
    QTest.keyClick(menu, Qt.Key.Key_Return)
    assert taken[1:] == ["small_image"]
    menu.deleteLater()


def test_the_picture_says_what_goes_in():
    looks = [sketch_columns(new_document("s", data))[0].look for data in (TABLE, TEXT, DIGITS)]
    assert looks == ["table", "text", "image"]
    columns = sketch_columns(new_document("s", TEXT, "text_recurrent"))
    assert sum(column.varies for column in columns) == 2  # the embedding and one of the two kinds of cells


def test_a_model_that_is_still_the_templates_follows_the_look_of_the_data():
    before = new_document("s", TABLE)
    after = edits.with_data(before, window=Window(), text=TextOptions())
    followed = edits.with_fitting_template(before, after)
    assert followed.model == new_document("s", after.data, "series_convolution").model
    back = edits.with_fitting_template(followed, edits.with_data(followed, window=None))
    assert back.model == before.model


def test_a_model_that_somebody_changed_stays():
    before = new_document("s", TABLE, "reference")
    after = edits.with_data(before, window=Window())
    assert edits.with_fitting_template(before, after) == after
