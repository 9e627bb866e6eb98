"""Tables of real trainings that answer at once: a configuration goes in, the score its training gave comes out.

A table is an `.npz` file with `meta` (JSON) and arrays: a full grid (`choices` per axis) with repeats or learning
curves, or a pool of random configurations (`columns`) with learning curves, of which the nearest untried one is taken.
"""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np

from tunerstudio.algorithms.api import Choice, Float, SearchSpace, Values, values_key

Array = np.ndarray


class Table(ABC):
    """One table.

    Attributes:
        name: File name without ending.
        kind: Family of tables.
        space: What may vary.
        epochs: Length of the learning curves; 1 without.
    """

    name: str
    kind: str
    space: SearchSpace
    epochs: int

    def __init__(self, truth: Array) -> None:
        finite = truth[np.isfinite(truth)]
        self._best = float(finite.min())
        self._median = float(np.median(np.where(np.isfinite(truth), truth, np.inf)))

    @abstractmethod
    def observe(self, values: Values, epochs: int, rng: np.random.Generator) -> float | None:
        """Loss of one training of `epochs` epochs, noise included; None if it diverged."""

    @abstractmethod
    def truth(self, values: Values) -> float:
        """Expected loss of a whole training."""

    def available(self, values: Values, tried: set[str]) -> Values:
        """What can be trained instead of `values`: a pool gives the nearest that is not in `tried` (keys)."""
        return dict(values)

    def is_used_up(self, tried: int) -> bool:
        """Whether nothing is left to train after so many different configurations."""
        return tried >= self.space.count()

    def regret(self, values: Values) -> float:
        """0 for the best configuration of the table, 1 for the median one."""
        return (self.truth(values) - self._best) / (self._median - self._best)


class GridTable(Table):
    """A full grid with repeated trainings or one learning curve per configuration."""

    def __init__(self, path: Path, meta: dict[str, Any], losses: Array, curves: bool) -> None:
        """`losses`: one axis per hyperparameter, then repeats or epochs."""
        self.name, self.kind = path.stem, meta["benchmark"]
        self._axes = meta["axes"]
        self._choices = [meta["choices"][axis] for axis in self._axes]
        self.space = SearchSpace(
            hyperparameters=tuple(
                Choice(name=axis, choices=tuple(choices))
                for axis, choices in zip(self._axes, self._choices, strict=True)
            )
        )
        self._curves = curves
        self._losses = losses
        self.epochs = losses.shape[-1] if curves else 1
        super().__init__(losses.min(axis=-1) if curves else losses.mean(axis=-1))

    def _entry(self, values: Values) -> Array:
        place = tuple(choices.index(values[axis]) for axis, choices in zip(self._axes, self._choices, strict=True))
        entry: Array = self._losses[place]
        return entry

    def observe(self, values: Values, epochs: int, rng: np.random.Generator) -> float | None:
        """One repeat at random, or the best of the curve up to `epochs`."""
        entry = self._entry(values)
        loss = float(entry[:epochs].min() if self._curves else entry[int(rng.integers(len(entry)))])
        return loss if math.isfinite(loss) else None

    def truth(self, values: Values) -> float:
        """Mean of the repeats, or the best of the curve."""
        entry = self._entry(values)
        return float(entry.min() if self._curves else entry.mean())


class PoolTable(Table):
    """A pool of random configurations, of which the nearest to what is asked is trained."""

    def __init__(self, path: Path, meta: dict[str, Any], configurations: Array, curves: Array) -> None:
        self.name, self.kind = path.stem, meta["benchmark"]
        self._names, self._log = meta["columns"], np.array(meta["log"])
        low, high = configurations.min(axis=0), configurations.max(axis=0)
        self.space = SearchSpace(
            hyperparameters=tuple(
                Float(name=name, min=float(a), max=float(b), sampling="log" if log else "linear")
                for name, a, b, log in zip(self._names, low, high, self._log, strict=True)
            )
        )
        self._low, self._range = self._scaled(low), self._scaled(high) - self._scaled(low)
        self._pool = (self._scaled(configurations) - self._low) / self._range
        self._values: list[Values] = [dict(zip(self._names, map(float, row), strict=True)) for row in configurations]
        self._place = {values_key(values): index for index, values in enumerate(self._values)}
        self._curves = np.where(np.isfinite(curves), curves, np.inf)
        self.epochs = curves.shape[1]
        super().__init__(self._curves.min(axis=1))

    def _scaled(self, rows: Array) -> Array:
        result: Array = np.where(self._log, np.log(np.where(self._log, rows, 1.0)), rows)
        return result

    def available(self, values: Values, tried: set[str]) -> Values:
        """The nearest configuration of the pool, on the sampling scales, that was not tried."""
        asked = (self._scaled(np.array([float(values[name]) for name in self._names])) - self._low) / self._range
        order = np.argsort(((self._pool - asked) ** 2).sum(axis=1), kind="stable")
        return next(dict(self._values[index]) for index in order if values_key(self._values[index]) not in tried)

    def is_used_up(self, tried: int) -> bool:
        """Whether all of the pool has been trained."""
        return tried >= len(self._values)

    def _curve(self, values: Values) -> Array:
        curve: Array = self._curves[self._place[values_key(values)]]
        return curve

    def observe(self, values: Values, epochs: int, rng: np.random.Generator) -> float | None:
        """Best of the curve up to `epochs`; None if it has diverged by then."""
        curve = self._curve(values)[:epochs]
        return float(curve.min()) if math.isfinite(curve[-1]) else None

    def truth(self, values: Values) -> float:
        """Best of the whole curve."""
        return float(self._curve(values).min())


def is_pool(table: Table) -> bool:
    """Whether the table may train something else than was asked for."""
    return isinstance(table, PoolTable)


def load(path: Path) -> Table:
    """The table in a file.

    Raises:
        ValueError: If the file is none of the known kinds.
    """
    with np.load(path) as arrays:
        meta = json.loads(str(arrays["meta"]))
        if "val_loss" in arrays:
            return GridTable(path, meta, np.log(arrays["val_loss"]).astype(float), curves=False)
        if "val_acc" in arrays:
            return GridTable(path, meta, -arrays["val_acc"].astype(float), curves=False)
        if "val_accuracy_curve" in arrays:
            return GridTable(path, meta, -arrays["val_accuracy_curve"].astype(float), curves=True)
        if "valid_loss" in arrays:
            return PoolTable(path, meta, arrays["X"].astype(float), arrays["valid_loss"].astype(float))
    raise ValueError(f"{path} is no table of a known kind")
