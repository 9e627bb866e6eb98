"""What can stand in a network: layers, optimizers, losses, metrics and estimators, with their arguments.

The catalogue is generated from the installed Keras and scikit-learn (`python -m tunerstudio.worker.catalogue`) and
read here without either of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from tunerstudio.locations import resources_folder
from tunerstudio.study.errors import suggest

ArgumentType = Literal[
    "int",
    "float",
    "bool",
    "choice",
    "activation",
    "initializer",
    "regularizer",
    "constraint",
    "shape",
    "dtype",
    "layer",
    "text",
    "other",
]

ObjectKind = Literal["initializer", "regularizer", "constraint", "schedule"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ArgumentInfo(_Model):
    """One constructor argument.

    Attributes:
        type: What to type; "shape" is a whole number or a list of them; "layer" is a layer inside this one;
            "other" is any JSON value. A regularizer and its like may also be an object, see `Catalogue.objects_for`.
        required: Whether it must be given.
        nullable: Whether null (nothing) is a value.
        default: What holds when it is not given; null if required.
        choices: For "choice": the known values.
        minimum, maximum: Bounds of a number, as far as they are known; both ends allowed.
        basic: Whether to show it at once; the others are folded away.
        help: From the docstring; may be empty.
    """

    name: str
    type: ArgumentType
    required: bool = False
    nullable: bool = False
    default: JsonValue = None
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    basic: bool = True
    help: str = ""


class ClassInfo(_Model):
    """One class that can be chosen by name.

    Attributes:
        group: Heading it is listed under.
        help: One sentence.
        aliases: Other public names of the same class, found by search.
        unusable: Why it cannot stand in a list of layers, in a sentence; empty if it can.
        everyday: Place among the everyday ones, from 1; null for all others.
        tasks: For losses, metrics and estimators: "classes", "numbers" or both.
    """

    name: str
    group: str
    help: str = ""
    aliases: tuple[str, ...] = ()
    unusable: str = ""
    everyday: int | None = None
    tasks: tuple[Literal["classes", "numbers"], ...] = ()
    arguments: tuple[ArgumentInfo, ...] = ()

    def argument(self, name: str) -> ArgumentInfo | None:
        """The argument called `name`, or None."""
        return next((argument for argument in self.arguments if argument.name == name), None)

    def matches(self, words: str) -> bool:
        """Whether every word of a search occurs in a name, the group or the help."""
        text = " ".join((self.name, *self.aliases, self.group, self.help)).lower()
        return all(word in text for word in words.lower().split())

    def missing(self, given: Sequence[str]) -> list[str]:
        """Names of required arguments that are not among `given`."""
        return [a.name for a in self.arguments if a.required and a.name not in given]


class Catalogue(_Model):
    """All classes, and the names that activations and their like may have."""

    source: str = Field(description="Where the help texts come from, with licences.")
    versions: dict[str, str] = Field(description="keras, scikit-learn.")
    layers: tuple[ClassInfo, ...]
    optimizers: tuple[ClassInfo, ...]
    losses: tuple[ClassInfo, ...]
    metrics: tuple[ClassInfo, ...]
    estimators: tuple[ClassInfo, ...]
    callbacks: tuple[ClassInfo, ...] = ()
    objects: dict[ObjectKind, tuple[ClassInfo, ...]] = Field(default_factory=dict)
    activations: tuple[str, ...]
    initializers: tuple[str, ...]
    regularizers: tuple[str, ...]
    constraints: tuple[str, ...]

    def layer(self, name: str) -> ClassInfo | None:
        """The layer called `name`, by its own name or an alias; None if there is none."""
        return _named(self.layers, name)

    def optimizer(self, name: str) -> ClassInfo | None:
        """The optimizer called `name`; None if there is none."""
        return _named(self.optimizers, name)

    def estimator(self, name: str) -> ClassInfo | None:
        """The scikit-learn estimator called `name`; None if there is none."""
        return _named(self.estimators, name)

    def loss(self, name: str) -> ClassInfo | None:
        """The loss called `name`, as a class (`Huber`) or as Keras's text (`huber`); None if there is none."""
        return _spelled(self.losses, name)

    def metric(self, name: str) -> ClassInfo | None:
        """The metric class called `name`, or spelled like it; None if there is none."""
        return _spelled(self.metrics, name)

    def objects_for(self, argument: ArgumentInfo) -> tuple[ClassInfo, ...]:
        """Classes of the objects that can stand in `argument` as `{name, arguments}`; empty if none can."""
        kind = "schedule" if argument.name == "learning_rate" else argument.type
        return next((infos for key, infos in self.objects.items() if key == kind), ())

    def object_for(self, argument: ArgumentInfo, name: str) -> ClassInfo | None:
        """The class of an object called `name` for `argument`: `l2` and `L2` are the same; None if there is none."""
        return _spelled(self.objects_for(argument), name)

    def inner_layers(self, info: ClassInfo, argument: ArgumentInfo) -> tuple[ClassInfo, ...]:
        """Layers that can stand in the "layer" argument of the wrapper `info`."""
        if argument.name == "cell":
            return tuple(layer for layer in self.layers if layer.name.endswith("Cell"))
        usable = (layer for layer in self.layers if not layer.unusable and layer.name not in _WRAPPERS)
        if info.name == "Bidirectional":
            return tuple(layer for layer in usable if layer.group == "Recurrent")
        if info.name == "SpectralNormalization":
            return tuple(layer for layer in usable if layer.argument("kernel_initializer") is not None)
        return tuple(usable)

    def names(self, argument: ArgumentInfo) -> tuple[str, ...]:
        """The names to offer for `argument`; empty if anything may be typed."""
        lists = {
            "activation": self.activations,
            "initializer": self.initializers,
            "regularizer": self.regularizers,
            "constraint": self.constraints,
        }
        return lists.get(argument.type, argument.choices)


def argument_problems(info: ClassInfo, given: Sequence[str]) -> list[tuple[str, str]]:
    """What is wrong with the names of the `given` arguments, as (argument, sentence) pairs."""
    known = [argument.name for argument in info.arguments]
    found = [
        (name, f"{info.name} has no argument {name!r}.{suggest(name, known)}") for name in given if name not in known
    ]
    return found + [(name, f"{info.name} needs {name}") for name in info.missing(given)]


def load_catalogue() -> Catalogue:
    """The catalogue that ships with the program."""
    text = (resources_folder() / "catalogue" / "keras.json").read_text(encoding="utf-8")
    return Catalogue.model_validate_json(text)


_WRAPPERS = {"Bidirectional", "TimeDistributed", "SpectralNormalization", "RNN"}


def _spelled(classes: Sequence[ClassInfo], name: str) -> ClassInfo | None:
    wanted = name.replace("_", "").lower()
    own = _named(classes, name)
    return own or next((info for info in classes if info.name.lower() == wanted), None)


def _named(classes: Sequence[ClassInfo], name: str) -> ClassInfo | None:
    own = next((info for info in classes if info.name == name), None)
    return own or next((info for info in classes if name in info.aliases), None)
