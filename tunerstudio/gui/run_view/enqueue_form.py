"""A trial of the user's own values: a field for each hyperparameter, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from tunerstudio.gui.model_editor.parsing import TypedError, number_text, parse_float, parse_int, value_text
from tunerstudio.gui.model_editor.plain_editors import NUMBER_WIDTH, QuietComboBox
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_M, SPACE_S, Theme
from tunerstudio.gui.widgets.basics import muted_label
from tunerstudio.study.hyperparameters import (
    Boolean,
    Choice,
    Fixed,
    Float,
    Int,
    Scalar,
    SearchSpace,
    Values,
    describe_values,
    same_value,
)

AnyHyperparameter = Int | Float | Choice | Boolean | Fixed


class ValueField(QWidget):
    """One hyperparameter: typed if it is a number, otherwise chosen.

    Signals:
        changed: () the user changed it.
    """

    changed = Signal()

    def __init__(self, hyperparameter: AnyHyperparameter, parent: QWidget | None = None) -> None:
        """Holds the default at first."""
        super().__init__(parent)
        self.hyperparameter = hyperparameter
        self._line: QLineEdit | None = None
        self._box: QuietComboBox | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        field: QWidget
        if isinstance(hyperparameter, Int | Float):
            self._line = QLineEdit()
            self._line.setMaximumWidth(NUMBER_WIDTH)
            self._line.textEdited.connect(self.changed)
            field = self._line
        else:
            self._box = QuietComboBox()
            self._box.addItems([value_text(value) for value in hyperparameter.values()])
            self._box.setEnabled(self._box.count() > 1)
            self._box.activated.connect(self.changed)
            field = self._box
        field.setMinimumHeight(MINIMUM_TARGET)
        field.setAccessibleName(hyperparameter.name)
        self.setFocusProxy(field)
        layout.addWidget(field)
        self.show_value(hyperparameter.default_value())

    def show_value(self, value: Scalar) -> None:
        """Show `value`, be it legal or not."""
        if self._line is not None:
            self._line.setText(number_text(value) if isinstance(value, int | float) else value_text(value))
        elif self._box is not None:
            options = list(self.hyperparameter.values())
            place = next((index for index, option in enumerate(options) if same_value(option, value)), -1)
            self._box.setCurrentIndex(place)

    def type_text(self, text: str) -> None:
        """As if the user had typed or chosen `text`."""
        if self._line is not None:
            self._line.setText(text)
        elif self._box is not None:
            self._box.setCurrentIndex(self._box.findText(text))
        self.changed.emit()

    def value(self) -> Scalar:
        """What stands in the field.

        Raises:
            TypedError: If it is no value of the hyperparameter; says which ones are.
        """
        if self._box is not None:
            if self._box.currentIndex() < 0:
                raise TypedError(self._wanted())
            return list(self.hyperparameter.values())[self._box.currentIndex()]
        assert self._line is not None
        text = self._line.text().strip()
        value = parse_int(text) if isinstance(self.hyperparameter, Int) else parse_float(text)
        if not self.hyperparameter.contains(value):
            raise TypedError(self._wanted())
        return value

    def _wanted(self) -> str:
        return self.tr("possible: {values}").format(values=describe_values(self.hyperparameter))


class EnqueueForm(QDialog):
    """Asks for the values of one trial; its button works once they are legal.

    Signals:
        enqueued: (dict, str) the values and the note of the trial that the user wants.
    """

    enqueued = Signal(dict, str)

    def __init__(
        self, theme: Theme, space: SearchSpace, start: Mapping[str, Scalar], title: str, parent: QWidget | None = None
    ) -> None:
        """Begin with the values of `start`; what it lacks has its default."""
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._space = space
        self._values: Values | None = None
        self.fields: dict[str, ValueField] = {}
        self._labels: dict[str, QLabel] = {}
        self.troubles: dict[str, QLabel] = {}
        self.note = QLineEdit()
        self.note.setMinimumHeight(MINIMUM_TARGET)
        self.note.setPlaceholderText(self.tr("why you try these values"))
        self.note.setAccessibleName(self.tr("note"))
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.accept_button = self.buttons.addButton(self.tr("Add to the queue"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.accept_button.setIcon(theme.icon("ph.queue"))
        self.buttons.accepted.connect(self._enqueue)
        self.buttons.rejected.connect(self.reject)
        self._arrange(start)
        self._look()

    def _arrange(self, start: Mapping[str, Scalar]) -> None:
        content = QWidget()
        grid = QGridLayout(content)
        grid.setContentsMargins(0, 0, SPACE_S, 0)
        grid.setHorizontalSpacing(SPACE_M)
        grid.setVerticalSpacing(SPACE_S)
        grid.setColumnStretch(2, 1)
        for row, hyperparameter in enumerate(self._space.hyperparameters):
            self._add_row(grid, row, hyperparameter, start)
        grid.setRowStretch(len(self.fields), 1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_M, SPACE_M, SPACE_M, SPACE_M)
        layout.setSpacing(SPACE_M)
        layout.addWidget(muted_label(self.tr("It is trained before anything that the algorithm proposes.")))
        layout.addWidget(scroll, 1)
        layout.addWidget(self.note)
        layout.addWidget(self.buttons)
        wanted = content.sizeHint()
        self.resize(max(480, wanted.width() + 4 * SPACE_M), min(wanted.height() + 180, 600))

    def _add_row(
        self, grid: QGridLayout, row: int, hyperparameter: AnyHyperparameter, start: Mapping[str, Scalar]
    ) -> None:
        name = hyperparameter.name
        field = self.fields[name] = ValueField(hyperparameter)
        if name in start:
            field.show_value(start[name])
        label = self._labels[name] = QLabel(name)
        label.setBuddy(field)
        label.setToolTip(describe_values(hyperparameter))
        trouble = self.troubles[name] = QLabel()
        trouble.setWordWrap(True)
        field.changed.connect(self._look)
        grid.addWidget(label, row, 0)
        grid.addWidget(field, row, 1)
        grid.addWidget(trouble, row, 2)

    def _look(self) -> None:
        """Which fields count for these values, and whether all of them are legal."""
        values: Values = {}
        is_legal = True
        for name, field in self.fields.items():
            is_active = self._space.is_active(field.hyperparameter, values)
            for widget in (field, self._labels[name], self.troubles[name]):
                widget.setVisible(is_active)
            if not is_active:
                continue
            try:
                values[name] = field.value()
                self._tell(name, describe_values(field.hyperparameter), "muted")
            except TypedError as error:
                is_legal = False
                self._tell(name, str(error), "bad_text")
        self._values = values if is_legal else None
        self.accept_button.setEnabled(is_legal)

    def _tell(self, name: str, text: str, look: str) -> None:
        label = self.troubles[name]
        label.setText(text)
        if label.property("look") != look:
            label.setProperty("look", look)
            label.style().unpolish(label)
            label.style().polish(label)

    def _enqueue(self) -> None:
        if self._values is not None:
            self.enqueued.emit(self._values, self.note.text().strip())
            self.accept()
