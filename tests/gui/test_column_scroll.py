"""A column that scrolls is never cut at its right edge."""

import pytest
from PySide6.QtCore import QCoreApplication, QPoint, QPointF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QSpinBox, QVBoxLayout, QWidget

from tunerstudio.gui.widgets.column_scroll import ColumnScroll

pytestmark = pytest.mark.gui


@pytest.fixture
def column(qtbot, theme):
    content = QWidget()
    layout = QVBoxLayout(content)
    layout.setContentsMargins(0, 0, 0, 0)
    line = QLabel("as wide as this text is")
    layout.addWidget(line)
    made = ColumnScroll(right_margin=4)
    made.setWidget(content)
    qtbot.addWidget(made)
    made.line = line
    return made


def show(qtbot, column, height):
    column.resize(10, height)
    with qtbot.waitExposed(column):
        column.show()


def right_edge(column):
    return column.line.mapTo(column, column.line.rect().topRight()).x()


def test_the_scroll_bar_covers_nothing(qtbot, column):
    column.line.setMinimumHeight(400)
    show(qtbot, column, 100)
    bar = column.verticalScrollBar()
    qtbot.waitUntil(bar.isVisible)
    qtbot.waitUntil(lambda: right_edge(column) < bar.mapTo(column, bar.rect().topLeft()).x())


def test_the_content_keeps_its_width_when_the_bar_goes(qtbot, column):
    column.line.setMinimumHeight(400)
    column.setMinimumWidth(300)
    show(qtbot, column, 100)
    qtbot.waitUntil(column.verticalScrollBar().isVisible)
    before = column.viewport().width()
    column.resize(300, 600)
    qtbot.waitUntil(lambda: not column.verticalScrollBar().isVisible())
    assert abs(column.viewport().width() - before) <= column.verticalScrollBar().sizeHint().width() - 4


def test_a_content_that_grows_widens_the_column(qtbot, column):
    show(qtbot, column, 100)
    before = column.width()
    column.line.setText("as wide as this text is, and a good deal wider")
    qtbot.waitUntil(lambda: column.width() > before)
    assert right_edge(column) < column.width()


def turn_wheel(widget):
    window = widget.window()
    where = QPointF(widget.mapTo(window, widget.rect().center()))
    QTest.wheelEvent(window.windowHandle(), where, QPoint(0, -120))
    QCoreApplication.processEvents()


def test_the_wheel_scrolls_and_changes_no_number_on_its_way(qtbot, theme):
    content = QWidget()
    layout = QVBoxLayout(content)
    number = QSpinBox()
    number.setValue(20)
    layout.addWidget(number)
    filler = QLabel("long")
    filler.setMinimumHeight(600)
    layout.addWidget(filler)
    column = ColumnScroll()
    column.setWidget(content)
    qtbot.addWidget(column)
    with qtbot.waitExposed(column):
        column.show()
    qtbot.waitUntil(column.verticalScrollBar().isVisible)
    number.clearFocus()
    turn_wheel(number)
    assert number.value() == 20
    assert column.verticalScrollBar().value() > 0
