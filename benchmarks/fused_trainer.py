"""Fused road against Keras's fit on the reference study's network: `python -m benchmarks.fused_trainer [TRIALS]`.

Both sides train the same trials in the same process, seeded alike: 569 x 30 rows (12 % for validation), one hidden
layer of 9 to 27 units, SGD, batches of 32, 15 epochs, 3 executions per trial.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from sklearn.datasets import load_breast_cancer

from tunerstudio.study.search import Objective
from tunerstudio.worker import fit_road
from tunerstudio.worker.fused import FusedTrainer
from tunerstudio.worker.fused_cache import ProgramCache
from tunerstudio.worker.fused_seed import set_keras_seed
from tunerstudio.worker.trainer import Trainer
from tunerstudio.worker.training import FitPlan, StopRequest, TrainingArrays

EXECUTIONS, EPOCHS, BATCH = 3, 15, 32


@dataclass(frozen=True)
class Values:
    """One trial's hyperparameters."""

    units: int
    activation: str
    rate: float


@dataclass
class Side:
    """One road's measurements.

    Attributes:
        first_s, later_s: Seconds per trial: where an architecture is new, and where it was seen before.
        cpu_s: Processor seconds of the whole side; tells more than the clock on a busy machine.
        scores: Best validation accuracy of every execution.
    """

    first_s: list[float]
    later_s: list[float]
    scores: list[float]
    cpu_s: float = 0.0


def main() -> None:
    """Measure both sides and print a table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("trials", nargs="?", type=int, default=50)
    options.add_argument("--fit-trials", type=int, default=3, help="trials on the slow side")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    arrays = reference_arrays()
    trials = list(reference_trials(given.trials))
    cache = ProgramCache()
    fused = measure(FusedTrainer(cache), set_keras_seed, arrays, trials)
    plain = measure(fit_road.train, keras.utils.set_random_seed, arrays, trials[: given.fit_trials])
    later = statistics.median(fused.later_s) if fused.later_s else float("nan")
    fit_s = statistics.median(plain.first_s + plain.later_s)
    figures = {
        "fit_s_per_trial": fit_s,
        "fused_s_first": statistics.median(fused.first_s),
        "fused_s_later": later,
        "fused_s_total": sum(fused.first_s + fused.later_s),
        "ratio_later": fit_s / later,
        "fit_cpu_s_per_trial": plain.cpu_s / given.fit_trials,
        "fused_cpu_s_per_trial": fused.cpu_s / given.trials,
        "ratio_overall": fit_s * len(trials) / sum(fused.first_s + fused.later_s),
        "programs": cache.built,
        "fit_score_mean": statistics.mean(plain.scores),
        "fused_score_mean": statistics.mean(fused.scores[: len(plain.scores)]),
    }
    if given.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:22} {value:10.4g}")


def reference_arrays() -> TrainingArrays:
    """The diagnostic breast-cancer set, standardised, the last 12 % for validation."""
    x, y = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(232).permutation(len(x))
    x, y = x[order].astype("float32"), y[order].astype("float32").reshape(-1, 1)
    train = int(len(x) * 0.88)
    x = (x - x[:train].mean(axis=0)) / x[:train].std(axis=0)
    return TrainingArrays(x[:train], y[:train], x[train:], y[train:])


def reference_trials(count: int) -> Iterator[Values]:
    """Random values from the reference study's space."""
    rng = np.random.default_rng(232)
    for _ in range(count):
        units, activation = int(rng.choice(np.arange(9, 28, 3))), str(rng.choice(["relu", "tanh"]))
        yield Values(units, activation, float(rng.choice(np.arange(0.001, 0.0201, 0.0005))))


def build(values: Values) -> keras.Model:
    """The reference study's network."""
    start = keras.Input((30,), name="features")
    inner = keras.layers.Dense(values.units, activation=values.activation, name="dense_1")(start)
    model = keras.Model(start, keras.layers.Dense(1, activation="sigmoid", name="output")(inner))
    model.compile(keras.optimizers.SGD(values.rate), "binary_crossentropy", metrics=["accuracy"])
    return model


def measure(trainer: Trainer, seed: Callable[[int], None], arrays: TrainingArrays, trials: list[Values]) -> Side:
    """Train all executions of all trials, from building the models to their scores."""
    side, seen = Side([], [], []), set()
    objective = Objective(name="val_accuracy", direction="max")
    cpu_begin = time.process_time()
    for values in trials:
        begin = time.perf_counter()
        for execution in range(EXECUTIONS):
            seed(execution)
            plan = FitPlan(epochs=EPOCHS, initial_epoch=0, batch_size=BATCH, seed=execution, objective=objective)
            result = trainer(build(values), arrays, plan, lambda epoch, metrics: None, StopRequest())
            side.scores.append(result.score)
        key = (values.units, values.activation)
        (side.later_s if key in seen else side.first_s).append(time.perf_counter() - begin)
        seen.add(key)
    side.cpu_s = time.process_time() - cpu_begin
    return side


if __name__ == "__main__":
    main()
