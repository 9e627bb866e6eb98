"""The card Algorithm: which one, and its options drawn from its manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from tunerstudio.algorithms.discovery import AlgorithmInfo, check_options
from tunerstudio.algorithms.manifest import Option
from tunerstudio.gui.context import StudyContext
from tunerstudio.gui.model_editor.field_form import FieldForm
from tunerstudio.gui.model_editor.node_fields import with_argument
from tunerstudio.gui.model_editor.parsing import UNSET
from tunerstudio.gui.search_form.algorithm_cards import AlgorithmCards
from tunerstudio.gui.theme import Theme
from tunerstudio.gui.widgets.basics import Card, heading_label
from tunerstudio.study.catalogue import ArgumentInfo
from tunerstudio.study.search import AlgorithmChoice


class AlgorithmForm(Card):
    """Chooses the algorithm and edits its options.

    Signals:
        trouble_changed: () `troubles()` would answer differently.
    """

    trouble_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """No algorithms yet."""
        super().__init__(parent)
        self._study: StudyContext | None = None
        self._infos: dict[str, AlgorithmInfo] = {}
        self._drawn = ""
        self._kept: dict[str, dict[str, Any]] = {}
        self.cards = AlgorithmCards(theme)
        self.cards.chosen.connect(self._choose)
        self.options = FieldForm(theme, None)
        self.options.edited.connect(self._option_edited)
        self.options.trouble_changed.connect(self.trouble_changed)
        self.body.addWidget(heading_label(theme, self.tr("Algorithm")))
        self.body.addWidget(self.cards)
        self.body.addWidget(self.options)

    def set_algorithms(self, infos: Sequence[AlgorithmInfo]) -> None:
        """Offer those of `infos` that are not switched off."""
        self._infos = {}
        for info in infos:
            self._infos.setdefault(info.id, info)
        self.cards.set_algorithms([info for info in infos if info.enabled])
        self._drawn = ""

    def set_study(self, study: StudyContext | None) -> None:
        """Edit `study` from now on."""
        self._study = study
        self._kept.clear()
        self._drawn = ""

    @property
    def info(self) -> AlgorithmInfo | None:
        """The algorithm of the study; None if there is none of this id."""
        return self._infos.get(self._study.document.search.algorithm.id) if self._study is not None else None

    def refresh(self, problems: Mapping[str, str]) -> None:
        """Show the document's choice, with what is wrong by field path."""
        if self._study is None:
            return
        choice = self._study.document.search.algorithm
        self.cards.show_choice(choice.id)
        manifest = self.info.manifest if self.info is not None else None
        options = manifest.options if manifest is not None else ()
        if choice.id != self._drawn:
            self._drawn = choice.id
            labels = {option.name: (option.label, option.unit) for option in options}
            self.options.set_arguments([option_argument(option) for option in options], labels, tunable=False)
            self.options.setVisible(bool(options))
        values = {o.name: shown_value(o, choice.options[o.name]) for o in options if o.name in choice.options}
        self.options.show_values(values)
        prefix = "search.algorithm.options."
        self.options.show_remarks({k[len(prefix) :]: text for k, text in problems.items() if k.startswith(prefix)})

    def problems(self) -> list[tuple[str, str]]:
        """(field, sentence) for what is wrong with the choice."""
        if self._study is None:
            return []
        choice = self._study.document.search.algorithm
        info = self.info
        if info is None:
            sentence = self.tr("There is no search algorithm {name}: choose another.").format(name=choice.id)
            return [("search.algorithm.id", sentence)]
        if info.manifest is None or not info.usable:
            switched_off = self.tr("it is switched off, see Tools > Plugins")
            reasons = info.problems[0] if info.problems else switched_off
            if len(info.problems) > 1:
                reasons += " " + self.tr("({n} more: see Tools > Plugins)").format(n=len(info.problems) - 1)
            sentence = self.tr("{name} cannot be used: {why}").format(name=info.name, why=reasons)
            return [("search.algorithm.id", sentence)]
        _, found = check_options(info.manifest, choice.options)
        return [(problem.field, problem.message) for problem in found]

    def troubles(self) -> dict[str, str]:
        """Options in which something wrong is typed."""
        return self.options.troubles()

    def _choose(self, name: str) -> None:
        """Take another algorithm; the options of the one before come back with it."""
        if self._study is None:
            return
        present = self._study.document.search.algorithm
        if name == present.id:
            return
        self._kept[present.id] = dict(present.options)
        choice = AlgorithmChoice(id=name, options=self._kept.get(name, {}))
        self._edit(self.tr("use {name}").format(name=self._infos[name].name), choice)

    def _option_edited(self, name: str, value: Any, stretch: int) -> None:
        if self._study is None or self.info is None or self.info.manifest is None:
            return
        choice = self._study.document.search.algorithm
        option = self.info.manifest.option(name)
        changed = choice.model_copy(update={"options": with_argument(choice.options, name, meant_value(option, value))})
        self._edit(self.tr("change {name}").format(name=option.label.lower()), changed, f"option:{name}:{stretch}")

    def _edit(self, text: str, choice: AlgorithmChoice, merge_key: str = "") -> None:
        if self._study is not None:
            document = self._study.document
            search = document.search.model_copy(update={"algorithm": choice})
            self._study.edit(text, document.model_copy(update={"search": search}), merge_key)


def option_argument(option: Option) -> ArgumentInfo:
    """An option of a manifest as a field."""
    return ArgumentInfo(
        name=option.name,
        type=option.type,
        nullable=option.nullable,
        default=str(option.default) if option.type == "choice" and option.default is not None else option.default,
        choices=tuple(str(choice) for choice in option.choices),
        minimum=option.min,
        maximum=option.max,
        basic=not option.advanced,
        help=option.help,
    )


def meant_value(option: Option, value: Any) -> Any:
    """The option's own value for a choice, which the field shows as text."""
    if option.type != "choice" or value is UNSET or value is None:
        return value
    return next((choice for choice in option.choices if str(choice) == value), value)


def shown_value(option: Option, value: Any) -> Any:
    """What the field of an option shows for the document's `value`."""
    return str(value) if option.type == "choice" and value is not None else value
