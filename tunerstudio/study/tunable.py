"""Fields that may vary: what stands in the document where a plain value could stand.

`units: 12` is fixed; `units: {tune: int, min: 9, max: 27, step: 3}` is tunable.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, JsonValue, Tag, model_validator

from tunerstudio.study.hyperparameters import Boolean, Choice, Condition, Float, Int, Sampling, Scalar


class _Tunable(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str | None = Field(
        default=None, description="Name of the hyperparameter; by default it follows from the place of the field."
    )

    def named(self, name: str, conditions: tuple[Condition, ...] = ()) -> Int | Float | Choice | Boolean:
        """The hyperparameter this field stands for."""
        raise TypeError(f"{type(self).__name__} is abstract")  # pragma: no cover

    @model_validator(mode="after")
    def _valid(self) -> _Tunable:
        self.named("checked")  # raises with a sentence when the range is wrong
        return self


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
        fields = self.model_dump(exclude={"tune", "name"})
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
        fields = self.model_dump(exclude={"tune", "name"})
        return Float(name=self.name or name, conditions=conditions, **fields)


class TuneChoice(_Tunable):
    """One of a list."""

    tune: Literal["choice"] = "choice"
    choices: tuple[Scalar, ...] = Field(min_length=1)
    ordered: bool | None = None
    default: Scalar | None = None

    def named(self, name: str, conditions: tuple[Condition, ...] = ()) -> Choice:
        """The hyperparameter this field stands for."""
        fields = self.model_dump(exclude={"tune", "name"})
        return Choice(name=self.name or name, conditions=conditions, **fields)


class TuneBoolean(_Tunable):
    """On or off."""

    tune: Literal["boolean"] = "boolean"
    default: bool = False

    def named(self, name: str, conditions: tuple[Condition, ...] = ()) -> Boolean:
        """The hyperparameter this field stands for."""
        return Boolean(name=self.name or name, conditions=conditions, default=self.default)


Tunable = Annotated[TuneInt | TuneFloat | TuneChoice | TuneBoolean, Field(discriminator="tune")]


def _tunable_or_plain(value: Any) -> str:
    if isinstance(value, _Tunable) or (isinstance(value, dict) and "tune" in value):
        return "tunable"
    return "plain"


Argument = Annotated[
    Annotated[Tunable, Tag("tunable")] | Annotated[JsonValue, Tag("plain")], Discriminator(_tunable_or_plain)
]
"""A field of a layer, optimizer or estimator: a plain JSON value, or something tunable."""

TunableInt = Annotated[
    Annotated[TuneInt | TuneChoice, Field(discriminator="tune"), Tag("tunable")] | Annotated[int, Tag("plain")],
    Discriminator(_tunable_or_plain),
]
"""A whole number, fixed or tunable."""


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
