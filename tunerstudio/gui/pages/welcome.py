"""The first thing a user sees: recent studies, three doors, and a running search three clicks away."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from tunerstudio.gui.recent import RecentStudy
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_L, SPACE_M, SPACE_S, SPACE_XS, Theme
from tunerstudio.gui.widgets.basics import (
    Card,
    ElidedLabel,
    EmptyState,
    heading_label,
    muted_label,
    set_look,
)
from tunerstudio.gui.widgets.network_sketch import NetworkSketch
from tunerstudio.study.examples import Example

_ICON = QSize(28, 28)
_MOST_WIDTH = 1400
"""Wider, lines get too long to read; on larger screens the page stands in the middle."""


class _Clickable(Card):
    """A card that is a button: mouse, Enter and space."""

    clicked = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(name)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.clicked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}:
            self.clicked.emit()
        else:
            super().keyPressEvent(event)


class _Door(_Clickable):
    """One of the big ways in."""

    def __init__(self, theme: Theme, icon: str, title: str, sentence: str) -> None:
        super().__init__(title)
        row = QHBoxLayout()
        row.setSpacing(SPACE_M)
        picture = QToolButton()
        picture.setIcon(theme.icon(icon, "accent"))
        picture.setIconSize(_ICON)
        picture.setAutoRaise(True)
        picture.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        picture.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        texts = QVBoxLayout()
        texts.setSpacing(SPACE_XS)
        texts.addWidget(heading_label(theme, title))
        texts.addWidget(muted_label(sentence))
        row.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(texts, 1)
        self.body.addLayout(row)
        for label in self.findChildren(QLabel):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)


class _ExampleCard(Card):
    """One example with *Open* and *Run*."""

    def __init__(self, theme: Theme, example: Example) -> None:
        super().__init__()
        self.body.addWidget(NetworkSketch(theme, example.document()))
        top = QHBoxLayout()
        top.setSpacing(SPACE_S)
        picture = QToolButton()
        picture.setIcon(theme.icon(example.icon, "accent"))
        picture.setIconSize(_ICON)
        picture.setAutoRaise(True)
        picture.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        picture.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        title = QLabel(example.title)
        title.setFont(theme.bold_font())
        title.setWordWrap(True)
        top.addWidget(picture)
        top.addWidget(title, 1)
        self.body.addLayout(top)
        self.body.addWidget(muted_label(example.sentence), 1)
        bottom = QHBoxLayout()
        clock = muted_label(example.duration)
        clock.setFont(theme.small_font())
        bottom.addWidget(clock, 1)
        self.open_button = QPushButton(self.tr("Open"))
        self.open_button.setAccessibleName(self.tr("Open {}").format(example.title))
        self.run_button = QPushButton(theme.icon("ph.play-fill", "accent"), self.tr("Run"))
        self.run_button.setAccessibleName(self.tr("Run {}").format(example.title))
        for button in (self.open_button, self.run_button):
            button.setMinimumHeight(MINIMUM_TARGET)
            bottom.addWidget(button)
        self.body.addLayout(bottom)


class _RecentRow(_Clickable):
    """One recent study: name, data, trials, best score, state, when."""

    forget_requested = Signal()

    def __init__(self, theme: Theme, entry: RecentStudy) -> None:
        super().__init__(entry.name)
        self.body.setContentsMargins(SPACE_M, SPACE_S, SPACE_S, SPACE_S)
        self.body.setSpacing(SPACE_XS)
        self.setToolTip(entry.folder)
        top = QHBoxLayout()
        name = ElidedLabel(entry.name)
        name.setFont(theme.bold_font())
        name.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        remove = QToolButton()
        remove.setIcon(theme.icon("ph.x", "muted"))
        remove.setAutoRaise(True)
        remove.setFixedSize(MINIMUM_TARGET, MINIMUM_TARGET)
        remove.setToolTip(self.tr("Take out of this list; the study's folder stays"))
        remove.setAccessibleName(self.tr("Take {} out of the list").format(entry.name))
        remove.clicked.connect(self.forget_requested)
        top.addWidget(name, 1)
        top.addWidget(remove)
        self.body.addLayout(top)
        for text in (self._facts(entry), self._outcome(entry)):
            line = ElidedLabel(text)
            line.setProperty("look", "muted")
            line.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            self.body.addWidget(line)

    def _facts(self, entry: RecentStudy) -> str:
        when = datetime.fromtimestamp(entry.at).strftime("%Y-%m-%d %H:%M")
        return f"{entry.data} · {when}"

    def _outcome(self, entry: RecentStudy) -> str:
        states = {
            "new": self.tr("not yet run"),
            "running": self.tr("running"),
            "complete": self.tr("complete"),
            "stopped": self.tr("can go on"),
        }
        parts = [states.get(entry.state, "")]
        if entry.trials:
            parts.append(self.tr("1 trial") if entry.trials == 1 else self.tr("{} trials").format(entry.trials))
        if entry.best:
            parts.append(self.tr("best {name} {score}").format(name=entry.objective, score=entry.best))
        return " · ".join(part for part in parts if part)


class WelcomePage(QWidget):
    """Recent studies on the left, doors and examples on the right.

    Signals:
        new_requested: () choose a data file.
        open_requested: () choose a study folder.
        recent_chosen: (str) folder of a recent study.
        forget_requested: (str) folder of a study to take out of the list.
        example_chosen: (Example, bool) open it; whether to run it at once.
    """

    new_requested = Signal()
    open_requested = Signal()
    recent_chosen = Signal(str)
    forget_requested = Signal(str)
    example_chosen = Signal(object, bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._examples: list[Example] = []
        self.example_cards: list[_ExampleCard] = []
        self.recent_rows: list[_RecentRow] = []
        whole = QHBoxLayout(self)
        whole.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_L)
        content = QWidget()
        content.setMaximumWidth(_MOST_WIDTH)
        whole.addWidget(content)
        outer = QVBoxLayout(content)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(SPACE_M)
        outer.addWidget(heading_label(theme, self.tr("Tuner Studio"), 1))
        outer.addWidget(
            muted_label(self.tr("Find the best Keras model for your data: open it, press Run, save the winners."))
        )
        row = QHBoxLayout()
        row.setSpacing(SPACE_L)
        row.addWidget(self._recent_side(), 2)
        row.addWidget(self._door_side(), 5)
        outer.addLayout(row, 1)

    def set_recent(self, entries: list[RecentStudy]) -> None:
        """Show the recent studies."""
        for row in self.recent_rows:
            self._recent_list.removeWidget(row)
            row.deleteLater()
        self.recent_rows = []
        for index, entry in enumerate(entries):
            row = _RecentRow(self._theme, entry)
            row.clicked.connect(partial(self.recent_chosen.emit, entry.folder))
            row.forget_requested.connect(partial(self.forget_requested.emit, entry.folder))
            self._recent_list.insertWidget(index, row)
            self.recent_rows.append(row)
        self._recent_scroll.setVisible(bool(entries))
        self._no_recent.setVisible(not entries)

    def set_examples(self, examples: list[Example]) -> None:
        """Show the example studies."""
        self._examples = examples
        for card in self.example_cards:
            self._grid.removeWidget(card)
            card.deleteLater()
        self.example_cards = []
        for index, example in enumerate(examples):
            card = _ExampleCard(self._theme, example)
            card.open_button.clicked.connect(partial(self.example_chosen.emit, example, False))
            card.run_button.clicked.connect(partial(self.example_chosen.emit, example, True))
            self._grid.addWidget(card, index // 3, index % 3)
            self.example_cards.append(card)

    def set_drop_hint(self, shown: bool) -> None:
        """Light the first door while a file is dragged over the window."""
        set_look(self.data_door, "hot", shown)

    def _recent_side(self) -> QWidget:
        side = QWidget()
        side.setMinimumWidth(260)
        layout = QVBoxLayout(side)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_S)
        layout.addWidget(heading_label(self._theme, self.tr("Recent studies")))
        content = QWidget()
        self._recent_list = QVBoxLayout(content)
        self._recent_list.setContentsMargins(0, 0, 0, 0)
        self._recent_list.setSpacing(SPACE_S)
        self._recent_list.addStretch(1)
        self._recent_scroll = _scroll(content)
        sentence = self.tr("Studies that you open are kept here. An example takes you to a trained model in a minute.")
        self._no_recent = EmptyState(self._theme, "ph.clock", sentence, self.tr("Run the first example"))
        self._no_recent.clicked.connect(self._run_first_example)
        layout.addWidget(self._recent_scroll, 1)
        layout.addWidget(self._no_recent, 1)
        self._recent_scroll.hide()
        return side

    def _door_side(self) -> QWidget:
        side = QWidget()
        layout = QVBoxLayout(side)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_S)
        layout.addWidget(heading_label(self._theme, self.tr("Start")))
        doors = QHBoxLayout()
        doors.setSpacing(SPACE_M)
        self.data_door = _Door(
            self._theme,
            "ph.file-plus",
            self.tr("Start from data…"),
            self.tr("CSV, Excel, Parquet or NPZ. Or drop a file anywhere in this window."),
        )
        self.open_door = _Door(
            self._theme,
            "ph.folder-open",
            self.tr("Open study…"),
            self.tr("Go on with a study: choose its folder. A folder can be dropped, too."),
        )
        self.data_door.clicked.connect(self.new_requested)
        self.open_door.clicked.connect(self.open_requested)
        doors.addWidget(self.data_door, 1)
        doors.addWidget(self.open_door, 1)
        layout.addLayout(doors)
        layout.addSpacing(SPACE_M)
        layout.addWidget(heading_label(self._theme, self.tr("Examples")))
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        self._grid = QGridLayout()
        self._grid.setSpacing(SPACE_M)
        for index in range(3):
            self._grid.setColumnStretch(index, 1)
        column.addLayout(self._grid)
        column.addStretch(1)
        layout.addWidget(_scroll(content), 1)
        return side

    def _run_first_example(self) -> None:
        if self._examples:
            self.example_chosen.emit(self._examples[0], True)


def _scroll(content: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidget(content)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
    return area
