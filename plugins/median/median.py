"""The median rule (Golovin et al. 2017): a trial ends when it is worse than the median of the others at its epoch."""

from __future__ import annotations

import numpy as np

from tunerstudio.algorithms.api import LearningCurves, Options


def observe_epoch(curves: LearningCurves, trial: int, epoch: int, options: Options) -> str | None:
    """Why the trial ends, if the best it has reached is worse than the median of what the others had reached."""
    startup, warmup = int(str(options["startup_trials"])), int(str(options["warmup_epochs"]))
    if epoch <= warmup or (epoch - warmup) % int(str(options["interval"])):
        return None
    others = list(curves.at(epoch, without=[trial]).values())
    loss = curves.best(trial, epoch)
    if loss is None or len(others) < startup or loss <= np.quantile(others, 0.5, method="inverted_cdf"):
        return None
    return f"Worse at epoch {epoch} than half of the {len(others)} other trials that have reached it"
