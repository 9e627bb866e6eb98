"""Building models of the user's code whose weights hold no numbers, or only so many, however large they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import keras

from tunerstudio.worker.space_shapes import without_allocation

MOST_WEIGHTS = 50_000_000
"""Of a model that is made only to be looked at, because its code needs the numbers in its weights: 200 MB."""

AddWeight = Callable[[Callable[[], Any], tuple[int, ...]], Any]
"""(makes the weight, its shape) -> the weight."""


class _EnormousError(Exception):
    """More weights than may be made."""


def weights_without_numbers() -> AbstractContextManager[None]:
    """Inside, layers know the shapes of their weights but hold none."""
    return _weights(_unallocated)


def few_weights() -> AbstractContextManager[None]:
    """Inside, layers hold real weights, up to `MOST_WEIGHTS` numbers in all; more raise an error."""
    return _weights(_counted())


@contextmanager
def _weights(add: AddWeight) -> Iterator[None]:
    """Inside, every weight of a layer is made by `add`."""
    original = keras.layers.Layer.add_weight

    def add_weight(self: Any, *args: Any, **kwargs: Any) -> Any:
        shape = kwargs.get("shape", args[0] if args else ())
        sizes = tuple(shape) if isinstance(shape, list | tuple) else () if shape is None else (shape,)
        return add(lambda: original(self, *args, **kwargs), tuple(int(size or 1) for size in sizes))

    keras.layers.Layer.add_weight = add_weight
    try:
        yield
    finally:
        keras.layers.Layer.add_weight = original


def _counted() -> AddWeight:
    """Makes weights, up to `MOST_WEIGHTS` numbers in all."""
    held = 0

    def add(add_weight: Callable[[], Any], shape: tuple[int, ...]) -> Any:
        nonlocal held
        held += math.prod(shape)
        if held > MOST_WEIGHTS:
            raise _EnormousError(f"the model has more than {MOST_WEIGHTS:,} weights")
        return add_weight()

    return add


def _unallocated(add_weight: Callable[[], Any], shape: tuple[int, ...]) -> Any:
    with without_allocation():
        return add_weight()
