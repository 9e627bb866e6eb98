"""Hyperparameters and the search space: what may vary, over which values.

The five kinds are Keras Tuner's (`Int`, `Float`, `Choice`, `Boolean`, `Fixed`) with the same meaning of
`step`, `sampling`, `default` and conditions, but without importing TensorFlow. Both ends of every range
are reachable, and every value that is proposed lies exactly on the grid that `step` describes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Scalar = bool | int | float | str
"""A value of a hyperparameter; a JSON scalar."""

Values = dict[str, Scalar]
"""Values by hyperparameter name. Only active hyperparameters are present."""

Sampling = Literal["linear", "log", "reverse_log"]

UNCOUNTABLE = math.inf
"""`count()` of a range without a step."""


class Condition(BaseModel):
    """A hyperparameter is active only if `parent` has one of `values` (and is active itself)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parent: str = Field(description="Name of the hyperparameter that decides.")
    values: tuple[Scalar, ...] = Field(min_length=1, description="Values of the parent for which this one is active.")


class _Hyperparameter(BaseModel):
    """What the five kinds share."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, description="Unique name; the key in a trial's values.")
    conditions: tuple[Condition, ...] = Field(default=(), description="All must hold for it to be active.")


class _Range(_Hyperparameter):
    """Arithmetic shared by `Int` and `Float`.

    A range with a step is a list of positions 0 … steps; without one it is the interval [min, max].
    """

    sampling: Sampling = Field(default="linear", description="Scale on which values are drawn.")

    def _bounds(self) -> tuple[float, float]:
        raise TypeError(f"{type(self).__name__} has no bounds")  # pragma: no cover - abstract

    def _step(self) -> float | None:
        raise TypeError(f"{type(self).__name__} has no step")  # pragma: no cover - abstract

    def _check(self) -> None:
        low, high = self._bounds()
        step = self._step()
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ValueError("min and max must be finite numbers")
        if low > high:
            raise ValueError(f"min ({low:g}) is greater than max ({high:g}): exchange them")
        if self.sampling != "linear" and low <= 0:
            raise ValueError(f"sampling {self.sampling!r} needs a min above 0, not {low:g}")
        if self.sampling == "reverse_log" and step is not None:
            raise ValueError("sampling 'reverse_log' takes no step: remove one of the two")
        if step is not None and (step <= 0 or (self.sampling == "log" and step <= 1)):
            limit = "greater than 1, because it multiplies" if self.sampling == "log" else "greater than 0"
            raise ValueError(f"step must be {limit}, not {step:g}")

    def _last_position(self) -> int:
        """Greatest k such that position k does not exceed max. The tolerance undoes binary rounding."""
        low, high = self._bounds()
        step = self._step()
        assert step is not None
        exact = math.log(high / low, step) if self.sampling == "log" else (high - low) / step
        return math.floor(exact + 1e-9)

    def _at_position(self, position: int) -> float:
        low, high = self._bounds()
        step = self._step()
        assert step is not None
        value = low * step**position if self.sampling == "log" else low + step * position
        return min(value, high)

    def _interpolate(self, unit: float) -> float:
        low, high = self._bounds()
        if self.sampling == "linear":
            return low + unit * (high - low)
        ratio = high / low
        if self.sampling == "log":
            return float(low * ratio**unit)
        return float(high + low - low * ratio ** (1.0 - unit))

    def _locate(self, value: float) -> float:
        low, high = self._bounds()
        if high == low:
            return 0.5
        if self.sampling == "linear":
            return (value - low) / (high - low)
        span = math.log(high / low)
        if self.sampling == "log":
            return math.log(value / low) / span
        return 1.0 - math.log((high + low - value) / low) / span


class Int(_Range):
    """A whole number in [min, max]. With `sampling="log"`, `step` multiplies instead of adding."""

    kind: Literal["int"] = "int"
    min: int
    max: int
    step: int | None = Field(default=None, description="Distance (linear) or factor (log) between values.")
    default: int | None = None

    @model_validator(mode="after")
    def _valid(self) -> Int:
        self._check()
        if self.default is not None and not self.contains(self.default):
            raise ValueError(f"default {self.default} is not one of the values {describe_values(self)}")
        return self

    def _bounds(self) -> tuple[float, float]:
        return self.min, self.max

    def _step(self) -> float | None:
        return 1 if self.step is None and self.sampling == "linear" else self.step

    def count(self) -> float:
        """Number of distinct values."""
        return self._last_position() + 1 if self._step() is not None else self.max - self.min + 1

    def values(self) -> Iterator[int]:
        """Every value in rising order."""
        if self._step() is None:
            yield from range(self.min, self.max + 1)
        else:
            yield from (round(self._at_position(k)) for k in range(self._last_position() + 1))

    def from_unit(self, unit: float) -> int:
        """Map `unit` in [0, 1] to a value; equal shares of [0, 1] for equal steps of the sampling scale."""
        if self._step() is not None:
            return round(self._at_position(min(int(unit * self.count()), self._last_position())))
        # Half a unit beyond both ends gives the ends the same share as their neighbours on the log scale.
        low, high = self.min, self.max + 1
        widened = Float(name=self.name, min=low, max=high, sampling=self.sampling)
        return min(math.floor(widened.from_unit(unit)), self.max)

    def to_unit(self, value: Scalar) -> float:
        """Middle of the share of [0, 1] that gives `value`; the inverse of `from_unit`."""
        number = int(value)
        if self._step() is not None:
            low = self._bounds()[0]
            step = self._step()
            assert step is not None
            position = round(math.log(number / low, step) if self.sampling == "log" else (number - low) / step)
            return (position + 0.5) / self.count()
        widened = Float(name=self.name, min=self.min, max=self.max + 1, sampling=self.sampling)
        return (widened.to_unit(float(number)) + widened.to_unit(float(number + 1))) / 2

    def contains(self, value: object) -> bool:
        """Whether `value` is one that this hyperparameter can take."""
        if isinstance(value, bool) or not isinstance(value, int) or not self.min <= value <= self.max:
            return False
        return self.from_unit(self.to_unit(value)) == value

    def default_value(self) -> int:
        """The default, or min where none was given (as in Keras Tuner)."""
        return self.min if self.default is None else self.default


class Float(_Range):
    """A real number in [min, max]; with a `step`, one of min, min + step, … up to and with max."""

    kind: Literal["float"] = "float"
    min: float
    max: float
    step: float | None = Field(default=None, description="Distance (linear) or factor (log) between values.")
    default: float | None = None

    @model_validator(mode="after")
    def _valid(self) -> Float:
        self._check()
        if self.default is not None and not self.contains(self.default):
            raise ValueError(f"default {self.default:g} is not one of the values {describe_values(self)}")
        return self

    def _bounds(self) -> tuple[float, float]:
        return self.min, self.max

    def _step(self) -> float | None:
        return self.step

    def _tidy(self, value: float) -> float:
        """Undo binary noise (0.30000000000000004) so that the same grid point always has the same bits."""
        return float(f"{value:.12g}")

    def count(self) -> float:
        """Number of distinct values; `UNCOUNTABLE` without a step."""
        if self.min == self.max:
            return 1
        return UNCOUNTABLE if self.step is None else self._last_position() + 1

    def values(self) -> Iterator[float]:
        """Every value in rising order; needs a step (or min equal to max)."""
        if self.min == self.max:
            yield self.min
            return
        if self.step is None:
            raise ValueError(f"{self.name} is continuous: its values cannot be listed")
        yield from (self._tidy(self._at_position(k)) for k in range(self._last_position() + 1))

    def from_unit(self, unit: float) -> float:
        """Map `unit` in [0, 1] to a value on the sampling scale."""
        if self.min == self.max:
            return self.min
        if self.step is None:
            return min(max(self._interpolate(unit), self.min), self.max)
        return self._tidy(self._at_position(min(int(unit * self.count()), self._last_position())))

    def to_unit(self, value: Scalar) -> float:
        """Where `value` lies in [0, 1]; the inverse of `from_unit`."""
        number = float(value)
        if self.step is None or self.min == self.max:
            return self._locate(number)
        exact = math.log(number / self.min, self.step) if self.sampling == "log" else (number - self.min) / self.step
        return (round(exact) + 0.5) / self.count()

    def contains(self, value: object) -> bool:
        """Whether `value` is one that this hyperparameter can take."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.min <= value <= self.max:
            return False
        return self.step is None or math.isclose(self.from_unit(self.to_unit(value)), value, rel_tol=1e-9)

    def default_value(self) -> float:
        """The default, or min where none was given (as in Keras Tuner)."""
        return self.min if self.default is None else self.default


