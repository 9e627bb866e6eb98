"""What surrounds a tunable field: when it is active, what shares its value, what the copies of a repeat do with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from tunerstudio.gui.model_editor.parsing import TypedError, parse_float, value_text
from tunerstudio.gui.model_editor.plain_editors import LineEdit, QuietComboBox
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_S, SPACE_XS, Theme
from tunerstudio.study.hyperparameters import Fixed, Hyperparameter, Scalar
from tunerstudio.study.network import AnyTunable
from tunerstudio.study.tunable import Scaled

_MOST_VALUES = 50
"""A hyperparameter with more values than this is no condition to click together."""


@dataclass
class Neighbours:
    """The hyperparameters of the study, as they stand now; the panel keeps it up to date."""

    hyperparameters: Sequence[Hyperparameter] = field(default_factory=tuple)

    def conditions(self, besides: str) -> list[Hyperparameter]:
        """Those that a condition can name: with few values, and not `besides` itself."""
        return [
            h
            for h in self.hyperparameters
            if h.name != besides and not isinstance(h, Fixed) and h.count() <= _MOST_VALUES
        ]


class Surroundings(QWidget):
    """Edits `only_if`, `shared` and `copies` of a tunable; folded away unless one of them is set.

    Signals:
        edited: () `fields()` would answer differently.
        entered: () the keyboard came here.
    """

    edited = Signal()
    entered = Signal()

    def __init__(self, theme: Theme, neighbours: Neighbours, parent: QWidget | None = None) -> None:
        """Offer `neighbours` as conditions."""
        super().__init__(parent)
        self._neighbours = neighbours
        self._name = ""
        self._rows: list[_ConditionRow] = []
        self._fold = QToolButton()
        self._fold.setProperty("look", "link")
        self._fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._fold.setIconSize(QSize(14, 14))
        self._fold.setMinimumHeight(MINIMUM_TARGET)
        self._fold.setCheckable(True)
        self._fold.setText(self.tr("Only if, sharing, copies"))
        self._fold.setToolTip(self.tr("When the field is active, and what follows its value"))
        self._icons = theme.icon("ph.caret-right", "accent"), theme.icon("ph.caret-down", "accent")
        self._fold.toggled.connect(self._unfold)
        self._inside = QWidget()
        self._conditions = QVBoxLayout()
        self._conditions.setSpacing(SPACE_XS)
        self._more = QToolButton()
        self._more.setProperty("look", "link")
        self._more.setText(self.tr("Add a condition"))
        self._more.setMinimumHeight(MINIMUM_TARGET)
        self._more.clicked.connect(self._add_condition)
        self._shared = QCheckBox(self.tr("One value for all fields with this name"))
        self._shared.setMinimumHeight(MINIMUM_TARGET)
        self._shared.clicked.connect(self._touched)
        self._copies = _CopyRule(self)
        self._copies.edited.connect(self._touched)
        self._arrange()

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._fold, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._inside)
        inside = QVBoxLayout(self._inside)
        inside.setContentsMargins(SPACE_S, 0, 0, SPACE_XS)
        inside.setSpacing(SPACE_XS)
        inside.addLayout(self._conditions)
        inside.addWidget(self._more, 0, Qt.AlignmentFlag.AlignLeft)
        inside.addWidget(self._shared)
        inside.addWidget(self._copies)
        self._unfold(False)

    def show_tunable(self, tunable: AnyTunable, name: str) -> None:
        """Show what the document says; `name` is that of the hyperparameter itself."""
        self._name = name
        self._set_conditions(tunable.only_if)
        with QSignalBlocker(self._shared):
            self._shared.setChecked(tunable.shared)
        self._shared.setEnabled(bool(tunable.name))
        self._shared.setToolTip("" if tunable.name else self.tr("Give the hyperparameter a name first."))
        self._copies.show_rule(tunable.copies)
        if tunable.only_if or tunable.shared or tunable.copies is not None:
            self._fold.setChecked(True)

    def set_named(self, named: bool) -> None:
        """Whether the user has given the hyperparameter a name."""
        self._shared.setEnabled(named)

    def fields(self) -> dict[str, Any]:
        """`only_if`, `shared` and `copies` as they stand; TypedError if one is wrong."""
        only_if = {row.parent_name: row.values() for row in self._rows if row.parent_name}
        empty = next((name for name, values in only_if.items() if not values), None)
        if empty is not None:
            raise TypedError(self.tr("only if: choose at least one value of {name}").format(name=empty))
        shared = self._shared.isChecked() and self._shared.isEnabled()
        return {"only_if": only_if, "shared": shared, "copies": self._copies.rule()}

    def _set_conditions(self, only_if: dict[str, Any]) -> None:
        while len(self._rows) > len(only_if):
            self._drop(self._rows[-1])
        while len(self._rows) < len(only_if):
            self._new_row()
        for row, (name, values) in zip(self._rows, only_if.items(), strict=True):
            row.show_condition(self._offered(), name, values if isinstance(values, tuple) else (values,))

    def _offered(self) -> list[Hyperparameter]:
        return self._neighbours.conditions(self._name)

    def _new_row(self) -> _ConditionRow:
        row = _ConditionRow(self)
        row.edited.connect(self._touched)
        row.removed.connect(lambda: self._remove(row))
        self._conditions.addWidget(row)
        self._rows.append(row)
        return row

    def _add_condition(self) -> None:
        offered = self._offered()
        taken = {row.parent_name for row in self._rows}
        free = next((h for h in offered if h.name not in taken), None)
        if free is None:
            self._more.setText(self.tr("Nothing else is tunable with a few values"))
            self._more.setEnabled(False)
            return
        self._new_row().show_condition(offered, free.name, (free.default_value(),))
        self._touched()

    def _remove(self, row: _ConditionRow) -> None:
        self._drop(row)
        self._touched()

    def _drop(self, row: _ConditionRow) -> None:
        self._rows.remove(row)
        self._conditions.removeWidget(row)
        row.hide()
        row.deleteLater()

    def _touched(self) -> None:
        self.entered.emit()
        self.edited.emit()

    def _unfold(self, unfolded: bool) -> None:
        self._fold.setIcon(self._icons[unfolded])
        self._inside.setVisible(unfolded)


class _ConditionRow(QWidget):
    """`optimizer is SGD, RMSprop`, with a button that takes it away."""

    edited = Signal()
    removed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._offered: dict[str, list[Scalar]] = {}
        self._chosen: list[Scalar] = []
        self._parent_box = QuietComboBox()
        self._parent_box.setAccessibleName(self.tr("only if this hyperparameter"))
        self._parent_box.activated.connect(self._parent_chosen)
        self._values = QToolButton()
        self._values.setMinimumSize(72, MINIMUM_TARGET)
        self._values.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._values.setAccessibleName(self.tr("has one of these values"))
        self._menu = QMenu(self._values)
        self._menu.aboutToShow.connect(self._fill_menu)
        self._values.setMenu(self._menu)
        remove = QToolButton()
        remove.setText("×")
        remove.setAutoRaise(True)
        remove.setMinimumSize(MINIMUM_TARGET, MINIMUM_TARGET)
        remove.setToolTip(self.tr("Take this condition away"))
        remove.setAccessibleName(self.tr("take this condition away"))
        remove.clicked.connect(self.removed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_XS)
        row.addWidget(QLabel(self.tr("only if")))
        row.addWidget(self._parent_box, 2)
        row.addWidget(QLabel(self.tr("is")))
        row.addWidget(self._values, 1)
        row.addWidget(remove)

    @property
    def parent_name(self) -> str:
        """Name of the hyperparameter that the condition asks."""
        return self._parent_box.currentText()

    def values(self) -> tuple[Scalar, ...]:
        """The values with which the field is active."""
        return tuple(self._chosen)

    def show_condition(self, offered: Sequence[Hyperparameter], name: str, values: Sequence[Scalar]) -> None:
        """Show a condition of the document, though its parent may be gone."""
        self._offered = {h.name: list(h.values()) for h in offered if not isinstance(h, Fixed)}
        self._chosen = list(values)
        with QSignalBlocker(self._parent_box):
            self._parent_box.clear()
            self._parent_box.addItems(list(dict.fromkeys((*self._offered, name))))
            self._parent_box.setCurrentText(name)
        self._tell()

    def _parent_chosen(self) -> None:
        self._chosen = self._offered.get(self.parent_name, [])[:1]
        self._tell()
        self.edited.emit()

    def _fill_menu(self) -> None:
        self._menu.clear()
        for value in self._offered.get(self.parent_name, self._chosen):
            action = self._menu.addAction(value_text(value))
            action.setCheckable(True)
            action.setChecked(any(value == chosen and type(value) is type(chosen) for chosen in self._chosen))
            action.triggered.connect(lambda checked, value=value: self._picked(value, checked))

    def _picked(self, value: Scalar, checked: bool) -> None:
        kept = [v for v in self._chosen if not (v == value and type(v) is type(value))]
        every = self._offered.get(self.parent_name, [])
        wanted = [*kept, value] if checked else kept
        self._chosen = sorted(wanted, key=lambda v: every.index(v) if v in every else len(every))
        self._tell()
        self.edited.emit()

    def _tell(self) -> None:
        text = ", ".join(value_text(value) for value in self._chosen) or self.tr("choose")
        self._values.setText(text if len(text) <= 24 else text[:23] + "…")
        self._values.setToolTip(text)


class _CopyRule(QWidget):
    """What the copies of a repeat do with the field."""

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._box = QuietComboBox()
        for text, rule in (
            (self.tr("as the repeat says"), None),
            (self.tr("each its own value"), "own"),
            (self.tr("all the same value"), "shared"),
            (self.tr("each times a factor"), "times"),
        ):
            self._box.addItem(text, rule)
        self._box.setAccessibleName(self.tr("in the copies of a repeat"))
        self._box.activated.connect(self._chosen)
        self._factor = LineEdit()
        self._factor.setMinimumHeight(MINIMUM_TARGET)
        self._factor.setMaximumWidth(64)
        self._factor.setAccessibleName(self.tr("factor from copy to copy"))
        self._factor.setToolTip(self.tr("2 doubles from copy to copy, 0.5 halves"))
        self._factor.textEdited.connect(self.edited)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE_S)
        grid.addWidget(QLabel(self.tr("in the copies of a repeat")), 0, 0)
        grid.addWidget(self._box, 0, 1)
        grid.addWidget(self._factor, 0, 2)
        grid.setColumnStretch(1, 1)

    def show_rule(self, rule: Any) -> None:
        """Show the rule of the document."""
        scaled = isinstance(rule, Scaled)
        with QSignalBlocker(self._box):
            self._box.setCurrentIndex(self._box.findData("times" if scaled else rule))
        self._factor.setVisible(scaled)
        if isinstance(rule, Scaled):
            self._factor.setText(value_text(rule.times))

    def rule(self) -> Any:
        """The rule as it stands; TypedError if the factor is none."""
        rule = self._box.currentData()
        if rule != "times":
            return rule
        times = parse_float(self._factor.text())
        if times <= 0:
            raise TypedError(self.tr("copies: a factor above 0 is needed"))
        return Scaled(times=times)

    def _chosen(self) -> None:
        is_scaled = self._box.currentData() == "times"
        self._factor.setVisible(is_scaled)
        if is_scaled and not self._factor.text():
            self._factor.setText("2")
        self.edited.emit()
