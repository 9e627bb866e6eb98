"""One field: its name, a dice that makes it tunable, its value or range, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, QSize, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QToolButton, QWidget

from tunerstudio.gui.model_editor.conditions import Neighbours
from tunerstudio.gui.model_editor.parsing import UNSET
from tunerstudio.gui.model_editor.plain_editors import plain_editor
from tunerstudio.gui.model_editor.suggestions import first_tunable, plain_default
from tunerstudio.gui.model_editor.tunable_editor import TunableEditor
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_S, SPACE_XS, Theme
from tunerstudio.gui.widgets.basics import ElidedLabel
from tunerstudio.study.arguments import LayerSpec, ObjectSpec
from tunerstudio.study.catalogue import ArgumentInfo, Catalogue
from tunerstudio.study.network import AnyTunable


class ObjectEditor(Protocol):
    """Edits an object or a layer that has arguments of its own."""

    edited: Any
    entered: Any

    def show_value(self, value: Any, prefix: str) -> None:
        """Show what the document holds; hyperparameters inside are named after `prefix`."""

    def setVisible(self, visible: bool) -> None:
        """As any widget."""


MakeObjects = Callable[[ArgumentInfo], Any]
"""Gives an `ObjectEditor` that is a widget."""

LABEL_WIDTH = 128
"""Width of the column of names, in logical pixels."""


class FieldRow(QWidget):
    """One field of a layer, an optimizer, an estimator or an algorithm.

    What was typed stays even while it is wrong; the document keeps the last right value meanwhile.

    Signals:
        edited: (str, object, int) name, new value (plain, tunable or UNSET), and a number that is the same for one
            stretch of typing.
        focused: (object) its ArgumentInfo, when the keyboard comes here.
        trouble_changed: () `trouble` is another one now.
    """

    edited = Signal(str, object, int)
    focused = Signal(object)
    trouble_changed = Signal()

    def __init__(
        self,
        theme: Theme,
        argument: ArgumentInfo,
        catalogue: Catalogue | None = None,
        names: Sequence[str] = (),
        tunable: bool = True,
        label: str = "",
        unit: str = "",
        parent: QWidget | None = None,
        neighbours: Neighbours | None = None,
        make_objects: MakeObjects | None = None,
        nameable: bool = True,
        room_for_dice: bool | None = None,
    ) -> None:
        """A row for `argument`; `names` are values to offer, by default what the catalogue knows.

        A tunable field can have conditions on `neighbours`; `make_objects` gives the editor of objects with arguments
        of their own, where the field can hold some. Without `nameable`, a tunable keeps the name it has. Fields that
        stand below each other begin alike where all of them leave `room_for_dice` (by default: if `tunable`).
        """
        super().__init__(parent)
        self._neighbours = neighbours
        self._make_objects = make_objects
        self._nameable = nameable
        self._objects: ObjectEditor | None = None
        self.argument = argument
        self.trouble = ""
        self._theme = theme
        self._catalogue = catalogue
        self._names = tuple(names) or (catalogue.names(argument) if catalogue is not None else argument.choices)
        self._committed: Any = UNSET
        self._last_tunable: AnyTunable | None = None
        self._default_name = argument.name
        self._stretch = 0
        self._tunable_editor: TunableEditor | None = None
        self._plain = plain_editor(argument, self._names, unit)
        self._plain.setAccessibleName(label or argument.name)
        self._plain.edited.connect(self._commit)
        self._plain.refused.connect(self._refuse)
        self._plain.entered.connect(self._enter)
        self._label = ElidedLabel(label or argument.name)
        self._label.setFixedWidth(LABEL_WIDTH)
        self._label.setMinimumHeight(MINIMUM_TARGET)
        self._label.setBuddy(self._plain)
        self._label.setToolTip(argument.help)
        holds_layer = argument.type == "layer"
        self._dice = self._make_dice(tunable and not holds_layer and argument.name not in _NEVER_TUNED)
        self._room_for_dice = tunable if room_for_dice is None else room_for_dice
        self._gear = self._make_gear(make_objects is not None and not holds_layer)
        self._trouble_label = QLabel()
        self._trouble_label.setWordWrap(True)
        self._trouble_label.setProperty("look", "bad_text")
        self._trouble_label.hide()
        self._remark = ""
        self.setWhatsThis(argument.help)
        self._arrange()
        self._plain.show_value(UNSET)

    def _make_dice(self, tunable: bool) -> QToolButton:
        dice = self._make_switch("ph.dice-five", 20, self.tr("Let the search vary {name}"), self.tr("tune {name}"))
        dice.setParent(self)
        dice.toggled.connect(self._dice_toggled)
        dice.installEventFilter(self)
        dice.setVisible(tunable)
        return dice

    def _make_gear(self, shown: bool) -> QToolButton:
        tip, name = self.tr("Set the arguments of {name}"), self.tr("arguments of {name}")
        gear = self._make_switch("ph.sliders-horizontal", 18, tip, name)
        gear.clicked.connect(self._gear_clicked)
        gear.setVisible(shown)
        return gear

    def _make_switch(self, icon: str, size: int, tip: str, name: str) -> QToolButton:
        """A button that stays pressed; `tip` and `name` have a place for the field's name."""
        button = QToolButton()
        button.setCheckable(True)
        button.setAutoRaise(True)
        button.setIconSize(QSize(size, size))
        button.setMinimumSize(MINIMUM_TARGET, MINIMUM_TARGET)
        button.setIcon(self._theme.icon(icon, "muted"))
        button.setToolTip(tip.format(name=self.argument.name))
        button.setAccessibleName(name.format(name=self.argument.name))
        return button

    def _arrange(self) -> None:
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(SPACE_S)
        self._grid.setVerticalSpacing(SPACE_XS)
        self._grid.addWidget(self._label, 0, 0)
        if self._room_for_dice:
            self._grid.addWidget(self._dice, 0, 1)
            self._grid.setColumnMinimumWidth(1, self._dice.minimumWidth())
            self._grid.addWidget(self._plain, 0, 2)
        else:  # an empty column would still be a gap
            self._grid.addWidget(self._plain, 0, 1, 1, 2)
        self._grid.addWidget(self._gear, 0, 3)
        self._grid.addWidget(self._trouble_label, 2, 0, 1, 4)
        self._grid.setColumnStretch(2, 1)
        self._grid.setColumnMinimumWidth(0, LABEL_WIDTH)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    @property
    def dice(self) -> QToolButton:
        """The button that makes the field tunable."""
        return self._dice

    def show_value(self, value: Any) -> None:
        """Show the document's value: plain, tunable or UNSET. What is being typed stays if the value is no news."""
        if value is self._committed or (type(value) is type(self._committed) and value == self._committed):
            return
        self._committed = value
        self._tell_trouble("")
        self._display(value)

    def set_default_name(self, name: str) -> None:
        """The name that the hyperparameter has if the user gives none."""
        self._default_name = name
        if self._tunable_editor is not None:
            self._tunable_editor.set_default_name(name)

    def set_remark(self, sentence: str) -> None:
        """What a check of the whole study says about this field; "" if nothing."""
        self._remark = sentence
        self._show_trouble()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusIn:
            self.focused.emit(self.argument)
        return super().eventFilter(watched, event)

    def _display(self, value: Any) -> None:
        lit = isinstance(value, AnyTunable)
        is_object = self._shows_objects(value)
        with QSignalBlocker(self._dice):
            self._dice.setChecked(lit)
        self._dice.setIcon(self._theme.icon("ph.dice-five", "accent" if lit else "muted"))
        self._dice.setEnabled(not is_object)
        self._gear.setChecked(is_object)
        self._gear.setEnabled(not lit)
        self._plain.setVisible(not lit and not is_object)
        if self._objects is not None:
            self._objects.setVisible(is_object)
        if isinstance(value, AnyTunable):
            self._last_tunable = value
            self._editor().show_tunable(value)
        elif not is_object:
            self._plain.show_value(value)
        if self._tunable_editor is not None:
            self._tunable_editor.setVisible(lit)
            self._tunable_editor.header.setVisible(lit)

    def _shows_objects(self, value: Any) -> bool:
        """Show an object or a layer with its arguments, if `value` is one or the field can hold nothing else."""
        is_object = isinstance(value, ObjectSpec | LayerSpec) or self.argument.type == "layer"
        if not is_object or self._make_objects is None:
            return False
        if self._objects is None:
            editor = self._objects = self._make_objects(self.argument)
            editor.edited.connect(self._commit)
            editor.entered.connect(self._enter)
            self._grid.addWidget(editor, 1, 0, 1, 4)
        self._objects.show_value(value, self._default_name)
        return True

    def _gear_clicked(self, checked: bool) -> None:
        self._enter()
        value: Any = UNSET
        if checked:
            name = self._committed if isinstance(self._committed, str) else self._first_object()
            value = ObjectSpec(name=name)
        elif isinstance(self._committed, ObjectSpec) and self._committed.name in self._names:
            value = self._committed.name
        self._commit(value)
        self._display(value)

    def _first_object(self) -> str:
        assert self._catalogue is not None  # without it there is no gear
        return self._catalogue.objects_for(self.argument)[0].name

    def _editor(self) -> TunableEditor:
        """The editor of ranges, made when first needed: most fields never are."""
        if self._tunable_editor is None:
            editor = TunableEditor(self._theme, self.argument, self._names, self, self._neighbours, self._nameable)
            editor.set_default_name(self._default_name)
            editor.edited.connect(self._commit)
            editor.refused.connect(self._refuse)
            editor.entered.connect(self._enter)
            self._grid.addWidget(editor.header, 0, 2)
            self._grid.addWidget(editor, 1, 0, 1, 4)
            self._tunable_editor = editor
        return self._tunable_editor

    def _dice_toggled(self, lit: bool) -> None:
        self._enter()
        self._tell_trouble("")
        if lit:
            value: Any = self._last_tunable or first_tunable(self.argument, self._committed, self._catalogue)
        else:
            assert isinstance(self._committed, AnyTunable)  # a lit dice shows nothing else
            value = plain_default(self._committed)
        self._committed = value
        self._display(value)
        self.edited.emit(self.argument.name, value, self._stretch)

    def _commit(self, value: Any) -> None:
        self._committed = value
        if isinstance(value, AnyTunable):
            self._last_tunable = value
        self._tell_trouble("")
        self.edited.emit(self.argument.name, value, self._stretch)

    def _refuse(self, sentence: str) -> None:
        self._tell_trouble(sentence)

    def _enter(self) -> None:
        self._stretch += 1
        self.focused.emit(self.argument)

    def _tell_trouble(self, sentence: str) -> None:
        changed = sentence != self.trouble
        self.trouble = sentence
        self._show_trouble()
        if changed:
            self.trouble_changed.emit()

    def _show_trouble(self) -> None:
        shown = self.trouble or self._remark
        self._trouble_label.setText(shown)
        self._trouble_label.setVisible(bool(shown))


_NEVER_TUNED = frozenset({"seed", "data_format", "dtype", "name"})
"""Fields whose variation would mean nothing, or break the network."""
