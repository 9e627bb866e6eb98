"""The fields of what is selected in the network, and the help of the field that has the keyboard."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from tunerstudio.gui.model_editor.conditions import Neighbours
from tunerstudio.gui.model_editor.field_form import FieldForm
from tunerstudio.gui.model_editor.plain_editors import LineEdit
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_M, SPACE_S, Theme
from tunerstudio.gui.widgets.basics import heading_label, horizontal_line, link_button, muted_label
from tunerstudio.study.catalogue import ArgumentInfo, Catalogue, ClassInfo


class Inspector(QFrame):
    """The right-hand side of an editor: title, sentence, fields, help.

    Attributes:
        neighbours: What conditions can name; whoever shows a study keeps it up to date.

    Signals:
        edited: (str, object, int) a field of the form; as of `FieldRow`.
        head_edited: (object, int) the field above the form that decides what the form shows.
        renamed: (str) the user's name of the block; "" for none.
        shared_changed: (bool) whether the copies of a repeat share their values.
        metrics_changed: (list[str]) names of the metrics to log.
        branch_wanted: () another branch for the container that is shown.
        link_clicked: () the link under the sentence.
        trouble_changed: () `troubles()` would answer differently.
    """

    edited = Signal(str, object, int)
    head_edited = Signal(object, int)
    renamed = Signal(str)
    shared_changed = Signal(bool)
    metrics_changed = Signal(list)
    branch_wanted = Signal()
    link_clicked = Signal()
    trouble_changed = Signal()

    def __init__(self, theme: Theme, catalogue: Catalogue, parent: QWidget | None = None) -> None:
        """Show nothing yet."""
        super().__init__(parent)
        self.setProperty("look", "card")
        self.neighbours = Neighbours()
        self._key: object = None
        self._title = heading_label(theme)
        self._sentence = muted_label()
        self._link = link_button("", self.link_clicked.emit)
        self._name = LineEdit()
        self._name.setMinimumHeight(MINIMUM_TARGET)
        self._name.setAccessibleName(self.tr("name of the block"))
        self._name.editingFinished.connect(lambda: self.renamed.emit(self._name.text().strip()))
        self._shared = QCheckBox(self.tr("All copies take the same values"))
        self._shared.setToolTip(self.tr("Off: every copy has hyperparameters of its own."))
        self._shared.setMinimumHeight(MINIMUM_TARGET)
        self._shared.clicked.connect(self.shared_changed)
        self._add_branch = QPushButton(theme.icon("ph.plus"), self.tr("Add a branch"))
        self._add_branch.setMinimumHeight(MINIMUM_TARGET)
        self._add_branch.clicked.connect(self.branch_wanted)
        self._metrics = _MetricList(self.tr("Metrics"))
        self._metrics.changed.connect(self.metrics_changed)
        self.head = FieldForm(theme, catalogue)
        self.head.edited.connect(lambda _name, value, stretch: self.head_edited.emit(value, stretch))
        self.head.focused.connect(self._show_help)
        self.head.trouble_changed.connect(self.trouble_changed)
        self._drawn: object = None
        self.form = FieldForm(theme, catalogue, neighbours=self.neighbours)
        self.form.edited.connect(self.edited)
        self.form.focused.connect(self._show_help)
        self.form.trouble_changed.connect(self.trouble_changed)
        self._help_title = QLabel()
        self._help_title.setFont(theme.bold_font())
        self._help = muted_label()
        self._help.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._arrange()

    def _arrange(self) -> None:
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(SPACE_M, SPACE_M, SPACE_M, SPACE_M)
        layout.setSpacing(SPACE_S)
        for widget in (self._title, self._sentence, self._name, self._shared, self.head, self.form, self._metrics):
            layout.addWidget(widget)
        layout.addWidget(self._add_branch, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._link, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        _let_through(scroll, inside)
        self._help_panel = self._make_help_panel()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, 1)
        outer.setSpacing(0)
        outer.addWidget(scroll, 1)
        outer.addWidget(horizontal_line())
        outer.addWidget(self._help_panel)

    def _make_help_panel(self) -> QScrollArea:
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(SPACE_M, SPACE_S, SPACE_M, SPACE_S)
        layout.setSpacing(2)
        layout.addWidget(self._help_title)
        layout.addWidget(self._help)
        layout.addStretch(1)
        panel = QScrollArea()
        panel.setWidgetResizable(True)
        panel.setFrameShape(QFrame.Shape.NoFrame)
        panel.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        panel.setWidget(inside)
        _let_through(panel, inside)
        panel.setMinimumHeight(84)
        panel.setMaximumHeight(120)
        return panel

    def show_node(self, key: object, title: str, sentence: str, link: str = "") -> bool:
        """Begin to show something; `key` tells whether it is the same as before.

        Returns:
            Whether it is another thing: then its fields must be drawn.
        """
        is_new = key != self._key
        self._key = key
        self._title.setText(title)
        self._sentence.setText(sentence)
        self._sentence.setVisible(bool(sentence))
        self._link.setText(link)
        self._link.setVisible(bool(link))
        if is_new:
            for part in (self._name, self._shared, self._metrics, self._add_branch):
                part.hide()
            self.head.set_arguments(())
            self.head.hide()
            self.form.set_arguments(())
            self.form.hide()
            self._drawn = None
            self._help_title.setText(title)
            self._help.setText(sentence)
            self.trouble_changed.emit()
        return is_new

    def show_name(self, name: str | None, default: str) -> None:
        """Show the line for the user's own name; `default` is what it is called without."""
        self._name.show()
        self._name.setPlaceholderText(self.tr("name: {name}").format(name=default))
        if not self._name.hasFocus() or self._name.text().strip() != (name or ""):
            self._name.setText(name or "")

    def show_shared(self, shared: bool) -> None:
        """Show the switch of a repeat."""
        self._shared.show()
        with QSignalBlocker(self._shared):
            self._shared.setChecked(shared)

    def show_branch_button(self, shown: bool) -> None:
        """Offer to add a branch."""
        self._add_branch.setVisible(shown)

    def show_metrics(self, known: Sequence[tuple[str, str]], chosen: Sequence[str]) -> None:
        """Show check boxes for the `known` (name, label) metrics."""
        self._metrics.show()
        self._metrics.show_choice(known, chosen)

    def show_head(self, argument: ArgumentInfo, label: str, value: Any, default_name: str, remark: str) -> None:
        """Show a field above the form."""
        if not self.head.rows:
            self.head.set_arguments((argument,), {argument.name: (label, "")})
            self.head.show()
        self.head.show_values({argument.name: value})
        self.head.rows[argument.name].set_default_name(default_name)
        self.head.show_remarks({argument.name: remark})

    def show_fields(
        self,
        key: object,
        arguments: Sequence[ArgumentInfo],
        values: Mapping[str, Any],
        remarks: Mapping[str, str],
        prefix: str = "",
        labels: Mapping[str, str] | None = None,
        tunable: bool | Collection[str] = True,
    ) -> None:
        """Show the form; its rows are drawn anew only where `key` is another one than before.

        Args:
            key: Tells whether the fields are the same as before.
            arguments: One row for each.
            values: The document's values.
            remarks: What checks say, by argument.
            prefix: In front of an argument's name in the name of its hyperparameter.
            labels: Names that read better, by argument.
            tunable: Whether the rows have a dice, or the names of those that have one.
        """
        if key != self._drawn:
            self._drawn = key
            self.form.set_arguments(arguments, {name: (text, "") for name, text in (labels or {}).items()}, tunable)
        self.form.show()
        self.form.show_values(values, prefix)
        self.form.show_remarks(remarks)

    def troubles(self) -> dict[str, str]:
        """Fields in which something wrong is typed."""
        return {**self.head.troubles(), **self.form.troubles()}

    def _show_help(self, argument: ArgumentInfo) -> None:
        self._help_title.setText(argument.name)
        self._help.setText(argument.help or self.tr("Keras says nothing about this field."))


