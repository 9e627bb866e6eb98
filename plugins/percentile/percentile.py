"""The percentile rule: a trial ends when it is not among the best part of the trials at the same epoch."""

from __future__ import annotations

import numpy as np

from tunerstudio.algorithms.api import LearningCurves, Options


def observe_epoch(curves: LearningCurves, trial: int, epoch: int, options: Options) -> str | None:
    """Why the trial ends, if the best it has reached is worse than the percentile of the others'."""
    share, startup = float(str(options["percentile"])), int(str(options["startup_trials"]))
    warmup, interval = int(str(options["warmup_epochs"])), int(str(options["interval"]))
    if epoch <= warmup or (epoch - warmup) % interval:
        return None
    others = list(curves.at(epoch, without=[trial]).values())
    loss = curves.best(trial, epoch)
    if loss is None or len(others) < startup or loss <= np.quantile(others, share / 100, method="inverted_cdf"):
        return None
    rank = 1 + sum(other < loss for other in others)
    return f"Number {rank} of {len(others) + 1} at epoch {epoch}, not among the best {share:g} %"
