"""A trial of an estimator: one fold after another; and its dry run."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from tunerstudio.protocol.worker import EpochEnded, ExecutionEnded, ModelProbed, RunTrial, TrialBuilt
from tunerstudio.study.errors import ModelError, suggest
from tunerstudio.study.hyperparameters import Scalar
from tunerstudio.study.network import search_space
from tunerstudio.worker.estimator import EstimatorStudy, Fold
from tunerstudio.worker.training import NotFiniteError, StopRequest
from tunerstudio.worker.trial import Send, finite


def run_folds(study: EstimatorStudy, command: RunTrial, send: Send, stop: StopRequest) -> bool:
    """Cross-validate; whether all folds of the command were done.

    Raises:
        ModelError: If the estimator cannot be made or fitted, or does not give the objective.
    """
    send(TrialBuilt(trial=command.trial, parameters=None, road=""))
    folds = study.folds()
    for execution in command.executions:
        if stop.after_epoch:
            return False
        metrics = _score_fold(study, command.values, command.seeds[execution], folds[execution])
        score = _objective(study, metrics)
        metrics = finite(metrics)
        send(EpochEnded(trial=command.trial, execution=execution, epoch=1, metrics=metrics, at=time.time()))
        send(
            ExecutionEnded(
                trial=command.trial, execution=execution, score=score, best_epoch=1, epochs=1, metrics=metrics
            )
        )
    return True


def _score_fold(study: EstimatorStudy, values: Mapping[str, Scalar], seed: int, fold: Fold) -> dict[str, float]:
    train, score = fold
    pipeline = study.pipeline(values, seed)
    study.fit(pipeline, train, values)
    scores = study.evaluate(pipeline, score)
    return {f"val_{name}": value for name, value in scores.items()}


def _objective(study: EstimatorStudy, metrics: dict[str, float]) -> float:
    name = study.document.search.objective.name
    if name not in metrics:
        raise ModelError(
            f"the objective {name!r} is not given by {study.model.estimator}, which gives {', '.join(metrics)}."
            f"{suggest(name, metrics)}"
        )
    if not math.isfinite(metrics[name]):
        raise NotFiniteError(name, 1, metrics[name])
    return metrics[name]


def probe_estimator(study: EstimatorStudy, values: Mapping[str, Scalar] | None) -> ModelProbed:
    """Fit and score the first fold.

    Raises:
        ModelError: If the estimator cannot be made or fitted.
    """
    chosen = search_space(study.document).defaults() if values is None else values
    metrics = _score_fold(study, chosen, study.document.search.seed, study.folds()[0])
    return ModelProbed(parameters=None, metrics=tuple(metrics), summary=str(study.pipeline(chosen, 0)))
