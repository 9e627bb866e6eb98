"""Tokens: spacing, fonts, colours, icons and number formats. Nothing else names a colour or a size."""

from __future__ import annotations

from typing import Final, Literal

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication

from tunerstudio.gui.formats import format_count, format_duration, format_number, format_percent, format_score
from tunerstudio.gui.icons import glyph_icon
from tunerstudio.gui.palettes import (
    CIVIDIS,
    DARK,
    LIGHT,
    OKABE_ITO,
    STATE_DARK,
    STATE_ICONS,
    STATE_LIGHT,
    Role,
    StateStyle,
    build_palette,
)
from tunerstudio.gui.stylesheet import build_stylesheet
from tunerstudio.study.trials import TrialState

__all__ = [
    "MINIMUM_TARGET",
    "SPACE_L",
    "SPACE_M",
    "SPACE_S",
    "SPACE_XS",
    "Mode",
    "Role",
    "StateStyle",
    "Theme",
    "format_count",
    "format_duration",
    "format_number",
    "format_percent",
    "format_score",
]

SPACE_XS: Final = 4
SPACE_S: Final = 8
SPACE_M: Final = 16
SPACE_L: Final = 24
MINIMUM_TARGET: Final = 28
"""Smallest height and width of anything that can be clicked, in logical pixels."""

Mode = Literal["system", "light", "dark"]

_YELLOW_DARKER = 140
_LINES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine)


class Theme(QObject):
    """The look of the whole application; switches live between light and dark.

    Signals:
        theme_changed: () colours are others now; plots and painted widgets paint anew.
    """

    theme_changed = Signal()

    def __init__(self, application: QApplication, mode: Mode = "system") -> None:
        """Dress `application` in Fusion and the palette of `mode`."""
        super().__init__(application)
        self._application = application
        self._mode: Mode = mode
        self._dark: bool | None = None
        application.setStyle("Fusion")
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._apply)
        self._apply()

    @property
    def mode(self) -> Mode:
        """What the user chose."""
        return self._mode

    @property
    def is_dark(self) -> bool:
        """Whether the dark colours are shown."""
        return bool(self._dark)

    def set_mode(self, mode: Mode) -> None:
        """Switch; "system" follows the desktop from now on."""
        self._mode = mode
        self._apply()

    def color(self, role: Role) -> QColor:
        """The colour for a purpose, in the present theme."""
        return QColor((DARK if self._dark else LIGHT)[role])

    def state(self, state: TrialState) -> StateStyle:
        """Colour, icon name and translated word of a trial state."""
        colors = STATE_DARK if self._dark else STATE_LIGHT
        return StateStyle(QColor(colors[state]), STATE_ICONS[state], _state_word(state))

    def state_icon(self, state: TrialState) -> QIcon:
        """The icon of a trial state in its colour."""
        return glyph_icon(STATE_ICONS[state], lambda: self.state(state).color)

    def trial_color(self, number: int) -> QColor:
        """The colour that trial `number` (from 1) keeps in every view."""
        name = OKABE_ITO[(number - 1) % len(OKABE_ITO)]
        if name == OKABE_ITO[-1]:
            return self.color("text")
        # Yellow lines vanish on white; everything else of the eight reads on both grounds.
        return QColor(name).darker(_YELLOW_DARKER) if name == OKABE_ITO[-2] and not self._dark else QColor(name)

    def trial_line(self, number: int) -> Qt.PenStyle:
        """The line style of trial `number`: after eight trials colours repeat with another pattern."""
        return _LINES[(number - 1) // len(OKABE_ITO) % len(_LINES)]

    def score_color(self, fraction: float) -> QColor:
        """Cividis at `fraction` (0 worst to 1 best; clipped)."""
        place = min(max(fraction, 0.0), 1.0) * (len(CIVIDIS) - 1)
        index = min(int(place), len(CIVIDIS) - 2)
        low, high, share = QColor(CIVIDIS[index]), QColor(CIVIDIS[index + 1]), place - index
        return QColor.fromRgbF(
            low.redF() + (high.redF() - low.redF()) * share,
            low.greenF() + (high.greenF() - low.greenF()) * share,
            low.blueF() + (high.blueF() - low.blueF()) * share,
        )

    def icon(self, name: str, role: Role = "text") -> QIcon:
        """A vector icon such as `ph.play` that follows the theme by itself."""
        return glyph_icon(name, lambda: self.color(role))

    def heading_font(self, level: int = 2) -> QFont:
        """Level 1: page titles (1.6x); level 2: headings within a page (1.25x, half bold)."""
        font = QFont(self._application.font())
        font.setPointSizeF(font.pointSizeF() * (1.6 if level == 1 else 1.25))
        font.setWeight(QFont.Weight.DemiBold)
        return font

    def bold_font(self) -> QFont:
        """Body text, half bold."""
        font = QFont(self._application.font())
        font.setWeight(QFont.Weight.DemiBold)
        return font

    def small_font(self) -> QFont:
        """Captions: 0.9x."""
        font = QFont(self._application.font())
        font.setPointSizeF(font.pointSizeF() * 0.9)
        return font

    def number_font(self) -> QFont:
        """Body text with figures of equal width, for tables."""
        font = QFont(self._application.font())
        font.setFeature(QFont.Tag("tnum"), 1)
        return font

    def code_font(self) -> QFont:
        """The system's fixed-width font at body size."""
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPointSizeF(self._application.font().pointSizeF())
        return font

    def _apply(self) -> None:
        scheme = QGuiApplication.styleHints().colorScheme()
        dark = self._mode == "dark" or (self._mode == "system" and scheme == Qt.ColorScheme.Dark)
        if dark == self._dark:
            return
        self._dark = dark
        colors = DARK if dark else LIGHT
        self._application.setPalette(build_palette(colors))
        self._application.setStyleSheet(build_stylesheet(colors))
        self.theme_changed.emit()


def _state_word(state: TrialState) -> str:
    words = {
        TrialState.QUEUED: QCoreApplication.translate("TrialState", "queued"),
        TrialState.RUNNING: QCoreApplication.translate("TrialState", "running"),
        TrialState.PAUSED: QCoreApplication.translate("TrialState", "paused"),
        TrialState.COMPLETED: QCoreApplication.translate("TrialState", "completed"),
        TrialState.PRUNED: QCoreApplication.translate("TrialState", "pruned"),
        TrialState.FAILED: QCoreApplication.translate("TrialState", "failed"),
        TrialState.CANCELLED: QCoreApplication.translate("TrialState", "cancelled"),
    }
    return words[state]
