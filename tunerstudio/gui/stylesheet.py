"""The few rules that Fusion and a palette cannot express; widgets opt in by a dynamic property `look`."""

from __future__ import annotations

from tunerstudio.gui.palettes import Role

_RULES = """
QToolTip {{ background: {card}; color: {text}; border: 1px solid {border}; padding: 4px; }}
*[look="card"] {{ background: {card}; border: 1px solid {border}; border-radius: 8px; }}
*[look="card"][hot="true"] {{ border: 1px solid {accent}; background: {accent_soft}; }}
*[look="band"] {{ background: {base}; }}
*[look="line"] {{ background: {border}; border: none; }}
*[look="rail"] {{ background: {base}; border: none; border-right: 1px solid {border}; }}
*[look="warning"] {{ background: {warning_soft}; border-radius: 6px; }}
*[look="bad"] {{ background: {bad_soft}; border-radius: 6px; }}
*[look="info"] {{ background: {accent_soft}; border-radius: 6px; }}
QLabel[look="muted"] {{ color: {muted}; }}
QLabel[look="good"] {{ color: {good}; }}
QLabel[look="bad_text"] {{ color: {bad}; }}
QLabel[look="chip"] {{ background: {accent_soft}; color: {text}; border-radius: 4px; padding: 1px 6px; }}
*[look="card"][hot="true"] QLabel[look="chip"] {{ background: {card}; }}
QPushButton[look="primary"] {{
    background: {accent}; color: {on_accent}; border: 2px solid {accent}; border-radius: 6px;
    padding: 5px 18px; font-weight: 600; min-height: 20px;
}}
QPushButton[look="primary"]:hover {{ border-color: {text}; }}
QPushButton[look="primary"]:focus {{ border-color: {text}; }}
QPushButton[look="primary"]:disabled {{ background: {border}; color: {muted}; border-color: {border}; }}
QPushButton[look="link"], QToolButton[look="link"] {{
    background: transparent; color: {accent}; border: 1px solid transparent; border-radius: 4px;
    padding: 2px 4px; min-height: 20px;
}}
QPushButton[look="link"]:hover, QToolButton[look="link"]:hover {{ text-decoration: underline; }}
QPushButton[look="link"]:focus, QToolButton[look="link"]:focus {{ border-color: {accent}; }}
QPushButton[look="link"]:disabled {{ color: {muted}; }}
QToolButton[look="chip"] {{
    background: {accent_soft}; color: {text}; border: 1px solid transparent; border-radius: 4px; padding: 1px 5px;
}}
QToolButton[look="chip"]:hover, QToolButton[look="chip"]:focus {{ border-color: {accent}; }}
QToolButton[look="chip"][strong="true"] {{ background: {accent}; color: {on_accent}; font-weight: 600; }}
QToolButton[look="chip"][faded="true"] {{ background: {alternate}; color: {muted}; border-color: {border}; }}
QToolButton[look="chip"]::menu-indicator {{ image: none; width: 0px; }}
QToolButton[look="page"] {{
    background: transparent; color: {text}; border: 2px solid transparent; border-radius: 6px;
    padding: 6px 10px; text-align: left; min-height: 24px;
}}
QToolButton[look="page"]:hover {{ background: {alternate}; }}
QToolButton[look="page"]:checked {{ background: {accent_soft}; font-weight: 600; }}
QToolButton[look="page"]:focus {{ border-color: {accent}; }}
QToolButton[look="page"]:disabled {{ color: {muted}; }}
QToolButton[look="find"] {{
    background: {alternate}; color: {muted}; border: 1px solid {border}; border-radius: 6px;
    padding: 2px 12px; margin: 2px 12px 2px 0; min-height: 18px;
}}
QToolButton[look="find"]:hover, QToolButton[look="find"]:focus {{ border-color: {accent}; color: {text}; }}
QCheckBox::indicator:unchecked {{ border: 1px solid {muted}; border-radius: 3px; background: {base}; }}
QRadioButton::indicator:unchecked {{ border: 1px solid {muted}; border-radius: 7px; background: {base}; }}
QCheckBox::indicator:unchecked:disabled, QRadioButton::indicator:unchecked:disabled {{ border-color: {border}; }}
QMenuBar {{ background: {base}; }}
QMenuBar::item {{ padding: 6px 10px; background: transparent; }}
QMenuBar::item:selected {{ background: {accent_soft}; }}
QStatusBar {{ background: {base}; border-top: 1px solid {border}; }}
QStatusBar::item {{ border: none; }}
"""


def build_stylesheet(colors: dict[Role, str]) -> str:
    """The application's style sheet in the given colours."""
    return _RULES.format(**colors)
