"""Keeps TensorFlow from holding every graph that was ever trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tensorflow.python.framework import ops


@contextmanager
def gradients_forgotten() -> Iterator[None]:
    """Let go of the custom gradients that graphs traced inside have registered.

    Each trace of an optimizer's step registers gradient functions under new names, for ever, and each holds its whole
    graph: some 4 MB for a small network. They are needed only to differentiate the finished graph once more.
    """
    registered = ops.gradient_registry._registry
    before = set(registered)
    try:
        yield
    finally:
        for name in set(registered) - before:
            del registered[name]