def _let_through(scroll: QScrollArea, inside: QWidget) -> None:
    """Let the card shine through a scroll area and what is in it."""
    scroll.viewport().setAutoFillBackground(False)
    inside.setAutoFillBackground(False)


class _MetricList(QWidget):
    """Check boxes for metrics.

    Signals:
        changed: (list[str]) the ticked names.
    """

    changed = Signal(list)

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._boxes: dict[str, QCheckBox] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._layout.addWidget(muted_label(title))

    def show_choice(self, known: Sequence[tuple[str, str]], chosen: Sequence[str]) -> None:
        """Draw a box for each of `known` and of `chosen`."""
        labels = dict(known) | {name: name for name in chosen if name not in dict(known)}
        if list(labels) != list(self._boxes):
            for box in self._boxes.values():
                box.deleteLater()
            self._boxes = {name: self._box(label) for name, label in labels.items()}
        for name, box in self._boxes.items():
            with QSignalBlocker(box):
                box.setChecked(name in chosen)

    def _box(self, label: str) -> QCheckBox:
        box = QCheckBox(label)
        box.setMinimumHeight(MINIMUM_TARGET)
        box.clicked.connect(lambda: self.changed.emit([n for n, b in self._boxes.items() if b.isChecked()]))
        self._layout.addWidget(box)
        return box


def all_arguments(infos: Sequence[ClassInfo]) -> list[ArgumentInfo]:
    """The arguments that any of `infos` has, as the first that has it describes it."""
    found: dict[str, ArgumentInfo] = {}
    for info in infos:
        for argument in info.arguments:
            found.setdefault(argument.name, argument)
    return list(found.values())
