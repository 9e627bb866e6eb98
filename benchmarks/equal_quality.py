"""Whether both roads find the same: ten configurations of the reference study, twenty seeds each, fused and fit.

Usage: python -m benchmarks.equal_quality [--configurations 10] [--seeds 20]

The two sides draw different seeds, as two searches would. Prints, for each configuration, the mean best validation
accuracy of either side and their distance in standard errors of the difference; ends with an error if the mean over
all configurations differs by more than two standard errors.
"""

from __future__ import annotations

import argparse
import math
import statistics

from benchmarks.fused_trainer import BATCH, EPOCHS, Values, build, reference_arrays, reference_trials
from tunerstudio.study.search import Objective
from tunerstudio.worker import fit_road
from tunerstudio.worker.fused import FusedTrainer
from tunerstudio.worker.fused_cache import ProgramCache
from tunerstudio.worker.fused_seed import set_keras_seed
from tunerstudio.worker.trainer import Trainer
from tunerstudio.worker.training import FitPlan, StopRequest, TrainingArrays


def scores(trainer: Trainer, values: Values, arrays: TrainingArrays, seeds: range) -> list[float]:
    """Best validation accuracy of one fit per seed."""
    found = []
    for seed in seeds:
        set_keras_seed(seed)
        objective = Objective(name="val_accuracy", direction="max")
        plan = FitPlan(epochs=EPOCHS, initial_epoch=0, batch_size=BATCH, seed=seed, objective=objective)
        found.append(trainer(build(values), arrays, plan, lambda epoch, metrics: None, StopRequest()).score)
    return found


def difference(left: list[float], right: list[float]) -> tuple[float, float]:
    """Difference of the means, and its standard error."""
    error = math.sqrt(statistics.variance(left) / len(left) + statistics.variance(right) / len(right))
    return statistics.fmean(left) - statistics.fmean(right), error


def main() -> None:
    """Train everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configurations", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    arrays, fused = reference_arrays(), FusedTrainer(ProgramCache())
    all_differences, all_errors = [], []
    print(f"{'configuration':28}{'fused':>9}{'fit':>9}{'difference':>12}{'errors':>8}")
    for values in reference_trials(options.configurations):
        ours = scores(fused, values, arrays, range(options.seeds))
        theirs = scores(fit_road.train, values, arrays, range(1000, 1000 + options.seeds))
        distance, error = difference(ours, theirs)
        all_differences.append(distance)
        all_errors.append(error)
        name = f"{values.units} {values.activation}, {values.rate:.4f}"
        means = f"{statistics.fmean(ours):9.4f}{statistics.fmean(theirs):9.4f}"
        print(f"{name:28}{means}{distance:12.4f}{distance / error if error else 0.0:8.2f}", flush=True)
    mean = statistics.fmean(all_differences)
    error = math.sqrt(sum(error**2 for error in all_errors)) / len(all_errors)
    print(f"over all: {mean:+.5f} with a standard error of {error:.5f}")
    if abs(mean) > 2 * error:
        raise SystemExit("the roads differ by more than two standard errors")


if __name__ == "__main__":
    main()
