"""Finding the copies of a repeat in a list of hyperparameters, so that they can be declared in a loop."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tunerstudio.study.hyperparameters import Boolean, Choice, Condition, Fixed, Float, Int

Hyperparameter = Int | Float | Choice | Boolean | Fixed

_NUMBER = re.compile(r"(?<=_)1(?=_|$)")
"""A number that may be that of a first copy."""

_PLAIN = re.compile(r"[\w ./-]+")


@dataclass(frozen=True)
class Family:
    """Hyperparameters that follow each other: one alone, or the bodies of several copies.

    Attributes:
        members: Those of the first copy.
        copies: How many copies there are.
        places: For each member, where in its name the number of the copy stands.
        last: The members of the last copy.
    """

    members: tuple[Hyperparameter, ...]
    copies: int = 1
    places: tuple[int, ...] = ()
    last: tuple[Hyperparameter, ...] = ()

    def pattern(self, index: int) -> str:
        """The name of a member as an f-string of `i`."""
        return _pattern(self.members[index].name, self.places[index])

    def parent_pattern(self, index: int, place: int) -> str:
        """The name that a condition of a member is on, as a text or an f-string of `i`."""
        name = self.members[index].conditions[place].parent
        other = self.last[index].conditions[place].parent
        if name == other:
            return f'"{name}"'
        return _pattern(name, next(at for at in _ones(name) if _numbered(name, at, self.copies) == other))

    def shrinks(self, index: int, place: int) -> bool:
        """Whether a condition asks for the number of the copy or more."""
        first, last = self.members[index].conditions[place], self.last[index].conditions[place]
        return first.parent == last.parent and first.values != last.values


def families(hyperparameters: Sequence[Hyperparameter]) -> Iterator[Family]:
    """Everything in order; copies together where a loop says the same."""
    start = 0
    while start < len(hyperparameters):
        family = _longest(hyperparameters[start:])
        yield family
        start += len(family.members) * family.copies


def _longest(rest: Sequence[Hyperparameter]) -> Family:
    """The family at the beginning of `rest` that takes most of it."""
    best = Family((rest[0],))
    for at in _ones(rest[0].name):
        second = _numbered(rest[0].name, at, 2)
        length = next((index for index, one in enumerate(rest) if one.name == second), 0)
        if not length:
            continue
        family = _family(rest, length)
        if family is not None and len(family.members) * family.copies > len(best.members) * best.copies:
            best = family
    return best


def _family(rest: Sequence[Hyperparameter], length: int) -> Family | None:
    first = tuple(rest[:length])
    places = []
    for index, one in enumerate(first):
        found = [
            at
            for at in _ones(one.name)
            if rest[length + index : length + index + 1] and rest[length + index].name == _numbered(one.name, at, 2)
        ]
        if not found:
            return None
        places.append(found[0])
    copies = 1
    while _is_copy(rest, first, places, copies + 1):
        copies += 1
    if copies == 1:
        return None
    return Family(first, copies, tuple(places), tuple(rest[length * (copies - 1) : length * copies]))


def _is_copy(
    rest: Sequence[Hyperparameter], first: Sequence[Hyperparameter], places: Sequence[int], number: int
) -> bool:
    """Whether copy `number` stands where it should and says the same as the first."""
    body = rest[len(first) * (number - 1) : len(first) * number]
    return len(body) == len(first) and all(
        one.model_copy(update={"name": "", "conditions": ()}) == other.model_copy(update={"name": "", "conditions": ()})
        and other.name == _numbered(one.name, at, number)
        and len(one.conditions) == len(other.conditions)
        and all(_same(left, right, number) for left, right in zip(one.conditions, other.conditions, strict=True))
        for one, other, at in zip(first, body, places, strict=True)
    )


def _same(left: Condition, right: Condition, number: int) -> bool:
    """Whether a condition of the first copy, with the number of the other, is that of the other."""
    if left.parent == right.parent:
        numbers = [v for v in left.values if isinstance(v, int) and not isinstance(v, bool)]
        shrunk = tuple(v for v in numbers if v >= number)
        return right.values == left.values or (len(numbers) == len(left.values) and right.values == shrunk)
    return left.values == right.values and any(
        _numbered(left.parent, at, number) == right.parent for at in _ones(left.parent)
    )


def _ones(name: str) -> list[int]:
    """Where a 1 may be the number of a copy; nowhere in names that an f-string would have to escape."""
    if not _PLAIN.fullmatch(name):
        return []
    return [match.start() for match in _NUMBER.finditer(name)]


def _numbered(name: str, at: int, number: int) -> str:
    return f"{name[:at]}{number}{name[at + 1 :]}"


def _pattern(name: str, at: int) -> str:
    return f'f"{name[:at]}{{i}}{name[at + 1 :]}"'
