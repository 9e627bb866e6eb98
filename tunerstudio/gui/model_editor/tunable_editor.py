"""The editor of a tunable field: a range or a list, with a picture of its values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import QCoreApplication, QSignalBlocker, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from tunerstudio.gui.model_editor.conditions import Neighbours, Surroundings
from tunerstudio.gui.model_editor.parsing import (
    TypedError,
    list_text,
    number_text,
    parse_float,
    parse_int,
    parse_list,
    value_text,
)
from tunerstudio.gui.model_editor.plain_editors import LineEdit, QuietComboBox
from tunerstudio.gui.model_editor.range_preview import RangePreview
from tunerstudio.gui.model_editor.summary import count_sentence, values_sentence
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_S, SPACE_XS, Theme
from tunerstudio.gui.widgets.basics import ElidedLabel
from tunerstudio.study.catalogue import ArgumentInfo
from tunerstudio.study.hyperparameters import same_value
from tunerstudio.study.network import AnyTunable
from tunerstudio.study.tunable import TuneBoolean, TuneChoice, TuneFloat, TuneInt

_SAMPLINGS = ("linear", "log", "reverse_log")


class TunableEditor(QWidget):
    """Edits one tunable field.

    Attributes:
        header: The first line (range or list, how many values), for whoever wants it beside the field's name.

    Signals:
        edited: (object) the new range or list.
        refused: (str) what stands there is no range; why.
        entered: () the keyboard came here.
    """

    edited = Signal(object)
    refused = Signal(str)
    entered = Signal()

    def __init__(
        self,
        theme: Theme,
        argument: ArgumentInfo,
        names: Sequence[str] = (),
        parent: QWidget | None = None,
        neighbours: Neighbours | None = None,
        nameable: bool = True,
    ) -> None:
        """Edit ranges of `argument`, whose known values are `names`; conditions only with `neighbours`.

        Without `nameable`, the name of the hyperparameter is not the study's to choose.
        """
        super().__init__(parent)
        self._argument = argument
        self._nameable = nameable
        self._names = tuple(names)
        self._shown: AnyTunable | None = None
        numeric = argument.type in {"int", "float", "shape"}
        self._kind = QuietComboBox()
        self._kind.addItem(self.tr("Range"), "range")
        self._kind.addItem(self.tr("List"), "list")
        self._kind.setAccessibleName(self.tr("{name}: range or list").format(name=argument.name))
        self._kind.activated.connect(self._kind_chosen)
        self._kind.setVisible(numeric)
        self._range = _RangeFields(argument, self)
        self._list = _ListFields(argument, self._names, self)
        self._default = _DefaultBox(argument, self)
        self._preview = RangePreview(theme)
        self._values = ElidedLabel()
        self._count = ElidedLabel()
        for label in (self._values, self._count):
            label.setProperty("look", "muted")
        self._count.setMinimumHeight(MINIMUM_TARGET)
        self.header = QWidget(self)
        self._name = LineEdit()
        self._name.setMinimumHeight(MINIMUM_TARGET)
        self._name.textEdited.connect(self._commit)
        self._name.entered.connect(self.entered)
        for part in (self._range, self._list, self._default):
            part.edited.connect(self._commit)
            part.entered.connect(self.entered)
        self._surroundings = Surroundings(theme, neighbours, self) if neighbours is not None else None
        if self._surroundings is not None:
            self._surroundings.edited.connect(self._commit)
            self._surroundings.entered.connect(self.entered)
        self._arrange()

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, SPACE_XS)
        layout.setSpacing(SPACE_XS)
        first = QHBoxLayout(self.header)
        first.setContentsMargins(0, 0, 0, 0)
        first.setSpacing(SPACE_S)
        first.addWidget(self._kind)
        first.addWidget(self._count, 1)
        layout.addWidget(self._range)
        layout.addWidget(self._list)
        last = QGridLayout()
        last.setSpacing(SPACE_S)
        last.addWidget(_caption(self.tr("default"), self._default), 0, 0)
        last.addWidget(self._default, 1, 0)
        name_caption = _caption(self.tr("name"), self._name)
        last.addWidget(name_caption, 0, 1)
        last.addWidget(self._name, 1, 1)
        for part in (name_caption, self._name):
            part.setVisible(self._nameable)
        last.setColumnStretch(0, 1)
        last.setColumnStretch(1, 2)
        layout.addLayout(last)
        layout.addWidget(self._preview)
        layout.addWidget(self._values)
        if self._surroundings is not None:
            layout.addWidget(self._surroundings)

    def set_default_name(self, name: str) -> None:
        """The name that the hyperparameter has if the user gives none."""
        self._name.setPlaceholderText(name)
        self._name.setToolTip(self.tr("Name of the hyperparameter in tables and plots"))

    def show_tunable(self, tunable: AnyTunable) -> None:
        """Show a range or list of the document."""
        self._shown = tunable
        is_range = isinstance(tunable, TuneInt | TuneFloat)
        with QSignalBlocker(self._kind):
            self._kind.setCurrentIndex(0 if is_range else 1)
        self._range.setVisible(is_range)
        self._list.setVisible(isinstance(tunable, TuneChoice))
        if isinstance(tunable, TuneInt | TuneFloat):
            self._range.show_range(tunable)
        elif isinstance(tunable, TuneChoice):
            self._list.show_choices(tunable.choices)
        self._default.show_default(tunable)
        self._name.setText(tunable.name or "")
        if self._surroundings is not None:
            self._surroundings.show_tunable(tunable, tunable.name or self._name.placeholderText())
        self._show_values(tunable)

    def _show_values(self, tunable: AnyTunable | None) -> None:
        self._preview.show_values(tunable)
        self._values.setText(values_sentence(tunable) if tunable is not None else "")
        self._values.setVisible(isinstance(tunable, TuneInt | TuneFloat))
        self._count.setText(count_sentence(tunable) if tunable is not None else "")

    def _kind_chosen(self) -> None:
        """Turn a range into a list or back; as many of the values as possible stay."""
        self.entered.emit()
        tunable = self._shown
        if self._kind.currentData() == "list" and isinstance(tunable, TuneInt | TuneFloat):
            named = tunable.named("value")
            count = min(named.count(), 5)
            values = [named.from_unit(index / max(count - 1, 1)) for index in range(int(count))]
            rounded = [float(f"{value:.3g}") if isinstance(value, float) else value for value in values]
            self._take(TuneChoice(**_around(tunable), choices=tuple(dict.fromkeys(rounded))))
        elif self._kind.currentData() == "range" and isinstance(tunable, TuneChoice):
            numbers = [value for value in tunable.choices if isinstance(value, int | float)]
            low, high = (min(numbers), max(numbers)) if numbers else (1, 2)
            whole = self._argument.type != "float"
            self._take(
                TuneInt(**_around(tunable), min=int(low), max=int(high))
                if whole
                else TuneFloat(**_around(tunable), min=float(low), max=float(high))
            )

    def _take(self, tunable: AnyTunable) -> None:
        self.show_tunable(tunable)
        self.edited.emit(tunable)

    def _commit(self) -> None:
        try:
            tunable = self._build()
        except TypedError as error:
            self._show_values(None)
            self.refused.emit(str(error))
            return
        self._shown = tunable
        self._default.offer(tunable)
        self._show_values(tunable)
        self.edited.emit(tunable)

    def _build(self) -> AnyTunable:
        fields: dict[str, Any] = _around(self._shown) | {"name": self._name.text().strip() or None}
        if self._surroundings is not None:
            self._surroundings.set_named(bool(fields["name"]))
            fields |= self._surroundings.fields()
        make: Callable[..., AnyTunable]
        if isinstance(self._shown, TuneBoolean):
            make = TuneBoolean
            fields["default"] = self._default.value() is True
        elif isinstance(self._shown, TuneChoice):
            make = TuneChoice
            fields["choices"] = self._list.choices()
            default = self._default.value()
            fields["default"] = default if any(same_value(default, c) for c in fields["choices"]) else None
        else:
            make = TuneFloat if isinstance(self._shown, TuneFloat) else TuneInt
            fields |= self._range.fields()
            fields["default"] = self._default.value()
        try:
            return make(**fields)
        except ValidationError as error:
            raise TypedError(_sentence(error)) from error


class _RangeFields(QWidget):
    """min, max, step and sampling."""

    edited = Signal()
    entered = Signal()

    def __init__(self, argument: ArgumentInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._argument = argument
        self._parse: Callable[[str], float] = parse_float if argument.type == "float" else parse_int
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE_S)
        grid.setVerticalSpacing(SPACE_XS)
        self._lines = {key: self._line() for key in ("min", "max", "step")}
        self._sampling = QuietComboBox()
        self._sampling.setMinimumContentsLength(4)
        for sampling, word in zip(_SAMPLINGS, (self.tr("even"), "log", self.tr("reverse log")), strict=True):
            self._sampling.addItem(word, sampling)
        self._sampling.activated.connect(self._sampling_chosen)
        captions = (self.tr("min"), self.tr("max"), self.tr("step"), self.tr("spread"))
        for column, (caption, field) in enumerate(zip(captions, (*self._lines.values(), self._sampling), strict=True)):
            grid.addWidget(_caption(caption, field), 0, column)
            grid.addWidget(field, 1, column)
            grid.setColumnStretch(column, 2 if column == 3 else 1)
            field.setAccessibleName(f"{argument.name} {caption}")

    def _line(self) -> LineEdit:
        line = LineEdit()
        line.setMinimumHeight(MINIMUM_TARGET)
        line.setMinimumWidth(44)
        line.textEdited.connect(self.edited)
        line.entered.connect(self.entered)
        return line

    def show_range(self, tunable: TuneInt | TuneFloat) -> None:
        """Show the document's range."""
        self._lines["min"].setText(number_text(tunable.min))
        self._lines["max"].setText(number_text(tunable.max))
        self._lines["step"].setText("" if tunable.step is None else number_text(tunable.step))
        self._lines["step"].setPlaceholderText(self.tr("any") if isinstance(tunable, TuneFloat) else "1")
        with QSignalBlocker(self._sampling):
            self._sampling.setCurrentIndex(_SAMPLINGS.index(tunable.sampling))

    def fields(self) -> dict[str, Any]:
        """min, max, step and sampling as they stand; TypedError if one is no number or out of bounds."""
        found: dict[str, Any] = {"sampling": self._sampling.currentData()}
        for key, line in self._lines.items():
            text = line.text().strip()
            if key == "step" and not text:
                found["step"] = None
                continue
            try:
                found[key] = self._parse(text)
            except TypedError as error:
                raise TypedError(f"{key}: {error}") from error
        for key in ("min", "max"):
            self._check_bounds(key, found[key])
        return found

    def _check_bounds(self, key: str, value: float) -> None:
        low, high = self._argument.minimum, self._argument.maximum
        if low is not None and value < low:
            raise TypedError(
                self.tr("{key}: {name} must be at least {limit}").format(
                    key=key, name=self._argument.name, limit=number_text(low)
                )
            )
        if high is not None and value > high:
            raise TypedError(
                self.tr("{key}: {name} must be at most {limit}").format(
                    key=key, name=self._argument.name, limit=number_text(high)
                )
            )

    def _sampling_chosen(self) -> None:
        self.entered.emit()
        self.edited.emit()


