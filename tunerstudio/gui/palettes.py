"""The colours of the light and the dark theme; nothing else in the window names a colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from PySide6.QtGui import QColor, QPalette

from tunerstudio.study.trials import TrialState

Role = Literal[
    "window",
    "base",
    "alternate",
    "card",
    "text",
    "muted",
    "border",
    "button",
    "accent",
    "on_accent",
    "accent_soft",
    "good",
    "warning",
    "warning_soft",
    "bad",
    "bad_soft",
    "train",
    "validation",
    "test",
    "on_part",
    "bar",
    "plot_background",
    "plot_foreground",
    "plot_grid",
]
"""What a colour is for."""

LIGHT: Final[dict[Role, str]] = {
    "window": "#f3f5f7",
    "base": "#ffffff",
    "alternate": "#f6f8fa",
    "card": "#ffffff",
    "text": "#1c2128",
    "muted": "#626c78",
    "border": "#d3d9e0",
    "button": "#fbfcfd",
    "accent": "#1f62c4",
    "on_accent": "#ffffff",
    "accent_soft": "#e3edfb",
    "good": "#1a7f37",
    "warning": "#8f6000",
    "warning_soft": "#fff5d6",
    "bad": "#c4202b",
    "bad_soft": "#fdeaea",
    "train": "#1f62c4",
    "validation": "#56b4e9",
    "test": "#e69f00",
    "on_part": "#10202e",
    "bar": "#8fa9cc",
    "plot_background": "#ffffff",
    "plot_foreground": "#4a535e",
    "plot_grid": "#dde2e8",
}

DARK: Final[dict[Role, str]] = {
    "window": "#25282d",
    "base": "#181a1d",
    "alternate": "#1e2125",
    "card": "#2c3036",
    "text": "#e4e7eb",
    "muted": "#9aa4af",
    "border": "#454c55",
    "button": "#353a41",
    "accent": "#6ea8fe",
    "on_accent": "#0c1626",
    "accent_soft": "#23344e",
    "good": "#4ac26b",
    "warning": "#dfb13a",
    "warning_soft": "#3b321a",
    "bad": "#ff7b72",
    "bad_soft": "#452427",
    "train": "#4f8ff0",
    "validation": "#56b4e9",
    "test": "#e69f00",
    "on_part": "#10202e",
    "bar": "#58769f",
    "plot_background": "#181a1d",
    "plot_foreground": "#b6bfc9",
    "plot_grid": "#31373e",
}

STATE_LIGHT: Final[dict[TrialState, str]] = {
    TrialState.QUEUED: "#6b7280",
    TrialState.RUNNING: "#1f62c4",
    TrialState.PAUSED: "#7c3aed",
    TrialState.COMPLETED: "#1a7f37",
    TrialState.PRUNED: "#946200",
    TrialState.FAILED: "#c4202b",
    TrialState.CANCELLED: "#8b949e",
}

STATE_DARK: Final[dict[TrialState, str]] = {
    TrialState.QUEUED: "#9aa4af",
    TrialState.RUNNING: "#6ea8fe",
    TrialState.PAUSED: "#b794f6",
    TrialState.COMPLETED: "#4ac26b",
    TrialState.PRUNED: "#dfb13a",
    TrialState.FAILED: "#ff7b72",
    TrialState.CANCELLED: "#7d8590",
}

STATE_ICONS: Final[dict[TrialState, str]] = {
    TrialState.QUEUED: "ph.clock",
    TrialState.RUNNING: "ph.play-circle-fill",
    TrialState.PAUSED: "ph.pause-circle-fill",
    TrialState.COMPLETED: "ph.check-circle-fill",
    TrialState.PRUNED: "ph.scissors-fill",
    TrialState.FAILED: "ph.x-circle-fill",
    TrialState.CANCELLED: "ph.prohibit",
}

OKABE_ITO: Final = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#f0e442", "#000000")
"""Okabe and Ito's eight colours, those that read best on white first; black turns white in the dark theme."""

CIVIDIS: Final = (
    "#00224e",
    "#123570",
    "#3b496c",
    "#575d6d",
    "#707173",
    "#8a8678",
    "#a59c74",
    "#c3b369",
    "#e1cc55",
    "#fee838",
)
"""Evenly spaced stops of the cividis colour map."""


@dataclass(frozen=True)
class StateStyle:
    """How a trial state looks: always colour, icon and word together."""

    color: QColor
    icon: str
    word: str


def build_palette(colors: dict[Role, str]) -> QPalette:
    """The QPalette for Fusion, disabled group included."""
    palette = QPalette(QColor(colors["button"]), QColor(colors["window"]))
    active: dict[QPalette.ColorRole, Role] = {
        QPalette.ColorRole.Window: "window",
        QPalette.ColorRole.WindowText: "text",
        QPalette.ColorRole.Base: "base",
        QPalette.ColorRole.AlternateBase: "alternate",
        QPalette.ColorRole.Text: "text",
        QPalette.ColorRole.PlaceholderText: "muted",
        QPalette.ColorRole.Button: "button",
        QPalette.ColorRole.ButtonText: "text",
        QPalette.ColorRole.BrightText: "bad",
        QPalette.ColorRole.ToolTipBase: "card",
        QPalette.ColorRole.ToolTipText: "text",
        QPalette.ColorRole.Highlight: "accent",
        QPalette.ColorRole.HighlightedText: "on_accent",
        QPalette.ColorRole.Accent: "accent",
        QPalette.ColorRole.Link: "accent",
        QPalette.ColorRole.LinkVisited: "accent",
        QPalette.ColorRole.Mid: "border",
        QPalette.ColorRole.Midlight: "alternate",
    }
    for role, name in active.items():
        palette.setColor(role, QColor(colors[name]))
    faded = QColor(colors["muted"])
    faded.setAlphaF(0.6)
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, faded)
    palette.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Highlight, QColor(colors["border"]))
    return palette
