"""The score of a trial from its executions, and what is told of it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace

from tunerstudio.engine.seeds import execution_seed
from tunerstudio.study.search import Search
from tunerstudio.study.trials import Epoch, Execution, Trial, TrialState


def scored(trial: Trial) -> Trial:
    """The trial with mean and standard error of its executions' scores; FAILED if a score is not finite."""
    scores = [execution.score for execution in trial.executions if execution.score is not None]
    if not scores or not all(math.isfinite(score) for score in scores):
        return replace(trial, state=TrialState.FAILED, message="no finite score was reported")
    return _with_score(trial, scores, TrialState.COMPLETED)


def ended_early(trial: Trial, epochs: Sequence[Epoch], search: Search, why: str) -> Trial:
    """The trial as PRUNED, with the score that it has: executions that did not end count with their best epoch.

    Args:
        trial: With its completed executions.
        epochs: All of its epochs.
        search: Its objective decides which epoch is the best.
        why: Why it was ended, in a sentence.

    Returns:
        CANCELLED if there is no score yet.
    """
    done = {execution.index for execution in trial.executions if execution.score is not None}
    begun = sorted({epoch.execution for epoch in epochs} - done)
    partial = [_partial(trial.number, [e for e in epochs if e.execution == index], search) for index in begun]
    kept = [execution for execution in trial.executions if execution.index in done]
    executions = tuple(sorted([*kept, *partial], key=lambda execution: execution.index))
    scores = [execution.score for execution in executions if execution.score is not None]
    trial = replace(trial, executions=executions)
    if not scores:
        return replace(trial, state=TrialState.CANCELLED, message=f"{why}, before it had a score")
    return replace(_with_score(trial, scores, TrialState.PRUNED), message=why)


def _partial(trial: int, epochs: Sequence[Epoch], search: Search) -> Execution:
    """The execution that `epochs` belong to, which was not trained to its end."""
    objective, index = search.objective, epochs[0].execution
    best: Epoch | None = None
    for epoch in epochs:
        value = epoch.metrics.get(objective.name)
        if value is None or not math.isfinite(value):
            continue
        if best is None or objective.better(value, best.metrics[objective.name]):
            best = epoch
    return Execution(
        index=index,
        state=TrialState.PRUNED,
        seed=execution_seed(search.seed, trial, index),
        score=None if best is None else best.metrics[objective.name],
        best_epoch=None if best is None else best.epoch,
        epochs=len(epochs),
        metrics={} if best is None else best.metrics,
    )


def _with_score(trial: Trial, scores: Sequence[float], state: TrialState) -> Trial:
    error = statistics.stdev(scores) / math.sqrt(len(scores)) if len(scores) > 1 else None
    return replace(trial, state=state, score=statistics.fmean(scores), standard_error=error)


def told(trial: Trial) -> tuple[str, str]:
    """Level and text of the log line of a trial that has finished."""
    if trial.state is TrialState.COMPLETED:
        return "info", f"trial {trial.number} completed in {trial.duration_s:.3g} s with score {trial.score:.6g}"
    if trial.state is TrialState.PRUNED:
        return "info", f"trial {trial.number} ended early with score {trial.score:.6g}: {trial.message}"
    return "warning", f"trial {trial.number} {trial.state.value.lower()}: {trial.message}"
