"""The strip on top of the Models page: the rule, the constraints, and saving."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QSpinBox, QVBoxLayout, QWidget

from tunerstudio.gui.formats import format_number
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_M, SPACE_S, SPACE_XS, Theme
from tunerstudio.gui.widgets.basics import muted_label, primary_button
from tunerstudio.registry.ranking import Constraints, Ranking, Rule

_MOST_SAVED = 50


class Chooser(QFrame):
    """How the best is chosen and how many of them are saved.

    Signals:
        changed: () `rule` or `constraints` would now answer differently.
        save_requested: (int) save so many, from rank 1 on.
    """

    changed = Signal()
    save_requested = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Best score, no constraints, three to save."""
        super().__init__(parent)
        self.setProperty("look", "card")
        self.rule_box = QComboBox(self)
        self.rule_box.addItem(self.tr("best score"), Rule.BEST_SCORE)
        self.rule_box.addItem(
            self.tr("smallest within one standard error of the best"), Rule.SMALLEST_WITHIN_ONE_STANDARD_ERROR
        )
        self.rule_box.setAccessibleName(self.tr("Rule for the best model"))
        self.rule_box.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.limit_box = QSpinBox(self)
        self.limit_box.setRange(0, 2_000_000_000)
        self.limit_box.setSpecialValueText(self.tr("any"))
        self.limit_box.setGroupSeparatorShown(True)
        self.limit_box.setStepType(QSpinBox.StepType.AdaptiveDecimalStepType)
        self.limit_box.setAccessibleName(self.tr("Most parameters"))
        self.limit_box.setToolTip(self.tr("Only networks with at most so many weights; 0: any"))
        self.limit_box.setMinimumWidth(120)
        self.limit_box.valueChanged.connect(lambda _: self.changed.emit())
        self.count_box = QSpinBox(self)
        self.count_box.setRange(1, _MOST_SAVED)
        self.count_box.setValue(3)
        self.count_box.setAccessibleName(self.tr("How many models to save"))
        self.count_box.valueChanged.connect(lambda _: self._name_button())
        self.save_button = primary_button()
        self.save_button.clicked.connect(lambda: self.save_requested.emit(self.count_box.value()))
        for box in (self.rule_box, self.limit_box, self.count_box):
            box.setMinimumHeight(MINIMUM_TARGET)
        self.explanation = muted_label()
        self.explanation.setFont(theme.small_font())
        self._arrange()
        self._name_button()

    @property
    def rule(self) -> Rule:
        """The chosen rule."""
        return Rule(self.rule_box.currentData())

    @property
    def constraints(self) -> Constraints:
        """What a model must keep to."""
        return Constraints(self.limit_box.value() or None)

    def explain(self, ranking: Ranking, has_spread: bool) -> None:
        """Say in a sentence what the rule did."""
        parts = []
        if self.rule is Rule.SMALLEST_WITHIN_ONE_STANDARD_ERROR and ranking.threshold is not None:
            parts.append(self._about_spread(ranking) if has_spread else self._about_missing_spread())
        if ranking.excluded:
            parts.append(self.tr("Left out by the limit: {count}.").format(count=ranking.excluded))
        self.explanation.setText(" ".join(parts))
        self.explanation.setVisible(bool(parts))

    def set_can_save(self, available: int, why_not: str) -> None:
        """Whether saving is possible; `why_not` tells the reason otherwise, "" if it is."""
        self.save_button.setEnabled(available > 0 and not why_not)
        tip = self.tr("Writes the models with their cards into the study's folder and evaluates them on the test part.")
        self.save_button.setToolTip(why_not or tip)

    def _about_spread(self, ranking: Ranking) -> str:
        text = self.tr("As good as the best, from {threshold} on: {count}. The smallest of them comes first.")
        return text.format(threshold=format_number(ranking.threshold), count=len(ranking.as_good))

    def _about_missing_spread(self) -> str:
        return self.tr(
            "With one execution per trial the spread is not known: only equal scores count as equally good. "
            "Set more executions on the Search page."
        )

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(QLabel(self.tr("Choose by"), self))
        row.addWidget(self.rule_box)
        row.addSpacing(SPACE_M)
        row.addWidget(QLabel(self.tr("parameters ≤"), self))
        row.addWidget(self.limit_box)
        row.addStretch(1)
        row.addWidget(self.count_box)
        row.addWidget(self.save_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_M, SPACE_S, SPACE_M, SPACE_S)
        layout.setSpacing(SPACE_XS)
        layout.addLayout(row)
        layout.addWidget(self.explanation)

    def _name_button(self) -> None:
        count = self.count_box.value()
        self.save_button.setText(
            self.tr("Save the best") if count == 1 else self.tr("Save top {count}").format(count=count)
        )
