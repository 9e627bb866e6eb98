import sys

import pytest
from PySide6.QtWidgets import QLabel

pytestmark = pytest.mark.gui


def test_calls_into_qt_keep_the_references_to_none(qtbot):
    """A PySide6 that drops references to None makes the interpreter abort after a minute of live plots."""
    label = QLabel("before")
    qtbot.addWidget(label)
    before = sys.getrefcount(None)
    for _ in range(2000):
        label.setText("after")
    assert abs(sys.getrefcount(None) - before) < 500
