"""The menu of templates: a picture of each network, what it is called and what it is good for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget, QWidgetAction

from tunerstudio.gui.theme import SPACE_M, SPACE_S, SPACE_XS, Theme
from tunerstudio.gui.widgets.basics import muted_label
from tunerstudio.gui.widgets.network_sketch import NetworkSketch
from tunerstudio.study.document import StudyDocument
from tunerstudio.study.model import EstimatorModel
from tunerstudio.study.templates import TemplateInfo, new_document, template_names

_PICTURE = QSize(150, 52)
_TEXT_WIDTH = 330
_ICONS = (("Forest", "ph.tree"), ("Boosting", "ph.tree-structure"), ("", "ph.chart-line"))
"""What stands for an estimator whose name holds the word."""


class TemplateRow(QWidget):
    """One template in the menu; the menu itself handles mouse and keys."""

    def __init__(self, theme: Theme, info: TemplateInfo, document: StudyDocument) -> None:
        """Show the network of `document`, which was made from the template."""
        super().__init__()
        self._theme = theme
        self._chosen = False
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE_S, SPACE_XS, SPACE_M, SPACE_XS)
        row.setSpacing(SPACE_M)
        row.addWidget(_picture(theme, document))
        texts = QVBoxLayout()
        texts.setSpacing(0)
        title = QLabel(info.title)
        font = title.font()
        font.setBold(True)
        title.setFont(font)
        sentence = muted_label(info.sentence)
        sentence.setWordWrap(True)
        sentence.setFixedWidth(_TEXT_WIDTH)
        texts.addStretch(1)
        texts.addWidget(title)
        texts.addWidget(sentence)
        texts.addStretch(1)
        row.addLayout(texts)

    def set_chosen(self, chosen: bool) -> None:
        """Whether the mouse or the keyboard is on it."""
        if chosen != self._chosen:
            self._chosen = chosen
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._chosen:
            painter = QPainter(self)
            painter.fillRect(self.rect(), self._theme.color("accent_soft"))
            painter.end()


def fill_template_menu(menu: QMenu, theme: Theme, document: StudyDocument, take: Callable[[str], object]) -> None:
    """List the templates that suit the data of `document`; `take` gets the name of the chosen one."""
    menu.clear()
    for info in template_names(document.data):
        action = QWidgetAction(menu)
        action.setText(info.title)
        row = TemplateRow(theme, info, new_document(document.name, document.data, info.name))
        action.setDefaultWidget(row)
        action.triggered.connect(partial(_take, take, info.name))
        action.hovered.connect(partial(_highlight, menu, action))
        menu.addAction(action)


def _highlight(menu: QMenu, chosen: QAction) -> None:
    for action in menu.actions():
        row = action.defaultWidget() if isinstance(action, QWidgetAction) else None
        if isinstance(row, TemplateRow):
            row.set_chosen(action is chosen)


def _take(take: Callable[[str], object], name: str, _checked: bool = False) -> None:
    take(name)


def _picture(theme: Theme, document: StudyDocument) -> QWidget:
    """The network as the welcome page draws it; an icon for what is no network."""
    model = document.model
    if not isinstance(model, EstimatorModel):
        sketch = NetworkSketch(theme, document, height=_PICTURE.height())
        sketch.setFixedWidth(_PICTURE.width())
        return sketch
    icon = QToolButton()
    icon.setIcon(theme.icon(next(name for word, name in _ICONS if word in model.estimator), "accent"))
    icon.setIconSize(QSize(32, 32))
    icon.setAutoRaise(True)
    icon.setFixedSize(_PICTURE)
    icon.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return icon