class _Listed(_Hyperparameter):
    """Arithmetic shared by the kinds whose values are a list."""

    def _options(self) -> tuple[Scalar, ...]:
        raise TypeError(f"{type(self).__name__} has no list of values")  # pragma: no cover - abstract

    def count(self) -> float:
        """Number of distinct values."""
        return len(self._options())

    def values(self) -> Iterator[Scalar]:
        """Every value, in the order given."""
        yield from self._options()

    def from_unit(self, unit: float) -> Scalar:
        """Map `unit` in [0, 1] to a value; equal shares."""
        options = self._options()
        return options[min(int(unit * len(options)), len(options) - 1)]

    def to_unit(self, value: Scalar) -> float:
        """Middle of the share of [0, 1] that gives `value`."""
        options = self._options()
        position = next(i for i, option in enumerate(options) if same_value(option, value))
        return (position + 0.5) / len(options)

    def contains(self, value: object) -> bool:
        """Whether `value` is one that this hyperparameter can take."""
        return any(same_value(option, value) for option in self._options())


class Choice(_Listed):
    """One of a list of values. `ordered` says that neighbours in the list are alike."""

    kind: Literal["choice"] = "choice"
    choices: tuple[Scalar, ...] = Field(min_length=1)
    ordered: bool | None = Field(default=None, description="None: ordered when all values are numbers.")
    default: Scalar | None = None

    @model_validator(mode="after")
    def _valid(self) -> Choice:
        for index, value in enumerate(self.choices):
            if any(same_value(value, other) for other in self.choices[:index]):
                raise ValueError(f"{value!r} is listed twice")
        if self.default is not None and not self.contains(self.default):
            raise ValueError(f"default {self.default!r} is not one of {', '.join(map(repr, self.choices))}")
        return self

    def _options(self) -> tuple[Scalar, ...]:
        return self.choices

    def is_ordered(self) -> bool:
        """Whether neighbours in the list are alike."""
        if self.ordered is not None:
            return self.ordered
        return all(isinstance(v, int | float) and not isinstance(v, bool) for v in self.choices)

    def default_value(self) -> Scalar:
        """The default, or the first choice where none was given."""
        return self.choices[0] if self.default is None else self.default