class _ListFields(QWidget):
    """The values to choose from, separated by commas, and a menu of the known ones."""

    edited = Signal()
    entered = Signal()

    def __init__(self, argument: ArgumentInfo, names: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._argument = argument
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_XS)
        self._line = LineEdit()
        self._line.setMinimumHeight(MINIMUM_TARGET)
        self._line.setAccessibleName(self.tr("{name}: values, separated by commas").format(name=argument.name))
        self._line.setPlaceholderText(self.tr("values, separated by commas"))
        self._line.textEdited.connect(self.edited)
        self._line.entered.connect(self.entered)
        layout.addWidget(self._line, 1)
        self._pick = QToolButton()
        self._pick.setText(self.tr("Pick"))
        self._pick.setMinimumHeight(MINIMUM_TARGET)
        self._pick.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self._pick)
        self._menu.aboutToShow.connect(self._tick)
        for name in names:
            action = self._menu.addAction(name)
            action.setCheckable(True)
            action.triggered.connect(self._picked)
        self._pick.setMenu(self._menu)
        self._pick.setVisible(bool(names))
        layout.addWidget(self._pick)

    def show_choices(self, choices: Sequence[Any]) -> None:
        """Show the document's list."""
        self._line.setText(list_text(choices))

    def choices(self) -> tuple[Any, ...]:
        """The list as it stands; TypedError if a value is none of the argument's."""
        return parse_list(self._argument, self._line.text())

    def _listed(self) -> list[str]:
        return [part.strip() for part in self._line.text().split(",") if part.strip()]

    def _actions(self) -> list[QAction]:
        return list(self._menu.actions())

    def _tick(self) -> None:
        listed = self._listed()
        for action in self._actions():
            action.setChecked(action.text() in listed)

    def _picked(self) -> None:
        self.entered.emit()
        listed = self._listed()
        known = [action.text() for action in self._actions()]
        ticked = [action.text() for action in self._actions() if action.isChecked()]
        kept = [text for text in listed if text not in known or text in ticked]
        self._line.setText(", ".join([*kept, *(text for text in ticked if text not in kept)]))
        self.edited.emit()


