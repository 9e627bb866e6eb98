"""The tab Estimator: a scikit-learn estimator with tunable fields, scored by cross-validation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QSplitter, QVBoxLayout, QWidget

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.model_editor.field_form import FieldForm
from tunerstudio.gui.model_editor.inspector import Inspector
from tunerstudio.gui.model_editor.node_fields import with_argument
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_M, SPACE_S, Theme
from tunerstudio.gui.widgets.basics import heading_label
from tunerstudio.study.catalogue import ArgumentInfo, Catalogue, ClassInfo
from tunerstudio.study.data import Task
from tunerstudio.study.estimator_ranges import with_estimator
from tunerstudio.study.model import EstimatorModel
from tunerstudio.study.network import AnyTunable

_NAME = Qt.ItemDataRole.UserRole


class EstimatorPanel(QWidget):
    """Edits an `EstimatorModel`.

    Signals:
        trouble_changed: () `troubles()` would answer differently.
    """

    trouble_changed = Signal()

    def __init__(self, theme: Theme, catalogue: Catalogue, parent: QWidget | None = None) -> None:
        """Show nothing before `set_study`."""
        super().__init__(parent)
        self._theme = theme
        self._catalogue = catalogue
        self._study: StudyContext | None = None
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("estimators"))
        self.list.currentItemChanged.connect(self._chosen)
        self.inspector = Inspector(theme, catalogue)
        self.inspector.edited.connect(self._field_edited)
        self.inspector.trouble_changed.connect(self.trouble_changed)
        self.folds = FieldForm(theme, None)
        self.folds.set_arguments((_folds(self.tr),), {"folds": (self.tr("folds"), "")}, tunable=False)
        self.folds.edited.connect(self._folds_edited)
        self.folds.trouble_changed.connect(self.trouble_changed)
        self._arrange()

    def _arrange(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, SPACE_S, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(heading_label(self._theme, self.tr("Estimator")))
        column.addWidget(self.list, 1)
        right = QWidget()
        fields = QVBoxLayout(right)
        fields.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout()
        row.setContentsMargins(SPACE_M, 0, SPACE_M, 0)
        row.addWidget(self.folds, 1)
        fields.addLayout(row)
        fields.addWidget(self.inspector, 1)
        splitter = QSplitter()
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(left)
        splitter.addWidget(right)
        left.setMinimumWidth(220)
        right.setMaximumWidth(720)
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 2)
        splitter.setSizes([300, 600])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE_S, 0, 0)
        layout.addWidget(splitter)

    def set_study(self, study: StudyContext | None) -> None:
        """Edit `study` from now on; None: nothing."""
        self._study = study

    def refresh(self, problems: Mapping[str, str]) -> None:
        """Show the document as it stands, with what is wrong by field path."""
        model = self._model()
        if self._study is None or model is None:
            return
        self._list_estimators(model.estimator, self._study.document.data.task)
        info = self._catalogue.estimator(model.estimator)
        sentence = problems.get("model.estimator", "") or (info.help if info is not None else "")
        self.inspector.show_node(model.estimator, model.estimator, sentence)
        prefix = "model.arguments."
        remarks = {path[len(prefix) :]: text for path, text in problems.items() if path.startswith(prefix)}
        arguments = info.arguments if info is not None else ()
        self.inspector.show_fields(model.estimator, arguments, model.arguments, remarks)
        self.folds.show_values({"folds": model.folds})

    def troubles(self) -> dict[str, str]:
        """Fields in which something wrong is typed, with what is wrong."""
        return {**self.folds.troubles(), **self.inspector.troubles()}

    def _model(self) -> EstimatorModel | None:
        model = self._study.document.model if self._study is not None else None
        return model if isinstance(model, EstimatorModel) else None

    def _list_estimators(self, chosen: str, task: Task | None) -> None:
        wanted = "numbers" if task == "regression" else "classes"
        infos = [i for i in self._catalogue.estimators if task is None or wanted in i.tasks or i.name == chosen]
        with QSignalBlocker(self.list):
            if [self.list.item(row).data(_NAME) for row in range(self.list.count())] != [i.name for i in infos]:
                self.list.clear()
                for info in infos:
                    self._add(info)
            for row, info in enumerate(infos):
                if info.name == chosen:
                    self.list.setCurrentRow(row)

    def _add(self, info: ClassInfo) -> None:
        item = QListWidgetItem(f"{info.name}   ·   {info.group}")
        item.setData(_NAME, info.name)
        item.setToolTip(info.help)
        item.setSizeHint(QSize(0, MINIMUM_TARGET))
        self.list.addItem(item)

    def _chosen(self, item: QListWidgetItem | None) -> None:
        model = self._model()
        name = item.data(_NAME) if item is not None else None
        info = self._catalogue.estimator(name) if name else None
        if model is None or info is None or name == model.estimator:
            return
        text = self.tr("use {name}").format(name=name)
        self._edit(text, with_estimator(model, info.name, {argument.name for argument in info.arguments}))

    def _field_edited(self, name: str, value: Any, stretch: int) -> None:
        model = self._model()
        if model is not None:
            verb = self.tr("tune {name}") if isinstance(value, AnyTunable) else self.tr("change {name}")
            arguments = with_argument(model.arguments, name, value)
            changed = model.model_copy(update={"arguments": arguments})
            self._edit(verb.format(name=name), changed, f"estimator:{name}:{stretch}")

    def _folds_edited(self, _name: str, value: Any, stretch: int) -> None:
        model = self._model()
        if model is not None:
            folds = value if isinstance(value, int) else 5
            self._edit(self.tr("change folds"), model.model_copy(update={"folds": folds}), f"folds:{stretch}")

    def _edit(self, text: str, model: EstimatorModel, merge_key: str = "") -> None:
        if self._study is not None:
            self._study.edit(text, self._study.document.model_copy(update={"model": model}), merge_key)


def _folds(tr: Any) -> ArgumentInfo:
    help_text = tr("Parts of the rows; each serves once for scoring. The trial's score is the mean.")
    return ArgumentInfo(name="folds", type="int", default=5, minimum=2, maximum=50, help=help_text)
