"""Arguments of layers, optimizers and losses as Python, with `hp.get(...)` where they vary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tunerstudio.export_code.names import Place, name_text, referred
from tunerstudio.export_code.text import Call, Expression, Writer, flat, literal, quoted
from tunerstudio.study.arguments import LayerSpec, ObjectSpec, Reference
from tunerstudio.study.catalogue import ArgumentInfo, Catalogue, ClassInfo
from tunerstudio.study.tunable import AnyTunable, Scaled, TuneChoice, TuneInt
from tunerstudio.study.walk import Known

_MODULES = {
    "initializer": "keras.initializers",
    "regularizer": "keras.regularizers",
    "constraint": "keras.constraints",
    "learning_rate": "keras.optimizers.schedules",
}

ACTIVE = '''def active(hp, **names):
    """Keyword arguments for those hyperparameters that are active."""
    return {argument: hp.get(name) for argument, name in names.items() if hp.is_active(name)}'''

SCALED = '''def scaled(value, factor):
    """`value` times `factor`; a whole number stays whole and at least 1."""
    return max(1, int(value * factor)) if isinstance(value, int) else value * factor'''


@dataclass
class Arguments:
    """Writes arguments; collects the helpers that they need.

    Attributes:
        catalogue: Knows the classes of objects.
        known: Hyperparameters by the names a user would write.
        helpers: Functions to put in front of the model, by name, in order.
    """

    catalogue: Catalogue
    known: Known
    helpers: dict[str, str] = field(default_factory=dict)

    def keywords(
        self,
        given: Mapping[str, object],
        info: ClassInfo | None,
        block: str,
        tail: str,
        place: Place,
    ) -> dict[str, Expression]:
        """Keyword arguments of one call; those with a condition come last, as `**active(...)`."""
        named: dict[str, Expression] = {}
        conditional: dict[str, Expression] = {}
        start = f"{tail}_" if tail else ""
        for name, value in given.items():
            argument = info.argument(name) if info is not None else None
            if isinstance(value, AnyTunable) and value.only_if:
                conditional[name] = self.tunable_name(value, block, start + name, place)
            else:
                named[name] = self.value(name, value, argument, block, start + name, place)
        if conditional:
            self.helpers["active"] = ACTIVE
            named["**"] = Call("active", ("hp",), conditional)
        return named

    def value(
        self, name: str, value: object, argument: ArgumentInfo | None, block: str, tail: str, place: Place
    ) -> Expression:
        """One argument."""
        if isinstance(value, AnyTunable):
            return self.tunable(value, block, tail, place)
        if isinstance(value, Reference):
            return self._times(f"hp.get({referred(value.ref, place, self.known)})", value.times, "", None)
        if isinstance(value, LayerSpec):
            info = self.catalogue.layer(value.layer)
            return Call(f"layers.{value.layer}", named=self.keywords(value.arguments, info, block, tail, place))
        if isinstance(value, ObjectSpec):
            known = argument or ArgumentInfo(name=name, type="other")
            return self.object(value, known, block, tail, place)
        return literal(value)

    # Hyperparameters

    def tunable_name(self, value: AnyTunable, block: str, tail: str, place: Place) -> str:
        """The name of a field's hyperparameter as Python."""
        if value.shared:
            suffix: tuple[str, ...] = ()
        elif value.copies is None:
            suffix = place.values
        else:
            suffix = place.own if value.copies == "own" else place.outer
        return name_text(value.name, suffix) if value.name else name_text(block, suffix, tail)

    def tunable(self, value: AnyTunable, block: str, tail: str, place: Place) -> Expression:
        """`hp.get(...)`, scaled from copy to copy where the field says so."""
        text = f"hp.get({self.tunable_name(value, block, tail, place)})"
        if isinstance(value.copies, Scaled) and place.suffix:
            return self._times(text, value.copies.times, place.variable, value)
        return text

    def _times(self, text: str, times: float, copy: str, value: AnyTunable | None) -> Expression:
        """`text` times the factor of a copy, or times a plain factor if `copy` is ""."""
        number = int(times) if times == int(times) else times
        factor = f"{number} ** ({copy} - 1)" if copy else repr(number)
        if times == 1:
            return text
        whole = isinstance(value, TuneInt) or (
            isinstance(value, TuneChoice) and all(isinstance(choice, int) for choice in value.choices)
        )
        if whole and isinstance(number, int):
            return f"{text} * {factor}"
        if whole:
            return f"max(1, int({text} * {factor}))"
        self.helpers["scaled"] = SCALED
        return f"scaled({text}, {factor})"

    # Objects

    def object(self, spec: ObjectSpec, argument: ArgumentInfo, block: str, tail: str, place: Place) -> Expression:
        """A regularizer, schedule, …: a call, or a call of a helper where its name varies."""
        if not isinstance(spec.name, TuneChoice):
            own = {**spec.arguments}
            named_place = f"{tail}_{spec.name}".lower() if tail else spec.name.lower()
            info = self.catalogue.object_for(argument, spec.name)
            named = self.keywords(own, info, block, tail, place)
            named |= self.keywords(spec.when.get(spec.name, {}), info, block, named_place, place)
            return made(spec.name, named, info, argument.name)
        function = _identifier(f"{block}_{tail}" if block else tail)
        self.helpers[function] = self._choosing(function, spec, argument, block, tail, place)
        return Call(function, ("hp", *place.suffix))

    def _choosing(
        self, function: str, spec: ObjectSpec, argument: ArgumentInfo, block: str, tail: str, place: Place
    ) -> str:
        assert isinstance(spec.name, TuneChoice)
        writer = Writer()
        writer.add(f"def {function}({', '.join(('hp', *place.suffix))}):")
        writer.depth += 1
        writer.add(f'"""The {argument.name.replace("_", " ")} that the hyperparameters choose."""')
        writer.assign("kind", self.tunable(spec.name, block, tail, place))
        for choice in map(str, spec.name.choices):
            info = self.catalogue.object_for(argument, choice)
            own_tail = f"{tail}_{choice}".lower() if tail else choice.lower()
            named = self.keywords(spec.arguments, info, block, tail, place)
            if info is not None:
                named = {key: one for key, one in named.items() if key == "**" or info.argument(key) is not None}
            named |= self.keywords(spec.when.get(choice, {}), info, block, own_tail, place)
            writer.add(f"if kind == {quoted(choice)}:")
            writer.depth += 1
            writer.give(made(choice, named, info, argument.name))
            writer.depth -= 1
        writer.add('raise ValueError(f"unknown: {kind}")')
        return writer.text()


def made(name: str, named: Mapping[str, Expression], info: ClassInfo | None, argument: str) -> Expression:
    """The call that makes an object of a class by the name that stands in a study."""
    if name.lower() == "none":
        return "None"
    if argument == "learning_rate" and name == "constant":
        return flat(named.get("initial_learning_rate", "0.001"))
    if not named and argument != "learning_rate":
        return quoted(name)
    module = next((path for ending, path in _MODULES.items() if argument.endswith(ending)), "keras")
    return Call(f"{module}.{info.name if info is not None else name}", named=named)


def _identifier(text: str) -> str:
    cleaned = "".join(letter if letter.isalnum() or letter == "_" else "_" for letter in text)
    return cleaned if cleaned[:1].isalpha() else f"part_{cleaned}"
