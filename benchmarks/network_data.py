"""The tables of the model benchmark: bundled with scikit-learn, or made up in the same size and shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

TARGET = "target"
"""Column to predict; the last one."""


@dataclass(frozen=True)
class Case:
    """One row of the benchmark.

    Attributes:
        name: For the table.
        network: File in `benchmarks/networks`.
        table: Makes the data.
        task: multiclass or regression.
        epochs: Per trial.
    """

    name: str
    network: str
    table: Callable[[], pd.DataFrame]
    task: str
    epochs: int

    @property
    def objective(self) -> tuple[str, str]:
        """Metric and direction."""
        return ("val_accuracy", "max") if self.task == "multiclass" else ("val_loss", "min")


def cases(mnist: Path | None) -> list[Case]:
    """All rows; `mnist` is a CSV without header of 28 x 28 pixels and the class, None: made up."""
    pictures = (
        (lambda: _named(pd.read_csv(mnist, header=None).sample(frac=1.0, random_state=0).to_numpy()))
        if mnist
        else _pictures
    )
    return [
        Case("CNN, digits 1,797 x 8 x 8", "digits_cnn.py", _digits, "multiclass", 10),
        Case("CNN, 5,000 x 28 x 28", "mnist_cnn.py", pictures, "multiclass", 5),
        Case("LSTM, series of 3,600 steps", "series_lstm.py", _series, "regression", 5),
        Case("1 million weights, 20,640 x 8", "wide_dense.py", _houses, "regression", 3),
        Case("CNN that saturates, 1,000 x 28 x 28", "saturating_cnn.py", lambda: pictures()[:1000], "multiclass", 2),
    ]


def _named(values: np.ndarray) -> pd.DataFrame:
    names = [f"x{index}" for index in range(values.shape[1] - 1)]
    table = pd.DataFrame(values, columns=[*names, TARGET])
    return table.astype({TARGET: "int64"}) if float(table[TARGET].iloc[0]).is_integer() else table


def _digits() -> pd.DataFrame:
    x, y = load_digits(return_X_y=True)
    return _named(np.column_stack([x, y]))


def _pictures() -> pd.DataFrame:
    """Ten blurred patterns with noise."""
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 10, 5000)
    patterns = rng.uniform(0, 255, (10, 784))
    pixels = np.clip(patterns[classes] + rng.normal(0, 60, (5000, 784)), 0, 255).round()
    return _named(np.column_stack([pixels, classes]))


def _series() -> pd.DataFrame:
    """Windows of a daily wave with noise: 24 steps and the next one."""
    rng = np.random.default_rng(0)
    steps = np.arange(3624)
    wave = np.sin(steps / 12) + 0.3 * np.sin(steps / 60) + 0.1 * rng.normal(size=len(steps))
    return _named(np.lib.stride_tricks.sliding_window_view(wave, 25))


def _houses() -> pd.DataFrame:
    """As many rows and columns as California's houses."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20640, 8))
    y = 2.0 + x[:, 0] + np.abs(x[:, 1] * x[:, 2]) + 0.3 * rng.normal(size=len(x))
    return _named(np.column_stack([x, y]))