class Boolean(_Listed):
    """On or off."""

    kind: Literal["boolean"] = "boolean"
    default: bool = False

    def _options(self) -> tuple[Scalar, ...]:
        return (False, True)

    def default_value(self) -> bool:
        """The default."""
        return self.default


class Fixed(_Listed):
    """A single value that does not vary."""

    kind: Literal["fixed"] = "fixed"
    value: Scalar

    def _options(self) -> tuple[Scalar, ...]:
        return (self.value,)

    def default_value(self) -> Scalar:
        """The value."""
        return self.value


Hyperparameter = Annotated[Int | Float | Choice | Boolean | Fixed, Field(discriminator="kind")]


def same_value(left: object, right: object) -> bool:
    """Equality that keeps True apart from 1 and False from 0, which Python's `==` does not."""
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def describe_values(hyperparameter: Int | Float | Choice | Boolean | Fixed) -> str:
    """The values in a few words, such as `9 … 27 step 3` or `relu, tanh`."""
    if isinstance(hyperparameter, Int | Float):
        text = f"{hyperparameter.min:g} … {hyperparameter.max:g}"
        if hyperparameter.step is not None:
            text += f" step {hyperparameter.step:g}"
        return text if hyperparameter.sampling == "linear" else f"{text} {hyperparameter.sampling}"
    return ", ".join(str(value) for value in hyperparameter.values())


