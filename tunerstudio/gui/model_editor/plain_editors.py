"""Editors of one plain value: a line to type in, a list to choose from, or a check box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QWidget

from tunerstudio.gui.model_editor.parsing import UNSET, TypedError, parse_value, value_text
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_S
from tunerstudio.study.catalogue import ArgumentInfo

_ARROW_WIDTH = 36

NUMBER_WIDTH = 130
"""Widest a field for a number gets, in logical pixels."""


class PlainEditor(QWidget):
    """Edits one plain value.

    Signals:
        edited: (object) the new value; UNSET: back to the default.
        refused: (str) what was typed is no value; why.
        entered: () the keyboard came here: a new stretch of typing begins.
    """

    edited = Signal(object)
    refused = Signal(str)
    entered = Signal()

    def __init__(self, argument: ArgumentInfo, parent: QWidget | None = None) -> None:
        """Edit values of `argument`."""
        super().__init__(parent)
        self.argument = argument
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(SPACE_S)

    def show_value(self, value: Any) -> None:
        """Show a value of the document (UNSET: none is given)."""
        raise TypeError(f"{type(self).__name__} shows nothing")  # pragma: no cover - abstract

    def _accept(self, value: Any) -> None:
        """Tell the value; one that equals the default need not stand in the document."""
        same = type(value) is type(self.argument.default) and value == self.argument.default
        self.edited.emit(UNSET if same and not self.argument.required else value)


class LineEdit(QLineEdit):
    """A line that tells when the keyboard comes and when Enter is pressed inside it.

    Signals:
        entered: () it has the keyboard now.
    """

    entered = Signal()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.entered.emit()


class QuietComboBox(QComboBox):
    """A list that ignores the wheel unless it has the keyboard, so that scrolling a form changes nothing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(MINIMUM_TARGET)
        self.setMinimumContentsLength(6)

    def sizeHint(self) -> QSize:
        """Room for so many characters as were asked for, whatever the list holds.

        Qt's own policy for this makes the list's window at once, which costs milliseconds for every field.
        """
        width = self.fontMetrics().averageCharWidth() * self.minimumContentsLength() + _ARROW_WIDTH
        return QSize(width, max(self.fontMetrics().height() + SPACE_S, MINIMUM_TARGET))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def wheelEvent(self, event: Any) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class TextEditor(PlainEditor):
    """A number, a shape, a text: typed."""

    def __init__(self, argument: ArgumentInfo, unit: str = "", parent: QWidget | None = None) -> None:
        """`unit` stands behind the line."""
        super().__init__(argument, parent)
        self._line = LineEdit()
        self._line.setMinimumHeight(MINIMUM_TARGET)
        if argument.type in {"int", "float"}:
            self._line.setMaximumWidth(NUMBER_WIDTH)
        self._line.setPlaceholderText(self.tr("required") if argument.required else value_text(argument.default))
        self._line.textEdited.connect(self._typed)
        self._line.entered.connect(self.entered)
        self.setFocusProxy(self._line)
        self._layout.addWidget(self._line)
        if unit:
            self._layout.addWidget(QLabel(unit))
        self._layout.addStretch(1 if argument.type in {"int", "float"} else 0)

    def show_value(self, value: Any) -> None:
        self._line.setText(value_text(value))

    def _typed(self, text: str) -> None:
        try:
            self.edited.emit(parse_value(self.argument, text))
        except TypedError as error:
            self.refused.emit(str(error))


class NameEditor(PlainEditor):
    """A text with known values, such as an activation; others may be typed where Keras takes them."""

    def __init__(self, argument: ArgumentInfo, names: Sequence[str], parent: QWidget | None = None) -> None:
        """Offer `names`."""
        super().__init__(argument, parent)
        self._box = QuietComboBox()
        self._box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._box.setMaximumWidth(2 * NUMBER_WIDTH)
        free = argument.type in {"other", "initializer", "regularizer", "constraint"}
        if argument.nullable:
            names = (value_text(None), *(name for name in names if name != value_text(None)))
        self._box.addItems(names)
        if free:
            line = LineEdit()
            line.entered.connect(self.entered)
            self._box.setEditable(True)
            self._box.setLineEdit(line)
            self._box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
            line.textEdited.connect(self._typed)
        self._box.activated.connect(self._activated)
        self.setFocusProxy(self._box)
        # The list takes the room up to its greatest width, the rest stays empty behind it.
        self._layout.addWidget(self._box, 1000)
        self._layout.addStretch(1)

    def show_value(self, value: Any) -> None:
        shown = value_text(self.argument.default if value is UNSET and not self.argument.required else value)
        with QSignalBlocker(self._box):
            index = self._box.findText(shown)
            if index < 0 and not self._box.isEditable() and shown:
                self._box.addItem(shown)
                index = self._box.count() - 1
            self._box.setCurrentIndex(index)
            if self._box.isEditable():
                self._box.setEditText(shown)

    def _activated(self) -> None:
        self.entered.emit()
        self._typed(self._box.currentText())

    def _typed(self, text: str) -> None:
        try:
            self._accept(parse_value(self.argument, text))
        except TypedError as error:
            self.refused.emit(str(error))


class SwitchEditor(PlainEditor):
    """On or off; a third state where null is a value."""

    def __init__(self, argument: ArgumentInfo, parent: QWidget | None = None) -> None:
        """Edit a Boolean argument."""
        super().__init__(argument, parent)
        self._box = QCheckBox()
        self._box.setMinimumHeight(MINIMUM_TARGET)
        self._box.setTristate(argument.nullable)
        self._box.clicked.connect(self._clicked)
        self.setFocusProxy(self._box)
        self._layout.addWidget(self._box)
        self._layout.addStretch(1)

    def show_value(self, value: Any) -> None:
        shown = self.argument.default if value is UNSET else value
        with QSignalBlocker(self._box):
            none = shown is None and self._box.isTristate()
            on = Qt.CheckState.Checked if shown is True else Qt.CheckState.Unchecked
            self._box.setCheckState(Qt.CheckState.PartiallyChecked if none else on)
        self._tell_state()

    def _clicked(self) -> None:
        state = self._box.checkState()
        self._tell_state()
        self.entered.emit()
        self._accept(None if state == Qt.CheckState.PartiallyChecked else state == Qt.CheckState.Checked)

    def _tell_state(self) -> None:
        words = {
            Qt.CheckState.Checked: self.tr("on"),
            Qt.CheckState.Unchecked: self.tr("off"),
            Qt.CheckState.PartiallyChecked: self.tr("automatic"),
        }
        self._box.setText(words[self._box.checkState()])


def plain_editor(argument: ArgumentInfo, names: Sequence[str], unit: str = "") -> PlainEditor:
    """The editor that suits `argument`; `names` are the values to offer, if any."""
    if argument.type == "bool":
        return SwitchEditor(argument)
    if names:
        return NameEditor(argument, names)
    return TextEditor(argument, unit)
