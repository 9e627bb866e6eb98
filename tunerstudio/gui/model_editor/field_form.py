"""All fields of one thing, drawn from the catalogue: the basic ones at once, the others folded away."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QToolButton, QVBoxLayout, QWidget

from tunerstudio.gui.model_editor.conditions import Neighbours
from tunerstudio.gui.model_editor.field_row import FieldRow
from tunerstudio.gui.model_editor.parsing import UNSET
from tunerstudio.gui.model_editor.plain_editors import QuietComboBox
from tunerstudio.gui.model_editor.suggestions import new_layer
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_S, Theme
from tunerstudio.study.arguments import LayerSpec, ObjectSpec
from tunerstudio.study.catalogue import ArgumentInfo, Catalogue


class FieldForm(QWidget):
    """Rows for a list of arguments.

    Signals:
        edited: (str, object, int) name, new value, stretch of typing; as of `FieldRow`.
        focused: (object) the ArgumentInfo that has the keyboard.
        trouble_changed: () `troubles()` would answer differently.
    """

    edited = Signal(str, object, int)
    focused = Signal(object)
    trouble_changed = Signal()

    def __init__(
        self,
        theme: Theme,
        catalogue: Catalogue | None,
        parent: QWidget | None = None,
        neighbours: Neighbours | None = None,
        nameable: bool = True,
    ) -> None:
        """An empty form; its tunable fields can have conditions on `neighbours`, and names if they are `nameable`."""
        super().__init__(parent)
        self._nameable = nameable
        self._neighbours = neighbours
        self._theme = theme
        self._catalogue = catalogue
        self._rows: dict[str, FieldRow] = {}
        self._others: list[ArgumentInfo] = []
        self._values: Mapping[str, Any] = {}
        self._remarks: Mapping[str, str] = {}
        self._labels: Mapping[str, tuple[str, str]] = {}
        self._prefix = ""
        self._tunable: list[str] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(SPACE_S)
        self._more = QToolButton()
        self._more.setProperty("look", "link")
        self._more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._more.setIconSize(QSize(14, 14))
        self._more.setMinimumHeight(MINIMUM_TARGET)
        self._more.setCheckable(True)
        self._more.toggled.connect(self._fold)

    @property
    def rows(self) -> Mapping[str, FieldRow]:
        """The rows by name of their argument."""
        return self._rows

    @property
    def prefix(self) -> str:
        """In front of an argument's name in the name of its hyperparameter."""
        return self._prefix

    def set_arguments(
        self,
        arguments: Sequence[ArgumentInfo],
        labels: Mapping[str, tuple[str, str]] | None = None,
        tunable: bool | Collection[str] = True,
    ) -> None:
        """Draw rows.

        Args:
            arguments: One row for each.
            labels: (label, unit) by argument, where the name alone does not read well.
            tunable: Whether rows have a dice, or the names of those that have one.
        """
        for row in self._rows.values():
            self._layout.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._rows.clear()
        self._values, self._remarks = {}, {}
        self._labels = labels or {}
        names = [argument.name for argument in arguments]
        self._tunable = (names if tunable else []) if isinstance(tunable, bool) else list(tunable)
        self._others = [argument for argument in arguments if not argument.basic]
        self._layout.removeWidget(self._more)
        for argument in arguments:
            if argument.basic:
                self._add(argument)
        self._layout.addWidget(self._more)
        self._more.setVisible(bool(self._others))
        self._fold(self._more.isChecked())

    def _add(self, argument: ArgumentInfo) -> FieldRow:
        label, unit = self._labels.get(argument.name, ("", ""))
        tunable = argument.name in self._tunable
        row = FieldRow(
            self._theme,
            argument,
            self._catalogue,
            tunable=tunable,
            label=label,
            unit=unit,
            neighbours=self._neighbours,
            make_objects=self._make_objects if self._can_hold_objects(argument) else None,
            nameable=self._nameable,
            room_for_dice=bool(self._tunable),
        )
        row.edited.connect(self.edited)
        row.focused.connect(self.focused)
        row.trouble_changed.connect(self.trouble_changed)
        self._rows[argument.name] = row
        self._layout.addWidget(row)
        return row

    def _can_hold_objects(self, argument: ArgumentInfo) -> bool:
        if self._catalogue is None:
            return False
        return argument.type == "layer" or bool(self._catalogue.objects_for(argument))

    def _make_objects(self, argument: ArgumentInfo) -> ObjectForm:
        assert self._catalogue is not None  # without it no field can hold objects
        return ObjectForm(self._theme, argument, self._catalogue, self._neighbours, self)

    def show_values(self, values: Mapping[str, Any], prefix: str = "") -> None:
        """Show the document's values; hyperparameters are called `prefix` + argument if the user names them not."""
        self._values, self._prefix = values, prefix
        self._complete()

    def show_remarks(self, remarks: Mapping[str, str]) -> None:
        """What a check of the whole study says, by argument."""
        self._remarks = remarks
        self._complete()

    def troubles(self) -> dict[str, str]:
        """Fields in which something wrong is typed, with what is wrong."""
        return {name: row.trouble for name, row in self._rows.items() if row.trouble}

    def _complete(self) -> None:
        """Bring every row up to date; folded rows are made only when there is something to see in them."""
        for argument in self._others:
            if argument.name not in self._rows and self._is_wanted(argument):
                self._add(argument)
        for name, row in self._rows.items():
            row.set_default_name(self._prefix + name)
            row.show_value(self._values.get(name, UNSET))
            row.set_remark(self._remarks.get(name, ""))
        for argument in self._others:
            folded_row = self._rows.get(argument.name)
            if folded_row is not None:
                folded_row.setVisible(bool(folded_row.trouble) or self._is_wanted(argument))

    def _is_wanted(self, argument: ArgumentInfo) -> bool:
        """Whether an argument that is folded away has something to show."""
        value = self._values.get(argument.name, UNSET)
        is_told = value is not UNSET and value != argument.default
        return self._more.isChecked() or is_told or bool(self._remarks.get(argument.name))

    def _fold(self, unfolded: bool) -> None:
        count = len(self._others)
        more = self.tr("One more field") if count == 1 else self.tr("{count} more fields").format(count=count)
        self._more.setText(self.tr("Fewer fields") if unfolded else more)
        self._more.setIcon(self._theme.icon("ph.caret-down" if unfolded else "ph.caret-right", "accent"))
        self._complete()