class SearchSpace(BaseModel):
    """All hyperparameters of a study, parents before children.

    Raises a validation error for a name used twice, a condition on an unknown or later hyperparameter,
    and a condition on a value that its parent cannot take.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hyperparameters: tuple[Hyperparameter, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> SearchSpace:
        known: dict[str, Int | Float | Choice | Boolean | Fixed] = {}
        for hyperparameter in self.hyperparameters:
            if hyperparameter.name in known:
                raise ValueError(f"the name {hyperparameter.name!r} is used twice: give one of the two another name")
            for condition in hyperparameter.conditions:
                parent = known.get(condition.parent)
                if parent is None:
                    raise ValueError(
                        f"{hyperparameter.name!r} depends on {condition.parent!r}, which is not defined before it"
                    )
                for value in condition.values:
                    if not parent.contains(value):
                        raise ValueError(
                            f"{hyperparameter.name!r} depends on {condition.parent!r} being {value!r}, "
                            f"but its values are {describe_values(parent)}"
                        )
            known[hyperparameter.name] = hyperparameter
        return self

    def __getitem__(self, name: str) -> Int | Float | Choice | Boolean | Fixed:
        """The hyperparameter called `name`; KeyError if there is none."""
        for hyperparameter in self.hyperparameters:
            if hyperparameter.name == name:
                return hyperparameter
        raise KeyError(name)

    def names(self) -> list[str]:
        """Names in order."""
        return [hyperparameter.name for hyperparameter in self.hyperparameters]

    @staticmethod
    def is_active(hyperparameter: Int | Float | Choice | Boolean | Fixed, values: Mapping[str, Scalar]) -> bool:
        """Whether the conditions of `hyperparameter` hold, given the values of those before it."""
        return all(
            condition.parent in values
            and any(same_value(values[condition.parent], allowed) for allowed in condition.values)
            for condition in hyperparameter.conditions
        )

    def from_units(self, units: Mapping[str, float]) -> Values:
        """Values of the active hyperparameters from positions in [0, 1]; a missing position means the default."""
        values: Values = {}
        for hyperparameter in self.hyperparameters:
            if self.is_active(hyperparameter, values):
                unit = units.get(hyperparameter.name)
                values[hyperparameter.name] = (
                    hyperparameter.default_value() if unit is None else hyperparameter.from_unit(unit)
                )
        return values

    def defaults(self) -> Values:
        """The default values of the hyperparameters that are active by default."""
        return self.from_units({})

    def problems(self, values: Mapping[str, Scalar]) -> list[str]:
        """Why `values` are not legal, one sentence each; empty when they are."""
        found = [f"{name!r} is not a hyperparameter of this study" for name in values if name not in self.names()]
        active: Values = {}
        for hyperparameter in self.hyperparameters:
            name = hyperparameter.name
            if not self.is_active(hyperparameter, active):
                if name in values:
                    found.append(f"{name!r} is not active for these values")
                continue
            if name not in values:
                found.append(f"{name!r} has no value")
                active[name] = hyperparameter.default_value()
                continue
            if not hyperparameter.contains(values[name]):
                found.append(f"{name} = {values[name]!r} is not one of {describe_values(hyperparameter)}")
            active[name] = values[name]
        return found

    def count(self) -> float:
        """Number of distinct configurations, conditions respected; `UNCOUNTABLE` if any active range is continuous.

        One pass in order: for every combination of the parents that later conditions still ask for, how many
        configurations there are so far. Values that no condition tells apart count as one.
        """
        conditions = self._conditions_by_parent()
        last_use = {c.parent: index for index, h in enumerate(self.hyperparameters) for c in h.conditions}
        ways: dict[tuple[tuple[str, type, Scalar], ...], float] = {(): 1}
        for index, hyperparameter in enumerate(self.hyperparameters):
            asked = conditions.get(hyperparameter.name)
            after: dict[tuple[tuple[str, type, Scalar], ...], float] = {}
            for known, number in ways.items():
                alive = tuple(one for one in known if last_use[one[0]] > index)
                if not self.is_active(hyperparameter, {name: value for name, _, value in known}):
                    after[alive] = after.get(alive, 0) + number
                elif asked is None:
                    after[alive] = after.get(alive, 0) + number * hyperparameter.count()
                elif hyperparameter.count() == UNCOUNTABLE:
                    return UNCOUNTABLE
                else:
                    for value, times in _told_apart(hyperparameter, asked):
                        key = (*alive, (hyperparameter.name, type(value), value))  # True is not 1
                        after[key] = after.get(key, 0) + number * times
            ways = after
        return sum(ways.values())

    def _conditions_by_parent(self) -> dict[str, list[Condition]]:
        found: dict[str, list[Condition]] = {}
        for hyperparameter in self.hyperparameters:
            for condition in hyperparameter.conditions:
                found.setdefault(condition.parent, []).append(condition)
        return found

    def all_values(self) -> Iterator[Values]:
        """Every configuration, the last hyperparameter varying fastest. Only for countable spaces."""
        yield from self._enumerate(0, {})

    def _enumerate(self, index: int, values: Values) -> Iterator[Values]:
        if index == len(self.hyperparameters):
            yield dict(values)
            return
        hyperparameter = self.hyperparameters[index]
        if not self.is_active(hyperparameter, values):
            yield from self._enumerate(index + 1, values)
            return
        for value in hyperparameter.values():
            yield from self._enumerate(index + 1, {**values, hyperparameter.name: value})


def _told_apart(
    parent: Int | Float | Choice | Boolean | Fixed, conditions: list[Condition]
) -> Iterator[tuple[Scalar, int]]:
    """One value for each group of values that hold for the same conditions, and how many are in the group."""
    groups: dict[tuple[bool, ...], tuple[Scalar, int]] = {}
    for value in parent.values():
        holds = tuple(any(same_value(value, allowed) for allowed in c.values) for c in conditions)
        first, number = groups.get(holds, (value, 0))
        groups[holds] = (first, number + 1)
    yield from groups.values()


def values_key(values: Mapping[str, Scalar]) -> str:
    """A key that is equal for equal configurations; for finding duplicates."""
    return "\x1f".join(f"{name}={type(value).__name__}:{value!r}" for name, value in sorted(values.items()))
