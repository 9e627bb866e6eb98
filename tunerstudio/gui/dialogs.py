"""The few questions that cannot be avoided: which file, which folder, and what to do with a running search."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QFileDialog, QInputDialog, QLineEdit, QMessageBox, QWidget

_DATA_ENDINGS = "*.csv *.tsv *.txt *.data *.gz *.parquet *.xlsx *.xls *.npz"


def choose_data_file(parent: QWidget, start: Path) -> Path | None:
    """A data file, or None."""
    translate = QCoreApplication.translate
    filters = ";;".join(
        (
            translate("Dialogs", "Data files") + f" ({_DATA_ENDINGS})",
            translate("Dialogs", "All files") + " (*)",
        )
    )
    name, _ = QFileDialog.getOpenFileName(parent, translate("Dialogs", "Choose a data file"), str(start), filters)
    return Path(name) if name else None


def choose_study_folder(parent: QWidget, start: Path) -> Path | None:
    """A study folder, or None."""
    title = QCoreApplication.translate("Dialogs", "Choose a study folder")
    name = QFileDialog.getExistingDirectory(parent, title, str(start))
    return Path(name) if name else None


def ask_study_name(parent: QWidget, present: str) -> str:
    """Another name for the study; empty if the user gave none."""
    translate = QCoreApplication.translate
    name, accepted = QInputDialog.getText(
        parent,
        translate("Dialogs", "Rename study"),
        translate("Dialogs", "Name of the study"),
        QLineEdit.EchoMode.Normal,
        present,
    )
    return name.strip()[:200] if accepted else ""


def ask_before_leaving(parent: QWidget) -> str:
    """What to do with the running search before its study is left: "epoch", "now", or "" to stay."""
    translate = QCoreApplication.translate
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(translate("Dialogs", "A search is running"))
    box.setText(translate("Dialogs", "Stop the search first?"))
    box.setInformativeText(
        translate("Dialogs", "Finished trials are kept either way, and Run goes on where the search stopped.")
    )
    epoch = box.addButton(translate("Dialogs", "Stop after this epoch"), QMessageBox.ButtonRole.AcceptRole)
    now = box.addButton(translate("Dialogs", "Stop now"), QMessageBox.ButtonRole.DestructiveRole)
    box.addButton(translate("Dialogs", "Keep running"), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(epoch)
    box.exec()
    clicked = box.clickedButton()
    return "epoch" if clicked is epoch else "now" if clicked is now else ""
