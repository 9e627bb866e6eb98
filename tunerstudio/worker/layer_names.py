"""Names that Keras gives to layers without one: the same for every model that one `build(hp)` makes."""

from __future__ import annotations

from collections import defaultdict

from keras.src.backend.common import global_state

_NUMBERS = "object_name_uids"
"""Where Keras keeps the numbers that it appends: `dense`, `dense_1`."""


def names_begin_anew() -> None:
    """Forget all names that were given in this process."""
    keep_names({})


def names_given() -> dict[str, int]:
    """How often each name was given so far."""
    return dict(global_state.get_global_attribute(_NUMBERS) or {})


def keep_names(given: dict[str, int]) -> None:
    """Go on as if only `given` had been given."""
    global_state.set_global_attribute(_NUMBERS, defaultdict(int, given))
