"""The right side of the Data page: what to predict, how to divide, how to prepare, what is worth knowing."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal, SignalInstance
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from tunerstudio.gui.data_page.series_form import SeriesForm, TextForm
from tunerstudio.gui.data_page.split_form import SplitForm
from tunerstudio.gui.data_page.words import target_facts, task_words
from tunerstudio.gui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XS, Role, Theme
from tunerstudio.gui.widgets.basics import FieldGrid, heading_label, link_button, muted_label
from tunerstudio.gui.widgets.column_scroll import ColumnScroll
from tunerstudio.protocol.preview import Finding, Preview
from tunerstudio.study.data import Data

PANEL_WIDTH = 336
_SEVERITY: dict[str, tuple[str, Role]] = {
    "info": ("ph.info", "accent"),
    "warning": ("ph.warning", "warning"),
    "error": ("ph.x-circle", "bad"),
}
_ORDER = ("error", "warning", "info")


class _FindingRow(QWidget):
    """One sentence with its repairs."""

    def __init__(self, theme: Theme, finding: Finding, repaired: SignalInstance) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_XS)
        name, role = _SEVERITY[finding.severity]
        icon = QToolButton()
        icon.setIcon(theme.icon(name, role))
        icon.setIconSize(QSize(18, 18))
        icon.setAutoRaise(True)
        icon.setFixedSize(SPACE_L, SPACE_L)
        icon.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        icon.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        row.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(0)
        sentence = QLabel(finding.message)
        sentence.setWordWrap(True)
        sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        sentence.setContentsMargins(0, SPACE_XS, 0, 0)
        column.addWidget(sentence)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE_S)
        for repair in finding.repairs:
            button = link_button(repair.label)
            button.clicked.connect(partial(repaired.emit, repair.label, repair.data))
            buttons.addWidget(button)
        if finding.repairs:
            buttons.addStretch(1)
            column.addLayout(buttons)
        row.addLayout(column, 1)


class SidePanel(ColumnScroll):
    """Shows a data section and what was found about it.

    Signals:
        target_chosen: (str) name of the column to predict.
        reconstruct_chosen: () predict the features themselves.
        field_edited: (str, str, object) merge key, field of `Data`, new value.
        split_edited: (str, dict) merge key, new values of the split.
        window_edited: (str, object) merge key, the new Window or None.
        repaired: (str, Data) a repair was chosen: its label and the data section after it.
    """

    target_chosen = Signal(str)
    reconstruct_chosen = Signal()
    field_edited = Signal(str, str, object)
    split_edited = Signal(str, dict)
    window_edited = Signal(str, object)
    repaired = Signal(str, object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(PANEL_WIDTH, SPACE_M, parent)
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(SPACE_M, 0, 0, 0)
        layout.setSpacing(SPACE_S)
        layout.addWidget(heading_label(theme, self.tr("Predict")))
        layout.addLayout(self._predict_form())
        layout.addSpacing(SPACE_XS)
        layout.addWidget(heading_label(theme, self.tr("Split")))
        self.split = SplitForm(theme)
        self.split.edited.connect(self.split_edited)
        layout.addWidget(self.split)
        self.series = SeriesForm()
        self.series.edited.connect(self.window_edited)
        layout.addWidget(self.series)
        layout.addSpacing(SPACE_XS)
        layout.addWidget(heading_label(theme, self.tr("Worth knowing")))
        self._findings = QVBoxLayout()
        self._findings.setSpacing(SPACE_S)
        layout.addLayout(self._findings)
        layout.addSpacing(SPACE_XS)
        layout.addWidget(self._numbers_part(theme))
        self.text = TextForm()
        self.text.edited.connect(lambda key, options: self.field_edited.emit(key, "text", options))
        self._text_heading = heading_label(theme, self.tr("Prepare text"))
        layout.addSpacing(SPACE_XS)
        layout.addWidget(self._text_heading)
        layout.addWidget(self.text)
        layout.addStretch(1)
        self.setWidget(content)

    def show_data(self, data: Data, preview: Preview | None) -> None:
        """Show the document's data section; `preview` None: not (or no longer) known."""
        fields = (self.target, self.task, self.missing, self.scaling)
        blockers = [QSignalBlocker(field) for field in fields]
        self._show_target(data)
        self.task.setCurrentIndex(self.task.findData(data.task))
        self.missing.setCurrentIndex(self.missing.findData(data.missing))
        self.scaling.setCurrentIndex(self.scaling.findData(data.scaling))
        self.scaling.setEnabled(data.image is None)
        self.series.show_window(data.window, data.look == "table")
        self.text.show_options(data.text)
        has_text = any(column.role == "feature" and column.kind == "text" for column in data.columns)
        self.text.setVisible(has_text)
        self._text_heading.setVisible(has_text)
        self._numbers.setVisible(data.look != "text")
        for blocker in blockers:
            blocker.unblock()
        self._classes.setText("" if preview is None else target_facts(preview))
        self._classes.setVisible(bool(self._classes.text()))
        parts = (0, 0, 0) if preview is None else preview.parts
        self.split.show_split(data.split, parts, data.task in {"binary", "multiclass"})

    def show_findings(self, findings: tuple[Finding, ...], known: bool) -> None:
        """Show what is worth knowing, the most serious first; `known` False: nothing was looked at yet."""
        while (item := self._findings.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for finding in sorted(findings, key=lambda finding: _ORDER.index(finding.severity)):
            self._findings.addWidget(_FindingRow(self._theme, finding, self.repaired))
        if not findings:
            text = self.tr("Nothing unusual was found.") if known else self.tr("Known when the data was read.")
            self._findings.addWidget(muted_label(text))

    def _show_target(self, data: Data) -> None:
        names = [*(column.name for column in data.columns), self.tr("the features themselves")]
        targets = data.named_with_role("target")
        if [self.target.itemText(index) for index in range(self.target.count())] != names:
            self.target.clear()
            self.target.addItems(names)
        chosen = len(names) - 1 if data.reconstruct else names.index(targets[0]) if targets else -1
        self.target.setCurrentIndex(chosen)
        self.task.setEnabled(not data.reconstruct)

    def _choose_target(self, index: int) -> None:
        """The last entry is no column."""
        if index == self.target.count() - 1:
            self.reconstruct_chosen.emit()
        else:
            self.target_chosen.emit(self.target.currentText())

    def _predict_form(self) -> FieldGrid:
        form = FieldGrid()
        self.target = QComboBox()
        self.target.setPlaceholderText(self.tr("Choose a column"))
        self.target.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.target.activated.connect(self._choose_target)
        self.task = QComboBox()
        self.task.setPlaceholderText(self.tr("from the column"))
        for task, word in task_words().items():
            self.task.addItem(word, task)
        self.task.activated.connect(lambda: self.field_edited.emit("", "task", self.task.currentData()))
        form.add(self.tr("Column"), self.target)
        form.add(self.tr("It is"), self.task)
        self._classes = muted_label()
        form.addWidget(self._classes, form.rowCount(), 1)
        return form

    def _numbers_part(self, theme: Theme) -> QWidget:
        self._numbers = QWidget()
        layout = QVBoxLayout(self._numbers)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_S)
        layout.addWidget(heading_label(theme, self.tr("Prepare numbers")))
        layout.addLayout(self._prepare_form())
        return self._numbers

    def _prepare_form(self) -> FieldGrid:
        form = FieldGrid()
        self.missing = QComboBox()
        for text, value in (
            (self.tr("the median"), "median"),
            (self.tr("the mean"), "mean"),
            (self.tr("zero"), "zero"),
        ):
            self.missing.addItem(text, value)
        self.missing.activated.connect(lambda: self.field_edited.emit("", "missing", self.missing.currentData()))
        self.scaling = QComboBox()
        choices = (
            (self.tr("mean 0, deviation 1"), "standard"),
            (self.tr("from 0 to 1"), "minmax"),
            (self.tr("not at all"), "none"),
        )
        for text, value in choices:
            self.scaling.addItem(text, value)
        self.scaling.activated.connect(lambda: self.field_edited.emit("", "scaling", self.scaling.currentData()))
        form.add(self.tr("Fill missing with"), self.missing)
        form.add(self.tr("Scale to"), self.scaling)
        return form
