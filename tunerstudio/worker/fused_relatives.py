"""Models that may come in the same search: they tell what a compiled program must leave open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras


@dataclass(frozen=True)
class Relatives:
    """Models like one of a search, with other values.

    What a program leaves open follows from them, and so from the search space and the model's own values alone. If it
    followed from the models that a worker happened to train before, a search that was interrupted would round
    differently from one that was not.

    Attributes:
        names: The numbers that may vary.
        build: A compiled model with other values of the numbers named; ModelError if there is none.
    """

    names: tuple[str, ...]
    build: Callable[[tuple[str, ...]], keras.Model]
