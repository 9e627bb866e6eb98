"""Rows as steps in time, and text as words: the parts of the Data page for what is no plain table."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QCheckBox, QSpinBox, QVBoxLayout, QWidget

from tunerstudio.gui.theme import SPACE_S
from tunerstudio.gui.widgets.basics import FieldGrid
from tunerstudio.study.data import TextOptions, Window

_MOST_ROWS = 5000


class SeriesForm(QWidget):
    """Shows and edits a `Window`.

    Signals:
        edited: (str, object) name of the changed field (for merging edits; "" where every edit stands alone) and the
            new Window, or None for rows that stand for themselves.
    """

    edited = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._window = Window()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_S)
        self.on = QCheckBox(self.tr("Predict from the rows before"))
        self.on.setToolTip(self.tr("Rows follow each other in time, and a prediction sees several of them, in order."))
        self.past = _rows(2, self.tr("How many rows a prediction is made from"))
        self.horizon = _rows(0, self.tr("From the last known row to the predicted one; 0: the same row"))
        self.own_past = QCheckBox(self.tr("Past values of the target are known"))
        self._details = QWidget()
        form = FieldGrid()
        form.add(self.tr("Rows before"), self.past)
        form.add(self.tr("Rows ahead"), self.horizon)
        form.addWidget(self.own_past, form.rowCount(), 0, 1, 2)
        self._details.setLayout(form)
        form.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.on)
        layout.addWidget(self._details)
        self.on.clicked.connect(lambda on: self.edited.emit("", self._window if on else None))
        self.past.valueChanged.connect(lambda rows: self._change("past", rows))
        self.horizon.valueChanged.connect(lambda rows: self._change("horizon", rows))
        self.own_past.clicked.connect(lambda on: self._change("own_past", on))

    def show_window(self, window: Window | None, possible: bool) -> None:
        """Show `window`; `possible` False: the data are no rows of a table."""
        self.setVisible(possible or window is not None)
        fields = (self.on, self.past, self.horizon, self.own_past)
        blockers = [QSignalBlocker(field) for field in fields]
        self._window = window or self._window
        self.on.setChecked(window is not None)
        self._details.setVisible(window is not None)
        self.past.setValue(self._window.past)
        self.horizon.setValue(self._window.horizon)
        self.own_past.setChecked(self._window.knows_target)
        self.own_past.setEnabled(self._window.horizon > 0)
        for blocker in blockers:
            blocker.unblock()

    def _change(self, field: str, value: int | bool) -> None:
        self.edited.emit(f"window {field}", self._window.model_copy(update={field: value}))


class TextForm(QWidget):
    """Shows and edits `TextOptions`.

    Signals:
        edited: (str, object) merge key and the new TextOptions.
    """

    edited = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._options = TextOptions()
        form = FieldGrid()
        form.setContentsMargins(0, 0, 0, 0)
        self.words = QSpinBox()
        self.words.setRange(10, 100_000)
        self.words.setSingleStep(500)
        self.words.setGroupSeparatorShown(True)
        self.words.setKeyboardTracking(False)
        self.words.setToolTip(self.tr("The most frequent words of the training rows; others count as unknown."))
        self.length = QSpinBox()
        self.length.setRange(0, _MOST_ROWS)
        self.length.setSpecialValueText(self.tr("as needed"))
        self.length.setKeyboardTracking(False)
        self.length.setToolTip(self.tr("Words of each text that are read; as needed: all of nearly every text."))
        form.add(self.tr("Words known"), self.words)
        form.add(self.tr("Words per text"), self.length)
        self.setLayout(form)
        self.words.valueChanged.connect(lambda words: self._change("words", words))
        self.length.valueChanged.connect(lambda length: self._change("length", length or None))

    def show_options(self, options: TextOptions) -> None:
        """Show `options`."""
        blockers = [QSignalBlocker(field) for field in (self.words, self.length)]
        self._options = options
        self.words.setValue(options.words)
        self.length.setValue(options.length or 0)
        for blocker in blockers:
            blocker.unblock()

    def _change(self, field: str, value: int | None) -> None:
        self.edited.emit(f"text {field}", self._options.model_copy(update={field: value}))


def _rows(least: int, tip: str) -> QSpinBox:
    field = QSpinBox()
    field.setRange(least, _MOST_ROWS)
    field.setKeyboardTracking(False)
    field.setToolTip(tip)
    return field
