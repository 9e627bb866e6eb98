"""Imports TensorFlow and Keras for workers to come; the fork server loads it once, ahead of need.

Keras imports scikit-learn, pandas, scipy and matplotlib when it finds them, which doubles the time and costs 150 MB a
worker. They are hidden while it looks, and can be imported as usual afterwards.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

HIDDEN = ("sklearn", "pandas", "scipy", "matplotlib", "keras_tuner")
"""Packages that stay out of a worker until something really needs them."""


def import_tensorflow() -> None:
    """Import TensorFlow and Keras without what a worker does not need; a second call costs nothing."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with _hidden(HIDDEN), _quiet():
        importlib.import_module("tensorflow")
        importlib.import_module("keras")


def import_keras_tuner() -> None:
    """Import Keras Tuner, which looks for the same packages; only studies with code of the user's need it."""
    with _hidden([name for name in HIDDEN if name != "keras_tuner"]):
        importlib.import_module("keras_tuner")


@contextmanager
def _hidden(names: Iterable[str]) -> Iterator[None]:
    """Make packages that are not imported yet look as if they were not installed."""
    absent = [name for name in names if name not in sys.modules]
    for name in absent:
        # None makes `import name` raise ImportError, which Keras takes as "not installed".
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in absent:
            if sys.modules.get(name) is None:
                sys.modules.pop(name, None)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep TensorFlow's greetings, which no setting silences, out of the user's terminal.

    A failed import is told by its exception; nothing else of interest is printed.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


import_tensorflow()
