"""How rows are divided: the bar, the exact shares, seed and method."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLabel, QSpinBox, QVBoxLayout, QWidget

from tunerstudio.gui.data_page.split_bar import SplitBar
from tunerstudio.gui.formats import format_count
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_S, Theme
from tunerstudio.gui.widgets.basics import muted_label
from tunerstudio.study.data import Split

_MOST_PERCENT = 90


class SplitForm(QWidget):
    """Shows and edits a `Split`.

    Signals:
        edited: (str, dict) name of the changed field (for merging edits) and the new values by field.
    """

    edited = Signal(str, dict)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_S)
        self.bar = SplitBar(theme)
        self.bar.fractions_changed.connect(self._bar_moved)
        self._rows = muted_label()
        layout.addWidget(self.bar)
        layout.addWidget(self._rows)
        grid = QGridLayout()
        grid.setSpacing(SPACE_S)
        grid.setColumnStretch(1, 3)
        grid.setColumnStretch(3, 2)
        self.validation = _percent(1, self.tr("Share of all rows that choose the best epoch and the best trial"))
        self.test = _percent(0, self.tr("Share of all rows that no trial sees; 0 %: no test part"))
        self.seed = QSpinBox()
        self.seed.setRange(0, 2_147_483_647)
        self.seed.setToolTip(self.tr("Another seed divides the rows another way; the same seed always the same way"))
        self.method = QComboBox()
        self.method.addItem(self.tr("shuffled"), "random")
        self.method.addItem(self.tr("in order"), "ordered")
        self.method.setToolTip(self.tr("In order: first rows train, last rows test. Right for series in time."))
        self.stratified = QCheckBox(self.tr("Same shares of the classes in each part"))
        places = (
            (self.tr("Validation"), self.validation, 0, 0),
            (self.tr("Test"), self.test, 0, 2),
            (self.tr("Rows"), self.method, 1, 0),
            (self.tr("Seed"), self.seed, 1, 2),
        )
        for text, field, row, column in places:
            label = QLabel(text)
            label.setBuddy(field)
            field.setAccessibleName(text)
            field.setMinimumHeight(MINIMUM_TARGET)
            grid.addWidget(label, row, column)
            grid.addWidget(field, row, column + 1)
        layout.addLayout(grid)
        layout.addWidget(self.stratified)
        self.validation.valueChanged.connect(self._shares_edited)
        self.test.valueChanged.connect(self._shares_edited)
        self.seed.valueChanged.connect(lambda value: self.edited.emit("seed", {"seed": value}))
        self.method.activated.connect(lambda: self.edited.emit("", {"method": self.method.currentData()}))
        self.stratified.clicked.connect(lambda on: self.edited.emit("", {"stratified": on}))

    def show_split(self, split: Split, parts: tuple[int, int, int], has_classes: bool) -> None:
        """Show `split`; `parts`: rows of each part, zeros if not known."""
        fields = (self.validation, self.test, self.seed, self.method, self.stratified)
        blockers = [QSignalBlocker(field) for field in fields]
        self.bar.set_fractions(split.validation, split.test)
        self.validation.setValue(round(split.validation * 100))
        self.test.setValue(round(split.test * 100))
        self.seed.setValue(split.seed)
        self.method.setCurrentIndex(self.method.findData(split.method))
        self.stratified.setChecked(split.stratified)
        self.stratified.setVisible(has_classes and split.method == "random")
        self.seed.setEnabled(split.method == "random")
        for blocker in blockers:
            blocker.unblock()
        train, validation, test = (format_count(rows) for rows in parts)
        text = self.tr("{train} rows train, {validation} validate, {test} test")
        self._rows.setText(text.format(train=train, validation=validation, test=test) if any(parts) else "")

    def _bar_moved(self, validation: float, test: float) -> None:
        self.edited.emit("shares", {"validation": validation, "test": test})

    def _shares_edited(self) -> None:
        validation, test = self.validation.value(), self.test.value()
        if validation + test > _MOST_PERCENT:
            changed = self.test if self.sender() is self.test else self.validation
            changed.setValue(_MOST_PERCENT - (validation if changed is self.test else test))
            return
        self.edited.emit("shares", {"validation": validation / 100, "test": test / 100})


def _percent(least: int, tip: str) -> QSpinBox:
    field = QSpinBox()
    field.setRange(least, _MOST_PERCENT)
    field.setSuffix(" %")
    field.setToolTip(tip)
    return field
