"""The hyperparameters that a Python file declares, as rows whose ranges the study can narrow or fix."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from tunerstudio.gui.model_editor.field_form import FieldForm
from tunerstudio.gui.model_editor.parsing import UNSET
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_M, SPACE_S, Theme
from tunerstudio.gui.widgets.basics import heading_label, muted_label
from tunerstudio.study.catalogue import ArgumentInfo
from tunerstudio.study.hyperparameters import (
    Boolean,
    Choice,
    Fixed,
    Float,
    Hyperparameter,
    Int,
    Scalar,
    SearchSpace,
    describe_values,
)
from tunerstudio.study.model import CodeModel
from tunerstudio.study.tunable import AnyTunable, TuneBoolean, TuneChoice, TuneFloat, TuneInt


class CodeRanges(QFrame):
    """Edits `CodeModel.ranges`: a lit dice is a range, an unlit one a fixed value; what equals the code is not kept.

    Signals:
        asked: () the hyperparameters shall be read from the code.
        edited: (CodeModel, str, int) the model with other ranges, the hyperparameter, and the stretch of typing.
    """

    asked = Signal()
    edited = Signal(object, str, int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Know nothing yet."""
        super().__init__(parent)
        self.setProperty("look", "card")
        self._model: CodeModel | None = None
        self._declared: SearchSpace | None = None
        self._sentence = muted_label()
        self.button = QPushButton(self.tr("Read them from the code"))
        self.button.setMinimumHeight(MINIMUM_TARGET)
        self.button.setToolTip(self.tr("Calls build(hp) in a worker process, without training"))
        self.button.clicked.connect(self.asked)
        self.form = FieldForm(theme, None, nameable=False)
        self.form.edited.connect(self._edited)
        self._arrange(theme)
        self.show_declared(None)

    def _arrange(self, theme: Theme) -> None:
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(SPACE_M, SPACE_M, SPACE_M, SPACE_M)
        layout.setSpacing(SPACE_S)
        top = QHBoxLayout()
        top.addWidget(heading_label(theme, self.tr("Hyperparameters")), 1)
        top.addWidget(self.button)
        layout.addLayout(top)
        layout.addWidget(self._sentence)
        layout.addWidget(self.form)
        layout.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        scroll.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, 1)
        outer.addWidget(scroll)

    def show_busy(self) -> None:
        """The code is being called."""
        self.button.setEnabled(False)
        self._sentence.setText(self.tr("Calling build(hp)…"))

    def show_failure(self, sentence: str) -> None:
        """The code could not be called."""
        self.show_declared(None)
        self._sentence.setText(sentence)

    def show_declared(self, declared: SearchSpace | None) -> None:
        """Show what the code declares; None: not known (any more)."""
        self._declared = declared
        self.button.setEnabled(True)
        found = declared.hyperparameters if declared is not None else ()
        if declared is None:
            text = self.tr("What the code asks for with hp.Int, hp.Float and so on can be narrowed or fixed here.")
        elif not found:
            text = self.tr("The code declares no hyperparameters.")
        else:
            text = self.tr("Narrow a range, or put the dice out to fix a value: the file stays as it is.")
        self._sentence.setText(text)
        self.form.set_arguments([_argument(h) for h in found])
        self._show_values()

    def show_model(self, model: CodeModel) -> None:
        """Show the ranges of the document."""
        self._model = model
        self._show_values()

    def _show_values(self) -> None:
        if self._declared is None or self._model is None:
            return
        ranges = self._model.ranges
        self.form.show_values({h.name: ranges.get(h.name, as_tunable(h)) for h in self._declared.hyperparameters})

    def _edited(self, name: str, value: Any, stretch: int) -> None:
        if self._model is None or self._declared is None:
            return
        declared = as_tunable(self._declared[name])
        ranges = {key: kept for key, kept in self._model.ranges.items() if key != name}
        if value is not UNSET and value != declared:
            ranges[name] = value
        self._model = self._model.model_copy(update={"ranges": ranges})
        self.edited.emit(self._model, name, stretch)


def as_tunable(hyperparameter: Hyperparameter) -> AnyTunable | Scalar:
    """What stands in a row if the study changes nothing: the range of the code, or its fixed value."""
    if isinstance(hyperparameter, Fixed):
        return hyperparameter.value
    fields = hyperparameter.model_dump(exclude={"kind", "name", "conditions"})
    kinds: dict[type, type[AnyTunable]] = {Int: TuneInt, Float: TuneFloat, Choice: TuneChoice, Boolean: TuneBoolean}
    return kinds[type(hyperparameter)](**fields)


def _argument(hyperparameter: Hyperparameter) -> ArgumentInfo:
    conditions = "; ".join(f"{c.parent} = {' | '.join(map(str, c.values))}" for c in hyperparameter.conditions)
    help_text = describe_values(hyperparameter) + (f"; only if {conditions}" if conditions else "")
    known = {"name": hyperparameter.name, "required": True, "help": help_text}
    if isinstance(hyperparameter, Int | Float):
        kind = "int" if isinstance(hyperparameter, Int) else "float"
        return ArgumentInfo.model_validate(
            {**known, "type": kind, "minimum": hyperparameter.min, "maximum": hyperparameter.max}
        )
    if isinstance(hyperparameter, Boolean):
        return ArgumentInfo.model_validate({**known, "type": "bool"})
    values = hyperparameter.choices if isinstance(hyperparameter, Choice) else (hyperparameter.value,)
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return ArgumentInfo.model_validate({**known, "type": "int", "choices": tuple(map(str, values))})
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return ArgumentInfo.model_validate({**known, "type": "float", "choices": tuple(map(str, values))})
    return ArgumentInfo.model_validate({**known, "type": "choice", "choices": tuple(map(str, values))})
