"""From what a person types to the value of an argument, and back."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from enum import Enum
from typing import Any

from PySide6.QtCore import QCoreApplication

from tunerstudio.study.catalogue import ArgumentInfo
from tunerstudio.study.hyperparameters import Scalar


class Unset(Enum):
    """The argument is not given: its default holds."""

    UNSET = "unset"


UNSET = Unset.UNSET


class TypedError(ValueError):
    """What was typed is no value; the text says what would be right."""


def value_text(value: object) -> str:
    """A plain value as one would type it."""
    if value is UNSET:
        return ""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, list | tuple):
        flat = all(not isinstance(item, list | tuple) for item in value)
        return ", ".join(value_text(item) for item in value) if flat else json.dumps(value)
    return json.dumps(value) if isinstance(value, dict) else str(value)


def number_text(value: float) -> str:
    """A number in the fewest digits that give it again: 0.001, 1e-05, 32."""
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return str(int(value))
    return f"{value:.12g}"


def parse_value(argument: ArgumentInfo, text: str) -> Any:
    """The value that `text` means for `argument`; UNSET for nothing.

    Raises:
        TypedError: If it means none.
    """
    typed = text.strip()
    if not typed:
        if argument.required:
            raise TypedError(_tr("{name} is needed").format(name=argument.name))
        return UNSET
    if typed.lower() in {"none", "null"} and (argument.nullable or argument.default is None):
        return None
    if argument.type == "int":
        return _within(argument, parse_int(typed))
    if argument.type == "float":
        return _within(argument, parse_float(typed))
    if argument.type == "shape":
        return parse_shape(typed)
    return _json_or_text(typed) if argument.type == "other" or typed.startswith("{") else typed


def parse_int(text: str) -> int:
    """A whole number; `1e3` is one too.

    Raises:
        TypedError: If it is none.
    """
    try:
        value = float(text.replace("_", ""))
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or not value.is_integer():
        raise TypedError(_tr("a whole number is needed, such as 32"))
    return int(value)


def parse_float(text: str) -> float:
    """A number; a decimal comma is understood.

    Raises:
        TypedError: If it is none.
    """
    try:
        value = float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise TypedError(_tr("a number is needed, such as 0.001"))
    return value


def parse_shape(text: str) -> int | list[Any]:
    """`3` is 3; `3, 3`, `3x3` and `(3, 3)` are [3, 3].

    Raises:
        TypedError: If it is neither a whole number nor a list of them.
    """
    try:
        if re.search(r"[\[(].*[\[(]", text):
            nested = json.loads(text.replace("(", "[").replace(")", "]"))
            if isinstance(nested, list):
                return nested
        parts = [part for part in re.split(r"[,x×\s]+", text.strip("()[] ")) if part]
        numbers = [parse_int(part) for part in parts]
    except (TypedError, json.JSONDecodeError):
        numbers = []
    if not numbers:
        raise TypedError(_tr("a whole number or a list of them is needed, such as 3 or 3, 3"))
    return numbers[0] if len(numbers) == 1 and not text.rstrip(" )]").endswith(",") else list(numbers)


def parse_list(argument: ArgumentInfo, text: str) -> tuple[Scalar, ...]:
    """The values of a choice, separated by commas.

    Raises:
        TypedError: If one of them is no value of `argument`, or none is given.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise TypedError(_tr("list the values to choose from, separated by commas"))
    values = [_choice(argument, part) for part in parts]
    for index, value in enumerate(values):
        if value in values[:index] and type(value) is type(values[values.index(value)]):
            raise TypedError(_tr("{value} is listed twice").format(value=value_text(value)))
    return tuple(values)


def list_text(values: Sequence[Scalar]) -> str:
    """A list of choices as one would type it."""
    return ", ".join(value_text(value) for value in values)


def _choice(argument: ArgumentInfo, part: str) -> Scalar:
    if argument.type in {"int", "shape"}:
        return int(_within(argument, parse_int(part)))
    if argument.type == "float":
        return float(_within(argument, parse_float(part)))
    if argument.type == "other":
        value = _json_or_text(part)
        return value if isinstance(value, bool | int | float | str) else part
    return part


def _within(argument: ArgumentInfo, value: float) -> float:
    if argument.minimum is not None and value < argument.minimum:
        limit = number_text(argument.minimum)
        raise TypedError(_tr("{name} must be at least {limit}").format(name=argument.name, limit=limit))
    if argument.maximum is not None and value > argument.maximum:
        limit = number_text(argument.maximum)
        raise TypedError(_tr("{name} must be at most {limit}").format(name=argument.name, limit=limit))
    return value


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _tr(text: str) -> str:
    return QCoreApplication.translate("Typing", text)
