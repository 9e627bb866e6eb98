"""The Data page: what the file holds, what each column means, what is predicted, how rows are divided."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QHBoxLayout, QMenu, QProgressBar, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.data_page import edits
from tunerstudio.gui.data_page.format_popover import FormatPopover
from tunerstudio.gui.data_page.side_panel import SidePanel
from tunerstudio.gui.data_page.table import DataTable
from tunerstudio.gui.data_page.words import bundled_words, kind_words, role_words
from tunerstudio.gui.inspector import Inspector
from tunerstudio.gui.pages.base import Page, PageStatus, Readiness
from tunerstudio.gui.services import Services
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_M, SPACE_S, Theme
from tunerstudio.gui.widgets.basics import Banner, ElidedLabel, EmptyState, link_button
from tunerstudio.protocol.preview import Preview
from tunerstudio.study.data import ColumnKind, ColumnRole, Data, FileFormat, FileSource, Window
from tunerstudio.study.document import StudyDocument


class DataPage(Page):
    """Shows and edits the data section of the study."""

    def __init__(self, theme: Theme, services: Services, inspector: Inspector, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = self.tr("Data")
        self._theme = theme
        self._inspector = inspector
        self._study: StudyContext | None = None
        self._carried_roles: Mapping[str, ColumnRole] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_M, SPACE_S, 0, SPACE_M)
        layout.setSpacing(SPACE_S)
        layout.addLayout(self._facts_row(services))
        self.banner = Banner(theme, closable=False)
        banner_row = QHBoxLayout()
        banner_row.setContentsMargins(0, 0, SPACE_M, 0)
        banner_row.addWidget(self.banner)
        layout.addLayout(banner_row)
        self.table = DataTable(theme)
        self.side = SidePanel(theme)
        self.empty = EmptyState(theme, "ph.table", "")
        self.empty.clicked.connect(self._empty_clicked)
        self._center = QStackedWidget()
        self._center.addWidget(self.table)
        self._center.addWidget(self.empty)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self._center, 1)
        row.addWidget(self.side)
        layout.addLayout(row, 1)
        self._popover = FormatPopover(theme, self)
        self._connect()

    def set_study(self, study: StudyContext | None) -> None:
        """Show `study` from now on."""
        if self._study is not None:
            self._study.document_changed.disconnect(self._document_changed)
            self._study.preview_changed.disconnect(self._preview_changed)
        self._study = study
        self._carried_roles = {}
        if study is not None:
            study.document_changed.connect(self._document_changed)
            study.preview_changed.connect(self._preview_changed)
            self._preview_changed(study.preview)

    def status(self) -> PageStatus:
        """Ready when there is a target and no finding is an error."""
        study = self._study
        if study is None:
            return PageStatus(Readiness.NOT_YET, "")
        if self._inspector.state == "failed":
            return PageStatus(Readiness.NEEDS_YOU, self.tr("The data cannot be read; see below."))
        data, preview = study.document.data, study.preview
        if preview is None:
            return PageStatus(Readiness.NOT_YET, self.tr("Reading the data…"))
        if not data.named_with_role("target") and not data.reconstruct:
            return PageStatus(Readiness.NEEDS_YOU, self.tr("Choose the column that the model shall predict."))
        errors = [finding.message for finding in preview.findings if finding.severity == "error"]
        if errors:
            return PageStatus(Readiness.NEEDS_YOU, errors[0])
        facts = {"target": self._target_words(data), "rows": f"{preview.rows:,}"}
        features = data.named_with_role("feature")
        if data.window is not None:
            sentence = self.tr("{past} rows before predict {target} in {rows} rows.")
            return PageStatus(Readiness.READY, sentence.format(past=data.window.past, **facts))
        if len(features) == 1:
            sentence = self.tr('"{feature}" predicts {target} in {rows} rows.')
            return PageStatus(Readiness.READY, sentence.format(feature=features[0], **facts))
        sentence = self.tr("{features} columns predict {target} in {rows} rows.")
        return PageStatus(Readiness.READY, sentence.format(features=len(features), **facts))

    def primary_action(self) -> tuple[str, str] | None:
        """On to the Model page."""
        return None if self._study is None else (self.tr("Next: Model"), "go:model")

    # -- parts ----------------------------------------------------------------------------------------------------

    def _facts_row(self, services: Services) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, SPACE_M, 0)
        row.setSpacing(SPACE_S)
        self._facts = ElidedLabel()
        self._change = link_button(self.tr("Change how it is read…"), self._open_format)
        self._busy = QProgressBar()
        self._busy.setRange(0, 0)
        self._busy.setFixedSize(120, 10)
        self._busy.setTextVisible(False)
        self._busy.setAccessibleName(self.tr("Reading the data"))
        self._cancel = link_button(self.tr("Cancel"), self._inspector.cancel)
        self._other = QPushButton(self._theme.icon("ph.swap"), self.tr("Use other data"))
        self._other.setMinimumHeight(MINIMUM_TARGET)
        menu = QMenu(self._other)
        menu.addAction(self.tr("A file…")).triggered.connect(lambda: self.action_requested.emit("other_data"))
        menu.addSeparator()
        for name, text in bundled_words().items():
            menu.addAction(text).triggered.connect(lambda _=False, chosen=name: self._use_bundled(chosen))
        self._other.setMenu(menu)
        row.addWidget(self._facts, 1)
        row.addWidget(self._change)
        row.addWidget(self._busy)
        row.addWidget(self._cancel)
        row.addWidget(self._other)
        return row

    def _connect(self) -> None:
        self._inspector.state_changed.connect(self._inspection_changed)
        self._inspector.progressed.connect(self._inspection_progressed)
        self._popover.format_chosen.connect(self._use_format)
        self.table.role_chosen.connect(self._set_role)
        self.table.kind_chosen.connect(self._set_kind)
        self.side.target_chosen.connect(lambda name: self._set_role(name, "target"))
        self.side.reconstruct_chosen.connect(self._reconstruct)
        self.side.field_edited.connect(self._edit_field)
        self.side.split_edited.connect(self._edit_split)
        self.side.window_edited.connect(self._edit_window)
        self.side.repaired.connect(self._repair)
        self._inspection_changed("idle", "", "")

    # -- what is shown --------------------------------------------------------------------------------------------

    def _preview_changed(self, preview: Preview | None) -> None:
        study = self._study
        if study is None:
            return
        if preview is not None and self._carried_roles:
            roles, self._carried_roles = self._carried_roles, {}
            study.complete(edits.with_roles(study.document, roles))
        self.table.set_preview(preview, study.document.data.columns)
        findings = () if preview is None else preview.findings
        self.side.show_findings(findings, known=preview is not None)
        self._document_changed(study.document)

    def _document_changed(self, document: StudyDocument) -> None:
        study = self._study
        if study is None:
            return
        preview = study.preview
        self.table.set_columns(document.data.columns)
        self.side.show_data(document.data, preview)
        self._facts.setText(self._facts_text(document.data, preview))
        self._facts.set_tip(document.data.source.path if isinstance(document.data.source, FileSource) else "")
        self._change.setVisible(isinstance(document.data.source, FileSource))
        self._center.setCurrentWidget(self.table if preview is not None else self.empty)
        self.status_changed.emit()

    def _facts_text(self, data: Data, preview: Preview | None) -> str:
        if preview is not None:
            return f"{preview.title}   {preview.summary}"
        return Path(data.source.path).name if isinstance(data.source, FileSource) else data.source.name

    def _target_words(self, data: Data) -> str:
        if data.reconstruct:
            return self.tr("themselves")
        return ", ".join(f'"{name}"' for name in data.named_with_role("target"))

    def _inspection_changed(self, state: str, sentence: str, details: str) -> None:
        self._busy.setVisible(state == "busy")
        self._cancel.setVisible(state == "busy")
        self._busy.setRange(0, 0)
        if state == "failed":
            self.banner.tell("bad", sentence, details, ((self.tr("Try again"), self._inspector.look),))
            self.empty.set_text(self.tr("There is nothing to show before the data can be read."), self._way_out())
        else:
            self.banner.clear()
            self.empty.set_text(sentence, "")
        self.status_changed.emit()

    def _inspection_progressed(self, fraction: float | None, text: str) -> None:
        self._busy.setRange(0, 0 if fraction is None else 1000)
        if fraction is not None:
            self._busy.setValue(round(fraction * 1000))
        self._busy.setToolTip(text)

    def _way_out(self) -> str:
        return self.tr("Use another file…")

    def _empty_clicked(self) -> None:
        self.action_requested.emit("other_data")

    # -- edits ----------------------------------------------------------------------------------------------------

    def _set_role(self, name: str, role: ColumnRole) -> None:
        if self._study is not None:
            text = self.tr("{name}: {role}").format(name=name, role=role_words()[role])
            document = self._study.document
            self._study.edit(text, edits.with_fitting_template(document, edits.with_role(document, name, role)))

    def _reconstruct(self) -> None:
        if self._study is not None:
            before = self._study.document
            changed = edits.with_fitting_template(before, edits.with_reconstruction(before))
            self._study.edit(self.tr("predict the features themselves"), changed)

    def _set_kind(self, name: str, kind: ColumnKind) -> None:
        if self._study is not None:
            text = self.tr("{name}: {kind}").format(name=name, kind=kind_words()[kind])
            document = self._study.document
            self._study.edit(text, edits.with_fitting_template(document, edits.with_kind(document, name, kind)))

    def _edit_field(self, merge_key: str, field: str, value: object) -> None:
        if self._study is not None:
            self._study.edit(self.tr("change data"), edits.with_data(self._study.document, **{field: value}), merge_key)

    def _edit_window(self, merge_key: str, window: Window | None) -> None:
        """Rows in time are divided in their order."""
        if self._study is None:
            return
        before = self._study.document
        changed = edits.with_data(before, window=window)
        if window is not None:
            changed = edits.with_split(changed, method="ordered")
        self._study.edit(self.tr("change the series"), edits.with_fitting_template(before, changed), merge_key)

    def _edit_split(self, merge_key: str, values: dict[str, object]) -> None:
        if self._study is None:
            return
        try:
            document = edits.with_split(self._study.document, **values)
        except ValidationError as error:
            self.banner.tell("warning", str(error.errors()[0]["msg"]))
            return
        self._study.edit(self.tr("change split"), document, f"split {merge_key}" if merge_key else "")

    def _repair(self, label: str, data: Data) -> None:
        if self._study is not None:
            before = self._study.document
            self._study.edit(label, edits.with_fitting_template(before, before.model_copy(update={"data": data})))

    def _use_bundled(self, name: str) -> None:
        known = next(bundled for bundled in bundled_words() if bundled == name)
        if self._study is not None:
            self._study.edit(self.tr("use other data"), edits.with_bundled(self._study.document, known))

    def _open_format(self) -> None:
        if self._study is not None:
            corner = self._change.mapToGlobal(QPoint(0, self._change.height()))
            self._popover.open_at(corner, self._study.document.data.format)

    def _use_format(self, chosen: FileFormat) -> None:
        study = self._study
        if study is None or chosen == study.document.data.format:
            return
        data = study.document.data
        self._carried_roles = {column.name: column.role for column in data.columns}
        changed = edits.with_data(study.document, format=chosen, columns=(), task=None)
        study.edit(self.tr("change how the file is read"), changed)
