"""The search algorithms as cards: by family, whose plugin it is, and why a broken one cannot be used."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QRadioButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from tunerstudio.algorithms.discovery import AlgorithmInfo
from tunerstudio.gui.theme import MINIMUM_TARGET, SPACE_S, SPACE_XS, Theme
from tunerstudio.gui.widgets.basics import Card, link_button, muted_label, set_look
from tunerstudio.study.search import AlgorithmChoice

_COLUMNS = 2

_FAMILIES = (
    "Recommended",
    "With a model",
    "Evolutionary",
    "Without a model",
    "Cuts training short",
    "Trains in stages",
    "Several objectives",
)
"""Families of manifests in the order of their headings; others follow by name."""


class AlgorithmCards(QWidget):
    """One card for each algorithm; a click or the arrow keys choose.

    At first the usual one, the chosen one and those that do not come with the program are shown, so that the options
    are in sight; a button shows all, each family under its heading.

    Attributes:
        headings: Those that are shown.
        more: Shows all cards, or few again.

    Signals:
        chosen: (str) id of the algorithm that the user took.
    """

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """No cards yet."""
        super().__init__(parent)
        self._theme = theme
        self._cards: dict[str, AlgorithmCard] = {}
        self._shipped: set[str] = set()
        self._chosen = ""
        self._shown: list[str] | None = None
        self._all = False
        self.headings: list[QLabel] = []
        self._group = QButtonGroup(self)
        self._grid = QGridLayout()
        self._grid.setSpacing(SPACE_S)
        for column in range(_COLUMNS):
            self._grid.setColumnStretch(column, 1)
        self.more = link_button("", self._unfold)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_XS)
        layout.addLayout(self._grid)
        layout.addWidget(self.more)

    @property
    def cards(self) -> dict[str, AlgorithmCard]:
        """The cards by id, in order; a second plugin of the same id is listed under its folder."""
        return self._cards

    def set_algorithms(self, infos: Sequence[AlgorithmInfo]) -> None:
        """Draw a card for each."""
        for card in self._cards.values():
            self._group.removeButton(card.button)
            card.deleteLater()
        self._cards, self._shown = {}, None
        self._shipped = {info.id for info in infos if info.origin == "shipped"}
        for info in sorted(infos, key=_place):
            card = AlgorithmCard(self._theme, info, self)
            card.button.clicked.connect(lambda _checked=False, name=info.id: self.chosen.emit(name))
            self._group.addButton(card.button)
            self._cards[info.id if info.id not in self._cards else str(info.folder)] = card
        self._arrange()

    def show_choice(self, algorithm_id: str) -> None:
        """Mark the card of `algorithm_id`; none if there is no such algorithm."""
        self._group.setExclusive(False)
        for name, card in self._cards.items():
            card.set_chosen(name == algorithm_id)
        self._group.setExclusive(True)
        self._chosen = algorithm_id
        self._arrange()

    def _unfold(self) -> None:
        self._all = not self._all
        self._arrange()

    def _arrange(self) -> None:
        """Lay out the cards that are to be seen."""
        few = [n for i, n in enumerate(self._cards) if i == 0 or n == self._chosen or n not in self._shipped]
        shown = list(self._cards) if self._all else few
        if shown == self._shown:
            return
        self._shown = shown
        for heading in self.headings:
            self._grid.removeWidget(heading)
            heading.deleteLater()
        self.headings.clear()
        for name, card in self._cards.items():
            self._grid.removeWidget(card)
            card.setVisible(name in shown)
            card.family.setVisible(not self._all and bool(card.family.text()))
        if self._all:
            self._lay_out_families()
        else:
            for index, name in enumerate(shown):
                self._grid.addWidget(self._cards[name], index // _COLUMNS, index % _COLUMNS)
        text = self.tr("Show fewer") if self._all else self.tr("Show all {n} algorithms").format(n=len(self._cards))
        self.more.setText(text)
        self.more.setVisible(len(few) < len(self._cards))

    def _lay_out_families(self) -> None:
        """A heading across both columns, and the cards of its family below."""
        row, column, family = -1, 0, None
        for card in self._cards.values():
            title = self.tr("Cannot be used") if not card.usable else card.family.text() or self.tr("Others")
            if title != family:
                family, row, column = title, row + 1, 0
                heading = QLabel(title)
                heading.setFont(self._theme.bold_font())
                self.headings.append(heading)
                self._grid.addWidget(heading, row, 0, 1, _COLUMNS)
            if column % _COLUMNS == 0:
                row += 1
            self._grid.addWidget(card, row, column % _COLUMNS)
            column += 1


class AlgorithmCard(Card):
    """One algorithm.

    Attributes:
        button: The radio button beside its name.
        family: Its family, "" if it has none.
        usable: Whether it can be chosen.
    """

    def __init__(self, theme: Theme, info: AlgorithmInfo, parent: QWidget | None = None) -> None:
        """Say what `info` says."""
        super().__init__(parent)
        self.usable = info.usable
        self.family = QLabel(info.manifest.family if info.manifest is not None else "")
        self.button = QRadioButton()
        self.button.setAccessibleName(info.name)
        self.button.setMinimumHeight(MINIMUM_TARGET)
        self.button.setEnabled(info.usable)
        name = QLabel(info.name)
        name.setFont(theme.bold_font())
        name.setWordWrap(True)
        title = QHBoxLayout()
        title.setSpacing(SPACE_XS)
        title.addWidget(self.button)
        title.addWidget(name, 1)
        self.body.setContentsMargins(SPACE_S + SPACE_XS, SPACE_S, SPACE_S + SPACE_XS, SPACE_S)
        self.body.setSpacing(SPACE_XS)
        self.body.addLayout(title)
        manifest = info.manifest
        if info.problems:
            self.body.addWidget(self._reason(info))
        elif manifest is not None:
            self.body.addWidget(muted_label(_first_sentence(manifest.description)))
            self.setToolTip(manifest.description)
        self.body.addStretch(1)
        self.body.addLayout(self._tags(info))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def set_chosen(self, chosen: bool) -> None:
        """Show whether the study uses it."""
        self.button.setChecked(chosen)
        set_look(self, "hot", "true" if chosen else "false")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.button.isEnabled():
            self.button.setFocus(Qt.FocusReason.MouseFocusReason)
            self.button.click()
        super().mousePressEvent(event)

    def _reason(self, info: AlgorithmInfo) -> QLabel:
        why = info.problems[0]
        if len(info.problems) > 1:
            why += " " + self.tr("({n} more: see Tools > Plugins)").format(n=len(info.problems) - 1)
        reason = QLabel(self.tr("Cannot be used: {why}").format(why=why))
        reason.setToolTip("\n".join(info.problems))
        reason.setWordWrap(True)
        reason.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        reason.setProperty("look", "bad_text")
        return reason

    def _tags(self, info: AlgorithmInfo) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SPACE_XS)
        owners = {"user": self.tr("your plugin"), "installed": self.tr("installed package")}
        owner = QLabel(owners.get(info.origin, ""))
        for tag in (self.family, owner):
            tag.setProperty("look", "chip")
            row.addWidget(tag)
            tag.setVisible(bool(tag.text()))
        row.addStretch(1)
        return row


def _place(info: AlgorithmInfo) -> tuple[bool, bool, int, str, str]:
    """The one that new studies have comes first, then family by family, broken ones last."""
    family = info.manifest.family if info.manifest is not None else ""
    place = _FAMILIES.index(family) if family in _FAMILIES else len(_FAMILIES) + (not family)
    is_default = info.id == AlgorithmChoice().id
    return not info.usable, not is_default, place, family, info.name


def _first_sentence(text: str) -> str:
    return text.split(". ")[0].rstrip(".") + "."
