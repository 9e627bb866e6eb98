"""The card Objective: a metric and which way it gets better, both explicit."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QWidget

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.formats import as_sentence
from tunerstudio.gui.model_editor.field_row import LABEL_WIDTH
from tunerstudio.gui.model_editor.plain_editors import LineEdit, QuietComboBox
from tunerstudio.gui.theme import SPACE_S, Theme
from tunerstudio.gui.widgets.basics import Card, heading_label, link_button
from tunerstudio.study.model import CodeModel
from tunerstudio.study.objectives import known_objectives, objective_problem, usual_direction, usual_objective
from tunerstudio.study.search import Objective

_DIRECTIONS = ("max", "min")


class ObjectiveForm(Card):
    """Chooses the objective; a name of one's own may be typed.

    Signals:
        trouble_changed: () what is wrong is another thing now.
    """

    trouble_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Show nothing before `set_study`."""
        super().__init__(parent)
        self._theme = theme
        self._study: StudyContext | None = None
        self._stretch = 0
        self.name = QuietComboBox()
        self.name.setEditable(True)
        line = LineEdit()
        self.name.setLineEdit(line)
        self.name.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.name.setMinimumContentsLength(12)
        self.name.setAccessibleName(self.tr("objective"))
        self.name.activated.connect(self._name_chosen)
        line.textEdited.connect(self._name_typed)
        line.entered.connect(self._enter)
        self.direction = QuietComboBox()
        self.direction.setMinimumContentsLength(15)
        self.direction.setAccessibleName(self.tr("direction"))
        self.direction.addItem(self.tr("greater is better"), "max")
        self.direction.addItem(self.tr("less is better"), "min")
        self.direction.activated.connect(self._direction_chosen)
        self._trouble = QLabel()
        self._trouble.setProperty("look", "bad_text")
        self._trouble.setWordWrap(True)
        self._repair = link_button("", self._take_usual)
        self._arrange()

    def _arrange(self) -> None:
        label = QLabel(self.tr("make best"))
        label.setBuddy(self.name)
        label.setFixedWidth(LABEL_WIDTH)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(label)
        row.addWidget(self.name, 2)
        row.addWidget(self.direction, 1)
        told = QHBoxLayout()
        told.addWidget(self._trouble, 1)
        told.addWidget(self._repair)
        self.body.addWidget(heading_label(self._theme, self.tr("Objective")))
        self.body.addLayout(row)
        self.body.addLayout(told)

    def set_study(self, study: StudyContext | None) -> None:
        """Edit `study` from now on."""
        self._study = study

    def refresh(self, problems: Mapping[str, str]) -> None:
        """Show the document's objective, with what is wrong by field path."""
        if self._study is None:
            return
        document = self._study.document
        objective = document.search.objective
        with QSignalBlocker(self.name):
            typed = self.name.currentText()
            names = [known.name for known in known_objectives(document.data.task, document.model)]
            if [self.name.itemText(index) for index in range(self.name.count())] != names:
                self.name.clear()
                self.name.addItems(names)
            self.name.setCurrentIndex(self.name.findText(objective.name))
            self.name.setEditText(typed if typed.strip() == objective.name else objective.name)
        with QSignalBlocker(self.direction):
            self.direction.setCurrentIndex(_DIRECTIONS.index(objective.direction))
        sentence = objective_problem(objective, document.data.task, document.model)
        sentence = sentence or problems.get("search.objective", "") or problems.get("search.objective.name", "")
        self._show(sentence)

    def _show(self, sentence: str) -> None:
        self._trouble.setText(as_sentence(sentence))
        self._trouble.setVisible(bool(sentence))
        self._repair.setVisible(bool(sentence) and not self._is_code())
        if self._study is not None:
            usual = usual_objective(self._study.document.data.task)
            self._repair.setText(self.tr("Use {name}").format(name=usual.name))

    def _is_code(self) -> bool:
        return self._study is not None and isinstance(self._study.document.model, CodeModel)

    def _enter(self) -> None:
        self._stretch += 1

    def _name_chosen(self) -> None:
        self._enter()
        self._name_typed(self.name.currentText())

    def _name_typed(self, text: str) -> None:
        """A name that we know brings its direction along."""
        if self._study is None:
            return
        name = text.strip()
        if not name:
            self._show(self.tr("Say which metric shall be made best, such as val_accuracy."))
            return
        direction = usual_direction(name) or self._study.document.search.objective.direction
        self._edit(Objective(name=name, direction=direction))

    def _direction_chosen(self) -> None:
        self._enter()
        if self._study is not None:
            name = self._study.document.search.objective.name
            self._edit(Objective(name=name, direction=self.direction.currentData()))

    def _take_usual(self) -> None:
        self._enter()
        if self._study is not None:
            self._edit(usual_objective(self._study.document.data.task))

    def _edit(self, objective: Objective) -> None:
        if self._study is not None:
            document = self._study.document
            search = document.search.model_copy(update={"objective": objective})
            changed = document.model_copy(update={"search": search})
            self._study.edit(self.tr("change the objective"), changed, f"objective:{self._stretch}")
