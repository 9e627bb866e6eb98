"""The theme: two whole palettes, switched live."""

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QPalette

from tunerstudio.gui.palettes import DARK, LIGHT, OKABE_ITO, STATE_DARK, STATE_LIGHT
from tunerstudio.study.trials import TrialState

pytestmark = pytest.mark.gui


def luminance(color):
    def linear(part):
        return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF())


def contrast(first, second):
    high, low = sorted((luminance(QColor(first)), luminance(QColor(second))), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_on_every_ground(colors):
    for ground in ("window", "base", "alternate", "card", "button"):
        assert contrast(colors["text"], colors[ground]) > 7
        assert contrast(colors["muted"], colors[ground]) >= 4.5
    assert contrast(colors["on_accent"], colors["accent"]) >= 4.5
    assert contrast(colors["text"], colors["accent_soft"]) >= 7
    assert contrast(colors["on_part"], colors["validation"]) >= 4.5
    assert contrast(colors["on_part"], colors["test"]) >= 4.5


@pytest.mark.parametrize(("states", "colors"), [(STATE_LIGHT, LIGHT), (STATE_DARK, DARK)], ids=["light", "dark"])
def test_states_can_be_told_from_the_ground(states, colors):
    for color in states.values():
        assert contrast(color, colors["base"]) >= 3


def test_the_switch_is_live(qapp, theme, qtbot):
    icon = theme.icon("ph.play-fill")
    before = icon.pixmap(QSize(16, 16)).toImage()
    light = qapp.palette().color(QPalette.ColorRole.Window)
    with qtbot.waitSignal(theme.theme_changed):
        theme.set_mode("dark")
    assert theme.is_dark
    assert luminance(qapp.palette().color(QPalette.ColorRole.Window)) < luminance(light)
    assert icon.pixmap(QSize(16, 16)).toImage() != before
    theme.set_mode("light")
    assert qapp.palette().color(QPalette.ColorRole.Window) == light


def test_setting_the_same_mode_is_silent(theme, qtbot):
    with qtbot.assertNotEmitted(theme.theme_changed):
        theme.set_mode("light")


def test_every_state_has_colour_icon_and_word(theme):
    styles = [theme.state(state) for state in TrialState]
    assert len({style.word for style in styles}) == len(TrialState)
    assert len({style.icon for style in styles}) == len(TrialState)
    for state in TrialState:
        assert not theme.state_icon(state).pixmap(QSize(16, 16)).isNull()


def test_a_trial_keeps_its_colour_and_repeats_with_another_line(theme):
    assert theme.trial_color(1) == theme.trial_color(9)
    assert theme.trial_line(1) != theme.trial_line(9)
    assert len({theme.trial_color(number).name() for number in range(1, 9)}) == len(OKABE_ITO)


def test_scores_are_coloured_from_dark_to_bright(theme):
    shades = [luminance(theme.score_color(fraction / 10)) for fraction in range(11)]
    assert shades == sorted(shades)
    assert theme.score_color(-1) == theme.score_color(0)
    assert theme.score_color(2) == theme.score_color(1)
