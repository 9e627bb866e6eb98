"""The few questions that cannot be avoided: which file, which folder, and what to do with a running search."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QFileDialog,
    QInputDialog,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QWidget,
)

from tunerstudio.study.keras_files import ENDINGS

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


def choose_keras_file(parent: QWidget, start: Path) -> Path | None:
    """A saved Keras model, or None."""
    translate = QCoreApplication.translate
    endings = " ".join(f"*{ending}" for ending in ENDINGS)
    filters = ";;".join(
        (translate("Dialogs", "Keras models") + f" ({endings})", translate("Dialogs", "All files") + " (*)")
    )
    name, _ = QFileDialog.getOpenFileName(parent, translate("Dialogs", "Open a Keras model"), str(start), filters)
    return Path(name) if name else None


def choose_code_file(parent: QWidget, suggested: Path) -> Path | None:
    """Where to write Python to, or None; the ending is that of the suggestion if the user gives none."""
    translate = QCoreApplication.translate
    kind = translate("Dialogs", "Python") if suggested.suffix == ".py" else translate("Dialogs", "Notebook")
    title = translate("Dialogs", "Export as Python")
    name, _ = QFileDialog.getSaveFileName(parent, title, str(suggested), f"{kind} (*{suggested.suffix})")
    if not name:
        return None
    return Path(name) if Path(name).suffix else Path(name + suggested.suffix)


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


def ask_note(parent: QWidget, number: int, present: str) -> str | None:
    """The user's words on trial `number`; None if they stay as they are."""
    translate = QCoreApplication.translate
    note, accepted = QInputDialog.getText(
        parent,
        translate("Dialogs", "Note"),
        translate("Dialogs", "Note on trial {number}").format(number=number),
        QLineEdit.EchoMode.Normal,
        present,
    )
    return note.strip() if accepted and note.strip() != present else None


Leaving = Literal["", "epoch", "now", "background"]
"""What to do with a running search before it is left; "": stay."""


def ask_before_leaving(parent: QWidget, is_closing: bool) -> tuple[Leaving, bool]:
    """What to do with the running search before its study is left, and whether to remember the answer.

    Args:
        parent: The window.
        is_closing: Whether the window is closed; otherwise another study is opened, and nothing can be remembered.
    """
    translate = QCoreApplication.translate
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(translate("Dialogs", "A search is running"))
    box.setText(translate("Dialogs", "What shall become of the running search?"))
    box.setInformativeText(
        translate(
            "Dialogs",
            "Finished trials are kept in any case. Stopped, it goes on where it was when you press Resume. In the"
            " background it trains on without this window; open the study again to watch it or to stop it.",
        )
    )
    answers: dict[QAbstractButton, Leaving] = {}
    for answer, text in _ways_to_leave():
        answers[box.addButton(text, QMessageBox.ButtonRole.AcceptRole)] = answer
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(next(button for button in answers if isinstance(button, QPushButton)))
    remember = QCheckBox(translate("Dialogs", "Always do this when I close the window"))
    if is_closing:
        box.setCheckBox(remember)
    box.exec()
    found = answers.get(box.clickedButton(), "")
    return found, bool(found) and is_closing and remember.isChecked()


def _ways_to_leave() -> tuple[tuple[Leaving, str], ...]:
    translate = QCoreApplication.translate
    return (
        ("epoch", translate("Dialogs", "Stop after this epoch")),
        ("now", translate("Dialogs", "Stop now")),
        ("background", translate("Dialogs", "Keep running in the background")),
    )