class ObjectForm(QFrame):
    """Chooses an object or a layer by its class, with the fields that it has.

    Signals:
        edited: (object) the new `ObjectSpec` or `LayerSpec`.
        entered: () the keyboard came here.
    """

    edited = Signal(object)
    entered = Signal()

    def __init__(
        self,
        theme: Theme,
        argument: ArgumentInfo,
        catalogue: Catalogue,
        neighbours: Neighbours | None,
        parent: QWidget | None = None,
    ) -> None:
        """Offer what `argument` can hold."""
        super().__init__(parent)
        self.setProperty("look", "inset")
        self._argument = argument
        self._is_layer = argument.type == "layer"
        infos = catalogue.layers if self._is_layer else catalogue.objects_for(argument)
        self._infos = {info.name: info for info in infos if self._is_layer or not info.unusable}
        self._catalogue = catalogue
        self._value: ObjectSpec | LayerSpec | None = None
        self._drawn = ""
        self._box = QuietComboBox()
        self._box.setAccessibleName(self.tr("kind of {name}").format(name=argument.name))
        self._box.addItems(list(self._infos))
        self._box.activated.connect(self._chosen)
        self.form = FieldForm(theme, catalogue, self, neighbours)
        self.form.edited.connect(self._field_edited)
        self.form.focused.connect(self.entered)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_S, 0, 0, SPACE_S)
        layout.setSpacing(SPACE_S)
        layout.addWidget(self._box)
        layout.addWidget(self.form)

    def show_value(self, value: Any, prefix: str) -> None:
        """Show what the document holds; hyperparameters inside are named after `prefix`."""
        self._value = value if isinstance(value, ObjectSpec | LayerSpec) else None
        name = self._name()
        # `l2` and `L2` are the same; a choice of several names is none of the list.
        info = self._infos.get(name) or self._catalogue.object_for(self._argument, name)
        index = self._box.findText(info.name) if info is not None else -1
        self._box.setCurrentIndex(index)
        shown = self._box.currentText() if index >= 0 else ""
        if shown != self._drawn:
            self._drawn = shown
            self.form.set_arguments(self._infos[shown].arguments if shown else ())
        self.form.show_values(self._value.arguments if self._value is not None else {}, f"{prefix}_")

    def _name(self) -> str:
        if isinstance(self._value, LayerSpec):
            return self._value.layer
        return self._value.name if self._value is not None and isinstance(self._value.name, str) else ""

    def _chosen(self) -> None:
        self.entered.emit()
        info = self._infos[self._box.currentText()]
        kept = {n: v for n, v in (self._value.arguments if self._value else {}).items() if info.argument(n) is not None}
        if self._is_layer:
            arguments = new_layer(info).arguments | kept
            self._take(LayerSpec(layer=info.name, arguments=arguments))
        else:
            self._take(ObjectSpec(name=info.name, arguments=kept))

    def _field_edited(self, name: str, value: Any, stretch: int) -> None:
        if self._value is None:
            return
        changed = {**self._value.arguments, name: value}
        if value is UNSET:
            del changed[name]
        self._value = self._value.model_copy(update={"arguments": changed})
        self.edited.emit(self._value)

    def _take(self, value: ObjectSpec | LayerSpec) -> None:
        self.edited.emit(value)
        self.show_value(value, self.form.prefix.removesuffix("_"))
