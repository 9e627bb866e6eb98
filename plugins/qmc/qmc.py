"""Quasi-random search: the points of a low-discrepancy sequence, one after the other.

A pure function of the history: the number that scrambles the sequence, drawn for the first trial, and the place in
the sequence stand in the tags.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from scipy.stats import qmc

from tunerstudio.algorithms.api import Finished, History, Options, Proposal, SearchSpace, untried_values, values_key
from tunerstudio.algorithms.encoding import Array, Encoder

_KEY, _POINT = "scramble", "point"
_BLOCK: Final = 64
_BLOCKS: Final = 16
"""Points of a small space come again and again: after so many blocks of them a configuration is drawn at random."""


def propose(space: SearchSpace, history: History, rng: np.random.Generator, options: Options) -> Proposal | Finished:
    """The next point of the sequence that no trial has had and the constraints allow."""
    encoder = Encoder(space)
    tagged = [trial.tags for trial in history.trials if _KEY in trial.tags and _POINT in trial.tags]
    key = int(tagged[0][_KEY]) if tagged else int(rng.integers(2**31)) if options["scramble"] else 0
    start = 1 + max((int(tags[_POINT]) for tags in tagged), default=-1)
    tried = {values_key(trial.values) for trial in history.trials}
    for index, unit in _points(len(encoder.axes), start, key, options) if encoder.axes else ():
        # What is inactive at this point is drawn by the same number wherever the sequence is taken up again.
        values = encoder.values(encoder.settle(_position(encoder, unit), np.random.default_rng([key, index]))[0])
        if values_key(values) not in tried and history.allows(values):
            return Proposal(values, f"Point {index + 1} of the sequence", tags={_KEY: key, _POINT: index})
    left = untried_values(space, history, rng)
    if left is None:
        return Finished("all configurations have been tried")
    return Proposal(left, "The sequence has nothing new; drawn at random among the untried")


def _points(axes: int, start: int, key: int, options: Options) -> Iterator[tuple[int, Array]]:
    """(index, point in the unit cube) from `start` on."""
    scramble = bool(options["scramble"])
    kind = qmc.Sobol if options["sequence"] == "sobol" else qmc.Halton
    sequence = kind(axes, scramble=scramble, rng=np.random.default_rng(key))
    # A sequence is drawn in blocks from its beginning: Sobol's points are even in blocks of a power of two.
    for block in range(start // _BLOCK + _BLOCKS):
        points = sequence.random(_BLOCK)
        for offset, point in enumerate(points):
            index = block * _BLOCK + offset
            if index >= start:
                yield index, point


def _position(encoder: Encoder, unit: Array) -> Array:
    """A row of positions: listed values get equal parts of the unit range."""
    counts = np.array([len(axis.values) for axis in encoder.axes])
    listed = np.minimum(np.floor(unit * counts), counts - 1)
    row: Array = np.where(counts > 0, listed, unit)[None, :]
    return row
