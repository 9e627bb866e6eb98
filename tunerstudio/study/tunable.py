"""Fields that may vary: what stands in the document where a plain value could stand.

`units: 12` is fixed; `units: {tune: int, min: 9, max: 27, step: 3}` is tunable. Every tunable may carry a condition
(`only_if: {optimizer: SGD}`), may be one hyperparameter with other fields (`name: width, shared: true`), and says what
the copies of a repeat do with it (`copies: own`, `copies: shared`, `copies: {times: 2}`).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from tunerstudio.study.hyperparameters import Boolean, Choice, Condition, Float, Int, Sampling, Scalar

OneOrMore = Scalar | tuple[Scalar, ...]
"""A value, or a list of values."""


class Scaled(BaseModel):
    """What the copies of a repeat do with a field: each multiplies the value of the one before."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    times: float = Field(gt=0, description="Factor from copy to copy: 2 doubles, 0.5 halves. Whole numbers stay whole.")


def _scaled_or_word(value: Any) -> str:
    return "scaled" if isinstance(value, Scaled | dict) else "word"


CopyRule = Annotated[
    Annotated[Scaled, Tag("scaled")] | Annotated[Literal["own", "shared"], Tag("word")],
    Discriminator(_scaled_or_word),
]
"""What the copies of a repeat do with a tunable field: each its own value, one value for all, or scaled."""


class _Tunable(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str | None = Field(
        default=None, description="Name of the hyperparameter; by default it follows from the place of the field."
    )
    shared: bool = Field(
        default=False, description="True: every field with this name and range is one and the same hyperparameter."
    )
    only_if: dict[str, OneOrMore] = Field(
        default_factory=dict,
        description="Active only while these hyperparameters have one of these values; else the field is left out.",
    )
    copies: CopyRule | None = Field(
        default=None, description="Inside a repeat: own, shared or {times: factor}; null: as the repeat says."
    )

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """`only_if` as conditions, on names as the user wrote them."""
        return tuple(
            Condition(parent=parent, values=values if isinstance(values, tuple) else (values,))
            for parent, values in self.only_if.items()
        )

    def named(self, name: str, conditions: tuple[Condition, ...] = ()) -> Int | Float | Choice | Boolean:
        """The hyperparameter this field stands for."""
        raise TypeError(f"{type(self).__name__} is abstract")  # pragma: no cover

    @model_validator(mode="after")
    def _valid(self) -> _Tunable:
        self.named("checked")  # raises with a sentence when the range is wrong
        if self.shared and not self.name:
            raise ValueError("a shared hyperparameter needs a name: give all fields that share it the same one")
        if any(values == () for values in self.only_if.values()):
            raise ValueError("only_if needs at least one value per hyperparameter")
        return self


_NOT_OF_THE_RANGE = {"tune", "name", "shared", "only_if", "copies"}


class TuneInt(_Tunable):
    """A whole number that varies."""

    tune: Literal["int"] = "int"
    min: int
    max: int
    step: int | None = None
    sampling: Sampling = "linear"
    default: int | None = None

    def named(self, name: str, conditions: tuple[Condition, ...] = ()) -> Int:
        """The hyperparameter this field stands for."""
        fields = self.model_dump(exclude=_NOT_OF_THE_RANGE)
        return Int(name=self.name or name, conditions=conditions, **fields)


class TuneFloat(_Tunable):
    """A real number that varies."""

    tune: Literal["float"] = "float"
    min: float
    max: float
    step: float | None = None
    sampling: Sampling = "linear"
    default: float | None = None

    def named(self, name: str, conditions: tuple[Condition, ...] = ()) -> Float:
        """The hyperparameter this field stands for."""
        fields = self.model_dump(exclude=_NOT_OF_THE_RANGE)
        return Float(name=self.name or name, conditions=conditions, **fields)


class TuneChoice(_Tunable):
    """One of a list."""

    tune: Literal["choice"] = "choice"
    choices: tuple[Scalar, ...] = Field(min_length=1)
    ordered: bool | None = None
    default: Scalar | None = None

    def named(self, name: str, conditions: tuple[Condition, ...] = ()) -> Choice:
        """The hyperparameter this field stands for."""
        fields = self.model_dump(exclude=_NOT_OF_THE_RANGE)
        return Choice(name=self.name or name, conditions=conditions, **fields)


class TuneBoolean(_Tunable):
    """On or off."""

    tune: Literal["boolean"] = "boolean"
    default: bool = False

    def named(self, name: str, conditions: tuple[Condition, ...] = ()) -> Boolean:
        """The hyperparameter this field stands for."""
        return Boolean(name=self.name or name, conditions=conditions, default=self.default)


Tunable = Annotated[TuneInt | TuneFloat | TuneChoice | TuneBoolean, Field(discriminator="tune")]

AnyTunable = TuneInt | TuneFloat | TuneChoice | TuneBoolean
"""For `isinstance`."""


def tunable_or_plain(value: Any) -> str:
    """The tag of a field that holds something tunable or a plain value."""
    if isinstance(value, _Tunable) or (isinstance(value, dict) and "tune" in value):
        return "tunable"
    return "plain"


TunableInt = Annotated[
    Annotated[TuneInt | TuneChoice, Field(discriminator="tune"), Tag("tunable")] | Annotated[int, Tag("plain")],
    Discriminator(tunable_or_plain),
]
"""A whole number, fixed or tunable."""

TunableFloat = Annotated[
    Annotated[TuneFloat | TuneChoice, Field(discriminator="tune"), Tag("tunable")] | Annotated[float, Tag("plain")],
    Discriminator(tunable_or_plain),
]
"""A number, fixed or tunable."""

TunableBool = Annotated[
    Annotated[TuneBoolean, Tag("tunable")] | Annotated[bool, Tag("plain")], Discriminator(tunable_or_plain)
]
"""On or off, fixed or tunable."""

TunableName = Annotated[
    Annotated[TuneChoice, Tag("tunable")] | Annotated[str, Tag("plain")], Discriminator(tunable_or_plain)
]
"""A name, fixed or one of a list."""


TunableScalar = Annotated[
    Annotated[Tunable, Tag("tunable")] | Annotated[Scalar, Tag("plain")], Discriminator(tunable_or_plain)
]
"""Any value, fixed or tunable."""


def check_at_least(minimum: int, value: TunableInt) -> TunableInt:
    """`value`; ValueError if it, or a value that it can take, is less than `minimum`."""
    if isinstance(value, TuneChoice):
        wrong = [choice for choice in value.choices if not isinstance(choice, int) or choice < minimum]
    else:
        lowest = value.min if isinstance(value, TuneInt) else value
        wrong = [lowest] if lowest < minimum else []
    if wrong:
        raise ValueError(f"whole numbers from {minimum} are needed, not {wrong[0]}")
    return value


def check_between(low: float, high: float, value: TunableFloat) -> TunableFloat:
    """`value`; ValueError if it, or a value that it can take, is not greater than `low` and less than `high`."""
    if isinstance(value, TuneChoice):
        ends = list(value.choices)
    else:
        ends = [value.min, value.max] if isinstance(value, TuneFloat) else [value]
    wrong = [end for end in ends if isinstance(end, str | bool) or not low < end < high]
    if wrong:
        raise ValueError(f"numbers between {low:g} and {high:g} are needed, not {wrong[0]}")
    return value
