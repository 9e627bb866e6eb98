"""What networks that share a compiled program may differ in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunerstudio.worker.fused_numbers import Numbers
from tunerstudio.worker.fused_sizes import Shapes


@dataclass(frozen=True)
class Particulars:
    """Sizes and numbers of a network, or of all networks that a program serves: None where those may differ.

    Attributes:
        sizes: Of all variables of the model, in order.
        numbers: Dropout rates, factors of regularisers and the like, in the order of `fused_numbers.places_of`.
    """

    sizes: Shapes
    numbers: Numbers

    @property
    def is_open(self) -> bool:
        """Whether anything may differ."""
        return None in self.numbers or any(None in shape for shape in self.sizes)

    def covers(self, other: Particulars) -> bool:
        """Whether a program for these serves a network with `other`."""
        return self.merged(other) == self

    def merged(self, other: Particulars) -> Particulars:
        """These, and open wherever `other` differs."""
        pairs = zip(self.sizes, other.sizes, strict=True)
        return Particulars(tuple(_merged(own, given) for own, given in pairs), _merged(self.numbers, other.numbers))


def _merged(own: tuple[Any, ...], given: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(left if left == right else None for left, right in zip(own, given, strict=True))
