"""$name: a pruner for Tuner Studio."""

from tunerstudio.algorithms.api import LearningCurves, Options


def observe_epoch(curves: LearningCurves, trial: int, epoch: int, options: Options) -> str | None:
    """Why `trial` ends after `epoch`, in a sentence; None: it goes on. Losses: less is better."""
    others = curves.at(epoch, without=[trial]).values()
    loss = curves.best(trial, epoch)
    if loss is None or epoch <= int(str(options["warmup_epochs"])) or len(others) < 4:
        return None
    better = sum(other < loss for other in others)
    if better < float(str(options["share"])) * len(others):
        return None
    return f"{better} of {len(others)} other trials were better at epoch {epoch}"
