"""The card for further objectives and constraints: two lines of text, each checked as it is typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.formats import as_sentence
from tunerstudio.gui.model_editor.field_row import LABEL_WIDTH
from tunerstudio.gui.model_editor.plain_editors import LineEdit
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_S, Theme
from tunerstudio.gui.widgets.basics import Card, heading_label
from tunerstudio.study.constraints import parse_constraint
from tunerstudio.study.measures import MEASURES, usual_second_direction
from tunerstudio.study.search import Direction, SecondObjective


class ExtraForm(Card):
    """Edits `search.also` and `search.constraints`.

    Attributes:
        lines: The editors by field of the search.

    Signals:
        trouble_changed: () `troubles()` would answer differently.
    """

    trouble_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Show nothing before `set_study`."""
        super().__init__(parent)
        self._study: StudyContext | None = None
        self._stretch = 0
        self._refused: dict[str, str] = {}
        self._remarks: dict[str, str] = {}
        self._labels = {"also": self.tr("also make best"), "constraints": self.tr("constraints")}
        self._parsers: dict[str, Callable[[str], tuple[Any, ...]]] = {
            "also": objectives_from,
            "constraints": constraints_from,
        }
        self.lines: dict[str, LineEdit] = {}
        self._sentences: dict[str, QLabel] = {}
        self._grid = QGridLayout()
        self._grid.setSpacing(SPACE_S)
        self.body.addWidget(heading_label(theme, self.tr("Further objectives and constraints")))
        self.body.addLayout(self._grid)
        self._add("also", self.tr("parameters, latency_ms, val_auc max"), self._about_objectives())
        self._add("constraints", self.tr("units * layers <= 512; parameters <= 1e6"), self._about_constraints())

    def _about_objectives(self) -> str:
        return self.tr(
            "Measured beside the objective, for a Pareto front: {known}, or any metric with max or min behind it;"
            " several with commas. Auto and NSGA-II look for the best of all of them."
        ).format(known=", ".join(MEASURES))

    def _about_constraints(self) -> str:
        return self.tr(
            "What every trial keeps to, in names of hyperparameters, parameters or memory_mb; several with semicolons."
            " A hyperparameter that is not active counts as 0."
        )

    def _add(self, field: str, example: str, about: str) -> None:
        label, line, sentence = QLabel(self._labels[field]), LineEdit(), QLabel()
        label.setBuddy(line)
        label.setFixedWidth(LABEL_WIDTH)
        line.setMinimumHeight(MINIMUM_TARGET)
        line.setPlaceholderText(self.tr("none; such as {example}").format(example=example))
        line.setToolTip(about)
        line.setAccessibleName(self._labels[field])
        line.setAccessibleDescription(about)
        line.textEdited.connect(lambda text: self._typed(field, text))
        line.entered.connect(self._enter)
        sentence.setWordWrap(True)
        sentence.setProperty("look", "bad_text")
        sentence.hide()
        row = self._grid.rowCount()
        self._grid.addWidget(label, row, 0)
        self._grid.addWidget(line, row, 1)
        self._grid.addWidget(sentence, row + 1, 1)
        self.lines[field], self._sentences[field] = line, sentence

    def set_study(self, study: StudyContext | None) -> None:
        """Edit `study` from now on."""
        self._study = study
        self._refused.clear()

    def refresh(self, problems: Mapping[str, str]) -> None:
        """Show the document's values, with what is wrong by field path; what means the same stays as it was typed."""
        if self._study is None:
            return
        search = self._study.document.search
        shown = {"also": objectives_text(search.also), "constraints": "; ".join(search.constraints)}
        for field, line in self.lines.items():
            self._remarks[field] = problems.get(f"search.{field}", "")
            if field not in self._refused and self._parsers[field](line.text()) != getattr(search, field):
                line.setText(shown[field])
            self._show(field)

    def troubles(self) -> dict[str, str]:
        """Lines in which something wrong is typed, by their label."""
        return {self._labels[field]: sentence for field, sentence in self._refused.items()}

    def _enter(self) -> None:
        self._stretch += 1

    def _typed(self, field: str, text: str) -> None:
        if self._study is None:
            return
        before = self._refused.pop(field, "")
        try:
            value = self._parsers[field](text)
        except ValueError as error:
            self._refused[field] = str(error)
        else:
            document = self._study.document
            search = document.search.model_copy(update={field: value})
            verb = self.tr("change {name}").format(name=self._labels[field])
            changed = document.model_copy(update={"search": search})
            self._study.edit(verb, changed, f"extra:{field}:{self._stretch}")
        if self._refused.get(field, "") != before:
            self.trouble_changed.emit()
        self._show(field)

    def _show(self, field: str) -> None:
        sentence = self._refused.get(field) or self._remarks.get(field, "")
        self._sentences[field].setText(as_sentence(sentence))
        self._sentences[field].setVisible(bool(sentence))


def objectives_from(text: str) -> tuple[SecondObjective, ...]:
    """`parameters, val_auc max` as objectives.

    Raises:
        ValueError: If a direction is missing or unknown; says which.
    """
    return tuple(_objective(part) for part in text.split(",") if part.strip())


def objectives_text(objectives: tuple[SecondObjective, ...]) -> str:
    """The inverse: a direction only where it is not the usual one."""
    return ", ".join(
        one.name if usual_second_direction(one.name) == one.direction else f"{one.name} {one.direction}"
        for one in objectives
    )


def constraints_from(text: str) -> tuple[str, ...]:
    """`a < 1; b > 2` as constraints.

    Raises:
        ConstraintError: If one of them is none; says why.
    """
    constraints = tuple(part.strip() for part in text.split(";") if part.strip())
    for constraint in constraints:
        parse_constraint(constraint)
    return constraints


def _objective(text: str) -> SecondObjective:
    name, *rest = text.split()
    if len(rest) > 1 or (rest and rest[0] not in {"max", "min"}):
        raise ValueError(_tr("Write {name} max or {name} min.").format(name=name))
    direction: Direction | None = usual_second_direction(name)
    if rest:
        direction = "max" if rest[0] == "max" else "min"
    if direction is None:
        question = _tr("Is {name} better when it is greater or less? Write max or min behind it.")
        raise ValueError(question.format(name=name))
    return SecondObjective(name=name, direction=direction)


def _tr(text: str) -> str:
    return QCoreApplication.translate("ExtraForm", text)