class _DefaultBox(QuietComboBox):
    """The value of the first trial and of everything that is not searched; typed for ranges, chosen from lists."""

    edited = Signal()
    entered = Signal()

    def __init__(self, argument: ArgumentInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._argument = argument
        self.setAccessibleName(self.tr("{name} default").format(name=argument.name))
        self.setToolTip(self.tr("Value of the first trial where the algorithm starts with the defaults"))
        self._is_range = False
        self.activated.connect(self._chosen)

    def show_default(self, tunable: AnyTunable) -> None:
        """Show the document's default."""
        with QSignalBlocker(self):
            self._make_editable(isinstance(tunable, TuneInt | TuneFloat))
            self.offer(tunable)
            text = value_text(tunable.named("value").default_value())
            self.setCurrentIndex(self.findText(text))
            if self._is_range:
                self.setEditText("" if tunable.default is None else text)

    def offer(self, tunable: AnyTunable) -> None:
        """Offer the values of `tunable`, the present one staying."""
        with QSignalBlocker(self):
            present = self.currentText()
            self.clear()
            hyperparameter = tunable.named("value")
            if hyperparameter.count() <= 50:
                for value in hyperparameter.values():
                    self.addItem(value_text(value), value)
            self.setCurrentIndex(max(self.findText(present), 0) if not self._is_range else self.findText(present))
            if self._is_range:
                self.setEditText(present)
                line = self.lineEdit()
                assert line is not None  # an editable list has one
                line.setPlaceholderText(value_text(hyperparameter.from_unit(0.0)))

    def value(self) -> Any:
        """The default as it stands; None: not given. TypedError if it is no number."""
        if not self._is_range:
            return self.currentData()
        text = self.currentText().strip()
        if not text:
            return None
        try:
            return parse_float(text) if self._argument.type == "float" else parse_int(text)
        except TypedError as error:
            raise TypedError(f"default: {error}") from error

    def _make_editable(self, editable: bool) -> None:
        if editable == self._is_range:
            return
        self._is_range = editable
        self.setEditable(editable)
        if editable:
            line = LineEdit()
            self.setLineEdit(line)
            self.setInsertPolicy(QuietComboBox.InsertPolicy.NoInsert)
            line.textEdited.connect(self.edited)
            line.entered.connect(self.entered)

    def _chosen(self) -> None:
        self.entered.emit()
        self.edited.emit()


def _around(tunable: AnyTunable | None) -> dict[str, Any]:
    """What belongs to a tunable beside its values."""
    return {} if tunable is None else {name: getattr(tunable, name) for name in ("name", "shared", "only_if", "copies")}


def _caption(text: str, buddy: QWidget) -> QLabel:
    label = QLabel(text)
    label.setProperty("look", "muted")
    label.setBuddy(buddy)
    return label


def _sentence(error: ValidationError) -> str:
    """What pydantic found, as our own validators said it."""
    parts = []
    for item in error.errors(include_url=False):
        context = item.get("ctx", {})
        parts.append(str(context["error"]) if "error" in context else item["msg"])
    fallback = QCoreApplication.translate("TunableEditor", "this is no range")
    return "; ".join(dict.fromkeys(parts)) or fallback
