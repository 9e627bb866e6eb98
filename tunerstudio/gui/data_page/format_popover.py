"""How a file is read, and a small form to change it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_M, SPACE_S, Theme
from tunerstudio.gui.widgets.basics import FieldGrid, heading_label, muted_label, primary_button
from tunerstudio.study.data import FileFormat

_ENCODINGS = ("utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16")


class FormatPopover(QFrame):
    """Opens below the file's facts; *Apply* reads the file again, *Detect* lets the program find out.

    Signals:
        format_chosen: (FileFormat) the user pressed Apply or Detect.
    """

    format_chosen = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._owner = parent
        self.setProperty("look", "card")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_M, SPACE_M, SPACE_M, SPACE_M)
        layout.setSpacing(SPACE_S)
        layout.addWidget(heading_label(theme, self.tr("How the file is read")))
        form = FieldGrid()
        layout.addLayout(form)
        self._build(form)
        layout.addWidget(muted_label(self.tr("Roles stay with columns whose names stay.")))
        buttons = QHBoxLayout()
        detect = QPushButton(self.tr("Detect"))
        detect.setToolTip(self.tr("Forget these settings and find out from the file"))
        detect.setMinimumHeight(MINIMUM_TARGET)
        detect.clicked.connect(lambda: self._choose(FileFormat()))
        apply = primary_button(self.tr("Apply"))
        apply.clicked.connect(lambda: self._choose(self.chosen()))
        buttons.addWidget(detect)
        buttons.addStretch(1)
        buttons.addWidget(apply)
        layout.addLayout(buttons)
        self.setMinimumWidth(340)

    def open_at(self, place: QPoint, present: FileFormat) -> None:
        """Show the form for `present` below `place` (global), within the window."""
        self._show(present)
        self.adjustSize()
        window = self._owner.window().frameGeometry()
        self.move(min(place.x(), window.right() - self.width() - SPACE_S), place.y())
        self.show()
        self._encoding.setFocus()

    def chosen(self) -> FileFormat:
        """The format as the form stands."""
        markers = tuple(dict.fromkeys(self._missing.text().split()))
        return FileFormat(
            encoding=self._encoding.currentText().strip() or None,
            delimiter=self._delimiter_text(),
            decimal=self._decimal.currentData(),
            header=self._header.isChecked(),
            quoting=self._quoting.isChecked(),
            missing=markers,
            sheet=self._sheet.text().strip() or None,
        )

    def _build(self, form: FieldGrid) -> None:
        self._encoding = QComboBox()
        self._encoding.setEditable(True)
        self._encoding.addItems(_ENCODINGS)
        self._delimiter = QComboBox()
        self._delimiter.setEditable(True)
        for text, character in self._delimiters():
            self._delimiter.addItem(text, character)
        self._decimal = QComboBox()
        self._decimal.addItem(self.tr("point (3.14)"), ".")
        self._decimal.addItem(self.tr("comma (3,14)"), ",")
        self._header = QCheckBox(self.tr("The first row holds the names"))
        self._quoting = QCheckBox(self.tr('"…" groups text'))
        self._missing = QLineEdit()
        self._missing.setPlaceholderText(self.tr("such as ? NA -999, with spaces between"))
        self._sheet = QLineEdit()
        self._sheet.setPlaceholderText(self.tr("the first"))
        rows: tuple[tuple[str, QWidget], ...] = (
            (self.tr("Encoding"), self._encoding),
            (self.tr("Between cells"), self._delimiter),
            (self.tr("Decimal sign"), self._decimal),
            ("", self._header),
            ("", self._quoting),
            (self.tr("Means missing"), self._missing),
            (self.tr("Excel sheet"), self._sheet),
        )
        for label, field in rows:
            form.add(label, field)

    def _delimiters(self) -> tuple[tuple[str, str], ...]:
        return (
            (self.tr("comma  ,"), ","),
            (self.tr("semicolon  ;"), ";"),
            (self.tr("tab"), "\t"),
            (self.tr("space"), " "),
            (self.tr("bar  |"), "|"),
        )

    def _delimiter_text(self) -> str | None:
        typed = self._delimiter.currentText()
        known = dict(self._delimiters())
        return known.get(typed, typed.strip()[:1] or None)

    def _show(self, present: FileFormat) -> None:
        self._encoding.setCurrentText(present.encoding or "")
        texts = {character: text for text, character in self._delimiters()}
        self._delimiter.setCurrentText(texts.get(present.delimiter or "", present.delimiter or ""))
        self._decimal.setCurrentIndex(1 if present.decimal == "," else 0)
        self._header.setChecked(present.header is not False)
        self._quoting.setChecked(present.quoting is not False)
        self._missing.setText(" ".join(present.missing or ()))
        self._sheet.setText(present.sheet or "")

    def _choose(self, chosen: FileFormat) -> None:
        self.hide()
        self.format_chosen.emit(chosen)
