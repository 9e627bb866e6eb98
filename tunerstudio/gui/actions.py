"""Every command of the window as data: menus, shortcuts and the command palette derive from this table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QCoreApplication

Needs = Literal["nothing", "study", "idle", "search", "running", "paused"]
"""When a command can be used: always, with a study, with one that is not searching, while a search is under way,
while it trains, while it is paused."""


@dataclass(frozen=True)
class ActionSpec:
    """One command.

    Attributes:
        id: What `MainWindow.do` takes, such as `run` or `go:data`.
        text: On screen, with its access key.
        menu: The menu it stands in, by id; empty: only in the palette.
        shortcut: Portable key sequence; empty: none.
        icon: Name of a vector icon; empty: none.
        needs: When it can be used.
        tip: Its consequence, in a sentence.
        separated: Whether a line stands above it in the menu.
    """

    id: str
    text: str
    menu: str
    shortcut: str = ""
    icon: str = ""
    needs: Needs = "nothing"
    tip: str = ""
    separated: bool = False


def menu_titles() -> dict[str, str]:
    """The menus by id, in order."""
    translate = QCoreApplication.translate
    return {
        "file": translate("Actions", "&File"),
        "edit": translate("Actions", "&Edit"),
        "study": translate("Actions", "&Study"),
        "search": translate("Actions", "Sea&rch"),
        "view": translate("Actions", "&View"),
        "tools": translate("Actions", "&Tools"),
        "help": translate("Actions", "&Help"),
    }


def action_table() -> tuple[ActionSpec, ...]:
    """All commands, in the order of their menus."""
    return (*_file_actions(), *_edit_actions(), *_study_actions(), *_search_actions(), *_view_actions())


def _file_actions() -> tuple[ActionSpec, ...]:
    translate = QCoreApplication.translate
    return (
        ActionSpec("new", translate("Actions", "&New study from data…"), "file", "Ctrl+N", "ph.file-plus"),
        ActionSpec("open", translate("Actions", "&Open study…"), "file", "Ctrl+O", "ph.folder-open"),
        ActionSpec("welcome", translate("Actions", "&Welcome page"), "file", "Ctrl+W", "ph.house", "study"),
        ActionSpec(
            "show_folder", translate("Actions", "Show study &folder"), "file", "", "ph.folder", "study", separated=True
        ),
        ActionSpec(
            "open_keras",
            translate("Actions", "Open a &Keras model as layers…"),
            "file",
            "",
            "ph.stack",
            "idle",
            translate("Actions", "Takes the layers of a .keras file, or of the JSON of a model, into this study."),
        ),
        *export_actions(),
        ActionSpec("settings", translate("Actions", "&Settings…"), "file", "Ctrl+,", "ph.gear", separated=True),
        ActionSpec("quit", translate("Actions", "&Quit"), "file", "Ctrl+Q", "ph.sign-out", separated=True),
    )


def export_actions() -> tuple[ActionSpec, ...]:
    """The commands that write a study as Python."""
    translate = QCoreApplication.translate
    return (
        ActionSpec(
            "export:hypermodel",
            translate("Actions", "&Export the search as Python…"),
            "file",
            "Ctrl+Shift+E",
            "ph.code",
            "study",
            translate("Actions", "Writes a HyperModel and its search, which need Keras Tuner alone, and their data."),
            separated=True,
        ),
        ActionSpec(
            "export:script",
            translate("Actions", "Export &one trial as Python…"),
            "file",
            "",
            "ph.file-text",
            "study",
            translate("Actions", "Writes the training of the selected trial, or of the best one, without a search."),
        ),
        ActionSpec(
            "export:notebook",
            translate("Actions", "Export the search as a note&book…"),
            "file",
            "",
            "ph.notebook",
            "study",
            translate("Actions", "Writes the search with Keras Tuner as a Jupyter notebook, and its data."),
        ),
    )


def _edit_actions() -> tuple[ActionSpec, ...]:
    translate = QCoreApplication.translate
    return (
        ActionSpec("undo", translate("Actions", "&Undo"), "edit", "Ctrl+Z", "ph.arrow-u-up-left", "study"),
        ActionSpec("redo", translate("Actions", "&Redo"), "edit", "Ctrl+Y", "ph.arrow-u-up-right", "study"),
        ActionSpec(
            "palette", translate("Actions", "&Find anything…"), "edit", "Ctrl+K", "ph.magnifying-glass", separated=True
        ),
    )


def _study_actions() -> tuple[ActionSpec, ...]:
    translate = QCoreApplication.translate
    return (
        ActionSpec("go:data", translate("Actions", "&Data"), "study", "Ctrl+1", "ph.table", "study"),
        ActionSpec("go:model", translate("Actions", "&Model"), "study", "Ctrl+2", "ph.stack", "study"),
        ActionSpec("go:search", translate("Actions", "&Search"), "study", "Ctrl+3", "ph.crosshair", "study"),
        ActionSpec("go:run", translate("Actions", "&Run"), "study", "Ctrl+4", "ph.chart-line-up", "study"),
        ActionSpec("go:models", translate("Actions", "M&odels"), "study", "Ctrl+5", "ph.medal", "study"),
        ActionSpec(
            "rename", translate("Actions", "Re&name study…"), "study", "", "ph.pencil-simple", "study", separated=True
        ),
        ActionSpec("other_data", translate("Actions", "&Use another file…"), "study", "", "ph.swap", "idle"),
    )


def _search_actions() -> tuple[ActionSpec, ...]:
    translate = QCoreApplication.translate
    return (
        ActionSpec(
            "run",
            translate("Actions", "&Run"),
            "search",
            "F5",
            "ph.play",
            "idle",
            translate("Actions", "Starts the search, or goes on with it where it stopped."),
        ),
        ActionSpec(
            "pause",
            translate("Actions", "&Pause"),
            "search",
            "F6",
            "ph.pause-circle",
            "running",
            translate("Actions", "Rests after the running epochs and frees processor, memory and GPU."),
        ),
        ActionSpec(
            "go_on",
            translate("Actions", "Res&ume"),
            "search",
            "Shift+F6",
            "ph.play-circle",
            "paused",
            translate("Actions", "Goes on with the paused search."),
        ),
        ActionSpec(
            "stop:epoch",
            translate("Actions", "Stop after this &epoch"),
            "search",
            "Shift+F5",
            "ph.stop-circle",
            "search",
            translate("Actions", "Ends the running trials after their present epoch; Run goes on from there."),
        ),
        ActionSpec(
            "stop:now",
            translate("Actions", "Stop &now"),
            "search",
            "Ctrl+Shift+F5",
            "ph.x-circle",
            "search",
            translate("Actions", "Ends the running trials at once; Run goes on from their last checkpoints."),
        ),
        ActionSpec(
            "check",
            translate("Actions", "&Check"),
            "search",
            "Ctrl+Return",
            "ph.check-square",
            "idle",
            translate("Actions", "Builds the model and trains one batch, to find what is wrong before trial 1."),
            separated=True,
        ),
        ActionSpec(
            "save_models",
            translate("Actions", "&Save best models…"),
            "search",
            "Ctrl+S",
            "ph.export",
            "idle",
            translate("Actions", "Writes the best models with their cards."),
        ),
    )


def _view_actions() -> tuple[ActionSpec, ...]:
    translate = QCoreApplication.translate
    return (
        ActionSpec("look:system", translate("Actions", "Colours of the s&ystem"), "view", "", "ph.monitor"),
        ActionSpec("look:light", translate("Actions", "&Light colours"), "view", "", "ph.sun"),
        ActionSpec("look:dark", translate("Actions", "&Dark colours"), "view", "", "ph.moon"),
        ActionSpec("messages", translate("Actions", "&Messages"), "view", "F4", "ph.list-bullets", separated=True),
        ActionSpec("full_screen", translate("Actions", "&Full screen"), "view", "F11", "ph.corners-out"),
        ActionSpec(
            "plugins",
            translate("Actions", "&Plugins…"),
            "tools",
            "",
            "ph.puzzle-piece",
            tip=translate("Actions", "Search algorithms and pruners: install, switch on and off, see what is wrong."),
        ),
        ActionSpec("help", translate("Actions", "&Help for the focused field"), "help", "F1", "ph.question"),
        ActionSpec("show_logs", translate("Actions", "Show &log files"), "help", "", "ph.file-text"),
        ActionSpec("about", translate("Actions", "&About Tuner Studio"), "help", "", "ph.info", separated=True),
    )
