"""Errors for people: what is wrong, in which field, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError


class TunerStudioError(Exception):
    """Base of every error that is meant for a person. Its text is one or more plain sentences."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        field: Dotted path in the study document, such as `model.layers.0.arguments.units`; "" for the whole.
        message: What is wrong and what would be right, in a sentence.
    """

    field: str
    message: str

    def __str__(self) -> str:
        """`field: message`."""
        return f"{self.field}: {self.message}" if self.field else self.message


class StudyError(TunerStudioError):
    """A study document that cannot be used; carries every problem at once.

    Attributes:
        problems: All that is wrong, in document order.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Build the message from `problems`."""
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


class DataError(TunerStudioError):
    """A data file that cannot be read or used; the text says why and what to do."""


class ModelError(TunerStudioError):
    """A model that cannot be built or trained; `details` holds the traceback for the log."""

    def __init__(self, message: str, details: str = "") -> None:
        """Keep `details` beside the sentence."""
        self.details = details
        super().__init__(message)


def suggest(word: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` (with a leading space) if a known word is close, else an empty string."""
    # The word itself may be right in another place.
    close = difflib.get_close_matches(word, [other for other in known if other != word], n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""


_PLAIN = {
    "missing": "this field is required",
    "int_type": "a whole number is needed",
    "int_parsing": "a whole number is needed",
    "int_from_float": "a whole number is needed",
    "float_type": "a number is needed",
    "float_parsing": "a number is needed",
    "bool_type": "true or false is needed",
    "bool_parsing": "true or false is needed",
    "string_type": "a text is needed",
    "list_type": "a list is needed",
    "tuple_type": "a list is needed",
    "dict_type": "a group of fields (name: value) is needed",
    "model_type": "a group of fields (name: value) is needed",
    "model_attributes_type": "a group of fields (name: value) is needed",
    "finite_number": "a finite number is needed",
    "string_too_short": "this must not be empty",
}

_BOUNDS = {
    "greater_than_equal": "{ge} or more is needed",
    "greater_than": "more than {gt} is needed",
    "less_than_equal": "{le} or less is needed",
    "less_than": "less than {lt} is needed",
    "too_short": "{min_length} or more entries are needed",
    "string_too_long": "{max_length} letters at most are possible",
}


def problems_from(error: ValidationError, document: object, known_fields: Iterable[str] = ()) -> list[Problem]:
    """Turn pydantic's errors into sentences.

    Args:
        error: What pydantic raised.
        document: The plain data that was validated; tells real fields from pydantic's union tags.
        known_fields: Names to suggest for an unknown key.

    Returns:
        One problem per error, in the order of the document.
    """
    names = list(known_fields)
    return [_problem(dict(item), document, names) for item in error.errors(include_url=False)]


def _problem(item: dict[str, Any], document: object, names: list[str]) -> Problem:
    kind = item["type"]
    parts = _path_in(document, item["loc"], keep_last=kind == "missing")
    field = ".".join(parts)
    context = item.get("ctx", {})
    if kind == "extra_forbidden":
        return Problem(field, f"there is no field {parts[-1]!r} here.{suggest(parts[-1], names)}")
    if kind in {"literal_error", "enum"}:
        return Problem(field, f"{item['input']!r} is not known here; use one of {context.get('expected')}")
    if kind == "union_tag_invalid":
        return Problem(field, f"{context.get('tag')!r} is not known here; use one of {context.get('expected_tags')}")
    if kind == "union_tag_not_found":
        return Problem(field, f"the field {context.get('discriminator')} is missing")
    if kind == "value_error":
        return Problem(field, str(context["error"]))
    if kind in _BOUNDS:
        sentence = _BOUNDS[kind].format(**context)
        return Problem(
            field, sentence if kind in {"too_short", "string_too_long"} else f"{sentence}, not {item['input']!r}"
        )
    message = _PLAIN.get(kind, item["msg"][:1].lower() + item["msg"][1:])
    if kind not in {"missing", "string_too_short"} and kind in _PLAIN:
        message += f", not {item['input']!r}"
    return Problem(field, message)


def _path_in(document: object, location: Sequence[object], keep_last: bool) -> list[str]:
    """The parts of `location` that stand in the document; pydantic mixes in the tags of its unions."""
    parts: list[str] = []
    here = document
    for index, part in enumerate(location):
        in_group = isinstance(here, dict) and part in here
        in_list = isinstance(here, list) and isinstance(part, int) and part < len(here)
        if in_group or in_list:
            here = here[part]  # type: ignore[index]  # checked by in_group and in_list
        elif not (keep_last and index == len(location) - 1):
            continue
        parts.append(str(part))
    return parts
